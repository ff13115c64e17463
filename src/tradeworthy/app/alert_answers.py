"""What the HTTP address asks of a desk's alerts: what fires, who takes it, and what Prometheus found."""

import msgspec

from tradeworthy.app.alerting import Alerting
from tradeworthy.kernel.clock import Clock
from tradeworthy.operations.incidents.acts import Answer, Request, Verb
from tradeworthy.operations.incidents.prometheus_source import signals_of

SCHEMA = "tradeworthy.alerts/1"


class AlertAnswers:
    """Answer from the memory of the running path; called on the desk's own loop."""

    def __init__(self, alerting: Alerting, clock: Clock) -> None:
        self._alerting, self._clock = alerting, clock
        self._asked = 0

    def firing(self) -> bytes | None:
        """Return what fires, the worst first, as JSON; None while the path is closed."""
        path = self._alerting.path
        if path is None:
            return None
        shown = [
            {**msgspec.to_builtins(one), "held_open": path.book.flapping(one.key)} for one in path.book.firing
        ]
        silences = [msgspec.to_builtins(one) for one in path.book.silences]
        return msgspec.json.encode({"schema": SCHEMA, "at": self._clock.now(), "firing": shown, "silences": silences})

    def acknowledge(self, alert: str, person: str) -> Answer | None:
        """Take an alert in a person's name; None while the path is closed."""
        path = self._alerting.path
        if path is None:
            return None
        self._asked += 1
        name = f"http-{self._clock.now()}-{self._asked}"
        return path.act(Request(id=name, verb=Verb.ACK, person=person, target=alert))

    def take(self, body: bytes) -> int:
        """Hand what Prometheus found to the router; returns how many. Raises `UsageError` for a wrong message."""
        signals = signals_of(body)
        for one in signals:
            self._alerting.tell(one)
        return len(signals)
