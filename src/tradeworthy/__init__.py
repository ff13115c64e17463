"""Tradeworthy runs a trading desk and proves that it is fit to trade."""
__version__ = "0.1.0"
