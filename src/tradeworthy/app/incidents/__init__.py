"""Incidents beside a desk's journals: their course, their replay, their drills and the museum."""
