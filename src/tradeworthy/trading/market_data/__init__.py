"""Venue messages to clean market events: tops, books, bars, quality, calendars. Pure; no I/O."""
