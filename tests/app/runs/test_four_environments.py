"""A strategy of the test tree runs in backtest, replay, paper and live, in the same words."""

import pytest
from soak_runs import document

from tradeworthy.app.bootstrap import build_desk, build_timers, build_venue, instruments_of
from tradeworthy.app.market_data import tapes
from tradeworthy.app.runs.runner import RunSession, replay_run
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.trading.environment import Environment, merged
from tradeworthy.trading.model import SubmitOrder
from tradeworthy.trading.strategies.catalogue import CATALOGUE, Catalogue

TESTED = Catalogue("", ("patient_buyer",))
INSTANCE = {"id": "patient", "strategy": "patient_buyer", "instrument": "EURUSD.DEMO", "policy": {"quotes": 20}}


def patient(environment):
    return document(environment=environment, steps=120, instances=[INSTANCE])


def played(environment, root):
    return RunSession(patient(environment), root=root, clock=EventClock(), catalogue=TESTED).play()


class Exchange:
    """A venue at the end of a wire: what reaches it is counted."""

    def __init__(self, venue):
        self._venue, self.requests = venue, []
        self.next_due, self.advance, self.on_market = venue.next_due, venue.advance, venue.on_market

    def send(self, command, ts):
        self.requests.append(command)
        self._venue.send(command, ts)


def lived(root):
    wanted = patient("paper")
    desk = build_desk(wanted, catalogue=TESTED)
    exchange = Exchange(build_venue(wanted))
    clock = EventClock()
    journal = Journal.open(root / "live" / "journal", clock=clock)
    environment = Environment(
        desk, journal, exchange, build_timers(wanted, desk), durable_commands=True, clock=clock, speed=1.0
    )
    known = instruments_of(wanted)
    rows = merged([tapes.rows(one, known[one.instrument], lambda raw, why: None) for one in wanted.tapes])
    environment.run(rows)
    environment.settle(5_000_000_000)
    journal.close()
    return environment, exchange


def test_it_decides_the_same_in_all_four(tmp_path):
    backtest, paper = played("backtest", tmp_path), played("paper", tmp_path)
    live, exchange = lived(tmp_path)
    replayed = replay_run(paper.folder, catalogue=TESTED)
    assert replayed.ok
    assert len({backtest.digest, paper.digest, replayed.digest, live.digest.hexdigest()}) == 1
    assert [one.lots for one in exchange.requests if isinstance(one, SubmitOrder)] == [1_000]
    (line,) = paper.lines
    assert (line.instance, line.fills) == ("patient", 1)


def test_what_it_decided_in_a_live_desk_is_durable_before_it_leaves(tmp_path):
    _, exchange = lived(tmp_path)
    stored = [event.payload for event in read(tmp_path / "live" / "journal") if type(event.payload) is SubmitOrder]
    assert stored == [one for one in exchange.requests if isinstance(one, SubmitOrder)]


def test_a_desk_that_does_not_know_it_does_not_start(tmp_path):
    with pytest.raises(ConfigurationRefused, match=r"unknown strategy 'patient_buyer'; known are .*touch_quoter"):
        RunSession(patient("backtest"), root=tmp_path)


def test_every_file_of_the_room_that_holds_a_strategy_is_found_and_nothing_else():
    assert {"ema_trend", "market_maker", "mean_reversion", "touch_quoter"} <= set(CATALOGUE)
    assert not {"abstentions", "catalogue", "directional", "market_maker_formulas", "json", ""} & set(CATALOGUE)
    assert len(CATALOGUE) == len(list(CATALOGUE))
    assert CATALOGUE.get("os.path") is None
