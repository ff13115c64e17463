"""The desk: deterministic, no I/O."""
