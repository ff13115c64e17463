"""A quick look before the controls: one function that is sure only about orders far from trouble."""

from collections.abc import Iterable

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.model import NANOS, Instrument, InstrumentKind, Intent, OrderType, Side
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import ratio
from tradeworthy.trading.risk.controls.max_messages import half_of
from tradeworthy.trading.risk.exposure import InstrumentBook
from tradeworthy.trading.risk.policy import RiskPolicy

BUY = Side.BUY
MARKET = OrderType.MARKET
PLAIN = (MARKET, OrderType.LIMIT)
MINUTE = 60 * NANOS_PER_SECOND


class InstrumentLimits:
    """The integers of one instrument: order size, floors, messages a second, and the collar as a fraction.

    shared  messages a second of the whole desk to the venue; None = not published
    judged  a control that the screen does not restate looks at this instrument
    """

    __slots__ = ("collar", "floor2", "instrument", "judged", "lots_max", "lots_min", "messages", "shared")

    def __init__(self, policy: RiskPolicy, instrument: Instrument) -> None:
        self.instrument = instrument
        self.lots_max = instrument.max_order_lots or 0
        self.lots_min = instrument.min_lots
        self.floor2 = int(instrument.min_notional * NANOS * 2)
        self.collar = ratio(policy.collars.of(instrument.kind))
        published = policy.venue_messages.get(instrument.venue)
        self.shared = None if published is None else half_of(published)
        self.messages = policy.messages_per_second
        mapped = instrument.kind is InstrumentKind.EQUITY or instrument.instrument_id in policy.sectors
        windows = any(not w.instruments or instrument.instrument_id in w.instruments for w in policy.no_trade)
        self.judged = mapped or windows or instrument.instrument_id in policy.issuers


class Screen:
    """Say yes to a plain opening that every control would pass; no means only that the controls must look.

    It restates the controls in one function because calls cost more than the sums they make (RK-63). It never
    refuses, and a property test holds each yes against the full review.
    """

    __slots__ = (
        "_asset2", "_asset_value2", "_basis", "_budget", "_budget2", "_by_id", "_capital2", "_directional", "_far",
        "_fractions", "_gross2", "_judged", "_near", "_net2", "_per_trade2", "_policy", "_position2", "_quoting",
        "_risk2", "_shared", "_stops", "_value2",
    )

    def __init__(self, policy: RiskPolicy, instruments: Iterable[Instrument]) -> None:
        self._policy = policy
        self._by_id = {i.instrument_id: InstrumentLimits(policy, i) for i in instruments}
        self._value2 = int(policy.max_order_value * NANOS * 2)
        self._capital2 = None if policy.capital_limit is None else int(policy.capital_limit * NANOS * 2)
        self._near = ratio(policy.stop_distance_min)
        self._far = ratio(policy.stop_distance_max)
        self._stops = not policy.research
        self._judged = bool(
            policy.restricted.entries or policy.restricted.expires_at is not None or policy.events
            or policy.min_provenance is not None
            or policy.throttle_spacing or policy.throttle_cooldown
            or policy.throttle_notional is not None or policy.throttle_multiplier is not None
        )
        self._directional = policy.throttle_directional
        self._quoting = policy.throttle_quoting
        self._asset_value2 = None if policy.asset_net_value is None else int(policy.asset_net_value * NANOS * 2)
        bases = [one.instrument.base for one in self._by_id.values()]
        self._shared = frozenset(base for base in bases if bases.count(base) > 1)
        self._fractions = tuple(
            ratio(share)
            for share in (
                policy.max_position, min(policy.gross_leverage, policy.currency_net), policy.net_exposure,
                policy.per_trade, policy.open_risk, policy.asset_net, policy.gross_leverage,
            )
        )  # fmt: skip
        self._basis: int | None = None
        self._budget: int | None = None
        self._asset2 = self._budget2 = self._position2 = self._gross2 = self._net2 = self._per_trade2 = self._risk2 = 0

    def passes(self, intent: Intent, ctx: RiskContext) -> bool:
        """Return True when every control is sure to pass the intent that `ctx` has proposed."""
        lots, price, holding, book = intent.lots, intent.price, ctx.holding, ctx.book
        lot2, now, basis, policy = book.lot2, ctx.now, ctx.basis, self._policy
        limits = self._by_id[book.instrument_id]
        account = holding.account
        buys = intent.side is BUY
        throttle = holding.throttle_buys if buys else holding.throttle_sells
        stamps, often = throttle.stamps, self._quoting if holding.quoting else self._directional
        if (
            type(lots) is not int or ctx.opening != lots or intent.reduce_only or basis is None
            or holding.guard or self._judged or limits.judged or book.quarantined
            or type(intent.expires_at) is not int or now >= intent.expires_at
            or intent.trigger is not None or intent.type not in PLAIN or type(intent.side) is not Side
            or book.causes or book.bounded or not account.permitted or ctx.ahead_orders
            or not book.usable or book.mid2 is None or now - book.reference_ts >= policy.reference_age
            or not limits.lots_min <= lots <= limits.lots_max
            or (len(stamps) >= often and now - stamps[-often] < policy.throttle_window)
            or now < throttle.cooldown_until or now - holding.recent_ts < policy.duplicate_window
            or intent.intent_id in ctx.seen
            or holding.orders >= policy.working_orders_instance or ctx.orders >= policy.working_orders_desk
            or (not holding.projected and ctx.positions >= policy.positions_desk)
            or account.groups or account.allocated is None or now >= account.expires_at or len(account.holdings) != 1
        ):
            return False
        if basis is not self._basis or account.allocated is not self._budget:
            self._refit(basis, account.allocated)
        value2 = lots * lot2
        grown2 = ctx.grow * lot2
        gross2 = ctx.gross2 + grown2
        if (
            not 0 < value2 <= self._value2 or value2 < limits.floor2
            or ctx.side_lots * lot2 > self._position2 or gross2 > self._gross2
            or holding.projected * lot2 + grown2 > self._budget2
            or (self._capital2 is not None and gross2 > self._capital2)
            or (ctx.net_up2 if buys else -ctx.net_down2) + value2 > self._net2
            or (holding.quoting and self._asset_unsure(intent, book, value2))
        ):
            return False
        messages = holding.messages
        if messages.total and (
            now - messages.stamps[messages.next - limits.messages] < NANOS_PER_SECOND
            or now - messages.stamps[messages.next - policy.messages_per_minute] < MINUTE
        ):
            return False
        if limits.shared is not None:
            venue = book.messages
            if now - venue.stamps[venue.next - limits.shared] < NANOS_PER_SECOND:
                return False
        entry2, median2 = book.mid2, book.median.median2
        numerator, denominator = limits.collar
        if median2 is None:
            return False
        if price is None:
            if intent.type is not MARKET or abs(entry2 - median2) * denominator > 2 * median2 * numerator:
                return False
        else:
            if type(price) is not int or price <= 0:
                return False
            away2 = 2 * price - entry2
            if not -entry2 * numerator <= away2 * denominator <= entry2 * numerator:
                return False
            if abs(2 * price - median2) * denominator > 2 * median2 * numerator:
                return False
            entry2 = 2 * price
        if intent.level >= 0 and (intent.side, intent.level) in holding.slots:
            return False
        stop = intent.stop
        if stop is None:
            return holding.quoting or not self._stops
        if type(stop) is not int or stop <= 0:
            return False
        if holding.quoting:
            return True
        away2 = entry2 - 2 * stop if buys else 2 * stop - entry2
        near, far = self._near, self._far
        if self._stops and not (entry2 * near[0] <= away2 * near[1] and away2 * far[1] <= entry2 * far[0]):
            return False
        lot_risk2 = book.risk2(entry2, abs(away2))
        if lots * lot_risk2 > self._per_trade2:
            return False
        had2 = holding.risk_lot2
        risk_lot2 = lot_risk2 if lot_risk2 > had2 else had2
        after2 = (holding.projected + ctx.grow) * risk_lot2
        return ctx.risk2 - holding.projected * had2 + after2 <= self._risk2

    def _asset_unsure(self, intent: Intent, book: InstrumentBook, value2: int) -> bool:
        """Tell whether a quote's asset is traded in several instruments, or comes near its own net limit."""
        net_lots = book.net_up if intent.side is BUY else -book.net_down
        return book.instrument.base in self._shared or net_lots * book.lot2 + value2 > self._asset2

    def _refit(self, basis: int, budget: int) -> None:
        """Work out the money limits for a new equity or budget, rounded down."""
        self._basis, self._budget = basis, budget
        position, gross, net, per_trade, risk, asset, allowed = self._fractions
        twice = 2 * basis
        self._position2 = twice * position[0] // position[1]
        self._gross2 = twice * gross[0] // gross[1]
        self._net2 = twice * net[0] // net[1]
        self._per_trade2 = twice * per_trade[0] // per_trade[1]
        self._risk2 = twice * risk[0] // risk[1]
        self._asset2 = twice * asset[0] // asset[1]
        if self._asset_value2 is not None:
            self._asset2 = min(self._asset2, self._asset_value2)
        self._budget2 = 2 * budget * allowed[0] // allowed[1]
