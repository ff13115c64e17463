"""Alerts and incidents: who is told of what, whether it reached them, and what became of it."""
