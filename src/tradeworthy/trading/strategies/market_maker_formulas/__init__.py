"""The market maker's formulas, one idea a file; pure, in fractions of price unless a unit stands there."""
