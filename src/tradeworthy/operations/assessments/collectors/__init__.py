"""Facts out of what the desk journals and what the process knows: folds and readings, each bounded and read-only."""
