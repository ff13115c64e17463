"""Alerts and duties of a desk, wired: who is told, what outlives a process, what time alone brings."""
