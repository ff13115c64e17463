"""Facts are frozen and survive the journal byte for byte (MO-03); an intent is whole or is not (MO-04)."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, event_of
from tradeworthy.kernel.journal.codec import ENCODER, decode_event
from tradeworthy.trading import model
from tradeworthy.trading.model import (
    Approved,
    Balance,
    Bar,
    DepthChecksum,
    DepthDiff,
    DepthSnapshot,
    ExecReport,
    Fill,
    Funding,
    Index,
    Intent,
    Liquidity,
    Mark,
    OrderType,
    Position,
    Quote,
    Refused,
    ReportType,
    Side,
    Split,
    Status,
    SubmitOrder,
    TimeInForce,
    Trade,
    TradingStatus,
    Violation,
)

X = "X.SIM"
WISH = {"intent_id": "d:0", "owner": "strategy", "instance": "mm", "reason": "quote", "decision_id": "d",
        "instrument": X, "side": Side.BUY, "lots": 1, "expires_at": 60}  # fmt: skip
INTENT = Intent(**WISH)
FACTS = [
    Quote(X, 1, 2, None, 3), Trade(X, 1, 2, Side.SELL, "t"), DepthDiff(X, 1, 2, 0, ((1, 2),), ((3, 0),)),
    DepthChecksum(X, 2, 77),
    DepthSnapshot(X, 2, ((1, 2),), ()), Bar(X, 60, 1, 2, 1, 2, None, True), Funding(X, Decimal("-0.0001")),
    Funding(X, None), Mark(X, 5), Index(X, 6), Status(X, TradingStatus.AUCTION), INTENT,
    Refused(INTENT, (Violation("risk.x", "2", "1"),), "hash"),
    SubmitOrder("tw-1", "d:0", "mm", X, Side.SELL, 3, OrderType.LIMIT, TimeInForce.FOK, 9),
    ExecReport(ReportType.FILL, "tw-1", X, "v1", "t1", Side.BUY, 1, 2, 3, 4, Liquidity.MAKER, Decimal("0.10"), "USD"),
    Split(X, date(2014, 6, 6), 7, 1),
]
VALUES = [Approved(INTENT, "hash", 1), Position("mm", X, -2, Decimal("1.5")), Balance("a", "USD", Decimal("3.10")),
          Fill("t", "o", "mm", X, Side.BUY, 1, 2, Liquidity.TAKER, None, "USD", 5)]  # fmt: skip


@pytest.mark.parametrize("fact", [*FACTS, *VALUES], ids=lambda one: type(one).__name__)
def test_facts_and_values_cannot_be_changed(fact):
    name = fact.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(fact, name, getattr(fact, name))


@pytest.mark.parametrize("fact", FACTS, ids=lambda one: type(one).__name__)
def test_a_journal_round_trip_is_byte_equal(fact):
    event = event_of(fact, source="t", key=1, ts_event=1, ts_init=2)
    line = ENCODER.encode(event)
    assert ENCODER.encode(decode_event(line)) == line
    assert decode_event(line).payload == fact


def test_every_exported_fact_has_a_kind_of_its_own():
    kinds = [one.kind for one in vars(model).values() if isinstance(one, type) and issubclass(one, Fact) and one.kind]
    assert len(kinds) == len(set(kinds)) > 20


@pytest.mark.parametrize(
    "changes",
    [{"owner": ""}, {"instance": ""}, {"reason": ""}, {"intent_id": ""}, {"decision_id": ""}, {"expires_at": 0},
     {"lots": 0}, {"type": OrderType.LIMIT}, {"type": OrderType.STOP}, {"type": OrderType.STOP_LIMIT, "price": 1}],
)  # fmt: skip
def test_an_intent_that_lacks_something_cannot_be_built(changes):
    with pytest.raises(InvalidInput):
        Intent(**(WISH | changes))
    with pytest.raises((InvalidInput, msgspec.ValidationError)):
        msgspec.convert(msgspec.to_builtins({**msgspec.to_builtins(INTENT), **changes}), Intent)


def test_a_balance_tells_what_is_free():
    assert Balance("a", "USD", Decimal(10), Decimal("2.5")).free == Decimal("7.5")
