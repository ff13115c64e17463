"""How a strategy earns capital: graduation from its diary, tuning, envelopes, and the ramp with its test."""
