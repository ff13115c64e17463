"""What is particular to shares: settlement a business day later, the daily borrow fee, splits (SV-14)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.model import BorrowCharged, InstrumentKind, Split
from tradeworthy.trading.simulation.account import Account
from tradeworthy.trading.simulation.margin import borrow_cash
from tradeworthy.trading.simulation.market import Market
from tradeworthy.trading.simulation.rules import VenueRules

_SATURDAY = 5


def settles_at(ts: int, days: int) -> int:
    """Return midnight UTC of the day on which a trade of `ts` settles: weekends do not count, holidays are not known.

    days  business days after the trade: 1 = T+1
    """
    day = datetime.fromtimestamp(ts // NANOS_PER_SECOND, UTC).date()
    left = days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * NANOS_PER_SECOND


def charge_borrow(
    held: Mapping[tuple[str, str], int], markets: Mapping[str, Market], account: Account, rules: VenueRules, ts: int
) -> tuple[BorrowCharged, ...]:
    """Book a day's borrow fee of every short share position and return the charges, by instance.

    A short without a price is charged nothing now and owed: its `cash` is None, which is told, never taken for zero.
    """
    charges: list[BorrowCharged] = []
    for (instance, name), lots in sorted(held.items()):
        market = markets[name]
        if lots >= 0 or market.instrument.kind is not InstrumentKind.EQUITY:
            continue
        price = market.reference
        cash: Decimal | None = None
        if price is not None:
            cash = borrow_cash(market.instrument, lots, price, rules.borrow_rates.get(name, rules.borrow_rate_year))
            account.add(market.instrument.quote, cash)
        charges.append(BorrowCharged(instance, name, lots, cash, market.instrument.quote, ts // NANOS_PER_DAY))
    return tuple(charges)


def apply_split(split: Split, held: dict[tuple[str, str], int], account: Account) -> None:
    """Scale the venue's own positions by a split; raises `InvalidInput` for part lots before anything moved."""
    ratio = Fraction(split.new, split.old)
    name = split.instrument
    parts = {part: lots * ratio for part, lots in held.items() if part[1] == name}
    total = account.positions.get(name, 0) * ratio
    for lots in (*parts.values(), total):
        if lots.denominator != 1:
            raise InvalidInput(f"{name}: a split {split.new}:{split.old} must leave whole lots, was {lots}")
    held.update({part: int(lots) for part, lots in parts.items()})
    if name in account.positions:
        account.positions[name] = int(total)
    if name in account.entry:
        account.entry[name] = account.entry[name] * split.old / split.new
