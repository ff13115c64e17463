"""The simulated venue (SV-01): one code for backtest and paper, on the tape's own time, without clock or I/O."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from heapq import heappop, heappush

from tradeworthy.trading.model import (
    AmendOrder,
    Bar,
    BorrowCharged,
    CancelOrder,
    Command,
    ExecReport,
    Funding,
    Instrument,
    InstrumentKind,
    Liquidity,
    Mark,
    MarketEvent,
    OrderType,
    QueryOrder,
    Quote,
    ReportType,
    Side,
    Split,
    SubmitOrder,
    TimeInForce,
)
from tradeworthy.trading.simulation.acceptance import Acceptance
from tradeworthy.trading.simulation.account import Account
from tradeworthy.trading.simulation.bars import BarMarket
from tradeworthy.trading.simulation.credit import equity_below_maintenance
from tradeworthy.trading.simulation.ended_orders import EndedOrders
from tradeworthy.trading.simulation.equity import apply_split, charge_borrow, settles_at
from tradeworthy.trading.simulation.fees import FeeResolver, fee_of, instrument_fees
from tradeworthy.trading.simulation.l1 import L1Market
from tradeworthy.trading.simulation.l2 import L2Market
from tradeworthy.trading.simulation.latency import Latency, LatencyModel
from tradeworthy.trading.simulation.market import Market
from tradeworthy.trading.simulation.reports import refusal, state_report
from tradeworthy.trading.simulation.rules import Broken, VenueRules
from tradeworthy.trading.simulation.venue_order import VenueOrder
from tradeworthy.trading.simulation.wire import NEVER, Wire

DEFAULT_LATENCY = Latency()
DEFAULT_RULES = VenueRules()


class Matching(Enum):
    """What the venue matches against: best quotes, the whole book, or bars."""

    L1 = "l1"
    L2 = "l2"
    BARS = "bars"


_MARKETS: dict[Matching, type[Market]] = {Matching.L1: L1Market, Matching.L2: L2Market, Matching.BARS: BarMarket}


class SimulatedVenue:
    """Accept commands, match them against the market, report what happened.

    latency   delays in nanoseconds; a command needs at least one
    fees      rate resolver; the instruments' own rates when None
    capital   balances at the start by currency; None: balance and margin rules are not applied
    seed      of the latency draws; the venue has no other randomness;  wire  what is under way, and who gets copies
    """

    def __init__(
        self, instruments: Sequence[Instrument], *, latency: LatencyModel = DEFAULT_LATENCY,
        matching: Matching = Matching.L1, fees: FeeResolver | None = None, rules: VenueRules = DEFAULT_RULES,
        capital: Mapping[str, Decimal] | None = None, seed: int = 0,
    ) -> None:
        self.wire = self._wire = Wire(latency, seed)
        self._fees: FeeResolver = instrument_fees if fees is None else fees
        self._rules = rules
        self._account = Account(capital)
        market = _MARKETS[matching]
        self._markets: dict[str, Market] = {i.instrument_id: market(i, self, rules) for i in instruments}
        self._orders: dict[str, VenueOrder] = {}
        self._ended = EndedOrders()
        self._expiries: list[tuple[int, int, VenueOrder]] = []
        self._reports = self._wire.reports
        self._work_due = NEVER
        self._accepted = 0
        self._trades: dict[str, int] = {}
        self._margined: set[str] = set()
        self._reduce_only = 0
        self._held: dict[tuple[str, str], int] = {}
        self._acceptance = Acceptance(rules, self._account, self._markets, self._orders, self._ended, self._held)
        self._borrow_due = NEVER
        self._charges: list[tuple[int, BorrowCharged]] = []

    def send(self, command: Command, ts: int) -> None:
        """Take a command that the desk emitted at `ts`; it arrives after its delay, never before its own submit."""
        arrival = self._wire.send(command, ts)
        if arrival < self._work_due:
            self._work_due = arrival

    def next_due(self) -> int | None:
        """Return the earliest time of a pending arrival, expiry or report, None when nothing is under way."""
        due = self._work_due
        if self._reports and self._reports[0][0] < due:
            return self._reports[0][0]
        return None if due == NEVER else due

    def advance(self, ts: int) -> list[tuple[int, ExecReport]]:
        """Process what is due until `ts`, return the reports delivered until then, by delivery and creation."""
        if self._work_due <= ts:
            self._work(ts)
        reports = self._reports
        delivered: list[tuple[int, ExecReport]] = []
        while reports and reports[0][0] <= ts:
            due, _, report = heappop(reports)
            delivered.append((due, report))
        return delivered

    def on_market(self, fact: MarketEvent, ts: int) -> None:
        """Let the market move at venue time `ts`: arrivals before it first, then the fact, then matching."""
        if self._work_due < ts:
            self._work(ts - 1)
        market = self._markets.get(fact.instrument)
        if market is None:
            return
        market.on_fact(fact, ts)
        if self._margined and fact.instrument in self._margined:
            self._revalue(market, fact, ts)

    def on_split(self, split: Split, ts: int) -> None:
        """Let a split take effect: open orders of the share end, positions scale, its prices are forgotten."""
        if self._work_due <= ts:
            self._work(ts)
        for order in tuple(self._orders.values()):
            if order.instrument == split.instrument:
                self.end(order, ReportType.CANCELLED, "venue.split", ts)
        apply_split(split, self._held, self._account)
        market = self._markets.get(split.instrument)
        if market is not None:
            market.forget_prices()

    def restore(self, positions: Iterable[tuple[str, str, int, Decimal]]) -> None:
        """Hold again what the venue of an earlier process held: instance, instrument, signed lots, average in ticks."""
        account = self._account
        for instance, name, lots, average in positions:
            self._held[(instance, name)] = lots
            before = account.positions.get(name, 0)
            total = account.positions[name] = before + lots
            if total:
                account.entry[name] = (account.entry.get(name, Decimal(0)) * before + average * lots) / total

    def drain_charges(self) -> list[tuple[int, BorrowCharged]]:
        """Return the borrow fees charged since the last call with their times, oldest first."""
        charges, self._charges = self._charges, []
        return charges

    def open_orders(self) -> list[VenueOrder]:
        """Return the orders that rest or wait, oldest first."""
        return list(self._orders.values())

    def positions(self) -> Mapping[str, int]:
        """Return signed lots by instrument id."""
        return self._account.positions

    def balances(self) -> Mapping[str, Decimal]:
        """Return balances by currency."""
        return self._account.balances

    def fill(
        self, order: VenueOrder, lots: int, price: int, liquidity: Liquidity, ts: int, code: str | None = None,
        text: str | None = None,
    ) -> int:
        """Book a fill and report it; a reduce-only order fills at most its position. Returns the lots that counted."""
        name = order.instrument
        if order.reduce_only:
            lots = min(lots, self._acceptance.reducible(order))
        market = self._markets[name]
        if lots > 0:
            instrument = market.instrument
            order.cum += lots
            fee = fee_of(instrument, price, lots, self._fees(instrument, order.side, liquidity))
            report = self._filled(order, instrument, lots, price, liquidity, fee, code, text)
            order.fills.append(report)
            self._account.book(instrument, lots * order.side, price, fee)
            part = (order.instance, name)
            held = self._held[part] = self._held.get(part, 0) + lots * order.side
            if instrument.kind is InstrumentKind.EQUITY:
                self._share_traded(instrument, order.side, lots, price, held, ts)
            self._wire.report(report, ts)
            if self._account.funded:
                self._margined.discard(name)
                if self._account.positions[name] and (instrument.perpetual or self._has_rates(instrument)):
                    self._margined.add(name)
            if order.cum >= order.lots:
                self._finish(order, ReportType.FILL, ts)
        if self._reduce_only:
            self._drop_reduce_only(name, ts)
        return lots

    def end(self, order: VenueOrder, type: ReportType, code: str, ts: int) -> None:
        """End an open order and report why."""
        if order.ended is not None:
            return
        self._finish(order, type, ts)
        self._wire.report(state_report(order, type, code), ts)

    def _work(self, ts: int) -> None:
        """Process what is due until `ts` in time order; at one time a borrow day, then an expiry, then an arrival."""
        wire, expiries = self._wire, self._expiries
        while True:
            arrival = wire.next_arrival()
            expiry = expiries[0][0] if expiries else NEVER
            due = min(arrival, expiry, self._borrow_due)
            if due > ts or due == NEVER:
                self._work_due = due
                return
            if due == self._borrow_due:
                self._charge_borrow(due)
                continue
            if expiry <= arrival:
                self.end(heappop(expiries)[2], ReportType.EXPIRED, "venue.day_end", due)
                continue
            _, _, sent_at, command = wire.arrive()
            if isinstance(command, SubmitOrder):
                self._submit(command, sent_at, due)
            elif isinstance(command, CancelOrder):
                self._cancel(command, due)
            elif isinstance(command, AmendOrder):
                self._amend(command, due)
            else:
                self._query(command, due)

    def _submit(self, command: SubmitOrder, sent_at: int, ts: int) -> None:
        market = self._markets.get(command.instrument)
        broken = self._acceptance.submit(command, ts)
        if broken is not None or market is None:
            broken = broken or Broken("venue.unknown_instrument", f"no instrument {command.instrument}")
            self._wire.report(refusal(ReportType.REJECTED, command, broken), ts)
            if command.client_order_id not in self._orders and command.client_order_id not in self._ended:
                order = VenueOrder(command, 0, "", sent_at)
                order.ended = ReportType.REJECTED
                self._ended.keep(order, ts)
            return
        self._accepted += 1
        order = VenueOrder(command, self._accepted, f"{market.instrument.venue}-o{self._accepted}", sent_at)
        self._orders[order.client_order_id] = order
        self._reduce_only += order.reduce_only
        if order.tif is TimeInForce.DAY:
            order.expires_at = self._rules.day_end(ts)
            heappush(self._expiries, (order.expires_at, order.number, order))
        text = None
        if order.reduce_only:
            text = f"reduce_only: at most {min(order.lots, self._acceptance.reducible(order))} lots fill"
        self._wire.report(state_report(order, ReportType.ACKNOWLEDGED, None, text), ts)
        market.enter(order, ts)

    def _cancel(self, command: CancelOrder, ts: int) -> None:
        order = self._orders.get(command.client_order_id)
        if order is None:
            self._wire.report(self._not_open(ReportType.CANCEL_REJECTED, command), ts)
        else:
            self.end(order, ReportType.CANCELLED, command.reason, ts)

    def _amend(self, command: AmendOrder, ts: int) -> None:
        order = self._orders.get(command.client_order_id)
        if order is None:
            self._wire.report(self._not_open(ReportType.AMEND_REJECTED, command), ts)
            return
        market = self._markets[order.instrument]
        price = order.price if command.price is None else command.price
        lots = order.lots if command.lots is None else command.lots
        broken = self._acceptance.amend(order, price, lots, ts)
        if broken is not None:
            self._wire.report(refusal(ReportType.AMEND_REJECTED, command, broken, order), ts)
            return
        keeps = price == order.price and lots <= order.lots
        if not keeps:
            market.remove(order)
            self._accepted += 1
            order.number = self._accepted
        order.price, order.lots = price, lots
        self._wire.report(state_report(order, ReportType.AMENDED, None), ts)
        if not keeps:
            market.enter(order, ts)

    def _query(self, command: QueryOrder, ts: int) -> None:
        """Tell all fills again under their own trade ids, then the order's state.

        Of a retired order the fills are no longer known: silence leaves the doubt, where `absent` would end it.
        """
        name = command.client_order_id
        order = self._orders.get(name) or self._ended.get(name)
        if order is None and name in self._ended:
            return
        if order is None:
            broken = Broken("venue.unknown_order", f"no order {name}")
            self._wire.report(refusal(ReportType.ABSENT, command, broken), ts)
            return
        for report in order.fills:
            self._wire.report(report, ts)
        if order.ended is not ReportType.FILL:
            self._wire.report(state_report(order, order.ended or ReportType.ACKNOWLEDGED, "venue.status"), ts)

    def _not_open(self, type: ReportType, command: CancelOrder | AmendOrder) -> ExecReport:
        how = self._ended.how(command.client_order_id)
        if how is None:
            return refusal(type, command, Broken("venue.unknown_order", f"no order {command.client_order_id}"))
        ended = "filled" if how is ReportType.FILL else how.value
        broken = Broken(f"venue.already_{ended}", f"the order is {ended}")
        return refusal(type, command, broken, self._ended.get(command.client_order_id))

    def _drop_reduce_only(self, name: str, ts: int) -> None:
        for order in tuple(self._orders.values()):
            if order.reduce_only and order.instrument == name and self._acceptance.reducible(order) == 0:
                self.end(order, ReportType.CANCELLED, "venue.reduce_only", ts)

    def _share_traded(self, instrument: Instrument, side: Side, lots: int, price: int, held: int, ts: int) -> None:
        """Hold a sale's proceeds until they settle; a short position starts the borrow day (SV-14)."""
        if side is Side.SELL:
            due = settles_at(ts, self._rules.settlement_days)
            self._account.unsettled.append((due, instrument.quote, instrument.notional(price, lots)))
        if held < 0 and self._borrow_due == NEVER:
            self._borrow_due = self._rules.day_end(ts)
            self._work_due = min(self._work_due, self._borrow_due)

    def _charge_borrow(self, ts: int) -> None:
        charges = charge_borrow(self._held, self._markets, self._account, self._rules, ts)
        self._charges += [(ts, charge) for charge in charges]
        self._borrow_due = self._rules.day_end(ts) if charges else NEVER

    def _revalue(self, market: Market, fact: MarketEvent, ts: int) -> None:
        if isinstance(fact, Funding):
            price = market.reference
            if price is not None and fact.rate is not None and market.instrument.perpetual:
                self._account.fund(market.instrument, price, fact.rate)
        elif not isinstance(fact, Mark) and (market.mark is not None or not isinstance(fact, (Quote, Bar))):
            return
        if self._has_rates(market.instrument) and equity_below_maintenance(
            market, self._account, self._rules, self._markets
        ):
            self._liquidate(market, ts)

    def _has_rates(self, instrument: Instrument) -> bool:
        """Tell whether margin is known; a perpetual without it still pays and gets funding."""
        return instrument.margin is not None or bool(self._rules.tiers.get(instrument.instrument_id))

    def _liquidate(self, market: Market, ts: int) -> None:
        """Close the position at the reference price, penalty as its fee, after cancelling its orders (SV-13)."""
        price = market.reference
        if price is None:
            return
        instrument = market.instrument
        name = instrument.instrument_id
        for order in tuple(self._orders.values()):
            if order.instrument == name:
                self.end(order, ReportType.CANCELLED, "venue.liquidation", ts)
        lots = self._account.positions[name]
        self._accepted += 1
        command = SubmitOrder(
            f"{instrument.venue}-liquidation-{self._accepted}", "venue", "venue", name,
            Side.SELL if lots > 0 else Side.BUY, abs(lots), OrderType.MARKET, TimeInForce.IOC,
        )
        order = VenueOrder(command, self._accepted, command.client_order_id, ts)
        order.cum = order.lots
        fee = fee_of(instrument, price, order.lots, self._rules.penalty)
        code = "venue.liquidation"
        self._wire.report(self._filled(order, instrument, order.lots, price, Liquidity.TAKER, fee, code, None), ts)
        self._account.book(instrument, -lots, price, fee)
        for part in [part for part in self._held if part[1] == name]:
            self._held[part] = 0
        self._margined.discard(name)

    def _filled(
        self, order: VenueOrder, instrument: Instrument, lots: int, price: int, liquidity: Liquidity, fee: Decimal,
        code: str | None, text: str | None,
    ) -> ExecReport:
        number = self._trades.get(instrument.venue, 0) + 1
        self._trades[instrument.venue] = number
        return ExecReport(
            ReportType.FILL, order.client_order_id, order.instrument, order.venue_order_id,
            f"{instrument.venue}-{number}", order.side, lots, price, order.cum, order.lots - order.cum, liquidity, fee,
            instrument.settlement, code, text,
        )

    def _finish(self, order: VenueOrder, type: ReportType, ts: int) -> None:
        self._markets[order.instrument].remove(order)
        order.ended = type
        del self._orders[order.client_order_id]
        self._reduce_only -= order.reduce_only
        if order.expires_at is not None and type is not ReportType.EXPIRED:
            self._expiries[:] = sorted(entry for entry in self._expiries if entry[2] is not order)
            expiry = self._expiries[0][0] if self._expiries else NEVER
            self._work_due = min(self._wire.next_arrival(), expiry, self._borrow_due)
        self._ended.keep(order, ts)
