"""A whole run's journal: every order has its story, the ledger comes out of it again (OM-08, LG-10, LG-11)."""

import pytest

from tradeworthy.app import config
from tradeworthy.app.bootstrap import CAPITAL, instruments_of
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.kernel.journal import read
from tradeworthy.trading.execution.lifecycle import Stage, lifecycle
from tradeworthy.trading.ledger import FlowKind, Ledger
from tradeworthy.trading.ledger.reconstruct import reconstruct
from tradeworthy.trading.model import FillBooked, Intent, SubmitOrder
from tradeworthy.trading.model.order import ApprovedIntent

DOCUMENT = """
schema = "desk@1"
[desk]
name = "books"
environment = "backtest"
capital = "1000000"
[[tapes]]
name = "eurusd_quotes"
format = "demo"
instrument = "EURUSD.DEMO"
rows_max = 1_500
label = "derived"
[[instances]]
id = "touch"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
role = "maker"
[venue]
matching = "l1"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("books")
    path = folder / "books.toml"
    path.write_text(DOCUMENT)
    document = config.load(path)
    session = RunSession(document, root=folder / "runs")
    journal = session.play().folder / "journal"
    return document, list(read(journal)), session._desk.ledger.state_hash()


def test_every_order_of_a_run_has_a_complete_story(run):
    _, events, _ = run
    story = lifecycle(events)
    sent = {event.payload.client_order_id for event in events if isinstance(event.payload, SubmitOrder)}
    assert set(story.steps) == sent
    assert len(sent) > 20
    assert story.missing() == {}
    answered = [step for steps in story.steps.values() for step in steps if step.stage is Stage.ACKNOWLEDGED]
    assert all(step.latency_ns is not None and step.latency_ns > 0 and step.venue_order_id for step in answered)


def test_every_fill_names_its_strategy_and_its_decision(run):
    _, events, _ = run
    orders = {e.payload.client_order_id: e.payload for e in events if isinstance(e.payload, SubmitOrder)}
    decisions = {e.payload.intent.intent_id: e.payload.intent for e in events if isinstance(e.payload, ApprovedIntent)}
    fills = [event.payload for event in events if isinstance(event.payload, FillBooked)]
    assert fills
    for one in fills:
        intent = decisions[orders[one.client_order_id].intent_id]
        assert isinstance(intent, Intent)
        assert (intent.instance, intent.owner) == (one.instance, "strategy")
        assert intent.decision_id


def test_the_ledger_deleted_and_folded_again_has_the_equal_hash(run):
    document, events, digest = run
    fresh = Ledger(instruments_of(document), "USD")
    fresh.flow(CAPITAL, "USD", document.desk.capital, FlowKind.DEPOSIT)
    assert reconstruct(events, fresh).state_hash() == digest
