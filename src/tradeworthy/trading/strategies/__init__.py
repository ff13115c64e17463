"""Strategies, one file each; the catalogue names them."""
