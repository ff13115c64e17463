"""The desk over HTTP: health, metrics, summary and control; no rule lives here."""
