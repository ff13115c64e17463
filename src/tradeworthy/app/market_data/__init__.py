"""Tapes and market data of a document, opened and taken in."""
