"""A desk that starts again goes on where its last run was: the same day, the same loss budget (AC-01)."""

from datetime import UTC, datetime

import msgspec
import pytest
from soak_runs import START, document

from tradeworthy.app.research.profit import profit_of
from tradeworthy.app.runs import last_run
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runs.runner import RunSession, journal_of, replay_run
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.model import Abstain, FillBooked
from tradeworthy.trading.model.run import DeskDayBegan
from tradeworthy.trading.restoring import DeskRestored

MIDNIGHT = 1_500


def at(seconds):
    return datetime.fromtimestamp(START // NANOS_PER_SECOND + seconds, UTC).replace(tzinfo=None).isoformat()


def play(root, start, end, *, name="made", steps=4_000, **odd):
    wanted = document(environment="paper", steps=steps, start=at(start), end=at(end), minute_seconds=60)
    wanted = msgspec.structs.replace(wanted, desk=msgspec.structs.replace(wanted.desk, name=name), **odd)
    session = RunSession(wanted, root=root, clock=EventClock())
    return session._desk, session.play()


def of(run, kind):
    return [one.payload for one in read(journal_of(run.folder)) if type(one.payload) is kind]


def day_of(desk):
    ctx = desk.context
    seat = desk.seats[0]
    return (
        ctx.equity_open_nanos, ctx.peak_nanos, ctx.peaks(), desk._losses.memory(),
        desk.ledger.position(seat.instance, seat.instrument_id), seat.traded_nanos,
        ctx.books[seat.instrument_id].position,
    )  # fmt: skip


def test_the_day_its_losses_and_the_position_go_on(tmp_path):
    first, run = play(tmp_path, 0, 700)
    assert of(run, FillBooked)
    assert first.seats[0].position
    second, again = play(tmp_path, 700, 703)
    (memory,) = of(again, DeskRestored)
    assert memory.run == run.folder.name
    assert day_of(second)[0] == day_of(first)[0]
    assert second.ledger.lots("quoter", "EURUSD.DEMO") - sum(
        one.side * one.lots for one in of(again, FillBooked)
    ) == first.ledger.lots("quoter", "EURUSD.DEMO")
    for folder in (run.folder, again.folder):
        assert replay_run(folder).ok


def test_what_is_restored_is_what_was_left(tmp_path):
    first, _ = play(tmp_path, 0, 700)
    left = day_of(first)
    _, again = play(tmp_path, 700, 1_000)
    events = read(journal_of(again.folder))
    wanted = document(environment="paper", minute_seconds=60)
    second = RunSession(wanted, root=tmp_path / "other", clock=EventClock())._desk
    for event in events:
        second.step(event)
        if type(event.payload) is DeskRestored:
            break
    assert day_of(second) == left
    memory = event.payload
    (activity,) = memory.activities
    assert activity.messages
    assert activity.buys or activity.sells
    assert second.memory.told(memory.run, memory.seq, memory.ts) == memory
    assert second.context.seen.keys() == first.context.seen.keys()
    assert second._budgeting._watch.memory("quoter") == first._budgeting._watch.memory("quoter")
    assert second.context.equity_ts == of(again, DeskRestored)[0].ts


def test_the_profit_of_a_run_that_went_on_is_its_own(tmp_path):
    play(tmp_path, 0, 700)
    desk, again = play(tmp_path, 700, 1_000)
    (day,) = profit_of(again.folder).days
    assert day.severity is Severity.OK
    assert int(again.equity * NANOS_PER_SECOND) == desk.context.equity_nanos


def test_what_a_person_enabled_counts_anew_and_what_is_disabled_stays_at_its_limit(tmp_path):
    desk, _ = play(tmp_path, 0, 700)
    at_limit = (("quoter", "EURUSD.DEMO", 1, tuple(range(20))),)
    for disabled, kept in (({"quoter"}, at_limit), (set(), ())):
        desk._repeated.restart("quoter")
        desk._repeated.restore(at_limit, disabled)
        assert desk._repeated.memory() == kept


def test_a_day_that_ended_in_between_is_rolled(tmp_path):
    first, _ = play(tmp_path, 0, 1_000)
    closed = first.context.equity_nanos
    second, again = play(tmp_path, MIDNIGHT + 100, MIDNIGHT + 101)
    (began,) = of(again, DeskDayBegan)
    assert second.context.equity_open_nanos == closed == int(began.equity * NANOS_PER_SECOND)
    assert second.seats[0].position == first.seats[0].position


def test_memory_goes_on_over_any_number_of_starts(tmp_path):
    opened = play(tmp_path, 0, 400)[0].context.equity_open_nanos
    for start in (400, 600, 800):
        desk, again = play(tmp_path, start, start + 200)
        assert desk.context.equity_open_nanos == opened
        assert replay_run(again.folder).ok


def test_a_tape_played_again_another_desk_and_a_folder_taken_away_begin_anew(tmp_path):
    _, run = play(tmp_path, 0, 700)
    assert of(play(tmp_path, 700, 800, name="other")[1], DeskRestored) == []
    _, again = play(tmp_path, 0, 700)
    assert of(again, DeskRestored) == []
    assert again.digest == run.digest
    again.folder.rename(tmp_path / "kept-aside")
    assert of(play(tmp_path, 700, 800)[1], DeskRestored) == []


def test_a_position_that_the_document_does_not_know_refuses_the_start(tmp_path):
    play(tmp_path, 0, 700)
    strange = document(instances=[{"id": "q2", "strategy": "touch_quoter", "instrument": "EURUSD.DEMO"}]).instances
    with pytest.raises(ConfigurationRefused, match=r"left -?\d+ lots of EURUSD.DEMO in quoter"):
        play(tmp_path, 700, 800, instances=strange)


def test_a_run_that_this_code_would_have_decided_otherwise_is_not_gone_on_from(tmp_path, monkeypatch):
    play(tmp_path, 0, 700)
    monkeypatch.setattr(
        "tradeworthy.trading.strategies.touch_quoter.TouchQuoter.decide",
        lambda self, view: Abstain("other"),
    )
    with pytest.raises(ConfigurationRefused, match=r"must replay to be gone on from, but differs at seq \d+"):
        last_run.memory(state_of(tmp_path, "made"), tmp_path, START + 10**13)


def test_a_backtest_neither_remembers_nor_is_remembered(tmp_path):
    wanted = document(steps=300)
    RunSession(wanted, root=tmp_path, clock=EventClock()).play()
    assert last_run.memory(state_of(tmp_path, "made"), tmp_path, START + 10**15) is None
