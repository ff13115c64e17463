"""One file a verb; verbs parse, call and render."""
