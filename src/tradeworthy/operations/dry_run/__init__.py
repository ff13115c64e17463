"""The final dry run: run a command for days under outside observation and judge what was measured."""
