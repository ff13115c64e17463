"""Soaks: what a desk must show over hours before it may do more (section 17 and ST-03)."""
