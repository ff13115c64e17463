"""Indicators and regime: what the market does, as running values."""
