"""What must hold of every recorded history: invariants, and windows that replay equal."""
