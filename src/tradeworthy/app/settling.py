"""A desk that has just started knows little yet: what is only unknown is told once it had time to become known."""

from collections.abc import Callable

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.ports import AlertEvent, AlertPort
from tradeworthy.operations.incidents.model import Signal


class SettlingAlerts:
    """Hold back alerts of what is unknown for the first `settle_s` seconds; everything else goes on at once.

    What is still unknown then is told by `flush`. Journal, metrics and gates have it as unknown from the beginning.
    """

    def __init__(self, onward: AlertPort, clock: Clock, *, settle_s: float) -> None:
        self._onward, self._clock = onward, clock
        self._until = clock.monotonic() + round(settle_s * NANOS_PER_SECOND)
        self._held: dict[str, AlertEvent] = {}

    @property
    def settled(self) -> bool:
        """Whether nothing is held back any more."""
        return self._clock.monotonic() >= self._until

    def alert(self, event: AlertEvent) -> None:
        """Take an alert or its end."""
        if event.active and event.severity is Severity.UNKNOWN and not self.settled:
            self._held[event.key] = event
        elif self._held.pop(event.key, None) is None or event.active:
            self._onward.alert(event)

    def flush(self) -> None:
        """Tell what was held back, once the time is over."""
        if not self._held or not self.settled:
            return
        held, self._held = self._held, {}
        for event in held.values():
            self._onward.alert(event)


class SettlingSignals:
    """Hold back for `settle_s` seconds what a gate says of a desk that has just started; then tell how it stands."""

    def __init__(self, onward: Callable[[Signal], object], clock: Clock, *, settle_s: float) -> None:
        self._onward, self._clock = onward, clock
        self._until = clock.monotonic() + round(settle_s * NANOS_PER_SECOND)
        self._held: dict[tuple[str, str], Signal] = {}

    def tell(self, signal: Signal) -> None:
        """Take a signal or its end."""
        if self._clock.monotonic() >= self._until:
            self._onward(signal)
            return
        key = signal.code, signal.component
        if signal.firing:
            self._held[key] = signal
        elif self._held.pop(key, None) is None:
            self._onward(signal)  # it fired before this process began

    def flush(self) -> None:
        """Tell what still stands, once the time is over."""
        if not self._held or self._clock.monotonic() < self._until:
            return
        held, self._held = self._held, {}
        for signal in held.values():
            self._onward(signal)
