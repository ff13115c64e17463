"""How fast the desk trades and what holds it back: a driven desk measured, and its decision latency guarded (PBL)."""
