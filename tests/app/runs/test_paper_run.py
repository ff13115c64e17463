"""A guarded paper run on the real desk: its report is what the journal says, and it survives whatever ends the run."""

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from guarded_run import PaperRun
from soak_runs import document

from tradeworthy.app.runs.runner import RunSession, journal_of
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.operations.paper_run.model import PaperRunReport, Status
from tradeworthy.operations.paper_run.policy import PaperRunPolicy
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import ExecReport, FillBooked, OrderChanged, SubmitOrder
from tradeworthy.trading.strategies.catalogue import Catalogue

MB = 1_000_000


class TickingClock:
    """A clock on which every look takes a millisecond."""

    def __init__(self):
        self._now = 1_704_153_600 * NANOS_PER_SECOND

    def now(self):
        return self._now

    def monotonic(self):
        self._now += NANOS_PER_MILLI
        return self._now

    def sleep(self, nanos):
        self._now += max(0, nanos)


def guarded(root, *, steps=1_500, memory=lambda: 100 * MB, report=None, **policy):
    wanted = {"minimum_runtime_hours": 0.0, "progress_interval_s": 1.0, **policy}
    return PaperRun(
        document(environment="paper", steps=steps), root=root, policy=PaperRunPolicy(**wanted), clock=TickingClock(),
        memory=memory, report=report,
    )  # fmt: skip


def stored(run, name="paper_run.json"):
    return json.loads((run.session.folder / name).read_text())


def test_the_report_equals_the_ledger_and_the_journal(tmp_path):
    run = guarded(tmp_path)
    report = run.play()
    assert report.status is Status.COMPLETED
    events = list(read(journal_of(run.session.folder)))
    assert report.metrics.journal_seq == report.metrics.events == events[-1].seq
    assert report.metrics.orders == sum(type(one.payload) is SubmitOrder for one in events)
    fills = [one for one in events if type(one.payload) is FillBooked]
    totals = defaultdict(Decimal)
    for one in fills:
        fill = one.payload
        totals[fill.side.name.lower()] += shipped()[fill.instrument].notional(fill.price, fill.lots)
    assert {one.side: one.notional for one in report.order_summary.lines} == dict(totals)
    assert report.order_summary.fills == len(fills) > 0
    assert round(report.order_summary.first_at.timestamp() * 1e6) == fills[0].ts_event // 1_000
    assert report.metrics.invariant_breaches == report.metrics.errors == 0
    assert any(type(one.payload) is OrderChanged for one in events)


def test_the_guardian_changes_nothing_that_the_desk_does(tmp_path):
    watched = guarded(tmp_path / "watched", steps=600)
    watched.play()
    alone = RunSession(document(environment="paper", steps=600), root=tmp_path / "alone", clock=TickingClock()).play()
    last = list(read(journal_of(watched.session.folder)))[-1]
    assert last.payload.outcome_digest == alone.digest


def test_the_three_forms_and_the_errors_lie_in_the_run_folder(tmp_path):
    run = guarded(tmp_path, steps=600)
    report = run.play()
    assert msgspec.convert(stored(run), PaperRunReport, strict=False) == report
    assert stored(run, "paper_run_errors.json")["errors"] == []
    assert (run.session.folder / "paper_run.md").read_text().startswith("# Paper run\n\n**COMPLETED**")
    page = (run.session.folder / "paper_run.html").read_text()
    assert "<svg" in page
    assert "<script" not in page


def test_a_leak_fails_the_run_and_stops_the_desk(tmp_path):
    taken = iter(range(10**9))
    run = guarded(
        tmp_path, memory=lambda: (100 + 5 * next(taken)) * MB, memory_growth_max_mb=20.0, memory_warmup_s=1.0
    )
    report = run.play()
    assert (report.status, report.metrics.memory.growth_mb) == (Status.FAILED, 25.0)
    assert report.stop_reasons == ("memory grew 20.0 MB, limit 20 MB",)
    *_, stopping, _ = (one.kind for one in read(journal_of(run.session.folder)) if one.source == "run")
    assert stopping == "run.stopping"


@pytest.mark.parametrize(("limit", "status"), [(0.15, Status.DEGRADED), (0.151, Status.COMPLETED)])
def test_a_venue_as_slow_as_the_maximum_degrades_the_run(tmp_path, limit, status):
    report = guarded(tmp_path, steps=1_000, latency_p99_max_s=limit).play()
    assert report.metrics.venue_latency.p99_seconds == 0.15
    assert (report.status, report.objectives_met) == (status, status is Status.COMPLETED)


@pytest.mark.parametrize(("bytes_kept", "status"), [(1_000_000, Status.FAILED), (100, Status.COMPLETED)])
def test_a_desk_that_really_leaks_is_stopped_and_one_that_does_not_is_not(tmp_path, bytes_kept, status):
    watcher = {
        "id": "watcher", "strategy": "leaky_watcher", "instrument": "EURUSD.DEMO", "policy": {"bytes_kept": bytes_kept}
    }  # fmt: skip
    policy = PaperRunPolicy(
        minimum_runtime_hours=0.0, progress_interval_s=0.5, memory_growth_max_mb=60.0, memory_warmup_s=0.5
    )
    run = PaperRun(
        document(environment="paper", steps=1_200, instances=[watcher]), root=tmp_path, policy=policy,
        clock=TickingClock(), catalogue=Catalogue("", ("leaky_watcher",)),
    )  # fmt: skip
    report = run.play()
    assert report.status is status
    assert (report.metrics.memory.growth_mb >= 60.0) is (status is Status.FAILED)
    assert [one.code for one in report.breaches] == (["memory.growth"] if status is Status.FAILED else [])


def test_a_duration_ends_the_run_before_its_tape(tmp_path):
    run = guarded(tmp_path, duration_hours=2 / 3_600)
    report = run.play()
    assert (report.status, report.stop_reasons) == (Status.COMPLETED, ("duration of 0.000555556 h reached",))
    assert report.metrics.events < 1_500


def test_a_run_without_a_fill_has_no_such_section(tmp_path):
    run = guarded(tmp_path, steps=2)
    run.play()
    assert "order_summary" not in stored(run)


def test_a_desk_that_crashes_leaves_a_failed_report(tmp_path):
    run = guarded(tmp_path, steps=600)

    def broken(*_):
        raise RuntimeError("out of luck")

    run.session._desk._handlers[ExecReport] = broken
    report = run.play()
    assert report.status is Status.FAILED
    assert [one.code for one in report.breaches] == ["desk.failed", "guard.risk.self_failure", "run.crashed"]
    assert len(report.stop_reasons) == 1
    assert report.breaches[-1].observed.startswith("RuntimeError: out of luck at test_paper_run.py:")
    assert stored(run)["status"] == "failed"


def test_only_a_paper_desk_is_guarded(tmp_path):
    with pytest.raises(UsageError, match="paper, was backtest"):
        PaperRun(document(), root=tmp_path, policy=PaperRunPolicy())


QUIET = {"RUNTIME_HEALTHCHECK_ENABLED": "false", "RUNTIME_WATCHDOG_HTTP": ""}
"""No port of its own, so that desks of several tests run at once."""
CONFIGURATION = """
schema = "desk@1"
[desk]
name = "pp"
environment = "paper"
capital = "1000000"
speed = {speed}
[risk]
max_order_value = "500000"
[[tapes]]
name = "made"
format = "synthetic"
instrument = "EURUSD.DEMO"
label = "synthetic"
kind = "quotes"
walk = {{ start = 110000, steps = 400, step = 6.0, spread = 10, size_max = 1000000 }}
[[instances]]
id = "quoter"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
role = "maker"
policy = {{ lots = 2000, inventory_lots_max = 20000, interval_ns = 10000000000 }}
[venue]
submit_ms = 150
"""


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (("--minimum-runtime-hours", "0"), ExitCode.PASS, "completed"),
        ((), ExitCode.WARN, "degraded"),
        (("--minimum-runtime-hours", "0", "--min-orders", "100000"), ExitCode.WARN, "degraded"),
        (("--minimum-runtime-hours", "0", "--latency-p99-max", "0.15", "--set", "instances=[]"), 3, None),
        (("--minimum-runtime-hours", "0", "--duration-hours", "-1"), 3, None),
    ],
)  # fmt: skip
def test_the_verb_leaves_with_the_code_of_its_status(tmp_path, capsys, monkeypatch, words, code, status):
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    config, report = tmp_path / "paper.toml", tmp_path / "out" / "report.json"
    config.write_text(CONFIGURATION.format(speed=0))
    usual = ["--config", str(config), "--runs", str(tmp_path), "--json", "--report-path", str(report)]
    found = call(["paper-run", *usual, *words])
    assert found == code
    if status is not None:
        told = json.loads(capsys.readouterr().out)
        assert told["status"] == json.loads(report.read_text())["status"] == status
        assert report.with_suffix(".html").is_file()


def verb(tmp_path):
    config, report = tmp_path / "paper.toml", tmp_path / "report.json"
    config.write_text(CONFIGURATION.format(speed=50))
    words = [
        "paper-run", str(config), "--runs", str(tmp_path / "runs"), "--report-path", str(report), "--json",
        "--progress-interval", "0.05", "--minimum-runtime-hours", "0",
    ]  # fmt: skip
    source = Path(__file__).resolve().parents[3] / "src"
    process = subprocess.Popen(
        [sys.executable, "-m", "tradeworthy", *words], env={**os.environ, **QUIET, "PYTHONPATH": str(source)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not (report.is_file() and json.loads(report.read_text())["metrics"]["orders"]):
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            pytest.fail(f"the desk ended before its first order: {process.stderr.read().decode()[-2_000:]}")
    return process, report


def test_kill_nine_leaves_the_last_report_whole(tmp_path):
    process, report = verb(tmp_path)
    process.kill()
    process.communicate()
    left = json.loads(report.read_text())
    assert (left["status"], left["ended_at"]) == ("running", None)
    assert left["samples"]


def test_a_signal_always_stops(tmp_path):
    process, report = verb(tmp_path)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == ExitCode.WARN
    told = json.loads(out)
    assert (told["status"], told["stop_reasons"]) == ("stopped", ["signal SIGTERM"])
    assert json.loads(report.read_text()) == told
