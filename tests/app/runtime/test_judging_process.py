"""A running desk judges itself: assessments and a gate of its own, desk and venue compared, a stop when it cannot."""

import asyncio

import msgspec
import pytest
from ingesting_scene import document, process

from tradeworthy.app.assessing.live import ASSESSMENTS
from tradeworthy.app.runs.folder import journal_of
from tradeworthy.app.runtime.judging import GATES_FOLDER, REPORTS
from tradeworthy.app.runtime.trading import RESTART
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.journaled import snapshots_of
from tradeworthy.operations.gates.named import gate_named
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.model import GuardLevel

SOON = {"sweep_s": 0.4, "first_sweep_s": 0.2}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr("tradeworthy.app.runtime.trading.AGAIN_S", 0.05)
    monkeypatch.setattr("tradeworthy.app.runtime.trading.INPUTS_BETWEEN", 1)
    monkeypatch.setattr("tradeworthy.app.assessing.live.VERIFY_SECONDS", 0.2)
    monkeypatch.setattr("tradeworthy.app.assessing.live.LOOK_SECONDS", 0.1)
    monkeypatch.setattr("tradeworthy.app.runtime.judging.LOOK_SECONDS", 0.1)
    monkeypatch.setattr("tradeworthy.app.gates.watch.SETTLE_S", 0)
    monkeypatch.setattr("tradeworthy.app.gates.watch.STEP_S", 0.1)
    monkeypatch.setattr("tradeworthy.operations.assessments.framework.cycle.SETTLING_PERIOD_S", 0.3)


def desk(tmp_path, judging=None, **switches):
    made = document(rows=100_000, runtime={"judging": {**SOON, **(judging or {})}})
    made = msgspec.structs.replace(made, desk=msgspec.structs.replace(made.desk, speed=3_600.0))
    return process(tmp_path, made, **switches)


def lives(one, seconds, *later):
    async def main():
        for after, act in later:
            asyncio.get_running_loop().call_later(after, act)
        return await one.run(seconds)

    return asyncio.run(main())


def plays(one, script):
    """Run the process until the script ends, which may take its time on a busy machine."""

    async def main():
        running = asyncio.ensure_future(one.run(60.0))
        await script()
        one.application.request_stop("timeout")
        return await running

    return asyncio.run(main())


async def until(found):
    for _ in range(600):
        if found():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come in 30 s")


def events_of(one):
    return list(read(journal_of(one.folder)))


def guard_of(one, reason):
    return [event.payload.set for event in events_of(one)
            if event.kind == "guard.changed" and event.payload.reason == reason]  # fmt: skip


def test_what_the_process_can_see_is_judged_journaled_and_asked_of_the_gate(tmp_path):
    one = desk(tmp_path)

    async def script():
        await until(lambda: statuses().get("reconciliation") is Severity.OK)
        await until(met)

    def statuses():
        return {name: last.status for name, last in one.judging._history.newest().items()}

    def met():
        given = one.judging._watch.known.newest("desk_health")
        return given is not None and {row.id: row.met for row in given.verdict.rows}["reconciliation"]

    assert plays(one, script).reason == "timeout"
    newest = {snapshot.assessment: snapshot for snapshot in snapshots_of(one.state / ASSESSMENTS)}
    assert newest.keys() >= {row.source for row in gate_named("desk_health").requirements}
    known = {name for name, snapshot in newest.items() if snapshot.status is Severity.OK}
    assert known >= {"task_supervision", "event_bus_health", "reconciliation", "fill_parity"}
    assert "log_integrity.broken_chain" not in {found.code for found in newest["log_integrity"].findings}
    kept = GateStore(one.state / GATES_FOLDER, SystemClock()).read()
    verdict = kept.newest("desk_health").verdict
    rows = {row.id: row.met for row in verdict.rows}
    assert rows["reconciliation"]
    assert not rows["decision_latency"]  # nobody approved a baseline for this machine
    assert one.judging.gates("desk_health")[0] == 200
    assert b"reconciliation" in one.judging.assessments()[1]


def test_a_desk_without_trading_knows_nothing_of_its_books(tmp_path):
    one = desk(tmp_path, no_trading=True)
    lives(one, 1.0)
    newest = {snapshot.assessment: snapshot.status for snapshot in snapshots_of(one.state / ASSESSMENTS)}
    assert newest["task_supervision"] is Severity.OK
    assert {newest[name] for name in ("accounting_integrity", "reconciliation", "log_integrity", "roi")} == {
        Severity.UNKNOWN
    }


def test_a_journal_of_snapshots_that_stalls_stops_the_desk(tmp_path):
    one = desk(tmp_path)

    def broken(*told):
        raise OSError("no space left")

    async def script():
        await until(lambda: one.judging._history.newest())
        one.judging._journal.append = broken
        await until(lambda: guard_of(one, "journal.assessments"))

    plays(one, script)
    assert guard_of(one, "journal.assessments") == [True]
    after = next(event.seq for event in events_of(one) if getattr(event.payload, "reason", "") == "journal.assessments")
    assert not [event for event in events_of(one) if event.kind == "command.submit" and event.seq > after]


def test_a_break_between_desk_and_venue_is_told_at_once_pauses_when_it_lasts_and_ends_by_itself(tmp_path):
    one = desk(tmp_path)

    def held():
        return [f"{held.owner}.{held.code}" for held in one.trading.desk.guard.reasons()]

    def status():
        last = one.judging._history.last("reconciliation")
        return None if last is None else last.status

    async def script():
        await until(lambda: status() is Severity.OK)
        one.door.ask(GuardAsked("reconciliation", RESTART, GuardLevel.PAUSED, evidence="as a start leaves it"))
        await until(lambda: guard_of(one, "reconciliation.restart") == [True, False])
        controls = one.trading.run.controls
        seen = controls._view

        def lies():
            shown = seen()
            return msgspec.structs.replace(shown, positions={**shown.positions, "GBPUSD.DEMO": 7})

        controls._view = lies
        await until(lambda: status() is Severity.FAIL and "reconciliation.break" in held())
        controls._view = seen
        await until(lambda: status() is Severity.OK and "reconciliation.break" not in held())

    plays(one, script)
    told = [event.payload for event in events_of(one) if event.kind == "reconciliation.report"]
    bad = [found for found in told if not found.clean]
    assert told[0].clean
    assert {found.agreement for found in bad} == {"differs: GBPUSD.DEMO: 0 lots at the desk, 7 at the venue"}
    assert told[-1].clean
    assert guard_of(one, "reconciliation.break") == [True, False]
    statuses = [s.status for s in snapshots_of(one.state / ASSESSMENTS) if s.assessment == "reconciliation"]
    assert Severity.FAIL in statuses  # a position of which the desk knows nothing is as far off as can be
    assert statuses[-1] is Severity.OK


def test_a_venue_that_shows_nothing_is_unknown_and_no_agreement(tmp_path):
    one = desk(tmp_path)
    async def script():
        await until(lambda: one.trading.run is not None and one.judging._history.newest())
        one.trading.run.controls._view = lambda: None
        await until(lambda: one.judging._history.last("reconciliation").status is Severity.FAIL)

    plays(one, script)
    told = [event.payload for event in events_of(one) if event.kind == "reconciliation.report"]
    assert told[-1].agreement.startswith("unknown")
    newest = [s for s in snapshots_of(one.state / ASSESSMENTS) if s.assessment == "reconciliation"][-1]
    assert newest.status is Severity.FAIL
    assert "no_venue_view" in {found.code.rpartition(".")[2] for found in newest.findings}


def test_no_gate_is_watched_where_none_is_named(tmp_path):
    one = desk(tmp_path, judging={"gate": ""})
    lives(one, 0.5)
    assert not (one.state / GATES_FOLDER).exists()
    assert one.judging.gates()[0] == 200


@pytest.mark.parametrize("odd", [{"gate": "none"}, {"money": "much"}, {"sweep_s": 0.0}, {"settle_s": -1.0}])
def test_an_odd_policy_is_refused_before_anything_is_written(tmp_path, odd):
    with pytest.raises(Exception, match=next(iter(odd))):
        desk(tmp_path, judging=odd)
    assert not (tmp_path / "runs").exists()




def test_the_desk_writes_its_own_reports_of_the_day_and_the_week_once(tmp_path):
    one = desk(tmp_path)
    folder = one.state / REPORTS

    async def script():
        await until(lambda: len(list(folder.glob("*.md"))) == 2)

    plays(one, script)
    names = sorted(path.name.partition("-")[0] for path in folder.glob("*.md"))
    assert names == ["daily", "weekly"]
    assert one.judging.write_reports() == ()
    (daily,) = folder.glob("daily-*.md")
    before = daily.read_bytes()
    daily.unlink()
    assert one.judging.write_reports() == (daily,)
    assert daily.read_bytes() == before
