"""How long a desk was up on its tier, measured from the journals of its lives, against the tier's floor (MOD-03)."""

from collections import deque
from pathlib import Path

import msgspec

from tradeworthy.app.runtime.facts import RuntimeBegan, RuntimeReady, RuntimeStopping
from tradeworthy.app.runtime.life import lives_of
from tradeworthy.app.runtime.tiers import LOWEST, TIERS
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.reader import first_seq_of, segment_paths
from tradeworthy.kernel.severity import Severity

LIVES_MAX = 256
"""Newest lives that are read; more of them in one window say enough by their number."""


class UptimePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over which window a floor is judged, and what it takes to judge it.

    window_days  the newest days that count;  window_min_hours  fewer since the first life say nothing
    beat_s       how far apart a life's own signs are at most: a floor whose allowance is smaller cannot be told
    """

    window_days: float = 28.0
    window_min_hours: float = 24.0
    beat_s: float = 10.0


class Up(msgspec.Struct, frozen=True):
    """One stretch of a desk that was ready, in nanoseconds UTC, on one tier."""

    since: int
    until: int
    tier: str = LOWEST


class UptimeReport(msgspec.Struct, frozen=True, kw_only=True):
    """Uptime in percent of the window, held against the floor; `observed_pct` None where nothing can be told.

    window_s, up_s  seconds since the window's begin, and those in which the desk was ready;  lives  that count
    """

    tier: str
    floor_pct: float
    severity: Severity
    summary: str
    observed_pct: float | None = None
    window_s: float = 0.0
    up_s: float = 0.0
    lives: int = 0


def stretch_of(first: RuntimeBegan | None, ready: int | None, last: int | None) -> Up | None:
    """Return a life's stretch: from ready to the last sign of it, None for one that was never ready."""
    if ready is None or last is None or last <= ready:
        return None
    return Up(ready, last, (first.tier if first is not None else "") or LOWEST)


def stretches_of(state: Path) -> tuple[Up, ...]:
    """Return the stretches of a desk's newest lives, oldest first; a life that was killed ends with its last event."""
    found = []
    for life in lives_of(state)[-LIVES_MAX:]:
        stretch = _of_life(life / "journal")
        if stretch is not None:
            found.append(stretch)
    return tuple(found)


def judge_uptime(stretches: tuple[Up, ...], *, tier: str, now: int, policy: UptimePolicy | None = None) -> UptimeReport:
    """Judge the newest days on this tier: FAIL below its floor, UNKNOWN while they are too few to tell.

    A change of tier begins anew: time on another tier says nothing of this one. Stretches that overlap count once.
    """
    policy = policy or UptimePolicy()
    floor = TIERS[tier].uptime_floor_pct
    known = sorted((one for one in stretches if one.tier == tier and one.until <= now), key=lambda one: one.since)
    others = [one.until for one in stretches if one.tier != tier]
    begin = max([now - round(policy.window_days * NANOS_PER_DAY), *others])
    known = [one for one in known if one.until > begin]
    if not known:
        return UptimeReport(
            tier=tier, floor_pct=floor, severity=Severity.UNKNOWN, summary=f"no life was ready on {tier} in the window"
        )
    begin = max(begin, known[0].since) if known[0].since > begin else begin
    window, up = now - begin, _covered(known, begin)
    observed = 100.0 * up / window if window else 100.0
    allowed_s = (100.0 - floor) / 100.0 * window / NANOS_PER_SECOND
    told = {
        "tier": tier, "floor_pct": floor, "observed_pct": observed, "window_s": window / NANOS_PER_SECOND,
        "up_s": up / NANOS_PER_SECOND, "lives": len(known),
    }  # fmt: skip
    least_s = max(policy.window_min_hours * 3_600, 0.0)
    if window / NANOS_PER_SECOND < least_s or allowed_s < policy.beat_s:
        need = max(least_s, policy.beat_s / ((100.0 - floor) / 100.0)) / 3_600
        severity, summary = Severity.UNKNOWN, f"{window / NANOS_PER_SECOND / 3_600:.1f} h seen, expected {need:.0f} h"
    elif observed < floor:
        severity, summary = Severity.FAIL, f"{observed:.3f} % up, below the floor of {floor} %"
    else:
        severity, summary = Severity.OK, f"{observed:.3f} % up"
    return UptimeReport(severity=severity, summary=summary, **told)  # type: ignore[arg-type]


class UptimeWatch:
    """The uptime of a desk as its running process knows it: earlier lives from their journals, its own from memory.

    state  the desk's folder;  own  the folder of this life, which is not read
    """

    def __init__(self, state: Path, own: Path, tier: str) -> None:
        self._state, self._own, self._tier = state, own, tier
        self._earlier: tuple[Up, ...] | None = None

    def report(self, now: int, ready_at: int | None) -> UptimeReport:
        """Judge at `now`; `ready_at` is when this life became ready, None before."""
        if self._earlier is None:
            lives = [one for one in lives_of(self._state)[-LIVES_MAX:] if one != self._own]
            self._earlier = tuple(up for up in (_of_life(one / "journal") for one in lives) if up is not None)
        own = () if ready_at is None or now <= ready_at else (Up(ready_at, now, self._tier),)
        return judge_uptime((*self._earlier, *own), tier=self._tier, now=now)


def _of_life(journal: Path) -> Up | None:
    began: RuntimeBegan | None = None
    ready = stopping = None
    for event in read(journal) if journal.is_dir() else ():
        match event.payload:
            case RuntimeBegan():
                began = event.payload
            case RuntimeReady():
                ready = event.ts_init
            case RuntimeStopping():
                stopping = event.ts_init
        if stopping is not None or (ready is not None and began is not None):
            break
    last = stopping or _last(journal)
    return stretch_of(began, ready, last)


def _last(journal: Path) -> int | None:
    """Return when a life's last sign was: its graceful end began, or its newest event; of its newest segment."""
    for path in reversed(segment_paths(journal) if journal.is_dir() else []):
        tail: deque[Event] = deque(read(journal, start=first_seq_of(path)), maxlen=LIVES_MAX)
        for event in tail:
            if isinstance(event.payload, RuntimeStopping):
                return event.ts_init
        if tail:
            return tail[-1].ts_init
    return None


def _covered(stretches: list[Up], begin: int) -> int:
    up, reached = 0, begin
    for one in stretches:
        since = max(one.since, reached)
        if one.until > since:
            up += one.until - since
            reached = one.until
    return up
