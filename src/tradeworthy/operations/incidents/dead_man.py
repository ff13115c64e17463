"""Silence as an alarm: who hears heartbeats from outside, pages when they stop, and says when they are back (AR-15)."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.operations.incidents.model import AlertSeverity, Notice, Purpose

HEARTBEAT = "heartbeat"
"""How the title of a heartbeat begins."""
DEDUP = "dead_man"


def is_heartbeat(notice: Notice) -> bool:
    """Tell whether a notice is one; any other message is no sign of a path that lives."""
    return notice.purpose is Purpose.CANARY and notice.title.startswith(HEARTBEAT)


class DeadMan:
    """Count silence on the monotonic clock, from the start on: a desk that never spoke is silent as well.

    timeout_s  silence that pages;  repeat_s  until it pages again while the silence lasts
    """

    def __init__(self, desk: str, started: int, *, timeout_s: float, repeat_s: float) -> None:
        self._desk, self._timeout_ns, self._repeat_ns = desk, nanos(timeout_s), nanos(repeat_s)
        self._heard, self._beats, self._pages = started, 0, 0
        self._paged: int | None = None

    @property
    def silent(self) -> bool:
        """Whether people were paged and the desk is not back."""
        return self._paged is not None

    def beat(self, mono: int) -> None:
        """Hear a heartbeat at `mono`, monotonic nanoseconds."""
        self._heard, self._beats = max(self._heard, mono), self._beats + 1

    def look(self, mono: int, now: int) -> Notice | None:
        """Return the page that is due, or that the desk is back; None where nothing is to be said.

        What could not be delivered is asked again with `again`.
        """
        lasted = mono - self._heard
        if lasted < self._timeout_ns:
            if self._paged is None:
                return None
            self._paged = None
            return self._notice(Purpose.RESOLVED, f"{self._desk} is heard again", now)
        if self._paged is not None and mono - self._paged < self._repeat_ns:
            return None
        self._paged = mono
        seconds, never = lasted / NANOS_PER_SECOND, "" if self._beats else ", and was never heard"
        return self._notice(Purpose.ALERT, f"{self._desk} is silent for {seconds:.0f} s{never}", now)

    def again(self) -> None:
        """Page once more at the next look: nobody took the last page."""
        if self._paged is not None:
            self._paged -= self._repeat_ns

    def _notice(self, purpose: Purpose, said: str, now: int) -> Notice:
        self._pages += 1
        mark = "CRITICAL" if purpose is Purpose.ALERT else "RESOLVED"
        return Notice(
            id=f"{DEDUP}:{self._desk}:{self._pages}:{now}", purpose=purpose, severity=AlertSeverity.CRITICAL,
            title=f"[{mark}] dead man: {said}", text=f"{said}\nrunbook: docs/runbooks/alert-path.md",
            dedup=f"{DEDUP}|{self._desk}", at=now,
        )  # fmt: skip
