"""Facts out of a run's folder and a process's life, judged: what was recorded counts, what is not known is missing."""

import json
import shutil

import msgspec
import pytest

from tradeworthy.app import config
from tradeworthy.app.assessing.run_probes import LifeSource, RunSource, joined, newest_life
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.app.runtime.facts import ClockChecked
from tradeworthy.app.runtime.life import Life
from tradeworthy.app.runtime.reconciling import Reconciled
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.policy import Criticality
from tradeworthy.kernel.supervision.resources import ResourceSample
from tradeworthy.kernel.supervision.transitions import State, TaskEnded, TaskFailed, TaskStarted
from tradeworthy.operations.assessments.framework.collect import collect
from tradeworthy.operations.assessments.framework.cycle import judged
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.registry import registry

DOCUMENT = """
schema = "desk@1"
[desk]
name = "assessed"
environment = "backtest"
capital = "1000000"
minute_seconds = 60
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
CLOCK = EventClock(1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assessed")
    path = folder / "desk.toml"
    path.write_text(DOCUMENT)
    return RunSession(config.load(path), root=folder / "runs").play().folder


def judge(name, source, now=None, policy=None):
    one = registry().get(name)
    source.catch_up()
    brought = collect(source.probes().get(name, ()), source.now)
    return judged(
        one, brought, policy or one.policy, now or source.now, History(), environment="backtest", code_version="1"
    )


def codes(snapshot):
    return {one.code.partition(".")[2]: one.severity for one in snapshot.findings}


def fact(snapshot, name):
    return next(one for one in snapshot.facts if one.name == name)


def test_a_whole_journal_is_ok_and_a_changed_byte_fails(run, tmp_path):
    sound = judge("log_integrity", RunSource(run, CLOCK))
    assert codes(sound) == {"not_at_checkpoint": Severity.UNKNOWN} or sound.status is Severity.OK
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    path = next((copy / "journal").glob("journal-*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"reason":"join"', b'"reason":"jOin"', 1))
    assert codes(judge("log_integrity", RunSource(copy, CLOCK)))["broken_chain"] is Severity.FAIL


def test_the_books_of_a_run_explain_every_change_of_equity(run):
    snapshot = judge("accounting_integrity", RunSource(run, CLOCK))
    assert float(fact(snapshot, "residual").value) == 0
    assert "unexplained" not in codes(snapshot)
    assert fact(snapshot, "books_accepted").value is True


def test_review_is_counted_as_it_was_journaled(run):
    source = RunSource(run, CLOCK)
    snapshot = judge("risk_policy", source)
    kinds = [event.kind for event in read(source.directory)]
    assert fact(snapshot, "reviewed").value == kinds.count("intent.approved") + kinds.count("intent.refused")
    assert fact(snapshot, "source_alive").value is True
    assert not {"accepted_in_breach", "reducing_refused", "refused_without_code"} & codes(snapshot).keys()


def test_every_known_limit_has_its_use(run):
    snapshot = judge("risk_posture", RunSource(run, CLOCK))
    known = {one.name for one in snapshot.components}
    assert {"daily_loss:touch", "drawdown:touch", "working_orders:touch", "working_orders:desk"} <= known
    assert snapshot.metadata["utilisation"]


def test_orders_and_their_acknowledgements_are_counted(run):
    source = RunSource(run, CLOCK)
    snapshot = judge("execution_readiness", source)
    kinds = [event.kind for event in read(source.directory)]
    assert fact(snapshot, "orders").value == kinds.count("command.submit")
    assert fact(snapshot, "latency_peak").value > 0
    assert fact(snapshot, "orders").provenance.value == "simulated"


def test_a_simulated_venue_is_not_enough_where_measurements_are_asked_for(run):
    limits = msgspec.structs.replace(registry().get("execution_readiness").policy, provenance_floor="measured")
    found = codes(judge("execution_readiness", RunSource(run, CLOCK), policy=limits))
    assert found["simulated_only"] is Severity.UNKNOWN


def test_streams_are_fresh_at_the_end_and_silent_half_a_minute_later(run):
    source = RunSource(run, CLOCK)
    source.catch_up()
    limits = msgspec.structs.replace(registry().get("market_data_freshness").policy, fact_age_max_s=1_000.0)
    last = max(one.value for one in source.desk.market_data_facts() if one.name == "last_event")
    for age, status in ((4, Severity.OK), (5, Severity.WARN), (29, Severity.WARN), (30, Severity.FAIL)):
        found = judge("market_data_freshness", source, now=last + age * NANOS_PER_SECOND, policy=limits)
        ages = [one.severity for one in found.findings if one.code.endswith("message_age")]
        assert max(ages, default=Severity.OK) is status


def test_folding_in_steps_tells_the_same_as_folding_at_once(run):
    whole, parts = RunSource(run, CLOCK), RunSource(run, CLOCK, stop=200)
    whole.catch_up()
    parts.catch_up()
    early = parts.desk.last_seq
    assert early == 199
    parts._stop = None
    parts.catch_up()
    for name in ("risk_policy_facts", "risk_posture_facts", "accounting_facts", "market_data_facts"):
        assert getattr(whole.desk, name)() == getattr(parts.desk, name)()


def test_what_the_desk_knew_at_a_seq_is_judged_by_that(run, tmp_path):
    out = tmp_path / "then.json"
    words = ["assess", "risk_policy", "--run", str(run), "--format", "json", "--output", str(out)]
    assert call([*words, "--at", "200"]) == 3
    then = json.loads(out.read_bytes())
    assert {entry for one in then["facts"] for entry in one["evidence"]} == {"seq:1-200"}
    assert call([*words, "--at", "200"]) == 3
    assert json.loads(out.read_bytes())["id"] == then["id"]
    call(words)
    assert json.loads(out.read_bytes())["id"] != then["id"]


def test_nothing_was_compared_so_nobody_knows_whether_the_venue_agrees(run):
    assert judge("reconciliation", RunSource(run, CLOCK)).status is Severity.UNKNOWN


@pytest.mark.parametrize(("agreement", "lasted", "status"), [
    ("clean", 0, Severity.OK), ("differs: order a only at the venue", 59, Severity.WARN),
    ("differs: order a only at the venue", 60, Severity.FAIL), ("unknown: no venue view", 0, Severity.FAIL),
])  # fmt: skip
def test_a_break_warns_at_once_and_fails_when_it_lasts(run, agreement, lasted, status):
    source = RunSource(run, CLOCK)
    source.catch_up()
    found, at = Reconciled(1, 0, agreement), source.desk.now
    source.compared.on_event(event_of(found, source="reconciliation", key=1, ts_event=at, ts_init=at), at)
    source.desk.now = at + lasted * NANOS_PER_SECOND
    snapshot = judge("reconciliation", source, now=source.desk.now)
    own = {code: severity for code, severity in codes(snapshot).items() if code != "position_drift"}
    assert max(own.values(), default=Severity.OK) is status


def life(folder, *facts, clock=None):
    kept = Life(folder, clock or EventClock(10 * NANOS_PER_SECOND), run_id="r")
    for one in facts:
        kept.tell(one)
    kept.close()
    return LifeSource(folder, CLOCK, environment="paper")


def test_a_failed_task_fails_and_heartbeats_are_not_known_from_a_journal(tmp_path):
    begun = TaskStarted("loop", "desk", Criticality.CRITICAL)
    snapshot = judge("task_supervision", life(tmp_path / "a", begun))
    assert fact(snapshot, "state").value == "running"
    assert codes(snapshot) == {"heartbeat": Severity.UNKNOWN, "restarts_used": Severity.UNKNOWN}
    from tradeworthy.kernel.supervision.transitions import Cause

    failed = TaskFailed("loop", 1, Cause.FAILURE, "OSError", "gone")
    assert codes(judge("task_supervision", life(tmp_path / "b", begun, failed)))["state"] is Severity.FAIL
    ended = TaskEnded("loop", State.FINISHED, 0, 1)
    assert "state" not in codes(judge("task_supervision", life(tmp_path / "c", begun, ended)))


@pytest.mark.parametrize(("drift_s", "offset_ms", "found"), [
    (0.0, 0.0, {}), (0.0, 24.999, {}), (0.0, 25.0, {"offset": Severity.WARN}), (0.0, -50.0, {"offset": Severity.FAIL}),
    (-0.75, 0.0, {"step": Severity.FAIL}), (0.7499, 0.0, {}), (0.0, None, {"offset": Severity.UNKNOWN}),
])  # fmt: skip
def test_the_clock_is_judged_by_its_last_check(tmp_path, drift_s, offset_ms, found):
    offset = None if offset_ms is None else round(offset_ms * 1e6)
    checked = ClockChecked(round(drift_s * NANOS_PER_SECOND), offset, Severity.OK, "")
    assert codes(judge("time_integrity", life(tmp_path / "life", checked))) == found


def test_the_machine_is_judged_by_samples_and_forecasts_need_the_process(tmp_path):
    sample = ResourceSample(0, 100 << 20, 0.5, 10, 1_024, 4, 10, 100, 1_000_000, None)
    settled = [*range(0, 60, 10), *range(600, 660, 10)]  # what grows in the first ten minutes is not extrapolated
    samples = [msgspec.structs.replace(sample, at_ns=at * NANOS_PER_SECOND) for at in settled]
    assert codes(judge("resources", life(tmp_path / "a", *samples))) == {"forecast": Severity.UNKNOWN}
    full = [msgspec.structs.replace(one, disk_used_bytes=95, lag_ns=2_000_000_000, cpu_share=0.9) for one in samples]
    found = codes(judge("resources", life(tmp_path / "b", *full)))
    assert (found["disk"], found["loop_lag"], found["cpu"]) == (Severity.FAIL, Severity.FAIL, Severity.WARN)
    few = codes(judge("resources", life(tmp_path / "c", *samples[:5])))
    assert few["cpu"] is few["memory_growth"] is Severity.UNKNOWN
    young = codes(judge("resources", life(tmp_path / "d", *samples[:6])))
    assert "cpu" not in young
    assert young["memory_growth"] is Severity.UNKNOWN


def test_the_newest_life_is_found_and_none_is_told(tmp_path):
    with pytest.raises(UsageError, match="life"):
        newest_life(tmp_path)
    for name in ("20260101T000000.000000-1", "20260102T000000.000000-1"):
        (tmp_path / "runtime" / name).mkdir(parents=True)
    assert newest_life(tmp_path).name.startswith("20260102")


def test_sources_of_one_assessment_stand_side_by_side(run, tmp_path):
    begun = TaskStarted("loop", "desk", Criticality.CRITICAL)
    both = joined(RunSource(run, CLOCK).probes(), life(tmp_path / "life", begun).probes())
    assert len(both["log_integrity"]) == 2
    assert call(["assess", "log_integrity", "--run", str(run), "--life", str(tmp_path / "life")]) == 3
