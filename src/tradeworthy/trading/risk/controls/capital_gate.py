"""RK-15: the notional of positions, working and reserved orders stays within the capital, level by level."""

from tradeworthy.trading.model import NANOS, Intent, Violation
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import Control, money, ratio
from tradeworthy.trading.risk.groups import GroupAccount
from tradeworthy.trading.risk.policy import RiskPolicy


class CapitalGate(Control):
    """Refuse openings beyond the budget of the instance, the limit of its client, trader or firm, or the desk's.

    Without a limit of its own the desk's is equity times RK-20, which `GrossLeverage` judges (and scales).
    """

    __slots__ = ("_allowed2", "_budget", "_den", "_limit2", "_num")
    code = "risk.capital_gate"

    def __init__(self, policy: RiskPolicy) -> None:
        self._num, self._den = ratio(policy.gross_leverage)
        self._budget: int | None = None
        self._allowed2 = 0
        self._limit2 = None if policy.capital_limit is None else int(policy.capital_limit * NANOS * 2)

    def review(self, intent: Intent, ctx: RiskContext) -> Violation | None:
        """Judge the instance, its groups, then the desk; equality passes."""
        if not ctx.opening:
            return None
        account = ctx.holding.account
        budget = account.allocated
        if budget is None:
            return self.unknown("no budget was told")
        if ctx.now >= account.expires_at:
            return Violation(self.code, "budget expired", f"before {account.expires_at}")
        grown2 = ctx.grow * ctx.book.lot2
        holdings = account.holdings
        held2 = ctx.holding.projected * ctx.book.lot2 if len(holdings) == 1 else account.gross2()
        allowed2 = self._allowed2 if budget is self._budget else self._refit(budget)
        if held2 + grown2 > allowed2:
            return Violation(self.code, money(held2 + grown2), money(allowed2))
        for group in account.groups:
            against = self._judge(group, grown2, ctx)
            if against is not None:
                return against
        limit2 = self._limit2
        if limit2 is None or ctx.gross2 + grown2 <= limit2:
            return None
        return Violation(self.code, money(ctx.gross2 + grown2), money(limit2))

    def _judge(self, group: GroupAccount, grown2: int, ctx: RiskContext) -> Violation | None:
        """Judge one client, trader or firm; without a limit of its own it has that of the desk's equity."""
        limit2, basis = group.limit2, ctx.basis
        if group.outside and ctx.now >= group.outside_until:
            return self.unknown(f"{group.scope}: no fresh word of other desks")
        if limit2 is None:
            if basis is None:
                return self.unknown("no equity")
            limit2 = 2 * basis * self._num // self._den
        gross2 = group.gross2() + grown2
        if gross2 <= limit2:
            return None
        return Violation(self.code, f"{money(gross2)} of {group.scope}", money(limit2))

    def _refit(self, budget: int) -> int:
        """Return twice what a budget allows in nanos, rounded down, and keep it for the next order."""
        self._budget = budget
        self._allowed2 = 2 * budget * self._num // self._den
        return self._allowed2
