"""Backtests and, later, evolution and reflection."""
