"""What pre-trade review knows: kept current by the desk, one O(1) update an event."""

from collections.abc import Iterable
from decimal import Decimal

from tradeworthy.trading.model import GuardLevel, Instrument, Intent, Side
from tradeworthy.trading.risk.equity_state import EquityState
from tradeworthy.trading.risk.exposure import MESSAGES_KEPT, Holding, InstanceAccount, InstrumentBook, MessageWindow
from tradeworthy.trading.risk.groups import GroupAccount
from tradeworthy.trading.risk.median import MedianReference
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.reservations import Reservation, Reservations
from tradeworthy.trading.risk.throttle_window import ThrottleWindow

CAUSES = ("account_type", "account_blocked", "not_active", "session_closed", "halted")
"""RK-02: why an instrument is not tradable, the first wins."""

SEEN_MAX = 100_000
"""Idempotency keys kept in memory; older ones are the journal's matter (MO-05)."""

RECENT_MAX = 64
"""Recent orders kept a holding for RK-10 before old ones are dropped."""

BUY = Side.BUY


class RiskContext(EquityState):
    """Mutable state of risk. The desk calls the update methods, the reviewer `propose`, the controls read.

    gross2                  twice the projected gross notional of the desk in nanos
    net_up2, net_down2      twice the signed net notional if all buys (all sells) fill
    orders                  live orders of the desk, reserved and unknown included
    positions               projected positions of the desk, counted by instance and instrument
    risk2                   twice the nanos that all projected positions lose to their stops (RK-26)
    groups                  clients, traders and the firm by scope (RK-15)

    Set by `propose` for the controls: book, holding, opening (lots that open), grow (growth of the holding's
    projected lots), side_lots (instrument lots of the order's side afterwards), own_side (the holding's lots of
    that side afterwards), basis (equity, None when unknown or stale).
    """

    __slots__ = (
        "_equity_age", "_guards", "_policy", "_quoting", "_throttles", "ahead", "ahead_orders", "basis", "book",
        "books", "gross2", "groups", "grow", "holding", "instances", "net_down2", "net_up2", "opening", "orders",
        "own_side", "positions", "reservations", "risk2", "seen", "side_lots",
    )

    def __init__(self, instruments: Iterable[Instrument], policy: RiskPolicy) -> None:
        super().__init__(policy)
        self._policy = policy
        self._equity_age = policy.equity_age
        self._quoting = frozenset(policy.quoting)
        par = (policy.base_currency, *policy.par_currencies)
        self.books: dict[str, InstrumentBook] = {}
        venues: dict[str, MessageWindow] = {}
        for one in instruments:
            kept = max(MESSAGES_KEPT, policy.venue_messages.get(one.venue, 0))
            messages = venues.setdefault(one.venue, MessageWindow(kept))
            median = MedianReference(policy.median_window, policy.median_sample)
            self.books[one.instrument_id] = InstrumentBook(one, one.quote in par, median, messages)
        _join_issuers(self.books, policy.issuers)
        self.groups = {group.scope: GroupAccount(group) for group in policy.capital_groups}
        self._throttles: dict[tuple[str | int, ...], ThrottleWindow] = {}
        self.instances: dict[str, InstanceAccount] = {}
        self.reservations = Reservations()
        self.seen: dict[str, None] = {}
        self._guards: dict[str, GuardLevel] = {}
        self.orders = self.positions = self.risk2 = 0
        self.gross2 = self.net_up2 = self.net_down2 = 0
        self.ahead = self.ahead_orders = 0
        self.book: InstrumentBook
        self.holding: Holding
        self.basis: int | None = None
        self.opening = self.grow = self.side_lots = self.own_side = 0

    # market

    def mark(self, instrument_id: str, mid2: int | None, usable: bool, ts: int) -> None:
        """Take a new reference (twice the mid, in ticks); None keeps the last value for what is held."""
        book = self.books[instrument_id]
        book.reference_ts = ts
        book.usable = usable
        if ts >= book.sample_at and usable and mid2 is not None:
            book.sample(ts, mid2)
        if mid2 != book.mid2:
            book.mid2 = mid2
            if mid2 is not None and not book.inverse:
                lot2 = mid2 * book.unit
                if book.gross_lots:
                    change = lot2 - book.lot2
                    self.gross2 += change * book.gross_lots
                    self.net_up2 += change * book.net_up
                    self.net_down2 += change * book.net_down
                book.lot2 = lot2

    def convert(self, currency: str, rate: Decimal) -> None:
        """Set the price of one unit of a quote currency in base currency, for instruments that are not at par."""
        numerator, denominator = rate.as_integer_ratio()
        if numerator <= 0:
            raise ValueError(f"the rate of {currency} must be above zero, was {rate}")
        for book in self.books.values():
            if book.instrument.quote == currency:
                mid2, was = book.mid2, book.lot2
                book.convert(numerator, denominator)
                lot2 = book.lot2 if book.inverse else (0 if mid2 is None else mid2 * book.unit)
                self.gross2 += (lot2 - was) * book.gross_lots
                self.net_up2 += (lot2 - was) * book.net_up
                self.net_down2 += (lot2 - was) * book.net_down
                book.lot2 = lot2

    def set_cause(self, instrument_id: str, cause: str, present: bool) -> None:
        """Say whether one of `CAUSES` keeps the instrument from trading (RK-02)."""
        bit = 1 << CAUSES.index(cause)
        book = self.books[instrument_id]
        book.causes = book.causes | bit if present else book.causes & ~bit

    def set_provenance(self, instrument_id: str, provenance: str | None, *, quarantined: bool = False) -> None:
        """Say what an instrument's prices are: measured, attested or simulated, and whether they are set aside."""
        book = self.books[instrument_id]
        book.provenance, book.quarantined = provenance, quarantined

    # positions and orders

    def holding_of(self, instance: str, instrument_id: str) -> Holding:
        """Return the holding of `instance`, opened empty the first time; raises `KeyError` for an unknown id."""
        book = self.books[instrument_id]
        holding = book.by_instance.get(instance)
        if holding is None:
            account = self.account(instance)
            messages = account.messages.setdefault(book.venue, MessageWindow())
            quoting = instance in self._quoting
            throttles = (self._throttle(instance, book, Side.BUY), self._throttle(instance, book, Side.SELL))
            holding = book.by_instance[instance] = Holding(account, book, messages, quoting, throttles)
            account.holdings.append(holding)
            for group in account.groups:
                group.holdings.append(holding)
            holding.guard = self._level_of(holding)
        return holding

    def account(self, instance: str) -> InstanceAccount:
        """Return the money of `instance`, opened without a budget the first time."""
        account = self.instances.get(instance)
        if account is None:
            members = tuple(self.groups[g.scope] for g in self._policy.capital_groups if g.covers(instance))
            account = self.instances[instance] = InstanceAccount(instance, members)
        return account

    def book_fill(self, instance: str, instrument_id: str, side: Side, lots: int, price: int, ts: int) -> None:
        """Move the position by a fill; the order's capacity is freed by `release`."""
        holding = self.holding_of(instance, instrument_id)
        signed = lots if side is BUY else -lots
        holding.lots += signed
        holding.book.position += signed
        if holding.book.lot2 == 0 and holding.book.unit:  # nothing is held at no value: the fill is a price too
            self._revalue(holding.book, 2 * price * holding.book.unit)
        self._project(holding)

    def reserve(self, intent: Intent) -> Reservation:
        """Hold the capacity of an approved intent, from its approval to its terminal report."""
        if not self.propose(intent):
            raise KeyError(f"unknown instrument {intent.instrument}")
        holding, now = self.holding, self.now
        opening = self.opening
        value2 = opening * holding.book.lot2
        reservation = self.reservations.add(intent, now if opening else None, value2)
        self.recall(intent, opening, value2, now)
        holding.orders += 1
        self.orders += 1
        for group in holding.account.groups:
            group.orders += 1
        if opening and intent.stop is not None and not holding.quoting:
            self._widen_risk(holding, stop_risk2(intent, holding.book))
        if intent.level >= 0:
            holding.slots[(intent.side, intent.level)] = intent.intent_id
        if reservation.working:
            if intent.side is BUY:
                holding.buys += intent.lots
            else:
                holding.sells += intent.lots
            self._project(holding)
        return reservation

    def release(self, intent_id: str, lots: int | None = None, *, rejected: bool = False) -> None:
        """Free `lots` of a reservation (None = the rest, at a terminal state); a rejection gives the throttle back."""
        taken = self.reservations.take(intent_id, lots)
        if taken is None:
            return
        reservation, freed = taken
        holding = self.books[reservation.instrument].by_instance[reservation.instance]
        if reservation.open_lots == 0:
            holding.orders -= 1
            self.orders -= 1
            for group in holding.account.groups:
                group.orders -= 1
            slot = (reservation.side, reservation.level)
            if holding.slots.get(slot) == intent_id:
                del holding.slots[slot]
            if rejected and reservation.trade_ts is not None:
                buys = reservation.side is BUY
                window = holding.throttle_buys if buys else holding.throttle_sells
                window.roll_back(reservation.trade_ts, reservation.trade_value2)
        if reservation.working and freed:
            if reservation.side is BUY:
                holding.buys -= freed
            else:
                holding.sells -= freed
            self._project(holding)

    def hold_unknown(self, intent_id: str) -> None:
        """Keep the capacity of an order whose outcome nobody knows (OM-02)."""
        self.reservations.hold(intent_id)

    def count_message(self, instance: str, instrument_id: str, ts: int) -> None:
        """Count one command (new, amend or cancel) toward the venue's message limit (RK-08)."""
        holding = self.holding_of(instance, instrument_id)
        holding.messages.count(ts)
        holding.book.messages.count(ts)

    def cool_down(self, instance: str, instrument_id: str, until: int) -> None:
        """Refuse openings of the throttle scope of this instance and instrument until `until` (RK-11)."""
        holding = self.holding_of(instance, instrument_id)
        holding.throttle_buys.cooldown_until = holding.throttle_sells.cooldown_until = until

    def recall(self, intent: Intent, opening: int, value2: int, ts: int) -> None:
        """Remember an approved intent: its key, the order it was, and the opening the throttle counts.

        `reserve` calls it; over a restart `trading/restoring.py` carries what is remembered (RK-10, RK-11).
        """
        if len(self.seen) >= SEEN_MAX:
            del self.seen[next(iter(self.seen))]
        self.seen[intent.intent_id] = None
        holding = self.holding_of(intent.instance, intent.instrument)
        if len(holding.recent) >= RECENT_MAX:
            window = self._policy.duplicate_window
            holding.recent = {key: at for key, at in holding.recent.items() if ts - at < window}
        holding.recent[(intent.side, intent.lots, intent.price)] = ts
        holding.recent_ts = ts
        if opening:
            policy = self._policy
            throttle = holding.throttle_buys if intent.side is BUY else holding.throttle_sells
            throttle.add(ts, value2, max(policy.throttle_directional, policy.throttle_quoting))

    def set_stop(self, instance: str, instrument_id: str, stop: int) -> None:
        """Take the stop that protects a position now, in ticks: open risk follows it (RK-26)."""
        holding = self.holding_of(instance, instrument_id)
        book = holding.book
        if book.mid2 is None:
            raise ValueError(f"{instrument_id} has no reference to measure the stop {stop} from")
        self._set_risk(holding, book.risk2(book.mid2, abs(book.mid2 - 2 * stop)))

    # money

    def set_allocated(self, instance: str, nanos: int, expires_at: int) -> None:
        """Give `instance` its budget in nanos until `expires_at`; an expired budget is 0 for openings (AL-01)."""
        account = self.account(instance)
        account.allocated = nanos
        account.expires_at = expires_at

    # permission

    def set_guard(self, scope: str, level: GuardLevel) -> None:
        """Take the guard's level of one scope: `desk`, `strategy:X`, `instrument:X`, `venue:X` or `client:X`."""
        self._guards[scope] = level
        for book in self.books.values():
            for holding in book.by_instance.values():
                holding.guard = self._level_of(holding)

    def guard_level(self, scope: str = "desk") -> GuardLevel:
        """Return the guard's level of one scope as last told."""
        return self._guards.get(scope, GuardLevel.RUNNING)

    def permit(self, instance: str, permitted: bool) -> None:
        """Say whether an instance may open positions at all (RK-02, permission)."""
        self.account(instance).permitted = permitted

    def permit_group(self, scope: str, permitted: bool) -> None:
        """Say whether a trader, client or firm (`trader:X`) may open positions (RK-02)."""
        self.groups[scope].permitted = permitted

    def set_outside(self, scope: str, nanos: int, until: int) -> None:
        """Take the notional that a group holds at other desks, valid before `until` (RK-15)."""
        group = self.groups[scope]
        group.outside_nanos, group.outside_until = nanos, until

    # review

    def propose(self, intent: Intent) -> bool:
        """Work out what `intent` would do; False where its instrument is unknown."""
        book = self.books.get(intent.instrument)
        if book is None:
            return False
        holding = book.by_instance.get(intent.instance)
        if holding is None:
            holding = self.holding_of(intent.instance, intent.instrument)
        buys = intent.side is BUY
        self.book = book
        self.holding = holding
        self.basis = self.equity_nanos if self.now - self.equity_ts < self._equity_age else None
        lots = intent.lots
        if intent.reduce_only:
            free = -holding.lots if buys else holding.lots
            self.grow = 0
            self.own_side = holding.long if buys else holding.short
            self.side_lots = book.long_lots if buys else book.short_lots
        else:
            if buys:
                free = -holding.lots - holding.buys - self.ahead
                own = lots - free
                self.side_lots = book.long_lots - holding.long + (own if own > 0 else 0)
            else:
                free = holding.lots - holding.sells - self.ahead
                own = lots - free
                self.side_lots = book.short_lots - holding.short + (own if own > 0 else 0)
            self.own_side = own
            grow = own - holding.projected
            self.grow = grow if grow > 0 else 0
        self.opening = (lots - free if free < lots else 0) if free > 0 else lots
        return True

    # private

    def _project(self, holding: Holding) -> None:
        """Bring the sums up to date after `holding` changed."""
        book = holding.book
        up = holding.lots + holding.buys
        down = holding.lots - holding.sells
        long = up if up > 0 else 0
        short = -down if down < 0 else 0
        projected = max(abs(up), abs(down))
        lot2 = book.lot2
        book.long_lots += long - holding.long
        book.short_lots += short - holding.short
        holding.long = long
        holding.short = short
        grown = projected - holding.projected
        if grown:
            self.risk2 += grown * holding.risk_lot2
            if not projected:
                holding.risk_lot2 = 0
            step = bool(projected) - bool(holding.projected)
            self.positions += step
            holding.account.positions += step
        holding.projected = projected
        book.gross_lots += grown
        self.gross2 += grown * lot2
        was_up, was_down = book.net_up, book.net_down
        net_up = net_down = book.position
        for other in book.by_instance.values():
            net_up += other.buys
            net_down -= other.sells
        book.net_up = net_up
        book.net_down = net_down
        self.net_up2 += (net_up - was_up) * lot2
        self.net_down2 += (net_down - was_down) * lot2

    def _revalue(self, book: InstrumentBook, lot2: int) -> None:
        change = lot2 - book.lot2
        self.gross2 += change * book.gross_lots
        self.net_up2 += change * book.net_up
        self.net_down2 += change * book.net_down
        book.lot2 = lot2

    def _throttle(self, instance: str, book: InstrumentBook, side: Side) -> ThrottleWindow:
        values: dict[str, str | int] = {
            "strategy": instance, "instrument": book.instrument_id, "venue": book.venue, "side": int(side),
        }  # fmt: skip
        key = tuple(values[name] for name in self._policy.throttle_scope)
        return self._throttles.setdefault(key, ThrottleWindow())

    def _widen_risk(self, holding: Holding, lot2: int) -> None:
        if lot2 > holding.risk_lot2:
            self._set_risk(holding, lot2)

    def _set_risk(self, holding: Holding, lot2: int) -> None:
        self.risk2 += (lot2 - holding.risk_lot2) * holding.projected
        holding.risk_lot2 = lot2

    def _level_of(self, holding: Holding) -> GuardLevel:
        guards = self._guards
        scopes = (
            "desk", f"strategy:{holding.instance}", f"instrument:{holding.book.instrument_id}",
            f"venue:{holding.book.venue}", *(group.scope for group in holding.account.groups),
        )  # fmt: skip
        return max(guards.get(scope, GuardLevel.RUNNING) for scope in scopes)


def stop_risk2(intent: Intent, book: InstrumentBook) -> int:
    """Return twice the nanos that one lot of `intent` loses at its stop, 0 without stop or price."""
    entry2 = book.mid2 if intent.price is None else 2 * intent.price
    if entry2 is None or intent.stop is None:
        return 0
    return book.risk2(entry2, abs(entry2 - 2 * intent.stop))


def _join_issuers(books: dict[str, InstrumentBook], issuers: dict[str, str]) -> None:
    """Tell each book which others are of the same issuer (RK-18)."""
    for name, issuer in issuers.items():
        if name in books:
            same = (other for other, by in issuers.items() if by == issuer and other != name and other in books)
            books[name].siblings = tuple(books[other] for other in same)
