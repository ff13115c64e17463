"""The desk over HTTP: health, metrics, control; it parses, asks its ports and renders, no rule lives here."""
