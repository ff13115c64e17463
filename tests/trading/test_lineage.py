"""Whom a report answers, and how long that is remembered."""

import pytest
from small_desk import ID, SECOND, START

from tradeworthy.trading.lineage import ENDED_KEPT_NS, OrderLineage
from tradeworthy.trading.model import (
    AmendOrder,
    CancelOrder,
    ExecReport,
    OrderType,
    QueryOrder,
    ReportType,
    Side,
    SubmitOrder,
    TimeInForce,
)


def submit(name="tw-1"):
    return SubmitOrder(name, "i", "script", ID, Side.BUY, 10, OrderType.MARKET, TimeInForce.GTC)


def sent():
    """Return the lineage of one order after its submit, cancel, amend and query."""
    lineage = OrderLineage()
    lineage.on_command(submit(), "desk:1", "tape:1", START)
    lineage.on_command(CancelOrder("tw-1", ID, "test"), "desk:2", "tape:2", START)
    lineage.on_command(AmendOrder("tw-1", ID, None, 5), "desk:3", "tape:3", START)
    lineage.on_command(QueryOrder("tw-1", ID), "desk:4", "tape:4", START)
    return lineage


def report(kind, **fields):
    return ExecReport(kind, "tw-1", ID, **fields)


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        (report(ReportType.ACKNOWLEDGED), "desk:1"), (report(ReportType.FILL, leaves_lots=5), "desk:1"),
        (report(ReportType.REJECTED), "desk:1"), (report(ReportType.CANCELLED), "desk:2"),
        (report(ReportType.CANCEL_REJECTED), "desk:2"), (report(ReportType.AMENDED), "desk:3"),
        (report(ReportType.AMEND_REJECTED), "desk:3"), (report(ReportType.ABSENT), "desk:4"),
        (report(ReportType.ACKNOWLEDGED, code="venue.status"), "desk:4"),
    ],
)  # fmt: skip
def test_a_report_names_the_command_it_answers_and_the_orders_chain(told, cause):
    assert sent().of_report(told, START) == (cause, "tape:1")


def test_a_cancel_that_nobody_asked_for_answers_the_submit():
    lineage = OrderLineage()
    lineage.on_command(submit(), "desk:1", "tape:1", START)
    assert lineage.of_report(report(ReportType.CANCELLED), START) == ("desk:1", "tape:1")


def test_an_order_nobody_sent_has_no_cause():
    assert OrderLineage().of_report(report(ReportType.FILL), START) == (None, None)


@pytest.mark.parametrize(("late", "known"), [(ENDED_KEPT_NS - 1, True), (ENDED_KEPT_NS, False)])
def test_an_ended_order_is_known_for_a_minute(late, known):
    lineage = OrderLineage()
    lineage.on_command(submit(), "desk:1", "tape:1", START)
    lineage.of_report(report(ReportType.CANCELLED), START)
    lineage.on_command(submit("tw-2"), "desk:9", "tape:9", START + late)
    found = lineage.of_report(report(ReportType.FILL, leaves_lots=0), START + late)
    assert found == (("desk:1", "tape:1") if known else (None, None))


def test_many_orders_leave_memory_flat():
    lineage = OrderLineage()
    for number in range(5_000):
        name, ts = f"tw-{number}", START + number * SECOND
        lineage.on_command(submit(name), f"desk:{number}", "tape:1", ts)
        lineage.of_report(ExecReport(ReportType.CANCELLED, name, ID), ts)
        assert len(lineage) <= 61
