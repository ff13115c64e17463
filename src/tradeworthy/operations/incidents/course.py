"""What an incident did to the desk: money, fills, drawdown and guard before it, while it lasted, and after it (IN-07).

All of it is a fold of the desk's own journal. Spans are of the desk's time, which on a tape is the tape's.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.operations.incidents.scene import Booked, SceneFold
from tradeworthy.trading.model import NANOS, FillBooked, GuardLevel

BEFORE, DURING, AFTER = "before", "during", "after"
EMPTY = Booked(instrument="")


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of desk time with what happened in it.

    seconds   its length as far as the journal goes;  pnl  change of the desk's equity, None where it was not sampled
    drawdown  the deepest fall of that equity from its peak in the span;  guard  the worst level of the desk
    """

    name: str
    seconds: float
    events: int
    pnl: Decimal | None
    drawdown: Decimal | None
    fills: int
    guard: str


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """The three spans, and the money effect while it lasted by instrument.

    run, first_seq, last_seq  the journal that it rests on: of the first and of the last run
    over  False: the incident is not resolved, and the span goes to the journal's end
    """

    run: str
    first_seq: int
    last_run: str
    last_seq: int
    over: bool
    spans: tuple[Span, ...]
    effect: tuple[Booked, ...]

    def span(self, name: str) -> Span:
        """Return one span."""
        return next(one for one in self.spans if one.name == name)


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Where an incident begins and ends in the desk's journals; times of the desk, nanoseconds.

    last_run  empty: it is not over
    """

    run: str
    first_seq: int
    first_time: int
    last_run: str = ""
    last_seq: int = 0
    last_time: int = 0
    shortest_ns: int = 900 * NANOS_PER_SECOND

    @property
    def length(self) -> int:
        """How long before and after are."""
        return max(self.shortest_ns, self.last_time - self.first_time)


class _Open:
    """A span that is being folded."""

    def __init__(self, name: str, equity: int | None, guard: GuardLevel) -> None:
        self.name, self.begin, self.end = name, 0, 0
        self.first, self.last, self.peak = equity, equity, equity
        self.fall, self.fills, self.events, self.guard = 0, 0, 0, guard

    def take(self, event: Event, equity: int | None, guard: GuardLevel) -> None:
        self.begin = self.begin or event.ts_init
        self.end = max(self.end, event.ts_init)
        self.events += 1
        self.fills += isinstance(event.payload, FillBooked)
        self.guard = max(self.guard, guard)
        if equity is not None:
            self.first = equity if self.first is None else self.first
            self.peak = equity if self.peak is None else max(self.peak, equity)
            self.fall, self.last = max(self.fall, self.peak - equity), equity

    def told(self) -> Span:
        known = self.first is not None and self.last is not None
        return Span(
            name=self.name, seconds=(self.end - self.begin) / NANOS_PER_SECOND, events=self.events,
            pnl=Decimal((self.last or 0) - (self.first or 0)) / NANOS if known else None,
            drawdown=Decimal(self.fall) / NANOS if known else None, fills=self.fills, guard=self.guard.name.lower(),
        )  # fmt: skip


def course(runs: Iterable[tuple[str, Iterable[Event]]], bounds: Bounds) -> Course:
    """Fold the journals of an incident's runs, oldest first; the same journals give the same course."""
    fold = SceneFold()
    spans: dict[str, _Open] = {}
    effect: dict[str, Booked] = {}
    base: dict[str, Booked] = {}
    past_first = past_last = False
    last_seq = bounds.first_seq
    for name, events in runs:
        base = {}
        for event in events:
            if name == bounds.run and event.seq >= bounds.first_seq and not past_first:
                past_first, base = True, dict(fold.booked)
            if past_last and event.ts_init > bounds.last_time + bounds.length:
                break
            equity, guard = fold.equity, _level(fold)
            fold.on_event(event, event.seq)
            if past_last:
                place = AFTER
            elif past_first:
                place, last_seq = DURING, event.seq
            elif event.ts_init >= bounds.first_time - bounds.length:
                place = BEFORE
            else:
                continue
            spans.setdefault(place, _Open(place, equity, guard)).take(event, fold.equity, _level(fold))
            if name == bounds.last_run and event.seq >= bounds.last_seq and not past_last:
                past_last = True
                _add(effect, fold.booked, base)
        if past_first and not past_last:
            _add(effect, fold.booked, base)
    names = (BEFORE, DURING, AFTER)
    return Course(
        run=bounds.run, first_seq=bounds.first_seq, last_run=bounds.last_run or bounds.run, last_seq=last_seq,
        over=bool(bounds.last_run),
        spans=tuple((spans.get(one) or _Open(one, None, GuardLevel.RUNNING)).told() for one in names),
        effect=tuple(effect[one] for one in sorted(effect)),
    )  # fmt: skip


def _level(fold: SceneFold) -> GuardLevel:
    return GuardLevel[(fold.guard or "running").upper()]


def _add(effect: dict[str, Booked], booked: dict[str, Booked], base: dict[str, Booked]) -> None:
    """Add what one run booked since `base`."""
    for name, row in booked.items():
        before, known = base.get(name, EMPTY), effect.get(name, EMPTY)
        found = Booked(
            instrument=name, fills=known.fills + row.fills - before.fills,
            realized=known.realized + row.realized - before.realized, fees=known.fees + row.fees - before.fees,
            fees_open=max(0, row.fees_open), funding=known.funding + row.funding - before.funding,
        )  # fmt: skip
        if found.fills or found.realized or found.fees or found.funding:
            effect[name] = found
