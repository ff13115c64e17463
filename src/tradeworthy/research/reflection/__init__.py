"""Reflection: what a desk's own decisions suggest to its people; nothing of it is applied by itself."""
