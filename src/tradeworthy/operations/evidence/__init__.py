"""Evidence bundles: content-addressed, signed, verifiable anywhere; waivers, evidence log, certificate, witness."""
