"""Configuration and wiring."""
