"""The document: its shape, its changes, who approved them, what every start does about it."""
