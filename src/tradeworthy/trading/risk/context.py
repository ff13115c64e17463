"""What pre-trade review knows: kept current by the desk, one O(1) update an event."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.trading.model import GuardLevel, Instrument, Intent, Side
from tradeworthy.trading.risk.exposure import LONG_AGO, Holding, InstanceAccount, InstrumentBook, MessageWindow
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.risk.reservations import Reservation, Reservations

CAUSES = ("account_type", "account_blocked", "not_active", "session_closed", "halted")
"""RK-02: why an instrument is not tradable, the first wins."""

SEEN_MAX = 100_000
"""Idempotency keys kept in memory; older ones are the journal's matter (MO-05)."""

RECENT_MAX = 64
"""Recent orders kept a holding for RK-10 before old ones are dropped."""

BUY = Side.BUY


class RiskContext:
    """Mutable state of risk. The desk calls the update methods, the reviewer `propose`, the controls read.

    now                     nanoseconds UTC, set by the desk before each event
    equity_nanos            None while unknown;  equity_open_nanos at the start of the desk day
    peak_nanos, peak_30d    highest equity of the day, and of the last `drawdown_days` days
    gross2                  twice the projected gross notional of the desk in nanos
    net_up2, net_down2      twice the signed net notional if all buys (all sells) fill
    orders                  live orders of the desk, reserved and unknown included

    Set by `propose` for the controls: book, holding, opening (lots that open), grow (growth of the holding's
    projected lots), side_lots (instrument lots of the order's side afterwards), own_side (the holding's lots of
    that side afterwards), basis (equity, None when unknown or stale).
    """

    __slots__ = (
        "_days",
        "_equity_age",
        "_guards",
        "_policy",
        "_quoting",
        "ahead",
        "ahead_orders",
        "basis",
        "book",
        "books",
        "day",
        "equity_nanos",
        "equity_open_nanos",
        "equity_ts",
        "gross2",
        "grow",
        "holding",
        "instances",
        "net_down2",
        "net_up2",
        "now",
        "opening",
        "orders",
        "own_side",
        "peak_30d",
        "peak_nanos",
        "reservations",
        "seen",
        "side_lots",
    )

    def __init__(self, instruments: Iterable[Instrument], policy: RiskPolicy) -> None:
        self._policy = policy
        self._equity_age = policy.equity_age
        self._quoting = frozenset(policy.quoting)
        par = (policy.base_currency, *policy.par_currencies)
        self.books = {i.instrument_id: InstrumentBook(i, i.quote in par) for i in instruments}
        self.instances: dict[str, InstanceAccount] = {}
        self.reservations = Reservations()
        self.seen: dict[str, None] = {}
        self._guards: dict[str, GuardLevel] = {}
        self._days: deque[tuple[int, int]] = deque(maxlen=policy.drawdown_days + 1)
        self.now = self.day = self.orders = 0
        self.gross2 = self.net_up2 = self.net_down2 = 0
        self.equity_nanos: int | None = None
        self.equity_ts = LONG_AGO
        self.equity_open_nanos: int | None = None
        self.peak_nanos = self.peak_30d = 0
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

    # positions and orders

    def holding_of(self, instance: str, instrument_id: str) -> Holding:
        """Return the holding of `instance`, opened empty the first time; raises `KeyError` for an unknown id."""
        book = self.books[instrument_id]
        holding = book.by_instance.get(instance)
        if holding is None:
            account = self.account(instance)
            messages = account.messages.setdefault(book.venue, MessageWindow())
            holding = book.by_instance[instance] = Holding(account, book, messages, instance in self._quoting)
            account.holdings.append(holding)
            holding.guard = self._level_of(holding)
        return holding

    def account(self, instance: str) -> InstanceAccount:
        """Return the money of `instance`, opened without a budget the first time."""
        account = self.instances.get(instance)
        if account is None:
            account = self.instances[instance] = InstanceAccount(instance)
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
        reservation = self.reservations.add(intent, now if self.opening else None)
        if len(self.seen) >= SEEN_MAX:
            del self.seen[next(iter(self.seen))]
        self.seen[intent.intent_id] = None
        self._remember(holding, intent)
        holding.orders += 1
        self.orders += 1
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
            slot = (reservation.side, reservation.level)
            if holding.slots.get(slot) == intent_id:
                del holding.slots[slot]
            if rejected and reservation.trade_ts in holding.trades:
                holding.trades.remove(reservation.trade_ts)
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
        self.holding_of(instance, instrument_id).messages.count(ts)

    def cool_down(self, instance: str, instrument_id: str, until: int) -> None:
        """Refuse openings of one instance and instrument until `until` (RK-11, external cooldown)."""
        self.holding_of(instance, instrument_id).cooldown_until = until

    # money

    def set_equity(self, nanos: int | None) -> None:
        """Take the ledger's equity at `now`; None while it is unknown."""
        self.equity_nanos = nanos
        self.equity_ts = self.now
        if nanos is not None:
            if nanos > self.peak_nanos:
                self.peak_nanos = nanos
                if nanos > self.peak_30d:
                    self.peak_30d = nanos
            if self.equity_open_nanos is None:
                self.equity_open_nanos = nanos

    def transfer(self, nanos: int) -> None:
        """Correct the day's open and the peaks for a deposit (above zero) or a withdrawal; no loss is refilled."""
        if self.equity_open_nanos is not None:
            self.equity_open_nanos += nanos
        self.peak_nanos += nanos
        self._days = deque(((day, peak + nanos) for day, peak in self._days), self._days.maxlen)
        self.peak_30d += nanos

    def set_allocated(self, instance: str, nanos: int, expires_at: int) -> None:
        """Give `instance` its budget in nanos until `expires_at`; an expired budget is 0 for openings (AL-01)."""
        account = self.account(instance)
        account.allocated = nanos
        account.expires_at = expires_at

    def day_roll(self, ts: int) -> None:
        """Start a desk day: equity becomes the open, the day's peak joins the rolling peaks (RK-44)."""
        day = ts // NANOS_PER_DAY
        self._days.append((self.day or day - 1, self.peak_nanos))
        while self._days and self._days[0][0] < day - self._policy.drawdown_days:
            self._days.popleft()
        self.day = day
        self.equity_open_nanos = self.equity_nanos
        self.peak_nanos = self.equity_nanos or 0
        self.peak_30d = max(self.peak_nanos, max((peak for _, peak in self._days), default=0))

    # permission

    def set_guard(self, scope: str, level: GuardLevel) -> None:
        """Take the guard's level of one scope: `desk`, `strategy:X`, `instrument:X` or `venue:X`."""
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

    def _remember(self, holding: Holding, intent: Intent) -> None:
        now = self.now
        if len(holding.recent) >= RECENT_MAX:
            window = self._policy.duplicate_window
            holding.recent = {key: ts for key, ts in holding.recent.items() if now - ts < window}
        holding.recent[(intent.side, intent.lots, intent.price)] = now
        holding.recent_ts = now
        if self.opening:
            limit = self._policy.throttle_quoting if holding.quoting else self._policy.throttle_directional
            holding.trades.append(now)
            if len(holding.trades) > limit:
                del holding.trades[0]

    def _level_of(self, holding: Holding) -> GuardLevel:
        guards = self._guards
        scopes = (
            "desk",
            f"strategy:{holding.instance}",
            f"instrument:{holding.book.instrument_id}",
            f"venue:{holding.book.venue}",
        )
        return max(guards.get(scope, GuardLevel.RUNNING) for scope in scopes)
