"""An ERROR that nobody would hear of becomes an alert and an incident (AR-16, LOG-05)."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.telemetry.log_lines import LogLine
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.operations.incidents.policy import AlertPolicy

OWN_LOGGERS = ("tradeworthy.alerts",)
"""Loggers of the path itself: what they say is in receipts, and may not feed the path again."""
UNROUTED = "alert_path.unrouted_error"


class UnroutedErrors:
    """Tell routed ERROR lines from others, and hand both on as signals; called on the log's own thread.

    tell  takes a signal from any thread
    """

    def __init__(self, policy: AlertPolicy, tell: Callable[[Signal], None]) -> None:
        self._routes, self._tell = dict(policy.log_routes), tell
        self._noise = {one.event: _end_of(one.event, one.owner, one.until) for one in policy.noise}

    def routed(self, line: LogLine) -> bool:
        """Tell whether somebody hears of an ERROR line already: by its alert, or because it is known until a day."""
        if line.logger.startswith(OWN_LOGGERS):
            return True
        code = self._routes.get(line.event)
        if code is not None:
            self._tell(_signal(line, code, code))
            return True
        return line.at < self._noise.get(line.event, 0)

    def on_unrouted(self, line: LogLine) -> None:
        """Make an alert of a line without a route; the same event of the same logger is one alert."""
        self._tell(_signal(line, UNROUTED, UNROUTED))


def _signal(line: LogLine, code: str, category: str) -> Signal:
    severity = AlertSeverity.ERROR if code == UNROUTED else None
    return Signal(
        code=code, category=category, component=line.logger, subject=line.event, severity=severity,
        message=f"ERROR line {line.event} of {line.logger}", cause=f"log:{line.at}",
    )  # fmt: skip


def _end_of(event: str, owner: str, until: str) -> int:
    if not owner:
        raise ConfigurationRefused(f"alerts.noise {event!r}: expected an owner, found none")
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise ConfigurationRefused(f"alerts.noise {event!r}: expected a day like 2026-12-31, found {until!r}") from None
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (round(midnight.timestamp()) + 86_400) * NANOS_PER_SECOND
