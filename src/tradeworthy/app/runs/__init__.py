"""One run from document to folder, and the same read back."""
