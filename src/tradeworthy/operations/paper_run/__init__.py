"""The guardian of a paper run: what it watches, what ends the run, and the report that a gate reads (PPR-01 to 08)."""
