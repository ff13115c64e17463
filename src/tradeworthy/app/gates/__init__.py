"""Gates of a desk, wired: evidence is made, questions asked, verdicts kept and watched."""
