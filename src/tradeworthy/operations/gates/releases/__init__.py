"""What a release is and what it left: manifest, certificate, build's summary, scorecard, game days."""
