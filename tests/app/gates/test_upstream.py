"""A desk's own records of its dependencies: snapshots of post-trade by their turns, live runs by their length."""

from types import SimpleNamespace

import pytest

from tradeworthy.app.gates import upstream
from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.app.gates.upstream import fitness_of, live_s, post_trade_fails
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.model import HASHES, Binding
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.trading.model import RunStarted
from tradeworthy.trading.model.run import RunStopping

S = NANOS_PER_SECOND
START = 1_772_582_400 * S
OK, FAIL = Severity.OK, Severity.FAIL
BINDING = Binding(release="1.0", environment="paper", tier="paper", hashes={name: name[0] * 64 for name in HASHES})


@pytest.mark.parametrize(("statuses", "fails"), [
    ((), None), ((OK, OK), 0), ((FAIL, FAIL, FAIL), 1), ((FAIL, OK, FAIL, OK, FAIL), 3),
])  # fmt: skip
def test_post_trade_fails_once_each_time_it_turns(monkeypatch, tmp_path, statuses, fails):
    rows = [SimpleNamespace(assessment="post_trade", status=one) for one in statuses]
    other = SimpleNamespace(assessment="risk_policy", status=FAIL)
    monkeypatch.setattr(upstream, "snapshots_of", lambda journal: [other, *rows])
    assert post_trade_fails([tmp_path]) == fails


def played(runs, name, environment, lasted_s):
    folder = runs / name
    journal = Journal.open(folder / "journal", clock=EventClock(START))
    for number, (fact, ts) in enumerate((
        (RunStarted(name, environment, "{}", "c", "d", ()), START), (RunStopping("over"), START + lasted_s * S),
    )):  # fmt: skip
        journal.accept(event_of(fact, source="supervisor", key=number, ts_event=ts, ts_init=ts))
    journal.close()


def test_the_longest_live_run_of_this_desk_counts(tmp_path):
    assert live_s(tmp_path, "desk") == 0.0
    for name, environment, lasted_s in (
        ("desk-1", "live", 100), ("desk-2", "live", 50), ("desk-3", "paper", 500), ("other-1", "live", 900),
    ):  # fmt: skip
        played(tmp_path, name, environment, lasted_s)
    (tmp_path / "desk-empty").mkdir()
    assert live_s(tmp_path, "desk") == 100.0


def test_a_desk_without_records_is_unknown_but_for_its_live_runs(tmp_path):
    clock = EventClock(START)
    report = fitness_of(Gates(GateStore(tmp_path / "gates", clock), BINDING, clock), tmp_path, "desk")
    told = {one.code.partition(".")[2]: one.severity for one in report.checks}
    assert told == {"repair": Severity.UNKNOWN, "post_trade_fails": Severity.UNKNOWN, "live_run": OK}
