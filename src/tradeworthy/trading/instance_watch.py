"""Each instance's own losses and drawdown tier, judged only when its worth may have reached a limit (RK-43, AL-02).

An instance's equity is linear in the mark of its instrument, so what is left to the next limit (below) and to the
peak (above) is a band of marks. While the mark stays inside, nothing can change and nothing is computed.
"""

from collections.abc import Iterable

import msgspec

from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.allocation import DrawdownTiers, StaticSplit, TierChanged
from tradeworthy.trading.ledger.marks import EquityMarks
from tradeworthy.trading.model import GuardReason, Unknown
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.monitors import InstanceLosses

LOW, HIGH = -(1 << 200), 1 << 200
"""Marks that are never reached."""
DOUBLE_NANO = 2 * 10**9
"""Weights are 1e-18 of the base currency a tick, marks come doubled."""
Found = tuple[list[Fact], list[GuardReason]]


class InstanceDay(msgspec.Struct, frozen=True):
    """An instance's day as it stands: basis and open in nanos, what `InstanceLosses` and `DrawdownTiers` remember."""

    basis: int | None
    open_equity: int | None
    losses: tuple[int, int, int] | None
    tier: tuple[int | None, int, int | None]


class _Watched:
    """One instance: where its day and its budget began, in nanos; None before its first budget."""

    __slots__ = ("basis", "instance", "instrument", "open_equity")

    def __init__(self, instance: str, instrument: str) -> None:
        self.instance, self.instrument = instance, instrument
        self.basis: int | None = None
        self.open_equity: int | None = None


class InstanceWatch:
    """Losses and tiers of all instances. `bands` holds by instrument the open interval of marks without change.

    An instrument that nobody holds has no band, so a flat desk pays one look at an empty dict.
    """

    __slots__ = ("_by_instrument", "_context", "_losses", "_marks", "_split", "_tiers", "_watched", "bands")

    def __init__(
        self, instances: Iterable[tuple[str, str]], *, losses: InstanceLosses, tiers: DrawdownTiers,
        split: StaticSplit, marks: EquityMarks, context: RiskContext,
    ) -> None:  # fmt: skip
        self._losses, self._tiers, self._split, self._marks, self._context = losses, tiers, split, marks, context
        self._watched = {instance: _Watched(instance, instrument) for instance, instrument in instances}
        self._by_instrument: dict[str, list[_Watched]] = {}
        for one in self._watched.values():
            self._by_instrument.setdefault(one.instrument, []).append(one)
        self.bands: dict[str, tuple[int, int]] = {}

    def on_mark(self, instrument: str, mid2: int | None) -> Found:
        """Judge every instance of an instrument whose mark left its band."""
        facts: list[Fact] = []
        reasons: list[GuardReason] = []
        for one in self._by_instrument.get(instrument, ()):
            self._judge(one, facts, reasons)
        self._arm(instrument, mid2)
        return facts, reasons

    def on_budgets(self) -> Found:
        """Budgets were renewed: a first one begins the instance's day; a tier that eases with time is looked at."""
        facts: list[Fact] = []
        reasons: list[GuardReason] = []
        for one in self._watched.values():
            if one.basis is None:
                reasons += self._begin(one)
                self._arm_later(one)
            elif self._tiers.tier(one.instance):
                self._judge(one, facts, reasons)
        return facts, reasons

    def on_day(self) -> list[GuardReason]:
        """Begin a desk day: the budget in force is the day's basis, pauses of the day before end."""
        reasons: list[GuardReason] = []
        for one in self._watched.values():
            reasons += self._begin(one)
            self._arm_later(one)
        return reasons

    def release_tier(self, instance: str, person: str) -> TierChanged | None:
        """Leave the last tier by a person's act; None where there is nothing to release."""
        changed = self._tiers.release(instance, person)
        if changed is not None:
            self._split.set_factor(instance, changed.factor)
            self._arm_later(self._watched[instance])
        return changed

    def outside(self, instance: str, code: str) -> str | None:
        """Tell how the day behind an instance's stop still lies outside its limit; None where it does not."""
        one = self._watched.get(instance)
        if one is None:
            return None
        equity = self._marks.equity(instance)
        if isinstance(equity, Unknown) or one.open_equity is None:
            return "equity is not known"
        return self._losses.outside(instance, code, equity - one.open_equity)

    def rearm(self, instance: str) -> None:
        """Watch for an instance's stops again, after people took them away."""
        if instance in self._watched:
            self._losses.rearm(instance)
            self._arm_later(self._watched[instance])

    def tier(self, instance: str) -> int:
        """Return the drawdown tier in force, 0 for none."""
        return self._tiers.tier(instance)

    def basis(self, instance: str) -> int | None:
        """Return what an instance was lent at first, in nanos; None before its first budget."""
        return self._watched[instance].basis

    def worth(self, instance: str) -> int | None:
        """Return the first budget and what was made of it, in nanos; None while it is not known."""
        basis, equity = self._watched[instance].basis, self._marks.equity(instance)
        return None if basis is None or isinstance(equity, Unknown) else basis + equity

    def memory(self, instance: str) -> InstanceDay:
        """Return what `restore` needs to go on with an instance's day."""
        one = self._watched[instance]
        return InstanceDay(
            one.basis, one.open_equity, self._losses.memory(instance), self._tiers.memory(instance)
        )

    def restore(self, instance: str, day: InstanceDay) -> None:
        """Go on with a day that an earlier desk began; the budget is split anew with its tier's factor."""
        one = self._watched[instance]
        one.basis, one.open_equity = day.basis, day.open_equity
        if day.losses is not None:
            self._losses.restore(instance, day.losses)
        self._tiers.restore(instance, day.tier)
        self._split.set_factor(instance, self._tiers.factor(instance))
        self._arm_later(one)

    def _begin(self, one: _Watched) -> tuple[GuardReason, ...]:
        budget = self._context.account(one.instance).allocated
        equity = self._marks.equity(one.instance)
        if not budget or isinstance(equity, Unknown):  # nothing was lent, so there is no basis to lose from
            return ()
        if one.basis is None:
            one.basis = budget - equity
        one.open_equity = equity
        return self._losses.start_day(one.instance, budget)

    def _judge(self, one: _Watched, facts: list[Fact], reasons: list[GuardReason]) -> None:
        if one.basis is None or one.open_equity is None:
            return
        equity = self._marks.equity(one.instance)
        if isinstance(equity, Unknown):
            return
        reasons += self._losses.on_pnl(one.instance, equity - one.open_equity)
        changed = self._tiers.observe(one.instance, one.basis + equity, self._context.now)
        if changed is not None:
            self._split.set_factor(one.instance, changed.factor)
            facts.append(changed)

    def _arm_later(self, one: _Watched) -> None:
        """Have the next mark judged: an empty band."""
        self.bands[one.instrument] = (HIGH, LOW)

    def _arm(self, instrument: str, mid2: int | None) -> None:
        low, high = LOW, HIGH
        for one in self._by_instrument.get(instrument, ()):
            weight = self._marks.weight(one.instance, instrument)
            if not weight or mid2 is None or one.basis is None or one.open_equity is None:
                continue
            equity = self._marks.equity(one.instance)
            if isinstance(equity, Unknown):
                continue
            floor, peak = self._losses.bounds(one.instance)
            edge, top = self._tiers.bounds(one.instance)
            down = (equity - max(one.open_equity + floor, edge - one.basis)) * DOUBLE_NANO // abs(weight)
            up = (min(one.open_equity + peak, top - one.basis) - equity) * DOUBLE_NANO // abs(weight)
            below, above = (down, up) if weight > 0 else (up, down)
            low, high = max(low, mid2 - below), min(high, mid2 + above)
        if (low, high) == (LOW, HIGH):
            self.bands.pop(instrument, None)
        else:
            self.bands[instrument] = (low, high)
