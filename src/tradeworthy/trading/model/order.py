"""From wish to fill: target, intent, verdict, order, command, report, position."""

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.words import Word
from tradeworthy.trading.model.market import Side


class OrderType(Word):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT = "take_profit"


class TimeInForce(Word):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    DAY = "day"


class TriggerPrice(Word):
    LAST = "last"
    MARK = "mark"
    INDEX = "index"


class Liquidity(Word):
    MAKER = "maker"
    TAKER = "taker"


class PositionTarget(msgspec.Struct, frozen=True, gc=False):
    """Be at `lots` (signed). `stop` is the protective price in ticks that an opening must carry (RK-27)."""

    instrument: str
    lots: int
    reason: str
    stop: int | None = None
    take_profit: int | None = None


class QuoteTarget(msgspec.Struct, frozen=True, gc=False):
    """Have one post-only order of `lots` at `price` on this side and level."""

    instrument: str
    side: Side
    level: int
    price: int
    lots: int
    reason: str


class Refresh(msgspec.Struct, frozen=True):
    """When a resting quote is replaced (MM-08); nanoseconds and ticks."""

    interval_ns: int = 90_000_000_000
    age_min_ns: int = 30_000_000_000
    level_gap_ns: int = 5_000_000_000
    keep_ticks: int = 1


class Targets(msgspec.Struct, frozen=True, gc=False):
    """A strategy's whole wish: a quote that is working and not among `quotes` is withdrawn."""

    positions: tuple[PositionTarget, ...] = ()
    quotes: tuple[QuoteTarget, ...] | None = None
    refresh: Refresh | None = None


class Abstain(msgspec.Struct, frozen=True, gc=False):
    """No wish, and why (ST-05); `withdraw` takes working quotes off the market."""

    code: str
    withdraw: bool = False


Decision = Targets | Abstain


@fact("intent.proposed")
class Intent(Fact, frozen=True):
    """One order somebody wants (MO-04). Prices in ticks, `lots` > 0, `expires_at` in nanoseconds UTC.

    level   the slot's number on its side: quotes 0..n, directional orders -1, protective exits -2
    stop    the protective stop that accompanies an opening, in ticks
    """

    intent_id: str
    owner: str
    instance: str
    reason: str
    decision_id: str
    instrument: str
    side: Side
    lots: int
    expires_at: int
    type: OrderType = OrderType.MARKET
    tif: TimeInForce = TimeInForce.GTC
    price: int | None = None
    trigger: int | None = None
    trigger_by: TriggerPrice = TriggerPrice.LAST
    reduce_only: bool = False
    post_only: bool = False
    level: int = -1
    stop: int | None = None
    parent: str | None = None
    slice_no: int | None = None

    def __post_init__(self) -> None:
        if not (self.owner and self.instance and self.reason and self.intent_id and self.decision_id):
            raise InvalidInput(f"an intent needs id, owner, instance, reason and decision, was {self!r}")
        if self.expires_at <= 0:
            raise InvalidInput("an intent needs an expiry, was none")
        if self.lots <= 0:
            raise InvalidInput(f"lots must be above zero, was {self.lots}")
        if self.price is None and self.type in _PRICED:
            raise InvalidInput(f"a {self.type.value} order needs a price")
        if self.trigger is None and self.type in _TRIGGERED:
            raise InvalidInput(f"a {self.type.value} order needs a trigger")


_PRICED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_TRIGGERED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT})

T = TypeVar("T")


class Approved(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """An intent that every control let pass. Only `trading/risk/review.py` makes one.

    worst_price  a market order leaves as an immediate limit at this price in ticks (RK-04); None: as it is
    """

    intent: T
    policy_hash: str
    opening_lots: int
    worst_price: int | None = None


class Violation(msgspec.Struct, frozen=True, gc=False):
    """One refused control: code, observed value and limit as exact text."""

    code: str
    observed: str
    limit: str


@fact("intent.refused")
class Refused(Fact, frozen=True):
    """Every violated control, the first in table order is primary (RK-60)."""

    intent: Intent
    violations: tuple[Violation, ...]
    policy_hash: str

    @property
    def code(self) -> str:
        return self.violations[0].code


@fact("intent.approved")
class ApprovedIntent(Fact, frozen=True):
    """The journal's record of an approval.

    binding      the control that scaled it;  worst_price  as in `Approved`;  opening_lots  lots that open
    flags        tolerances that a reducing order was given, e.g. `risk.reference_stale`
    """

    intent: Intent
    policy_hash: str
    requested_lots: int
    binding: str | None = None
    worst_price: int | None = None
    opening_lots: int = 0
    flags: tuple[str, ...] = ()


@fact("command.submit")
class SubmitOrder(Fact, frozen=True):
    """Send this order to its venue."""

    client_order_id: str
    intent_id: str
    instance: str
    instrument: str
    side: Side
    lots: int
    type: OrderType
    tif: TimeInForce
    price: int | None = None
    trigger: int | None = None
    trigger_by: TriggerPrice = TriggerPrice.LAST
    reduce_only: bool = False
    post_only: bool = False


@fact("command.cancel")
class CancelOrder(Fact, frozen=True):
    """Take this order off its venue; `reason` is a stable code."""

    client_order_id: str
    instrument: str
    reason: str


@fact("command.amend")
class AmendOrder(Fact, frozen=True):
    """Change price or total quantity of a working order; shrinking keeps its queue priority."""

    client_order_id: str
    instrument: str
    price: int | None
    lots: int | None


@fact("command.query")
class QueryOrder(Fact, frozen=True):
    """Ask the venue what became of an order whose outcome is unknown (OM-07)."""

    client_order_id: str
    instrument: str


Command = SubmitOrder | CancelOrder | AmendOrder | QueryOrder


class ReportType(Word):
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    FILL = "fill"
    CANCELLED = "cancelled"
    CANCEL_REJECTED = "cancel_rejected"
    AMENDED = "amended"
    AMEND_REJECTED = "amend_rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    BUST = "bust"
    CORRECTION = "correction"


@fact("venue.report")
class ExecReport(Fact, frozen=True):
    """What the venue said of an order. Fill fields are set on FILL, BUST and CORRECTION only.

    lots, price     of this fill;  cum_lots  filled so far;  leaves_lots  still open
    fee             in `fee_currency`, positive = paid; None = not told yet (LG-04)
    code, text      the venue's reason, e.g. `venue.post_only_crosses`
    """

    type: ReportType
    client_order_id: str
    instrument: str
    venue_order_id: str | None = None
    trade_id: str | None = None
    side: Side | None = None
    lots: int = 0
    price: int = 0
    cum_lots: int = 0
    leaves_lots: int = 0
    liquidity: Liquidity | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    code: str | None = None
    text: str | None = None


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One fill as the ledger books it; `order` facts added to the venue's report."""

    trade_id: str
    client_order_id: str
    instance: str
    instrument: str
    side: Side
    lots: int
    price: int
    liquidity: Liquidity
    fee: Decimal | None
    fee_currency: str
    ts_event: int


class OrderState(Word):
    CREATED = "created"
    SUBMITTED = "submitted"
    WORKING = "working"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_AMEND = "pending_amend"
    PENDING_CANCEL = "pending_cancel"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ABSENT = "absent"


TERMINAL = frozenset(
    {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.ABSENT}
)


@fact("order.changed")
class OrderChanged(Fact, frozen=True):
    """An order moved from one state to another."""

    client_order_id: str
    instance: str
    instrument: str
    before: OrderState
    after: OrderState
    cum_lots: int
    code: str | None = None


@fact("order.anomaly")
class OrderAnomaly(Fact, frozen=True):
    """A report that no arrow of the order's life allows (OM-01): state kept, trading paused."""

    client_order_id: str
    state: OrderState | None
    report: ReportType
    text: str


@fact("ledger.fill_booked")
class FillBooked(Fact, frozen=True):
    """A fill after booking: realised P&L gross, fee, and the position it left (quote currency)."""

    trade_id: str
    client_order_id: str
    instance: str
    instrument: str
    side: Side
    lots: int
    price: int
    liquidity: Liquidity
    realized: Decimal
    fee: Decimal | None
    fee_currency: str
    position: int
    average: Decimal | None
    mid: Decimal | None


class Position(msgspec.Struct, frozen=True, gc=False):
    """Signed lots and their average entry price in ticks (None when flat)."""

    instance: str
    instrument: str
    lots: int
    average: Decimal | None


class Balance(msgspec.Struct, frozen=True, gc=False):
    """What an account holds of a currency or asset: `total`, of which `reserved` backs open orders."""

    account: str
    currency: str
    total: Decimal
    reserved: Decimal = Decimal(0)

    @property
    def free(self) -> Decimal:
        """What may still be spent."""
        return self.total - self.reserved
