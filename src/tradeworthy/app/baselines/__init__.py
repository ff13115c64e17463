"""What a desk's speed is held against: measured, approved and kept."""
