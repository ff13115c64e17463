"""Stopping a desk from outside and proving that it is flat."""
