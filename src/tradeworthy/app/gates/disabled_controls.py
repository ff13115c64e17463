"""Play a simulated desk with one control disabled, under orders that it would have stopped: who else notices? (AS-42)

The desk is built as any other; beside it stand the parts that look at a running desk: the invariants of a paper run,
and the assessments of review, enforcement and limits, each minute. Nothing that the disabled control says counts.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any, cast

import msgspec

from tradeworthy.app import config
from tradeworthy.app.assessing.desk_folds import desk_fold
from tradeworthy.app.bootstrap import build_desk, build_timers, build_venue
from tradeworthy.app.config import Document
from tradeworthy.app.gates.control_scenes import FAR, INSTRUMENTS, MID, SCENES, START, Scene, Wish
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import take
from tradeworthy.operations.gates.control_score import ControlScorePolicy, Disabled
from tradeworthy.operations.paper_run.invariants import Invariants
from tradeworthy.trading.environment import Environment, Row, merged
from tradeworthy.trading.execution.execution import ExecutionRefused, RefusedAltered
from tradeworthy.trading.execution.intake import DeadLetter, OutsideWish
from tradeworthy.trading.model import (
    Abstain,
    GuardChanged,
    Instrument,
    MarketEvent,
    OrderState,
    Quote,
    Refused,
    Status,
    SubmitOrder,
    TradingStatus,
)
from tradeworthy.trading.model.order import OrderAnomaly, OrderChanged
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.controls import all_controls
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.review import Reviewer
from tradeworthy.trading.strategies.catalogue import Entry

WATCHING = ("risk_policy", "enforcement_slos", "risk_posture")
"""The assessments of a running desk that look at its orders."""
REMOVED, TEN_TIMES = "removed", "its limit times ten"
QUOTES_S = 2
OPERATOR = "operator"
TTL_NS = 30 * NANOS_PER_SECOND
QUIET = Abstain("quiet")
NOT_A_LIMIT = frozenset({"_den", "_minute"})
"""A denominator, and the length of a ring that is no longer than the limit itself."""
Bend = Callable[[tuple[Control, ...]], tuple[Control, ...]]


class SilentPolicy(msgspec.Struct, frozen=True):
    """A strategy that wishes nothing has nothing to set."""


class Silent:
    """Wish nothing: what is ordered comes from outside."""

    observes: tuple[Any, ...] = ()
    decides_on: tuple[Any, ...] = ()

    def __init__(self, instance: str, instrument: Instrument, policy: SilentPolicy) -> None:
        self.instance, self.instrument_id = instance, instrument.instrument_id

    def observe(self, view: Any) -> None:
        """Take what happened."""

    def decide(self, view: Any) -> Abstain:
        """Return no wish."""
        return QUIET


def play_all(
    scenes: Iterable[Scene] = SCENES, *, without: Collection[str] = (), policy: ControlScorePolicy | None = None
) -> Iterator[Disabled]:
    """Yield what became of each control that was disabled, in each way in which it no longer stops its scene.

    without  assessments that do not look, to see what is left when one of two lines is gone
    """
    horizon = (policy or ControlScorePolicy()).notice_s_fail
    for scene in scenes:
        whole = _play(scene, lambda controls: controls, horizon, without)
        for how, bend in ((REMOVED, _removed(scene.control)), (TEN_TIMES, _loosened(scene.control))):
            found = _play(scene, bend, horizon, without)
            if how == TEN_TIMES and (found.own or not whole.own):
                continue  # ten times as much is no looser limit here, or there is none
            by, after = found.first(whole)
            yield Disabled(control=scene.control, how=how, stopped=not whole.left, by=by, after_s=after)


def ten_times(control: Any) -> Any:
    """Return a copy of a control whose every limit is ten times as large."""
    copy = object.__new__(type(control))
    for name in [name for kind in type(control).__mro__ for name in getattr(kind, "__slots__", ())]:
        value = getattr(control, name)
        setattr(copy, name, value if name in NOT_A_LIMIT else _larger(value))
    return copy


def _larger(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int() | Decimal():
            return value * 10
        case (int() as numerator, int() as denominator):
            return (numerator * 10, denominator)
        case dict():
            return {key: _larger(each) for key, each in value.items()}
        case msgspec.Struct():
            return msgspec.structs.replace(
                value, **{name: _larger(getattr(value, name)) for name in value.__struct_fields__}
            )
    return value


def _removed(code: str) -> Bend:
    return lambda controls: tuple(one for one in controls if one.code != code)


def _loosened(code: str) -> Bend:
    return lambda controls: tuple(ten_times(one) if one.code == code else one for one in controls)


class _Watch:
    """What was said from the last order on, and when: by the control itself, by other lines of defence, by watchers.

    own  the control refused;  left  the order left all the same
    """

    def __init__(self, document: Document, scene: Scene, without: Collection[str]) -> None:
        self._control, self._asked = scene.control, START + round(scene.wishes[-1].at_s * NANOS_PER_SECOND)
        self.own = self.left = False
        self.others: dict[str, float] = {}
        self.watchers: dict[str, float] = {}
        self._fold, self._invariants = desk_fold(document, document.desk.environment), Invariants()
        self._looking = tuple(name for name in WATCHING if name not in without)
        self._due = START + 60 * NANOS_PER_SECOND
        self._seq = 0

    def first(self, sound: "_Watch") -> tuple[str, float | None]:
        """Return who noticed first, and after how many seconds; what is said of the whole desk too is no notice."""
        new = {code: at for code, at in self.watchers.items() if code not in sound.watchers}
        said = sorted((at, code) for code, at in {**new, **self.others}.items())
        return (said[0][1], said[0][0]) if said else ("", None)

    def on_event(self, event: Event) -> None:
        """Take the next event of the desk."""
        while self._due <= event.ts_init:
            self._assess(self._due)
            self._due += 60 * NANOS_PER_SECOND
        self._seq += 1
        self._fold.on_event(event, self._seq)
        self._say(event)

    def _say(self, event: Event) -> None:
        ts, fact = event.ts_init, event.payload
        broken = self._invariants.take(fact)
        if broken is not None:
            self._add(self.watchers, broken.code, ts)
        match fact:
            case Refused(violations=violations):
                for one in violations:
                    if one.code.startswith(self._control):
                        self.own |= ts >= self._asked
                    else:
                        self._add(self.others, one.code, ts)
            case SubmitOrder():
                self.left |= ts >= self._asked
            case DeadLetter(cause=cause):
                self._add(self.others, f"intake.{cause.value}", ts)
            case ExecutionRefused(code=code):
                self._add(self.others, code, ts)
            case RefusedAltered():
                self._add(self.others, "execution.refused_altered", ts)
            case OrderChanged(after=OrderState.REJECTED, code=code):
                self._add(self.others, code or "venue.rejected", ts)
            case OrderAnomaly():
                self._add(self.watchers, "order.anomaly", ts)
            case GuardChanged(set=True, reason=reason):
                self._add(self.watchers, f"guard.{reason}", ts)

    def _assess(self, now: int) -> None:
        fold = self._fold
        facts = {"risk_policy": fold.risk_policy_facts, "enforcement_slos": fold.enforcement_facts,
                 "risk_posture": fold.risk_posture_facts}  # fmt: skip
        for name in self._looking:
            one = registry().get(name)
            snapshot = take(one, facts[name](), one.policy, now, environment="simulated", code_version="")
            for finding in snapshot.findings:
                if finding.severity in (Severity.WARN, Severity.FAIL):
                    self._add(self.watchers, finding.code, now)

    def _add(self, said: dict[str, float], code: str, ts: int) -> None:
        if ts >= self._asked:
            said.setdefault(code, (ts - self._asked) / NANOS_PER_SECOND)


class _Memory:
    """A journal in memory: each event id once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def accept(self, event: Event) -> int:
        """Return where an event stands, -1 for one that is there already."""
        if event.event_id in self._seen:
            return -1
        self._seen.add(event.event_id)
        return len(self._seen)

    def commit(self) -> None:
        """Keep nothing."""


def _play(scene: Scene, bend: Bend, horizon_s: float, without: Collection[str]) -> _Watch:
    document = _document(scene)

    def review(policy: RiskPolicy, instruments: tuple[Instrument, ...], context: RiskContext) -> Reviewer:
        return Reviewer(policy, instruments, context, bend(all_controls(policy, instruments)))

    desk = build_desk(document, catalogue={"silent": Entry(Silent, SilentPolicy)}, review=review)
    watch = _Watch(document, scene, without)
    environment = Environment(
        desk, _Memory(), build_venue(document), build_timers(document, desk), durable_commands=False,
        clock=EventClock(), consumer=watch.on_event, unseen=frozenset({OPERATOR}),
    )  # fmt: skip
    end_s = scene.wishes[-1].at_s + horizon_s
    tapes = [_quotes(name, scene, end_s, first=number == 0) for number, name in enumerate(INSTRUMENTS.values())]
    environment.run(merged([*tapes, _asked(scene)]))
    return watch


def _document(scene: Scene) -> Document:
    plain = {
        "schema": "desk@1",
        "desk": {"name": "scene", "environment": "backtest", "capital": "1000000", "base_currency": "USD", "seed": 1,
                 "minute_seconds": 60.0},
        "tapes": [{"name": name, "format": "synthetic", "instrument": instrument, "label": "synthetic"}
                  for name, instrument in INSTRUMENTS.items()],
        "instances": [{"id": name, "strategy": "silent", "instrument": instrument, "role": "directional"}
                      for name, instrument in INSTRUMENTS.items()],
        "allocation": {"maker": "0", "directional": "1", "reserve": "0"},
        "risk": {**FAR, **scene.limits},
    }  # fmt: skip
    return config.parse(plain, origin="scene")


def _quotes(instrument: str, scene: Scene, end_s: float, *, first: bool) -> Iterator[Row]:
    """Yield a quote each two seconds; the first tape ends or is halted where the scene says so."""
    mid, number = MID[instrument], 0
    for at in range(0, int(end_s) + QUOTES_S, QUOTES_S):
        ts = START + at * NANOS_PER_SECOND
        if first and scene.silent_s is not None and at > scene.silent_s:
            return
        number += 1
        yield Row(f"tape.{instrument}", number, ts, ts, Quote(instrument, mid - 1, mid + 1, 10**10, 10**10))
        if first and scene.halted_s is not None and at <= scene.halted_s < at + QUOTES_S:
            number += 1
            yield Row(f"tape.{instrument}", number, ts, ts, Status(instrument, TradingStatus.HALTED))


def _asked(scene: Scene) -> Iterator[Row]:
    """Yield what is asked for, as an operator would: the pause, then the orders."""
    bodies: list[tuple[float, dict[str, Any]]] = []
    if scene.paused_s is not None:
        bodies.append((scene.paused_s, {"act": "pause", "code": "scene", "scope": "desk"}))
    bodies += [(one.at_s, _intent(one)) for one in scene.wishes]
    for number, (at_s, body) in enumerate(bodies, 1):
        ts = START + round(at_s * NANOS_PER_SECOND)
        whole = {
            "intent_id": f"w{number}", "owner": OPERATOR, "reason": "scene", "decision_id": f"d{number}",
            "expires_at": ts + TTL_NS, **body,
        }  # fmt: skip
        wish = OutsideWish(OPERATOR, msgspec.json.encode(whole).decode())
        yield Row(OPERATOR, number, ts, ts, cast(MarketEvent, wish))


def _intent(one: Wish) -> dict[str, Any]:
    instrument = INSTRUMENTS[one.instance]
    stop = MID[instrument] * 98 // 100
    return {"instance": one.instance, "instrument": instrument, "side": 1, "lots": one.lots, "stop": stop, **one.odd}
