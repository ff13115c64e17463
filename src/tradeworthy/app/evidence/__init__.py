"""What a run shows to those who observe it, and how long that is kept."""
