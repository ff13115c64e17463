"""Where facts for the assessments come from, of runs at rest and of a desk that runs."""
