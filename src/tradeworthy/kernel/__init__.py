"""What everything stands on; knows nothing of trading."""
