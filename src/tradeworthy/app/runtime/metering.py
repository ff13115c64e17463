"""From what the desk journals and the runtime knows to metrics: one look at each event, one each second at the rest."""

from collections.abc import Mapping

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.telemetry.metrics import DeskMetrics
from tradeworthy.trading.control.halting import FlatnessSeen
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.model import FillBooked, OrderChanged, Side
from tradeworthy.trading.timing import DeskTiming


class DeskMeter:
    """Count orders and fills of each instance, and take the durations of stages."""

    def __init__(self, metrics: DeskMetrics, clock: Clock, strategies: Mapping[str, tuple[str, str, str]]) -> None:
        self._metrics, self._clock, self._strategies = metrics, clock, strategies
        self.last_event_at: int | None = None
        self.last_decision_at: int | None = None
        for instance, (strategy, venue, instrument) in strategies.items():
            metrics.instance(instance, strategy, venue, instrument)

    def on_event(self, event: Event, seq: int) -> None:
        """Take one event of the desk's journal."""
        payload = event.payload
        self.last_event_at = self._clock.now()
        kind = payload.__class__
        if kind is FillBooked:
            self._fill(payload)
        elif kind is OrderChanged:
            self._order(payload)
        elif kind is DeskTiming:
            self._timing(payload)
        elif kind is FlatnessSeen:
            self._flatness(payload)
        if event.source == "desk":
            self.last_decision_at = self.last_event_at

    def on_progress(self, desk: Desk, rows: int, ts: int) -> None:
        """Take the guard as it stands."""
        self._metrics.guard(desk.guard.level.name.lower(), [one.owner for one in desk.guard.reasons()])

    def _fill(self, fill: Fact) -> None:
        assert isinstance(fill, FillBooked)
        known = self._strategies.get(fill.instance)
        if known is not None:
            strategy, venue, _ = known
            side = "buy" if fill.side is Side.BUY else "sell"
            self._metrics.fill(
                fill.instance, strategy, venue, fill.instrument, side=side, liquidity=fill.liquidity.value
            )

    def _order(self, changed: Fact) -> None:
        assert isinstance(changed, OrderChanged)
        known = self._strategies.get(changed.instance)
        if known is not None:
            strategy, venue, _ = known
            self._metrics.order(changed.instance, strategy, venue, changed.instrument, state=changed.after.value)

    def _timing(self, timing: Fact) -> None:
        assert isinstance(timing, DeskTiming)
        for stage in timing.stages:
            self._metrics.stage(stage.stage, stage.p50_ns / NANOS_PER_SECOND)

    def _flatness(self, seen: Fact) -> None:
        assert isinstance(seen, FlatnessSeen)
        for step, took in seen.steps_ns.items():
            self._metrics.kill_step(step, took / NANOS_PER_SECOND)
