"""A trade that two people signed is booked as it was signed, once, and nothing else is (APR-04, RC-02)."""

from decimal import Decimal

import msgspec
import pytest
from small_desk import ID, Feed, Scripted, build, of, quotes, submits

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.control.approvals import Act, Approval, Principal, draft
from tradeworthy.trading.control.repair import (
    LedgerRepair,
    LedgerRepaired,
    LedgerRepairRefused,
    details_of,
    repair_of,
)
from tradeworthy.trading.model import FillBooked, Side

TRADE = {"instrument": ID, "side": "buy", "lots": 10, "price": 100_000, "trade_id": "v-7", "fee": Decimal("1.5"),
         "fee_currency": "USD"}  # fmt: skip


def used(instance="script", **odd):
    """Return a pack that was used, of the ordinary trade but for what is odd."""
    details = details_of(**{**TRADE, **odd})
    pack = draft(desk="made", act=Act.LEDGER_REPAIR, subject=instance, details=details, reason="statement", now=1)
    return Approval(pack, pack.digest(), tuple(Principal(name, name, (), b"") for name in ("bob", "ann")))


def asked(**odd):
    return repair_of(used(**odd))


def test_a_trade_is_booked_as_it_was_signed_and_told_as_any_fill():
    feed = Feed(build(Scripted()))
    feed.quote()
    wanted = asked()
    assert isinstance(wanted, LedgerRepair)
    outcome = feed.give(wanted, source="operator")
    (booked,) = of(outcome, FillBooked)
    assert (booked.trade_id, booked.side, booked.lots, booked.price, booked.fee, booked.position) == (
        "v-7", Side.BUY, 10, 100_000, Decimal("1.5"), 10
    )  # fmt: skip
    assert booked.client_order_id == f"repair-{wanted.pack[:12]}"
    assert of(outcome, LedgerRepaired) == [LedgerRepaired(wanted.pack, "v-7", 0, 10)]
    assert outcome.commands == ()
    desk = feed.desk
    assert (desk.ledger.lots("script", ID), desk.context.books[ID].position, desk.context.orders) == (10, 10, 0)
    assert desk.ledger.fees("script", "USD") == Decimal("1.5")


def test_the_same_trade_is_not_booked_twice_under_another_pack():
    feed = Feed(build(Scripted()))
    feed.give(asked(), source="operator")
    again = asked(fee=Decimal(2))
    outcome = feed.give(again, source="operator")
    assert outcome.facts == (LedgerRepairRefused(again.pack, ("trade v-7 is booked already",)),)
    assert feed.desk.ledger.lots("script", ID) == 10


def test_a_trade_that_the_desk_booked_itself_is_no_repair():
    feed = Feed(build(Scripted([quotes(Side.BUY)])))
    (order,) = submits(feed.quote())
    feed.acknowledge(order)
    (booked,) = of(feed.fill(order), FillBooked)
    (refused,) = feed.give(asked(trade_id=booked.trade_id), source="operator").facts
    assert refused.faults == (f"trade {booked.trade_id} is booked already",)


@pytest.mark.parametrize("odd", [{"instance": "nobody"}, {"instrument": "ETHUSD.SIM"}])
def test_a_trade_of_nobody_is_refused(odd):
    feed = Feed(build(Scripted()))
    (refused,) = feed.give(asked(**odd), source="operator").facts
    assert isinstance(refused, LedgerRepairRefused)
    assert "expected an instance and its instrument" in refused.faults[0]


@pytest.mark.parametrize("odd", [
    {"lots": 0}, {"lots": -1}, {"price": 0}, {"side": "hold"}, {"trade_id": ""}, {"fee": Decimal("nan")},
    {"instrument": ""},
])  # fmt: skip
def test_what_is_no_trade_makes_no_pack(odd):
    with pytest.raises(InvalidInput, match="expected"):
        asked(**odd)


def test_a_pack_that_was_changed_by_hand_is_no_trade():
    approval = used()
    changed = msgspec.structs.replace(approval.pack, details={**approval.pack.details, "lots": "1.5"})
    with pytest.raises(InvalidInput, match="whole lots"):
        repair_of(approval._replace(pack=changed))
