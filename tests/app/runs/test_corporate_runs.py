"""Runs over real splits, dividends and borrow days: equity is continuous and every outcome replays (MD-11, LG-08)."""

import os
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tradeworthy.app import config, venues
from tradeworthy.app.bootstrap import build_venue, instruments_of
from tradeworthy.app.runs.runner import RunSession, journal_of, replay_run
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.journal import read
from tradeworthy.trading.ledger.bookings import BorrowBooked, DividendBooked, SplitBooked
from tradeworthy.trading.model import Bar, BorrowCharged, FillBooked, Split
from tradeworthy.trading.simulation.latency import Latency
from tradeworthy.trading.simulation.rules import VenueRules
from tradeworthy.trading.simulation.venue import Matching, SimulatedVenue
from tradeworthy.trading.strategies.catalogue import Catalogue

DATA = Path(os.environ.get("TRADEWORTHY_DATA", Path(__file__).parents[4] / "shared/data"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no market data at {DATA}; set TRADEWORTHY_DATA")
HOLDERS = Catalogue("", ("share_holder",))
NAME = "AAPL.XNAS"


def played(root, *, start, end, lots):
    raw = {
        "schema": "desk@1",
        "desk": {"name": "shares", "environment": "backtest", "capital": "1000000", "start": start, "end": end},
        "venue": {"matching": "bars"},
        "tapes": [
            {"name": "factors", "format": "lean_equity_factors", "instrument": NAME, "label": "real",
             "path": str(DATA / "equity_daily/factor_files/aapl.csv")},
            {"name": "daily", "format": "lean_equity_daily", "instrument": NAME, "label": "real",
             "path": str(DATA / "equity_daily/aapl.zip")},
        ],
        "instances": [{"id": "holder", "strategy": "share_holder", "instrument": NAME, "policy": {"lots": lots}}],
    }  # fmt: skip
    session = RunSession(config.parse(raw, origin="test"), root=root, clock=EventClock(), catalogue=HOLDERS)
    return session, session.play()


def of(folder, kind):
    return [one.payload for one in read(journal_of(folder)) if type(one.payload) is kind]


def worths(folder, lots):
    """Return what `lots` shares of before the split are worth, at each close from the journal's own bars and splits."""
    for event in read(journal_of(folder)):
        if type(event.payload) is Split:
            lots = lots * event.payload.new // event.payload.old
        elif type(event.payload) is Bar:
            yield lots * Decimal(event.payload.close) / 100


def test_a_split_scales_both_sides_and_equity_goes_on(tmp_path, monkeypatch):
    opened = []

    def built(document):
        opened.append(build_venue(document))
        return opened[-1]

    monkeypatch.setattr(venues, "build_venue", built)
    session, run = played(tmp_path, start="2014-05-28", end="2014-06-20", lots=10)
    (fill,) = of(run.folder, FillBooked)
    (booked,) = of(run.folder, SplitBooked)
    assert (fill.position, booked.new, booked.old) == (10, 7, 1)
    (line,) = run.lines
    assert line.position == 70
    assert session._desk.context.holding_of("holder", NAME).lots == 70
    assert opened[0].positions() == {NAME: 70}
    moves = [abs(after / before - 1) for before, after in pairwise(worths(run.folder, 10))]
    assert max(moves) < Decimal("0.03")
    *_, last = worths(run.folder, 10)
    paid = Decimal(fill.price) / 100 * 10
    dividends = sum(one.amount for one in of(run.folder, DividendBooked))
    assert run.equity == Decimal(1_000_000) + last - paid - line.fees + dividends
    assert run.guard == "running"
    replayed = replay_run(run.folder, catalogue=HOLDERS)
    assert replayed.ok
    assert replayed.equal == replayed.outcomes > 20


def test_dividends_reach_the_holder(tmp_path):
    _, run = played(tmp_path, start="2014-07-28", end="2014-08-15", lots=10)
    (booked,) = of(run.folder, DividendBooked)
    assert booked.instance == "holder"
    assert abs(booked.amount - Decimal("4.70")) < Decimal("0.05")
    assert replay_run(run.folder, catalogue=HOLDERS).ok


def test_a_short_pays_for_what_it_borrows_each_day(tmp_path, monkeypatch):
    def lending(document):
        return SimulatedVenue(
            tuple(instruments_of(document).values()), latency=Latency.every(NANOS_PER_SECOND), matching=Matching.BARS,
            rules=VenueRules(locates={NAME: 100}),
        )  # fmt: skip

    monkeypatch.setattr(venues, "build_venue", lending)
    _, run = played(tmp_path, start="2014-07-01", end="2014-07-12", lots=-10)
    charged, booked = of(run.folder, BorrowCharged), of(run.folder, BorrowBooked)
    assert len(charged) >= 3
    assert [one.cost for one in booked] == [-one.cash for one in charged]
    (line,) = run.lines
    assert run.equity == Decimal(1_000_000) + line.unrealized - line.fees - sum(one.cost for one in booked)
    assert all(one.source == "venue" for one in read(journal_of(run.folder)) if type(one.payload) is BorrowCharged)
    assert replay_run(run.folder, catalogue=HOLDERS).ok
