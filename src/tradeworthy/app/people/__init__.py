"""What people sign for and ask of a desk, whether a process runs it or not."""
