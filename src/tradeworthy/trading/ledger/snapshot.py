"""The accounting snapshot: one instance's books at one time, with the age of what they rest on (AC-03)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.ledger.accounts import ZERO
from tradeworthy.trading.ledger.day import DayState
from tradeworthy.trading.ledger.ledger import Ledger
from tradeworthy.trading.model.instrument import NANOS, Instrument
from tradeworthy.trading.model.state import Unknown


class SnapshotPolicy(msgspec.Struct, frozen=True):
    """Nanoseconds: a snapshot each `period_ns` and on a fill; a price as old as `price_age_ns_max` values nothing."""

    period_ns: int = 60 * NANOS_PER_SECOND
    price_age_ns_max: int = 30 * NANOS_PER_SECOND


@fact("telemetry.ledger.accounting")
class AccountingSnapshot(Fact, frozen=True):
    """One row of `accounting_snapshot`. Money in the settlement currency, prices in quote; None = not known.

    base, quote        held of the base asset (perpetual: contracts in base units) and of the settlement currency
    fees_today         paid, negative for rebates;  funding_today  received, negative when paid
    daily_loss, drawdown  fractions of equity;  fee_source  `venue`, or `estimated` while a fee is not told
    margin_ratio       equity over maintenance margin; None where there is no position on margin
    price_age_ns       of the mid;  equity_age_ns  of the equity that the day was last told
    """

    instance: str
    venue: str
    instrument: str
    ts: int
    mid: Decimal | None
    equity: Decimal | None
    base: Decimal
    quote: Decimal
    fees_today: Decimal
    funding_today: Decimal
    daily_loss: float | None
    drawdown: float | None
    fee_source: str
    realized: Decimal
    unrealized: Decimal | None
    margin_ratio: Decimal | None
    position: Decimal
    average: Decimal | None
    price_age_ns: int | None
    equity_age_ns: int | None


OPTIONAL = frozenset({"margin_ratio", "average", "equity_age_ns"})
"""Fields that may be None in good books: without a margin, flat, or before the first equity of the day."""


class SnapshotFinding(msgspec.Struct, frozen=True):
    """A field that is missing, not known, or of which nobody has heard."""

    code: str
    severity: Severity
    field: str


def take_snapshot(
    ledger: Ledger, instrument: Instrument, day: DayState, *, mid2: int | None, price_ts: int | None,
    equity_ts: int | None, now: int, policy: SnapshotPolicy, capital: Decimal = ZERO,
) -> AccountingSnapshot:
    """Return the books of the day's instance in one instrument.

    mid2     twice the mark (perpetual) or mid in ticks with its time; a price too old or absent values nothing
    capital  what the instance was lent out of another partition; its equity and quote stand on it
    """
    instance, name, settlement = day.instance, instrument.instrument_id, instrument.settlement
    age = None if price_ts is None else now - price_ts
    fresh = mid2 if age is not None and 0 <= age < policy.price_age_ns_max else None
    unrealized = ledger.unrealized(instance, name, fresh)
    equity = ledger.equity(instance, {name: fresh}, {})
    held = ledger.position(instance, name)
    quantity = instrument.quantity(held.lots)
    known_equity = None if isinstance(equity, Unknown) else equity + capital
    margin = None
    if instrument.margin is not None and held.lots and fresh is not None and known_equity is not None:
        value = abs(instrument.notional(fresh, held.lots)) / 2
        if instrument.inverse:
            value = 2 * instrument.notional(fresh, held.lots) / (fresh * instrument.tick)
        margin = known_equity / (value * instrument.margin.maintenance)
    return AccountingSnapshot(
        instance, instrument.venue, name, now, None if fresh is None else fresh * instrument.tick / 2, known_equity,
        quantity if instrument.perpetual else ledger.cash(instance, instrument.base),
        ledger.cash(instance, settlement) + capital, day.fees, day.funding, day.loss, day.drawdown_day,
        "estimated" if ledger.estimated_fees() else "venue",
        ledger.realized(instance, settlement), None if isinstance(unrealized, Unknown) else unrealized, margin,
        quantity, None if held.average is None else held.average * instrument.tick, age,
        None if equity_ts is None else now - equity_ts,
    )


def judge_snapshot(row: Mapping[str, Any]) -> tuple[SnapshotFinding, ...]:
    """Return a finding for each field that a row lacks (FAIL) or does not know (UNKNOWN); none for a whole row."""
    found: list[SnapshotFinding] = []
    for name in AccountingSnapshot.__struct_fields__:
        if name not in row:
            found.append(SnapshotFinding("accounting.field_missing", Severity.FAIL, name))
        elif row[name] is None and name not in OPTIONAL:
            found.append(SnapshotFinding("accounting.field_unknown", Severity.UNKNOWN, name))
    return tuple(found)


def nanos_of(amount: Decimal | None) -> int | None:
    """Return an amount in nanos, None for one that is not known."""
    return None if amount is None else int((amount * NANOS).to_integral_value())
