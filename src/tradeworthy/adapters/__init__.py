"""One technology each, behind a port that its consumer owns; imported by `app` only."""
