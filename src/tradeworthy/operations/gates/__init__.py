"""Gates: tables of requirements over evidence that answer GO or NO-GO, say why, and when the answer ends."""
