"""Break-glass as a row: what is in force, what was let through, and the reviews that are due (GE-16)."""

from collections.abc import Iterable

from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.report import Check, Report, Source
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.control.break_glass import (
    CONTROLS,
    NEVER_MASKED,
    PEOPLE_MIN,
    BreakGlassActivated,
    BreakGlassCarried,
    BreakGlassEnded,
    BreakGlassReviewed,
    BreakGlassUsed,
)

OK, WARN, FAIL = Severity.OK, Severity.WARN, Severity.FAIL


class GlassFold:
    """Fold a desk's events: which glasses are in force, which wait for their review, what they let through."""

    def __init__(self) -> None:
        self.active: dict[str, BreakGlassActivated] = {}
        self.owed: dict[str, BreakGlassEnded] = {}
        self.uses = 0
        self.wrong: list[str] = []
        self.last: int = 0

    def fold(self, events: Iterable[Event]) -> "GlassFold":
        """Take events in order and return itself."""
        for event in events:
            self.last = event.ts_init
            match event.payload:
                case BreakGlassActivated() as told:
                    self._begin(told)
                case BreakGlassCarried() as carried:
                    for told, _ in carried.active:
                        self._begin(told)
                    self.owed |= {one.glass_id: one for one in carried.owed}
                case BreakGlassUsed():
                    self.uses += 1
                case BreakGlassEnded() as ended:
                    self.active.pop(ended.glass_id, None)
                    self.owed[ended.glass_id] = ended
                case BreakGlassReviewed() as reviewed:
                    self.owed.pop(reviewed.glass_id, None)
        return self

    def _begin(self, told: BreakGlassActivated) -> None:
        self.active[told.glass_id] = told
        people = {one.strip().casefold() for one in told.people} - {""}
        if len(people) < PEOPLE_MIN:
            self.wrong.append(f"{told.glass_id}: {len(people)} people")
        if not told.control.startswith(CONTROLS) or told.control in NEVER_MASKED:
            self.wrong.append(f"{told.glass_id}: masks {told.control}")


def break_glass_report(fold: GlassFold, now: int, sources: tuple[Source, ...] = ()) -> Report:
    """Return the report of gate row `break_glass` at `now`: a review that is overdue blocks the next session."""
    late = sorted(name for name, one in fold.owed.items() if now >= one.review_by)
    waiting = sorted(set(fold.owed) - set(late))
    over = sorted(name for name, one in fold.active.items() if now >= one.expires_at)
    force = sorted(set(fold.active) - set(over))
    checks = (
        Check("break_glass.people_and_control", FAIL if fold.wrong else OK, "; ".join(fold.wrong) or "right",
              f"{PEOPLE_MIN} people; no kill, veto or authentication masked"),
        Check("break_glass.review_overdue", FAIL if late else OK, ", ".join(late) or "none",
              "reviewed before the next session"),
        Check("break_glass.review_due", WARN if waiting else OK, ", ".join(waiting) or "none", "reviewed"),
        Check("break_glass.in_force", WARN if force or over else OK, ", ".join([*force, *over]) or "none", "none"),
        Check("break_glass.uses", WARN if fold.uses else OK, str(fold.uses), "0", "no evidence that its control works"),
    )  # fmt: skip
    return Report(name="break-glass", title="Break-glass", sources=sources, checks=checks)
