"""What a release is and what it left: certificate, build's summary, scorecard, game days."""
