"""What watches the desk, judges it and keeps the evidence; it never moves the desk's state."""
