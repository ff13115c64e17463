"""RK-19: the gross exposure in one sector, as a fraction of equity."""

from collections.abc import Iterable

from tradeworthy.trading.model import Instrument, InstrumentKind, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money, ratio
from tradeworthy.trading.risk.policy import RiskPolicy

UNMAPPED = "unmapped"


class Sector(Control):
    """Cap the projected gross of a sector; equities without one share a small sector of their own.

    Kinds other than equities are judged only where the policy maps them.
    """

    __slots__ = ("_fractions", "_members", "_sector")
    code = "risk.sector"
    scales = True

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        self._sector: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}
        for one in instruments:
            name = policy.sectors.get(one.instrument_id)
            if name is None and one.kind is InstrumentKind.EQUITY:
                name = UNMAPPED
            if name is not None:
                self._sector[one.instrument_id] = name
                self._members.setdefault(name, []).append(one.instrument_id)
        budgets = {UNMAPPED: policy.sector_unmapped} | policy.sector_budgets
        self._fractions = {name: ratio(budgets.get(name, policy.sector_gross)) for name in self._members}

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Compare the sector's gross afterwards with its fraction of equity; equality passes."""
        sector = self._sector.get(intent.instrument)
        if sector is None or not ctx.opening:
            return None
        basis, lot2 = ctx.basis, ctx.book.lot2
        if basis is None or not lot2:
            return self.unknown("no equity" if basis is None else "no reference")
        gross2 = self._gross2(sector, ctx) + ctx.grow * lot2
        limit2 = self._limit2(sector, basis)
        if gross2 <= limit2:
            return None
        return Violation(self.code, f"{money(gross2)} in {sector}", money(limit2))

    def cap_lots(self, intent: Intent, ctx: RiskContext) -> int | None:
        """Return the lots by which the holding's worse side may grow, beside what its own side holds."""
        sector, lot2 = self._sector.get(intent.instrument), ctx.book.lot2
        if sector is None or ctx.basis is None or not lot2:
            return 0
        room2 = self._limit2(sector, ctx.basis) - self._gross2(sector, ctx)
        if room2 < 0:
            return 0
        return max(0, ctx.holding.projected + room2 // lot2 - (ctx.own_side - intent.lots))

    def _gross2(self, sector: str, ctx: RiskContext) -> int:
        books = ctx.books
        return sum(books[name].gross_lots * books[name].lot2 for name in self._members[sector])

    def _limit2(self, sector: str, basis: int) -> int:
        numerator, denominator = self._fractions[sector]
        return 2 * basis * numerator // denominator
