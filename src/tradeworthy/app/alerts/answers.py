"""What the HTTP address asks of a desk's alerts: what fires, who takes it, and what Prometheus found."""

import msgspec

from tradeworthy.app.alerts.alerting import Alerting
from tradeworthy.kernel.clock import Clock
from tradeworthy.operations.incidents.acts import Answer, Request, Verb
from tradeworthy.operations.incidents.prometheus_source import signals_of

SCHEMA, INCIDENTS_SCHEMA = "tradeworthy.alerts/1", "tradeworthy.incidents/1"
LISTED_MAX = 200
"""Tickets of one answer."""


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

    def incidents(self, name: str = "") -> tuple[int, bytes] | None:
        """Return status and JSON of the tickets that are kept, the newest first, or of one whole; None while closed."""
        path = self._alerting.path
        if path is None:
            return None
        book, now = path.incidents, self._clock.now()
        if not name:
            shown = [
                {
                    "incident": one.id, "title": one.opened.title, "sev": one.sev, "phase": one.phase.value,
                    "detected_at": one.opened.detected_at, "drill": one.opened.drill, "roles": one.roles,
                    "actions": len([each for each in book.actions.of(one.id) if each.ended is None]),
                }
                for one in reversed(book.all[-LISTED_MAX:])
            ]  # fmt: skip
            means = book.means(now)
            return 200, msgspec.json.encode({
                "schema": INCIDENTS_SCHEMA, "at": now, "incidents": shown, "late": book.late(now),
                "means": means._asdict(), "actions_overdue": [one.told.action for one in book.actions.overdue(now)],
            })  # fmt: skip
        found = next((one for one in book.all if one.id == name), None)
        if found is None:
            return 404, b"{}"
        return 200, msgspec.json.encode({
            "schema": INCIDENTS_SCHEMA, "at": now, "incident": found,
            "actions": [one._asdict() for one in book.actions.of(name)],
            "clocks": [one._asdict() for one in book.clocks.all if one.started.incident == name],
        })  # fmt: skip

    def take(self, body: bytes) -> int:
        """Hand what Prometheus found to the router; returns how many. Raises `UsageError` for a wrong message."""
        signals = signals_of(body)
        for one in signals:
            self._alerting.tell(one)
        return len(signals)
