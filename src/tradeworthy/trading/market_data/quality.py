"""The quality of market data before anybody uses it: age, health, stamps, second sources, quarantine (MD-04..MD-09)."""

from collections.abc import Callable, Collection
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Event, Fact, fact
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.market_data.age import AgeAct, AgePolicy, StreamAge, StreamFresh, StreamStale
from tradeworthy.trading.market_data.calendar import Calendar
from tradeworthy.trading.market_data.false_tick import FalseTickPolicy
from tradeworthy.trading.market_data.feed_clock import FeedClock, FeedClockPolicy
from tradeworthy.trading.market_data.feed_health import Cadence, FeedHealth
from tradeworthy.trading.market_data.quarantine import DataKey, DataState, Quarantine, QuarantinePolicy
from tradeworthy.trading.market_data.two_sources import SourcesAgree, SourcesDisagree, TwoSources, TwoSourcesPolicy
from tradeworthy.trading.model.guard import GuardReason
from tradeworthy.trading.model.market import Bar, DepthDiff, DepthSnapshot, Quote, Trade
from tradeworthy.trading.model.state import GuardLevel

OWNER = "market_data"
DERIVED = ".bars"
"""Ends the name of a source that was built from another one and shares its fate."""
_BOOK = frozenset({Quote, DepthDiff, DepthSnapshot, Bar})
_WHOLE = frozenset({Quote, DepthSnapshot, Bar})
"""Messages that state a whole top or bar, so that what was lost before them is lost no more."""


class SourcePair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two sources of one instrument; `switch` reads the backup while the primary is quarantined."""

    instrument: str
    primary: str
    backup: str
    limits: TwoSourcesPolicy = TwoSourcesPolicy()
    switch: bool = True


class QualityPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is watched; absent parts are off. Sources by their name in the journal, e.g. `tape.eurusd`.

    judge_ns  between two judgements of stamps and health;  told_ns  an unchanged judgement is told again
    funding_grace_ns  how late a funding rate may come before its time is told as one without a rate; 0 = nobody waits
    """

    age: AgePolicy | None = None
    false_tick: FalseTickPolicy | None = None
    quarantine: QuarantinePolicy | None = None
    pairs: tuple[SourcePair, ...] = ()
    clocks: dict[str, FeedClockPolicy] = {}
    cadences: dict[str, Cadence] = {}
    judge_ns: int = 10 * NANOS_PER_SECOND
    told_ns: int = 60 * NANOS_PER_SECOND
    funding_grace_ns: int = 0

    @property
    def watches(self) -> bool:
        """Whether each event has to be shown to `MarketQuality`; the false tick lives in the market's own state."""
        return bool(self.age or self.quarantine or self.pairs or self.clocks or self.cadences)


@fact("market_data.snapshot_wanted")
class SnapshotWanted(Fact, frozen=True):
    """A stream needs a snapshot: to compare a quiet book (`fetch_snapshot`), or to stand again (`resync`)."""

    stream: str
    act: str


@fact("operator.quarantine")
class ImposeQuarantine(Fact, frozen=True):
    """A person or watchdog quarantines data."""

    key: DataKey
    reason: str
    author: str


@fact("operator.quarantine_review")
class ReviewQuarantine(Fact, frozen=True):
    """A person names the SHA-256 of what shall replace quarantined data."""

    key: DataKey
    replacement: str
    author: str


@fact("operator.quarantine_release")
class ReleaseQuarantine(Fact, frozen=True):
    """Two people release reviewed data."""

    key: DataKey
    replacement: str
    people: tuple[str, str]


@fact("market_data.request_refused")
class QualityRequestRefused(Fact, frozen=True):
    """A person's request about data was not followed, and why."""

    key: DataKey
    text: str


QualityRequest = ImposeQuarantine | ReviewQuarantine | ReleaseQuarantine


class MarketQuality:
    """Judge each market event before the desk folds it.

    found, reasons  what the last calls led to; the desk takes them and empties the lists
    withheld        instruments whose active source is quarantined: strategies abstain `input_quarantined`
    confirmed       `(instrument, mid2)` of a second source, for the false-tick filter of the first
    """

    __slots__ = ("_ages", "_bad", "_calendar_of", "_clocks", "_fed", "_health", "_keys", "_next_judged", "_pairs",
                 "_policy", "_quarantine", "_severities", "_switches", "_wanted", "confirmed", "found", "reasons",
                 "withheld")  # fmt: skip

    def __init__(self, policy: QualityPolicy, calendar_of: Callable[[str], Calendar]) -> None:
        self._policy, self._calendar_of = policy, calendar_of
        self._quarantine = None if policy.quarantine is None else Quarantine(policy.quarantine)
        self._pairs = {one.instrument: TwoSources(one.instrument, one.primary, one.backup, one.limits)
                       for one in policy.pairs}  # fmt: skip
        self._switches = {one.instrument: one.backup for one in policy.pairs if one.switch}
        self._clocks = {source: FeedClock(source, limits) for source, limits in policy.clocks.items()}
        self._health = {source: FeedHealth(source, cadence) for source, cadence in policy.cadences.items()}
        self._ages: dict[str, dict[str, StreamAge]] = {}
        self._wanted: dict[tuple[str, str], AgeAct] = {}
        self._fed: dict[str, dict[str, None]] = {}  # instruments by source
        self._keys: dict[tuple[str, str, str], DataKey] = {}
        self._bad: dict[tuple[str, str], dict[DataKey, None]] = {}
        self._severities: dict[str, tuple[Severity, int]] = {}
        self._next_judged = 0
        self.found: list[Fact] = []
        self.reasons: list[GuardReason] = []
        self.withheld: Collection[str] = ()
        self.confirmed: list[tuple[str, int]] = []

    def admit(self, event: Event, fact: Any) -> bool:
        """Fold one market event; True where the desk may use it."""
        source, name, now = event.source, fact.instrument, event.ts_init
        fed = self._fed.setdefault(source, {})
        fed[name] = None
        clock = self._clocks.get(source)
        if clock is not None:
            clock.observe(event.ts_event, now)
        health = self._health.get(source)
        if health is not None:
            health.on_message(now)
        if self._policy.age is not None:
            self._fold_age(source, name, type(fact), now)
        mid2 = _mid2(fact)
        pair = self._pairs.get(name)
        if pair is not None and mid2 is not None and type(fact) is Quote:
            for told in pair.on_mid(source, mid2, now):
                self._disagreed(name, told)
        usable = self._trusted(source, name, fact.kind, mid2)
        if pair is None or source.removesuffix(DERIVED) == pair.active:
            return usable
        if mid2 is not None and usable:
            self.confirmed.append((name, mid2))
        return False

    def on_second(self, now: int) -> None:
        """Look at ages and pairs; each `judge_ns` at stamps and health."""
        for source, streams in self._ages.items():
            for name, age in streams.items():
                self._aged(source, name, age, now)
        for name, pair in self._pairs.items():
            for told in pair.advance(now):
                self._disagreed(name, told)
        if now < self._next_judged:
            return
        self._next_judged = now + self._policy.judge_ns
        for source, clock in self._clocks.items():
            stamps = clock.judge(now)
            self._judged(source, "clock", stamps.severity, stamps, now)
        for source, health in self._health.items():
            opened = self._session_open(source, now)
            state = health.judge(now, opened)
            self._judged(source, "health", state.severity, state, now)

    def on_request(self, request: QualityRequest) -> None:
        """Follow a person's request; one that breaks the rules is refused with the reason."""
        quarantine, key = self._quarantine, request.key
        try:
            if quarantine is None:
                raise InvalidInput("quarantine is not configured for this desk")
            match request:
                case ImposeQuarantine(reason=reason, author=author):
                    changed = quarantine.impose(key, reason, author)
                case ReviewQuarantine(replacement=replacement, author=author):
                    changed = quarantine.review(key, replacement, author)
                case ReleaseQuarantine(replacement=replacement, people=people):
                    changed = quarantine.release(key, replacement, people)
        except InvalidInput as problem:
            self.found.append(QualityRequestRefused(key, str(problem)))
            return
        self.found.append(changed)
        self._moved(key, changed.after)

    def active(self, instrument: str) -> str | None:
        """Return the source that is read where two are known, None where there is one."""
        pair = self._pairs.get(instrument)
        return None if pair is None else pair.active

    def stale(self, instrument: str) -> bool:
        """Tell whether a stream of the instrument is stale."""
        return any(streams[instrument].stale for streams in self._ages.values() if instrument in streams)

    # age

    def _fold_age(self, source: str, name: str, kind: type[Fact], now: int) -> None:
        streams = self._ages.setdefault(source, {})
        age = streams.get(name)
        if age is None:
            age = streams[name] = StreamAge(f"{source}:{name}", now, self._policy.age)
        if len(streams) > 1:
            for other in streams.values():
                other.on_frame(now)
        if kind not in _BOOK:
            age.on_frame(now)
        elif age.stale and kind in _WHOLE:
            age.on_resync(now)
        else:
            age.on_diff(now)

    def _aged(self, source: str, name: str, age: StreamAge, now: int) -> None:
        act, told = age.check(now)
        if act is not self._wanted.get((source, name), AgeAct.NONE):
            self._wanted[(source, name)] = act
            if act is not AgeAct.NONE:
                self.found.append(SnapshotWanted(f"{source}:{name}", act.value))
        for one in told:
            self.found.append(one)
            active = isinstance(one, StreamStale)
            if active or isinstance(one, StreamFresh):
                text = f"{one.reason} silent for {one.age_ns} ns" if isinstance(one, StreamStale) else ""
                self._reason("stale", name, active, text)

    # two sources, quarantine

    def _disagreed(self, name: str, told: Fact) -> None:
        self.found.append(told)
        if isinstance(told, SourcesDisagree):
            self._reason("disagree", name, True, f"{told.primary_mid2} against {told.backup_mid2} half ticks")
        elif isinstance(told, SourcesAgree):
            self._reason("disagree", name, False, "")

    def _trusted(self, source: str, name: str, kind: str, mid2: int | None) -> bool:
        quarantine = self._quarantine
        if quarantine is None:
            return True
        key = self._keys.get((source, name, kind))
        if key is None:
            key = self._keys[(source, name, kind)] = DataKey(kind, source, name)
        if mid2 is not None:
            for changed in quarantine.observe(key, mid2):
                self.found.append(changed)
                self._moved(key, changed.after)
        return not self._bad or not (
            self._bad.get((source, name)) or self._bad.get((source.removesuffix(DERIVED), name))
        )

    def _moved(self, key: DataKey, after: DataState) -> None:
        """Keep what is unavailable by source; switch to the backup where policy says so, else withhold."""
        source, name = key.source, key.symbol
        bad = self._bad.setdefault((source, name), {})
        if after in (DataState.QUARANTINED, DataState.REVIEW):
            bad[key] = None
        else:
            bad.pop(key, None)
        pair, backup = self._pairs.get(name), self._switches.get(name)
        if pair is not None and backup is not None and self._bad.get((pair.active, name)):
            free = pair.active != backup and not self._bad.get((backup, name))
            if free:
                self.found.append(pair.switch(backup, "policy: the primary is quarantined"))
        self.withheld = tuple(
            held for (feed, held), keys in self._bad.items()
            if keys and (held not in self._pairs or self._pairs[held].active == feed.removesuffix(DERIVED))
        )  # fmt: skip

    # stamps, health

    def _session_open(self, source: str, now: int) -> int | None:
        for name in self._fed.get(source, ()):
            session = self._calendar_of(name).session_at(now)
            return None if session is None else session.open
        return now  # nothing ever came: there is nothing to be old

    def _judged(self, source: str, what: str, severity: Severity, judged: Fact, now: int) -> None:
        key = f"{what}:{source}"
        before = self._severities.get(key)
        if before is not None and before[0] is severity and now - before[1] < self._policy.told_ns:
            return
        self._severities[key] = (severity, now)
        self.found.append(judged)
        if before is None or before[0] is not severity:
            for name in self._fed.get(source, ()):
                self._reason(what, name, severity is Severity.FAIL, f"{source}: {severity.name.lower()}")

    def _reason(self, code: str, name: str, active: bool, evidence: str) -> None:
        self.reasons.append(
            GuardReason(OWNER, code, GuardLevel.PAUSED, f"instrument:{name}", active, evidence=evidence)
        )


def _mid2(fact: Any) -> int | None:
    """Return twice the price that a message states, None where it states none or an odd one."""
    kind = type(fact)
    if kind is Quote:
        return fact.bid + fact.ask if 0 < fact.bid < fact.ask else None
    if kind is Bar:
        return 2 * int(fact.close)
    return 2 * int(fact.price) if kind is Trade else None
