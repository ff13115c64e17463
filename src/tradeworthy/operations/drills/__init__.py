"""Drills: faults and stops made on purpose, and the evidence that is left of them."""
