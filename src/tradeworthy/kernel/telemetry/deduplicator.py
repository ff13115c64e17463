"""Know a repeat by its event id: delivery is at least once, an effect shall be once (TEL-02)."""

from collections import OrderedDict

REMEMBERED_MAX = 4_096
"""More than the events that a spool brings again after a crash: one batch."""


class Deduplicator:
    """Remember the last event ids that were dealt with, oldest forgotten first."""

    __slots__ = ("_remembered", "_seen")

    def __init__(self, remembered: int = REMEMBERED_MAX) -> None:
        if remembered < 1:
            raise ValueError(f"remembered must be at least 1, was {remembered}")
        self._remembered = remembered
        self._seen: OrderedDict[str, None] = OrderedDict()

    def knows(self, event_id: str) -> bool:
        """Tell whether the event was dealt with."""
        return event_id in self._seen

    def remember(self, event_id: str) -> None:
        """Note that the event was dealt with."""
        self._seen[event_id] = None
        self._seen.move_to_end(event_id)
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
