"""Recorded runs judged: backtests, soaks, regressions, parity, profit and costs."""
