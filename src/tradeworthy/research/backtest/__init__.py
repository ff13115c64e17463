"""Backtest: records of a run, its statistics, the registers that keep it honest, and its report."""
