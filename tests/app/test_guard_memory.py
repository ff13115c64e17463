"""What a session remembers of stops, and never forgets by writing over it."""

import pytest

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.app import config
from tradeworthy.app.runner import RunSession, state_of
from tradeworthy.kernel.clock import EventClock
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.model import GuardChanged, GuardLevel, GuardReason

RAW = {
    "schema": "desk@1",
    "desk": {"name": "memory", "environment": "paper"},
    "tapes": [{"name": "eurusd_quotes", "format": "demo", "instrument": "EURUSD.DEMO", "label": "derived"}],
    "instances": [{"id": "touch", "strategy": "touch_quoter", "instrument": "EURUSD.DEMO", "role": "maker"}],
}


@pytest.fixture
def session(tmp_path):
    return RunSession(config.parse(RAW, origin="test"), root=tmp_path, clock=EventClock())


@pytest.fixture
def file(tmp_path):
    return SentinelFile(state_of(tmp_path, "memory") / "guard.bin")


def stop(scope="desk"):
    return HeldReason("operator", "kill", GuardLevel.STOPPED, scope, 5, None, "ann: drill")


def pause(session):
    """Let the desk pause itself and the session remember it."""
    changed = session._desk.guard.set(GuardReason("risk", "drill", GuardLevel.PAUSED), 7)
    assert isinstance(changed, GuardChanged)
    session._remember(changed)


def remembered(file):
    return {(one.owner, one.code, one.scope) for one in sentinel.decode(file.read())}


def test_a_kill_written_while_the_desk_pauses_itself_is_not_lost(session, file):
    file.write(sentinel.encode((stop(),)))
    pause(session)
    assert remembered(file) == {("operator", "kill", "desk"), ("risk", "drill", "desk")}
    ((_, request),) = session._acts()
    assert request.scope == "desk"


def test_a_stop_is_handed_to_the_desk_once(session, file):
    file.write(sentinel.encode((stop(), stop("strategy:touch"))))
    assert [request.scope for _, request in session._acts()] == ["desk", "strategy:touch"]
    assert session._acts() == []


def test_a_stop_that_people_took_away_stays_away(session, file):
    file.write(sentinel.encode((stop(),)))
    session._acts()
    session._desk.guard.set(GuardReason("operator", "kill", GuardLevel.STOPPED), 6)
    pause(session)
    (changed,) = session._desk.guard.rearm("desk", "INC-1: ann and bob")
    session._remember(changed)
    assert remembered(file) == {("risk", "drill", "desk")}


def test_an_unreadable_record_is_a_stop(session, file):
    file.write(b"torn")
    ((_, request),) = session._acts()
    assert request.scope == "desk"


def test_a_backtest_hears_no_kill(tmp_path, file):
    file.write(sentinel.encode((stop(),)))
    raw = RAW | {"desk": {"name": "memory", "environment": "backtest"}}
    session = RunSession(config.parse(raw, origin="test"), root=tmp_path, clock=EventClock())
    with session.open() as run:
        assert run._look() == ()
    assert session._desk.guard.level is GuardLevel.RUNNING
