"""Taking market data in: what is wanted, one cycle of it, and the port of the store that keeps it."""
