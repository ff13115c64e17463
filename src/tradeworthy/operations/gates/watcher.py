"""Watch a gate: tell its turns once and its end in time, pause a session whose gate lapsed (GE-07, GE-10, GT-05)."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.evidence.certificate import Notice
from tradeworthy.operations.gates.model import Answer, Grade, Row, SessionTimes, Verdict
from tradeworthy.operations.gates.page import reason
from tradeworthy.operations.gates.store import GateTurned
from tradeworthy.operations.incidents.model import AlertSeverity, Signal
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.model import GuardLevel

OWNER, LAPSED = "gate", "lapsed"
RUNBOOK = "runbooks/gate.md"
CATEGORY = "gate"
LOUDNESS = {
    Notice.NOTICE: AlertSeverity.INFO, Notice.WARN: AlertSeverity.WARNING, Notice.PAGE: AlertSeverity.CRITICAL,
}  # fmt: skip


class WatchPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often a gate is asked, how early its end is told, and how long a session goes on after a lapse.

    missed_periods  periods without a tick from which on the watcher itself is a finding
    """

    period_s: int = 300
    missed_periods: int = 2
    notice_s: int = 24 * 3_600
    warn_s: int = 3_600
    page_s: int = 15 * 60
    grace_s: int = 300


class Tick(NamedTuple):
    """What one look found: the verdict, its turn if it turned, what to tell, and what to ask of the guard."""

    verdict: Verdict
    turned: GateTurned | None
    signals: tuple[Signal, ...]
    asked: GuardAsked | None


class Watcher:
    """Ask one gate again and again. `tick` is called each period and whenever evidence or hashes changed.

    judge   returns the verdict at a time;  keep  keeps one and returns its id;  note  journals a turn
    before  the newest turn that was journaled, so that a restarted watcher does not tell it again
    """

    def __init__(
        self, judge: Callable[[int], Verdict], keep: Callable[[Verdict], str], note: Callable[[GateTurned], None], *,
        policy: WatchPolicy | None = None, before: GateTurned | None = None,
    ) -> None:  # fmt: skip
        self._judge, self._keep, self._note = judge, keep, note
        self._policy = policy or WatchPolicy()
        self._answer = "" if before is None else before.after
        self._unmet: frozenset[str] = frozenset()
        self._lapsed: dict[str, int] = {}
        self._paused = False
        self._told = Notice.NONE
        self._ticked_at: int | None = None

    def tick(self, now: int) -> Tick:
        """Look once; what did not change is not told again."""
        verdict = self._judge(now)
        turned = self._turn(verdict)
        signals = [*self._missed(verdict, now), *self._of_turn(verdict, turned), *self._of_end(verdict, now)]
        self._ticked_at = now
        return Tick(verdict, turned, tuple(signals), self._guard(verdict, now))

    def _turn(self, verdict: Verdict) -> GateTurned | None:
        unmet = frozenset(row.id for row in verdict.unmet())
        if verdict.answer == self._answer:
            if unmet != self._unmet:  # the newest verdict that is kept has the rows as they stand
                self._keep(verdict)
                self._unmet = unmet
            return None
        turned = GateTurned(
            verdict.gate, self._answer, verdict.answer, self._keep(verdict), tuple(sorted(unmet ^ self._unmet))
        )
        self._note(turned)
        self._answer, self._unmet = verdict.answer, unmet
        return turned

    def _of_turn(self, verdict: Verdict, turned: GateTurned | None) -> list[Signal]:
        if turned is None or (not turned.before and verdict.answer is Answer.GO):
            return []
        firing = verdict.answer is Answer.NO_GO
        return [_signal(
            "gate_lapse", verdict, reason(verdict), AlertSeverity.CRITICAL if firing else AlertSeverity.INFO,
            firing=firing, cause=turned.verdict_id,
        )]  # fmt: skip

    def _of_end(self, verdict: Verdict, now: int) -> list[Signal]:
        level = notice_of(verdict, now, self._policy)
        before, self._told = self._told, level
        if level is before:
            return []
        if level is Notice.NONE:
            return [_signal("gate.ends", verdict, "nothing ends it soon", AlertSeverity.INFO, firing=False)]
        found = planned_end(verdict)
        told = "" if found is None else f"{found[1]} ends it at {stamp_of(found[0])}: {found[2]}"
        return [_signal("gate.ends", verdict, told, LOUDNESS[level])]

    def _missed(self, verdict: Verdict, now: int) -> list[Signal]:
        late = self._policy.period_s * self._policy.missed_periods * NANOS_PER_SECOND
        if self._ticked_at is None or now - self._ticked_at < late:
            return []
        silent = (now - self._ticked_at) / NANOS_PER_SECOND
        told = f"nobody asked the gate for {silent:,.0f} s"
        return [_signal("gate.watch_missed", verdict, told, AlertSeverity.ERROR)]

    def _guard(self, verdict: Verdict, now: int) -> GuardAsked | None:
        """Pause within a session once a lapse outlasted its grace; take only the own reason back."""
        unmet = {row.id: row for row in verdict.unmet() if row.grade is Grade.CRITICAL}
        if verdict.answer is Answer.GO:
            self._lapsed.clear()
            if self._paused:
                self._paused = False
                return GuardAsked(OWNER, LAPSED, GuardLevel.PAUSED, active=False)
            return None
        names: dict[str, Row | None] = {**unmet} or {verdict.gate: None}  # a table that cannot be used has no rows
        self._lapsed = {name: self._lapsed.get(name, now) for name in names}
        lasted = any(
            now - self._lapsed[name] >= self._grace(row) * NANOS_PER_SECOND for name, row in names.items()
        )
        if not self._paused and lasted and in_session(verdict.context.session, now):
            self._paused = True
            return GuardAsked(OWNER, LAPSED, GuardLevel.PAUSED, evidence=reason(verdict))
        return None

    def _grace(self, row: Row | None) -> int:
        """Return how long a session goes on after a row lapsed, in seconds: its own grace, else the policy's."""
        return self._policy.grace_s if row is None or row.grace_s is None else row.grace_s


def notice_of(verdict: Verdict, now: int, policy: WatchPolicy) -> Notice:
    """Return how loudly the coming end of a GO is told: 24 h, 60 min and 15 min before, and before the open.

    An end before or inside the session that comes next is told as loudly as the open is near. What a running desk
    renews by itself is not told before: its lapse is, at once.
    """
    ends = planned_end(verdict)
    if verdict.answer is Answer.NO_GO or ends is None:
        return Notice.NONE
    session, first = verdict.context.session, ends[0]
    if session is not None and now < session.opens_at and first <= session.closes_at:
        first = min(first, session.opens_at)
    left = (first - now) / NANOS_PER_SECOND
    steps = ((policy.page_s, Notice.PAGE), (policy.warn_s, Notice.WARN), (policy.notice_s, Notice.NOTICE))
    return next((level for seconds, level in steps if left <= seconds), Notice.NONE)


def planned_end(verdict: Verdict) -> tuple[int, str, str] | None:
    """Return when a GO ends first by what people renew, its name and what to do, None where nothing of that ends it."""
    ends = [
        (row.ends_at, row.id, row.remedy) for row in verdict.rows
        if row.grade is Grade.CRITICAL and row.ends_at is not None and not row.renews_itself
    ]  # fmt: skip
    return min([*ends, *((one.at, one.name, one.remedy) for one in verdict.context.ends)], default=None)


def in_session(session: SessionTimes | None, now: int) -> bool:
    """Tell whether a session is open; without times one is taken to be."""
    return session is None or session.opens_at <= now < session.closes_at


def _signal(
    code: str, verdict: Verdict, message: str, severity: AlertSeverity, *, firing: bool = True, cause: str = ""
) -> Signal:
    return Signal(
        code=code, category=CATEGORY, message=message, component=verdict.gate, severity=severity, runbook=RUNBOOK,
        owner="operations", cause=f"verdict:{cause}" if cause else "", firing=firing,
    )  # fmt: skip
