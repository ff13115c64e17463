"""What one strategy may know: a window onto the desk's state, never a copy and never a later one."""

from collections.abc import Iterable

from tradeworthy.kernel.facts import Fact
from tradeworthy.trading.execution.orders import WorkingOrders
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.market_data.top import MarketState
from tradeworthy.trading.model import NANOS, Abstain, Bar, GuardLevel, Instrument, Strategy, WorkingOrder
from tradeworthy.trading.risk.context import RiskContext


class Seat:
    """One strategy at the desk, with its view and its counts; it is itself the `View` that the strategy sees."""

    __slots__ = (
        "_account", "_ctx", "_holding", "_ledger", "_orders", "abstentions", "code", "decisions", "fact", "fills",
        "instance", "instrument", "instrument_id", "name", "now", "orders", "strategy", "top", "traded_nanos",
    )  # fmt: skip

    def __init__(
        self, name: str, strategy: Strategy, instrument: Instrument, market: MarketState, ctx: RiskContext,
        ledger: Ledger, orders: WorkingOrders,
    ) -> None:  # fmt: skip
        self.name = name
        self.strategy = strategy
        self.instance = strategy.instance
        self.instrument = instrument
        self.instrument_id = instrument.instrument_id
        self.top = market
        self.now = 0
        self.fact: Fact | None = None
        self.code: str | None = None
        self.abstentions: dict[str, int] = {}
        self.decisions = 0
        self.orders = 0
        self.fills = 0
        self.traded_nanos = 0
        self._ctx = ctx
        self._holding = ctx.holding_of(self.instance, self.instrument_id)
        self._account = ctx.account(self.instance)
        self._ledger = ledger
        self._orders = orders

    @property
    def guard(self) -> GuardLevel:
        return self._holding.guard

    @property
    def position(self) -> int:
        """Signed lots."""
        return self._holding.lots

    @property
    def average(self) -> float | None:
        """Average entry in ticks, None when flat."""
        average = self._ledger.position(self.instance, self.instrument_id).average
        return None if average is None else float(average)

    @property
    def equity(self) -> float | None:
        """The desk's equity in base currency."""
        nanos = self._ctx.equity_nanos
        return None if nanos is None else nanos / NANOS

    @property
    def budget(self) -> float | None:
        """Allocated money in base currency; an expired budget is zero (AL-01), none given is unknown."""
        account = self._account
        if account.allocated is None:
            return None
        return account.allocated / NANOS if self.now < account.expires_at else 0.0

    @property
    def traded_today(self) -> float:
        """Traded notional of the desk day in base currency."""
        return self.traded_nanos / NANOS

    def working(self) -> Iterable[WorkingOrder]:
        return self._orders.live(self.instance)

    def bars(self) -> Iterable[Bar]:
        return self.top.bars()

    def abstained(self, answer: Abstain) -> bool:
        """Count an abstention; True where its code is a new one."""
        code = answer.code
        counts = self.abstentions
        counts[code] = counts.get(code, 0) + 1
        if code == self.code:
            return False
        self.code = code
        return True
