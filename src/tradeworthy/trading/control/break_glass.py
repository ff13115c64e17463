"""Break-glass: two people let a named control pass a few orders for a short time, and answer for it (BRK-01..03)."""

from collections.abc import Callable, Collection

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.trading.control.policy import PeoplePolicy, session_end
from tradeworthy.trading.model import GuardLevel, GuardReason, Intent, Violation

CONTROLS = "risk."
"""Only the desk's own risk controls may be masked: no compliance veto, no journal, no authentication."""
NEVER_MASKED = frozenset({
    "risk.guard", "risk.malformed", "risk.no_trade", "risk.approval", "risk.provenance", "risk.not_tradable",
})  # fmt: skip
"""Controls that stand for the kill switch, for what a message is, and for who may trade at all."""
PEOPLE_MIN = 2
REVIEW = ("gate", "break_glass_review")
"""Owner and code of the pause of a session that begins without the review of the last one's break-glass."""


@fact("operator.break_glass")
class BreakGlassRequest(Fact, frozen=True):
    """Two people ask to mask one control for one instrument; they are named by their verified keys, in a used pack."""

    glass_id: str
    control: str
    instrument: str
    max_uses: int
    ttl_seconds: int
    reason: str
    people: tuple[str, ...]
    pack: str


@fact("operator.break_glass_revoke")
class BreakGlassRevoke(Fact, frozen=True):
    """Anyone may end a break-glass before its time."""

    glass_id: str
    author: str


@fact("operator.break_glass_review")
class BreakGlassReview(Fact, frozen=True):
    """A person who did not activate it read what was let through."""

    glass_id: str
    person: str
    text: str
    pack: str


@fact("break_glass.activated")
class BreakGlassActivated(Fact, frozen=True):
    """A control is masked until `expires_at`, in the journal's time, or until its uses are spent. Severity WARN."""

    glass_id: str
    control: str
    instrument: str
    max_uses: int
    expires_at: int
    people: tuple[str, ...]
    reason: str
    pack: str


@fact("break_glass.refused")
class BreakGlassRefused(Fact, frozen=True):
    """Every reason why a request or a review was refused."""

    glass_id: str
    faults: tuple[str, ...]


@fact("break_glass.used")
class BreakGlassUsed(Fact, frozen=True):
    """An order left that the control had refused; it is no evidence that the control works. Severity WARN."""

    glass_id: str
    intent_id: str
    code: str
    observed: str
    limit: str
    uses: int


@fact("break_glass.ended")
class BreakGlassEnded(Fact, frozen=True):
    """Over: `expired`, `spent` or `revoked by ...`; its review is due before `review_by`. Severity WARN."""

    glass_id: str
    cause: str
    uses: int
    ended_at: int
    review_by: int
    people: tuple[str, ...]


@fact("break_glass.reviewed")
class BreakGlassReviewed(Fact, frozen=True):
    """The review was accepted."""

    glass_id: str
    person: str
    text: str


@fact("break_glass.carried")
class BreakGlassCarried(Fact, frozen=True):
    """What an earlier run left: glasses in force with their uses so far, and the reviews that are due."""

    active: tuple[tuple[BreakGlassActivated, int], ...]
    owed: tuple[BreakGlassEnded, ...]


class Glass(msgspec.Struct):
    """One break-glass in force; `passed` are the orders that it let through, so that each counts once."""

    told: BreakGlassActivated
    uses: int = 0
    passed: tuple[str, ...] = ()


Change = tuple[list[Fact], list[GuardReason]]


class BreakGlass:
    """Hold what is masked and what is still to be reviewed. Time is the journal's.

    controls     codes of the controls at this desk;  instruments  its instruments
    tell         takes a fact of the step in hand
    rollover_ns  offset of the desk day from midnight UTC
    """

    __slots__ = ("_active", "_controls", "_due", "_instruments", "_owed", "_policy", "_rollover", "_tell")

    def __init__(
        self, policy: PeoplePolicy, *, controls: Collection[str], instruments: Collection[str],
        tell: Callable[[Fact], None], rollover_ns: int = 0,
    ) -> None:  # fmt: skip
        self._policy, self._controls, self._instruments = policy, controls, instruments
        self._tell, self._rollover = tell, rollover_ns
        self._active: dict[str, Glass] = {}
        self._owed: dict[str, BreakGlassEnded] = {}
        self._due: int | None = None

    @property
    def active(self) -> tuple[Glass, ...]:
        """Return what is in force."""
        return tuple(self._active.values())

    @property
    def owed(self) -> tuple[BreakGlassEnded, ...]:
        """Return what is over and not reviewed."""
        return tuple(self._owed.values())

    def activate(self, request: BreakGlassRequest, now: int) -> None:
        """Mask a control, or tell every reason why not."""
        faults = self._faults(request)
        if faults:
            self._tell(BreakGlassRefused(request.glass_id, tuple(faults)))
            return
        expires = min(now + request.ttl_seconds * NANOS_PER_SECOND, session_end(now, self._rollover))
        told = BreakGlassActivated(
            request.glass_id, request.control, request.instrument, request.max_uses, expires, request.people,
            request.reason, request.pack,
        )
        self._active[told.glass_id] = Glass(told)
        self._arm()
        self._tell(told)

    def carry(self, carried: BreakGlassCarried) -> None:
        """Go on with what an earlier run left; a glass that is in force already stays as it is."""
        for told, uses in carried.active:
            self._active.setdefault(told.glass_id, Glass(told, uses))
        for ended in carried.owed:
            self._owed.setdefault(ended.glass_id, ended)
        self._arm()

    def revoke(self, asked: BreakGlassRevoke, now: int) -> None:
        """End one at once; one that is over stays over."""
        glass = self._active.get(asked.glass_id)
        if glass is None:
            self._tell(BreakGlassRefused(asked.glass_id, ("no break-glass of this id is in force",)))
        else:
            self._end(glass, f"revoked by {asked.author}", now)

    def review(self, asked: BreakGlassReview) -> tuple[GuardReason, ...]:
        """Take a review; the last one that was due ends the pause."""
        ended = self._owed.get(asked.glass_id)
        faults = []
        if ended is None:
            faults.append("no break-glass of this id waits for a review")
        elif _fold(asked.person) in {_fold(one) for one in ended.people}:
            faults.append(f"{asked.person} activated it and may not review it")
        if not asked.text.strip() or not asked.pack:
            faults.append("a review needs its text and its signed pack, one was absent")
        if faults:
            self._tell(BreakGlassRefused(asked.glass_id, tuple(faults)))
            return ()
        del self._owed[asked.glass_id]
        self._arm()
        self._tell(BreakGlassReviewed(asked.glass_id, asked.person, asked.text))
        return () if self._owed else (GuardReason(*REVIEW, GuardLevel.PAUSED, active=False),)

    def covers(self, code: str, instrument: str, now: int) -> bool:
        """Tell whether a refusal by `code` is masked for this instrument."""
        return bool(self._active) and self._glass(code, instrument, now) is not None

    def use(self, intent: Intent, violations: Collection[Violation], now: int) -> None:
        """Count an order that leaves although these were violated; one order counts once."""
        for violation in violations:
            glass = self._glass(violation.code, intent.instrument, now, intent.intent_id)
            if glass is None or intent.intent_id in glass.passed:
                continue
            glass.uses += 1
            glass.passed = (*glass.passed, intent.intent_id)
            self._tell(
                BreakGlassUsed(
                    glass.told.glass_id, intent.intent_id, violation.code, str(violation.observed),
                    str(violation.limit), glass.uses,
                )
            )

    def tick(self, now: int) -> tuple[GuardReason, ...]:
        """End what is over by the journal's time; pause a session whose predecessor was not reviewed."""
        if self._due is None or now < self._due:
            return ()
        for glass in list(self._active.values()):
            if now >= glass.told.expires_at:
                self._end(glass, "expired", now)
            elif glass.uses >= glass.told.max_uses:
                self._end(glass, "spent", now)
        late = [one.glass_id for one in self._owed.values() if now >= one.review_by]
        self._arm(now)
        if not late:
            return ()
        return (GuardReason(*REVIEW, GuardLevel.PAUSED, evidence=f"not reviewed: {', '.join(late)}"),)

    def _glass(self, code: str, instrument: str, now: int, intent_id: str = "") -> Glass | None:
        for glass in self._active.values():
            told = glass.told
            if told.control != code or told.instrument != instrument or now >= told.expires_at:
                continue
            if glass.uses < told.max_uses or intent_id in glass.passed:
                return glass
        return None

    def _end(self, glass: Glass, cause: str, now: int) -> None:
        told = glass.told
        del self._active[told.glass_id]
        ended = BreakGlassEnded(
            told.glass_id, cause, glass.uses, now, session_end(now, self._rollover), told.people
        )
        self._owed[told.glass_id] = ended
        self._arm()
        self._tell(ended)

    def _arm(self, now: int | None = None) -> None:
        """Work out when `tick` has something to do; a glass may be spent at any time, so one in force is looked at."""
        if self._active:
            self._due = 0
        else:
            later = [one.review_by for one in self._owed.values() if now is None or one.review_by > now]
            self._due = min(later, default=None)

    def _faults(self, request: BreakGlassRequest) -> list[str]:
        policy, control = self._policy, request.control
        faults = []
        if not control.startswith(CONTROLS) or control in NEVER_MASKED:
            faults.append(f"{control or 'nothing'} is never masked: kill, compliance, journal and authentication stay")
        elif control not in self._controls:
            faults.append(f"control must be one of {sorted(set(self._controls) - NEVER_MASKED)}, was {control!r}")
        if request.instrument not in self._instruments:
            faults.append(f"instrument must be one of {sorted(self._instruments)}, was {request.instrument!r}")
        if not 1 <= request.max_uses <= policy.glass_uses_max:
            faults.append(f"uses must be 1 to {policy.glass_uses_max}, were {request.max_uses}")
        if not 1 <= request.ttl_seconds <= policy.glass_ttl_seconds_max:
            faults.append(f"ttl must be 1 to {policy.glass_ttl_seconds_max} s, was {request.ttl_seconds}")
        if len({_fold(one) for one in request.people} - {""}) < PEOPLE_MIN or not request.pack:
            faults.append(f"{PEOPLE_MIN} people must sign a pack, were {len(set(request.people))}")
        if not request.reason.strip():
            faults.append("a reason must be written, was absent")
        if request.glass_id in self._active or request.glass_id in self._owed:
            faults.append(f"{request.glass_id} was activated already")
        return faults


def _fold(name: str) -> str:
    return name.strip().casefold()
