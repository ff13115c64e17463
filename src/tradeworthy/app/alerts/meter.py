"""The alert path's figures, told to the desk's metrics."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.operations.incidents.path_model import PathFacts


class PathMeter:
    """Fill the families `alerts_*` and `alert_*` (implements `AlertMeter`)."""

    def __init__(self, metrics: DeskMetrics) -> None:
        self._metrics = metrics

    def generated(self, seconds: float) -> None:
        """Take one alert that was made."""
        self._metrics.alert_generated(seconds)

    def path(self, facts: PathFacts) -> None:
        """Take the path as it stands."""
        self._metrics.alerts(
            generated=facts.generated, sent=facts.sent, undelivered=facts.undelivered, suppressed=facts.suppressed,
            canary_age_seconds=facts.canary_age_ns / NANOS_PER_SECOND,
        )  # fmt: skip
