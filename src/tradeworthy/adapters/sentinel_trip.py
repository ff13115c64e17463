"""Trip a desk's sentinel from outside its process (implements the watchdog's `TripPort`)."""

from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.sentinel import SentinelPort
from tradeworthy.trading.model import GuardLevel

OWNER = "watchdog"


class SentinelTrip:
    """Add a stop of the whole desk to what the sentinel holds; a record that cannot be read stays a stop of its own."""

    def __init__(self, port: SentinelPort) -> None:
        self._port = port

    def trip(self, code: str, evidence: str, now: int) -> None:
        """Put `watchdog.code` in force, durable when it returns; an older one of the same code stays as it is."""
        held = sentinel.restore((), self._port.read(), first_run=True, now=now)
        if any((one.owner, one.code, one.scope) == (OWNER, code, "desk") for one in held):
            return
        stop = HeldReason(OWNER, code, GuardLevel.STOPPED, "desk", now, None, evidence)
        self._port.write(sentinel.encode((*held, stop)))
