"""A desk that has just started knows little yet: what it says of itself is told once it had time to become known."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.ports import AlertEvent, AlertPort
from tradeworthy.operations.incidents.model import Signal

T = TypeVar("T")


class Settling(Generic[T]):
    """Hold back for the first `settle_s` seconds what may wait; what still stands then is told by `flush`."""

    def __init__(self, onward: Callable[[T], object], clock: Clock, *, settle_s: float) -> None:
        self._onward, self._clock = onward, clock
        self._until = clock.monotonic() + round(settle_s * NANOS_PER_SECOND)
        self._held: dict[Hashable, T] = {}

    @property
    def settled(self) -> bool:
        """Whether nothing is held back any more."""
        return self._clock.monotonic() >= self._until

    def take(self, key: Hashable, told: T, *, begins: bool, waits: bool) -> None:
        """Take what begins or ends under a key; the end of what was held back is told to nobody."""
        if begins and waits and not self.settled:
            self._held[key] = told
        elif self._held.pop(key, None) is None or begins:
            self._onward(told)

    def flush(self) -> None:
        """Tell what was held back, once the time is over."""
        if not self._held or not self.settled:
            return
        held, self._held = self._held, {}
        for told in held.values():
            self._onward(told)


class SettlingAlerts(Settling[AlertEvent]):
    """An `AlertPort` at which only what is unknown waits. Journal, metrics and gates have it from the beginning."""

    def __init__(self, onward: AlertPort, clock: Clock, *, settle_s: float) -> None:
        super().__init__(onward.alert, clock, settle_s=settle_s)

    def alert(self, event: AlertEvent) -> None:
        """Take an alert or its end."""
        self.take(event.key, event, begins=event.active, waits=event.severity is Severity.UNKNOWN)


class SettlingSignals(Settling[Signal]):
    """What a gate says of a desk, all of which waits."""

    def tell(self, signal: Signal) -> None:
        """Take a signal or its end."""
        self.take((signal.code, signal.component), signal, begins=signal.firing, waits=True)
