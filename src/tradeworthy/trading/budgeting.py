"""Budgets at the desk: renewed each minute, shrunk at once where an instance drew down (AL-01, AL-02)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.trading.allocation import ReleaseTier, StaticSplit
from tradeworthy.trading.instance_watch import InstanceWatch
from tradeworthy.trading.model import GuardReason
from tradeworthy.trading.risk.context import RiskContext

ALLOCATE_NS = 60 * NANOS_PER_SECOND
"""Budgets are renewed each minute of event time, well before they expire (AL-01)."""


class Budgeting:
    """Split the desk's equity among `instances` and have the watch judge what each made of its part.

    mid2  twice the last mid by instrument;  facts  where the step collects what it found
    told  whether each split is told as facts, for consoles and gates
    """

    __slots__ = ("_apply", "_context", "_facts", "_instances", "_mid2", "_next", "_split", "_told",
                 "_watch")  # fmt: skip

    def __init__(
        self, split: StaticSplit, watch: InstanceWatch, context: RiskContext, *, instances: Collection[str],
        mid2: Mapping[str, int | None], facts: list[Fact], apply: Callable[[Iterable[GuardReason]], None],
        told: bool = False,
    ) -> None:  # fmt: skip
        self._split, self._watch, self._context = split, watch, context
        self._instances, self._mid2, self._facts, self._apply = instances, mid2, facts, apply
        self._next = 0
        self._told = told

    def on_second(self, now: int) -> None:
        """Renew the budgets where they are due."""
        if now >= self._next:
            self.renew()

    def renew(self) -> None:
        """Split the desk's equity anew; unknown equity leaves the budgets to run out."""
        ctx = self._context
        if ctx.equity_nanos is None:
            return
        self._next = ctx.now + ALLOCATE_NS
        budgets = self._split.on_equity(ctx.equity_nanos, ctx.now)
        if self._told:
            self._facts += budgets
        for budget in budgets:
            if budget.instance in self._instances:
                ctx.set_allocated(budget.instance, budget.nanos, budget.expires_at)
        self._take(*self._watch.on_budgets())

    def judge(self, instrument: str) -> None:
        """Judge the instances of an instrument whose worth may have met a limit."""
        self._take(*self._watch.on_mark(instrument, self._mid2[instrument]))

    def on_day(self) -> None:
        """Begin a desk day for every instance."""
        self._apply(self._watch.on_day())

    def on_release(self, event: Event, request: ReleaseTier) -> None:
        """Let an instance leave its last drawdown tier by a person's act."""
        if request.instance in self._instances:
            changed = self._watch.release_tier(request.instance, request.author)
            if changed is not None:
                self._take((changed,), ())

    def _take(self, changes: Sequence[Fact], reasons: Sequence[GuardReason]) -> None:
        """Tell what the watch found; a changed drawdown tier changes the budgets at once."""
        if reasons:
            self._apply(reasons)
        if changes:
            self._facts += changes
            self.renew()
