"""Fold a run's figures into bounded series, and measure each against its own past (AS-88, DF-01 to DF-03, DF-06).

The statistics are those of `detectors.py`, which a test holds equal to `river`: its import takes longer than a running
desk may stand still.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from math import fsum, isfinite, sqrt
from typing import Any, NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.detectors import cusum, page_hinkley_peaks
from tradeworthy.operations.assessments.framework.values import Observation, Provenance
from tradeworthy.trading.model import Bar, Instrument, Quote
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import FillBooked
from tradeworthy.trading.timing import STEP, DeskTiming

MINUTE_NS = 60 * NANOS_PER_SECOND
BASIS_POINTS = 10_000
SERIES_KEPT = 64
TAKEN = frozenset({Quote, Bar, DeskTiming, FillBooked})
SLIPPAGE = "slippage_bps"


class DriftWindows(msgspec.Struct, frozen=True, kw_only=True):
    """How a series is cut, and what its detectors tolerate, in standard deviations of the baseline.

    baseline, evaluation  observations;  samples_min  of either side
    evaluation_share      one part of so many of a young series is its newest
    """

    baseline: int = 240
    evaluation: int = 60
    samples_min: int = 30
    evaluation_share: int = 3
    page_hinkley_delta: float = 0.25
    cusum_slack: float = 0.5


class Training(NamedTuple):
    """What a model learnt from: mean and standard deviation of a figure, and the digest of the data they are of."""

    mean: float
    deviation: float
    sha256: str


class DriftFold:
    """Take a run's events in order and keep the newest observations of each figure: market, costs, and the desk's pace.

    instruments  of the run's document;  training  of pinned training sets, by the figure's name
    """

    def __init__(
        self, instruments: Mapping[str, Instrument], *, windows: DriftWindows | None = None,
        training: Mapping[str, Training] | None = None,
    ) -> None:  # fmt: skip
        self._instruments, self._training = dict(instruments), dict(training or {})
        self._windows = windows or DriftWindows()
        self._series: dict[str, deque[float]] = {}
        self._minute: dict[str, int] = {}
        self._mid: dict[str, float] = {}

    def on_event(self, event: Event) -> None:
        """Take the next event; the cost does not depend on how many came before."""
        if event.payload.__class__ not in TAKEN:
            return
        match event.payload:
            case Quote() | Bar() as payload:
                self._market(payload, event.ts_init // MINUTE_NS)
            case DeskTiming(stages=stages):
                for one in stages:
                    if one.stage == STEP:
                        self.add("step_ms", one.p50_ns / NANOS_PER_MILLI)
            case FillBooked() as fill:
                self._fill(fill)

    def add(self, name: str, value: float) -> None:
        """Take one observation of a figure; what is not finite says nothing."""
        kept = self._series.get(name)
        if kept is None:
            if len(self._series) >= SERIES_KEPT:
                return
            windows = self._windows
            kept = self._series[name] = deque(maxlen=windows.baseline + windows.evaluation)
        if isfinite(value):
            kept.append(value)

    def facts(self, tell: Teller, venue: Provenance = Provenance.MEASURED) -> list[Observation]:
        """Return the facts of `drift_sentry`, by figure; `venue` is what a figure of fills is worth."""
        found: list[Observation] = []
        for name, kept in sorted(self._series.items()):
            figure = self._judged(name, tuple(kept), tell)
            if name.startswith(SLIPPAGE):
                figure = [msgspec.structs.replace(one, provenance=venue) for one in figure]
            found += figure
            if name in self._training:
                found += self._against_training(name, tuple(kept), self._training[name], tell)
        return found

    def _judged(self, name: str, series: Sequence[float], tell: Teller) -> list[Observation]:
        windows = self._windows
        newest = min(windows.evaluation, len(series) // windows.evaluation_share)
        baseline, current = series[: len(series) - newest], series[len(series) - newest :]
        least, why = min(len(baseline), newest), ""
        mean, deviation = moments(baseline) if baseline else (0.0, 0.0)
        if least < windows.samples_min:
            why = f"{least} samples, {windows.samples_min} are needed"
        elif deviation == 0:
            why = "the baseline does not vary"
        values: dict[str, Any] = dict.fromkeys(("page_hinkley", "cusum", "variance_ratio"))
        if not why:
            whole = [(one - mean) / deviation for one in series]
            late = whole[len(baseline) :]
            before, peak = page_hinkley_peaks(whole, delta=windows.page_hinkley_delta, split=len(baseline))
            values["page_hinkley"] = peak if peak > before else 0.0  # what the baseline itself held is past
            values["cusum"] = cusum(late, target=0.0, slack=windows.cusum_slack)
            _, now = moments(late)
            values["variance_ratio"] = max(now * now, 1 / (now * now)) if now else None
        return [
            tell("samples", least, name),
            *(tell(fact, value, name, why=why or f"the newest {len(current)} do not vary")
              for fact, value in values.items()),
        ]  # fmt: skip

    def _against_training(self, name: str, series: Sequence[float], known: Training, tell: Teller) -> list[Observation]:
        newest = series[-self._windows.evaluation :]
        why = f"{len(newest)} samples, {self._windows.samples_min} are needed"
        shift = ratio = None
        if len(newest) >= self._windows.samples_min and known.deviation > 0:
            mean, deviation = moments(newest)
            shift = abs(mean - known.mean) / known.deviation
            share = (deviation / known.deviation) ** 2
            ratio = max(share, 1 / share) if share else None
        return [
            tell("training_set", known.sha256, name), tell("training_shift", shift, name, why=why),
            tell("training_variance", ratio, name, why=why),
        ]  # fmt: skip

    def _market(self, payload: Quote | Bar, minute: int) -> None:
        """Take the price, and of a quote the spread, once a minute of the event's own time."""
        name = payload.instrument
        if self._minute.get(name, -1) >= minute:
            return
        self._minute[name] = minute
        if isinstance(payload, Bar):
            mid = float(payload.close)
        else:
            mid = (payload.bid + payload.ask) / 2
            if mid > 0:
                self.add(f"spread_bps:{name}", (payload.ask - payload.bid) / mid * BASIS_POINTS)
        before = self._mid.get(name)
        self._mid[name] = mid
        if before:
            self.add(f"return_bps:{name}", (mid / before - 1) * BASIS_POINTS)

    def _fill(self, fill: FillBooked) -> None:
        instrument = self._instruments.get(fill.instrument)
        if instrument is None or not fill.mid:
            return
        paid = (float(instrument.price(fill.price)) / float(fill.mid) - 1) * BASIS_POINTS
        self.add(f"{SLIPPAGE}:{fill.instance}", paid if fill.side is Side.BUY else -paid)


def moments(series: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation of a population, exactly summed; a constant series has 0."""
    count = len(series)
    mean = fsum(series) / count
    if min(series) == max(series):
        return mean, 0.0
    return mean, sqrt(fsum((one - mean) ** 2 for one in series) / count)
