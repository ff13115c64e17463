"""Read the evidence of a run once, in constant memory, and judge it: logs, decision diary, performance file."""
