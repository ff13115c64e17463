"""Windows of a journal that must replay equal (RP-04): calm, trend, shock, a restart inside, a day roll inside."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import accumulate

import msgspec

from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.digest import OutcomeDigest
from tradeworthy.trading.environment import DESK, DeskPort
from tradeworthy.trading.model import Bar, MarketEvent, Quote, RunEnded, RunStarted, Timer

ENCODER = msgspec.json.Encoder(order="sorted")
MARKET: tuple[type, ...] = MarketEvent.__args__


class Label(Enum):
    """Why a window was chosen."""

    DAY_ROLL = "day_roll"
    SHOCK = "shock"
    TREND = "trend"
    CALM = "calm"
    RESTART = "restart"


class WindowPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """sizes in inputs, given to the labels in turn; overlap_max is a cap on the shared part of the smaller window."""

    sizes: tuple[int, ...] = (500, 1000, 2000)
    repeats: int = 2
    overlap_max: float = 0.10


class Window(msgspec.Struct, frozen=True):
    """Inputs number `start` (from 0) to `stop` (exclusive) of a journal; inputs are all but the desk's own facts."""

    label: Label
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


class WindowResult(msgspec.Struct, frozen=True):
    """What a window's repeats gave: their digests, and the hash of its market data without stamps."""

    window: Window
    first_seq: int
    last_seq: int
    outcomes: int
    data_sha256: str
    digests: tuple[str, ...]


def inputs_of(events: Iterable[Event]) -> Iterator[Event]:
    """Yield what the desk was given: everything but its own facts and the frame of the run."""
    for event in events:
        if event.source != DESK and type(event.payload) not in (RunStarted, RunEnded):
            yield event


def choose(events: Iterable[Event], policy: WindowPolicy) -> tuple[Window, ...]:
    """Return one window a label that the journal has data for, none sharing an input with another.

    A shock has the widest range, a trend the straightest way, a calm the narrowest range; each against its peers in
    the same journal.
    """
    moves: list[float] = []
    rolls: list[int] = []
    last: dict[str, int] = {}
    for number, event in enumerate(inputs_of(events)):
        payload = event.payload
        price2 = _price2(payload)
        if price2 is not None:
            name = payload.instrument  # type: ignore[attr-defined]
            before = last.get(name, price2)
            last[name] = price2
            moves.append((price2 - before) / before)
        else:
            moves.append(0.0)
            if isinstance(payload, Timer) and payload.name == "day_roll":
                rolls.append(number)
    level = [0.0, *accumulate(moves)]
    way = [0.0, *accumulate(map(abs, moves))]
    chosen: list[Window] = []
    for turn, label in enumerate(Label):
        size = policy.sizes[turn % len(policy.sizes)]
        best = _best(label, size, level, way, rolls, chosen)
        if best is not None:
            chosen.append(best)
    return tuple(chosen)


def replay_windows(
    windows: Sequence[Window], open_events: Callable[[], Iterable[Event]], build: Callable[[], DeskPort],
    policy: WindowPolicy,
) -> tuple[WindowResult, ...]:  # fmt: skip
    """Fold the journal once a repeat into a fresh desk and digest each window's outcomes.

    From the second repeat on, a `restart` window loses its desk in its middle: the next one is folded from the
    journal's start, as after a crash.
    """
    digests: list[list[str]] = [[] for _ in windows]
    spans: list[tuple[int, int, int, str]] = []
    for repeat in range(policy.repeats):
        found = [OutcomeDigest() for _ in windows]
        data = [hashlib.sha256(b"tw-window-v1") for _ in windows]
        seqs = [[0, 0] for _ in windows]
        restarts = {(w.start + w.stop) // 2 for w in windows if w.label is Label.RESTART} if repeat else set()
        desk = build()
        end = max((w.stop for w in windows), default=0)
        for number, event in enumerate(inputs_of(open_events())):
            if number >= end:
                break
            if number in restarts:
                desk = _restarted(build, open_events, number)
            facts = desk.step(event).facts
            for place, window in enumerate(windows):
                if window.start <= number < window.stop:
                    seqs[place][0] = seqs[place][0] or event.seq
                    seqs[place][1] = event.seq
                    if isinstance(event.payload, MARKET):
                        data[place].update(event.kind.encode() + b" " + ENCODER.encode(event.payload) + b"\n")
                    if facts:
                        found[place].add(event.event_id, facts)
        for place, digest in enumerate(found):
            digests[place].append(digest.hexdigest())
        spans = [(s[0], s[1], f.outcomes, d.hexdigest()) for s, f, d in zip(seqs, found, data, strict=True)]
    return tuple(
        WindowResult(window, *span, tuple(told)) for window, span, told in zip(windows, spans, digests, strict=True)
    )


def judge_windows(results: Sequence[WindowResult], policy: WindowPolicy) -> tuple[Check, ...]:
    """Return the checks: equal digests, distinct data, little overlap, and a window for every label."""
    checks = [_repeats(one, policy) for one in results]
    for place, one in enumerate(results):
        for other in results[place + 1 :]:
            checks += _pair(one, other, policy)
    have = {one.window.label for one in results}
    checks += [
        Check("windows.label", Severity.UNKNOWN, "none", "one", f"the journal has no window for {label.value}")
        for label in Label
        if label not in have
    ]
    return tuple(checks)


def _repeats(one: WindowResult, policy: WindowPolicy) -> Check:
    name = f"{one.window.label.value} of {one.window.size}"
    seqs = (one.first_seq, one.last_seq)
    if len(one.digests) < policy.repeats or one.first_seq == 0:
        return Check("windows.repeats", Severity.UNKNOWN, str(len(one.digests)), str(policy.repeats), name, seqs)
    if one.outcomes == 0:
        return Check("windows.outcomes", Severity.UNKNOWN, "0", "above 0", f"{name}: the desk said nothing", seqs)
    equal = len(set(one.digests)) == 1
    severity = Severity.OK if equal else Severity.FAIL
    told = ", ".join(dict.fromkeys(digest[:12] for digest in one.digests))
    return Check("windows.digest", severity, told, f"{policy.repeats} equal", name, seqs)


def _pair(one: WindowResult, other: WindowResult, policy: WindowPolicy) -> list[Check]:
    names = f"{one.window.label.value} and {other.window.label.value}"
    seqs = (one.first_seq, other.first_seq)
    checks = []
    if one.data_sha256 == other.data_sha256:
        checks.append(Check("windows.same_data", Severity.FAIL, one.data_sha256[:12], "distinct", names, seqs))
    shared = min(one.window.stop, other.window.stop) - max(one.window.start, other.window.start)
    overlap = max(0, shared) / min(one.window.size, other.window.size)
    if overlap > policy.overlap_max:
        limit = f"at most {policy.overlap_max:.0%}"
        checks.append(Check("windows.overlap", Severity.FAIL, f"{overlap:.1%}", limit, names, seqs))
    return checks


def _restarted(build: Callable[[], DeskPort], open_events: Callable[[], Iterable[Event]], until: int) -> DeskPort:
    desk = build()
    for number, event in enumerate(inputs_of(open_events())):
        if number >= until:
            break
        desk.step(event)
    return desk


def _best(
    label: Label, size: int, level: Sequence[float], way: Sequence[float], rolls: Sequence[int],
    taken: Sequence[Window],
) -> Window | None:  # fmt: skip
    inputs = len(level) - 1
    if label is Label.DAY_ROLL:
        starts = [min(max(0, roll - size // 2), inputs - size) for roll in rolls]
    else:
        starts = list(range(0, inputs - size + 1, max(1, size // 4)))
    best: tuple[float, Window] | None = None
    for start in starts:
        window = Window(label, start, start + size)
        moved = way[window.stop] - way[start]
        if start < 0 or moved == 0.0 or any(w.start < window.stop and start < w.stop for w in taken):
            continue
        span = level[start : window.stop + 1]
        reach = max(span) - min(span)
        score = {
            Label.SHOCK: reach, Label.CALM: -reach, Label.TREND: abs(span[-1] - span[0]) / moved,
        }.get(label, 0.0)  # fmt: skip
        if best is None or score > best[0]:
            best = score, window
    return None if best is None else best[1]


def _price2(payload: object) -> int | None:
    if isinstance(payload, Quote):
        return payload.bid + payload.ask if 0 < payload.bid < payload.ask else None
    return 2 * payload.close if isinstance(payload, Bar) else None


def windows_of(words: Sequence[str]) -> tuple[Window, ...]:
    """Return windows from `label:start:stop`; raises `ValueError` for another form."""
    found = []
    for word in words:
        label, start, stop = word.split(":")
        window = Window(Label(label), int(start), int(stop))
        if not 0 <= window.start < window.stop:
            raise ValueError(f"expected 0 <= start < stop, found {word!r}")
        found.append(window)
    return tuple(found)
