"""The driven desk: what is measured is the desk's own intake, review, throttle, venue and ledger (PBL-01, PBL-02)."""

import json
from decimal import Decimal

import pytest

from tradeworthy.app.baselines.performance_baseline import performance_baseline
from tradeworthy.cli.main import call
from tradeworthy.cli.performance_baseline import encoded
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.performance_baseline.decision_latency import LatencyBaseline
from tradeworthy.operations.performance_baseline.options import BaselineOptions
from tradeworthy.operations.performance_baseline.resources import Usage


class TickingClock(EventClock):
    """A clock on which every look at the durations takes some time."""

    def __init__(self, nanos):
        super().__init__(1_704_153_600 * NANOS_PER_SECOND)
        self._tick = nanos

    def monotonic(self):
        self.sleep(self._tick)
        return super().monotonic()


class Process:
    """A process that uses a hundredth of a second of CPU between two looks."""

    def __init__(self, *, known=True):
        self._looks, self._known = 0, known

    def read(self):
        self._looks += 1
        return Usage(self._looks / 100, 64_000_000, 1.5) if self._known else Usage(None, None, None)


def driven(*, tick_ms=1, process=None, baseline_of=lambda machine: None, **options):
    wanted = BaselineOptions(**{"warmup_quotes": 20, **options})
    return performance_baseline(
        wanted, clock=TickingClock(tick_ms * NANOS_PER_MILLI), process=process or Process(),
        baseline_of=baseline_of, machine=lambda: "linux-x86_64-2-ab",
    )  # fmt: skip


def test_on_a_fake_clock_the_report_is_the_same_byte_for_byte():
    first, second = (encoded(driven(trades=5), 2) for _ in range(2))
    assert first == second
    assert json.loads(first)["execution"]["trades"] == 5


def test_by_default_the_throttle_lets_one_of_three_trades_pass():
    report = driven()
    assert (report.execution.approved, report.execution.orders, report.execution.fills) == (1, 1, 1)
    assert report.execution.refusals == {"risk.throttle": 2}
    assert (report.throttle.throttled, report.throttle.states) == (2, {"rate_limited": 2})
    assert (report.healthy, report.throttle.used, report.throttle.limit) == (True, 1, 1)


def test_beyond_its_window_the_throttle_is_open_again():
    report = driven(throttle_window_seconds=1.0)
    assert report.execution.approved == 3


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"throttle_cooldown_seconds": 60.0}, "cooldown"),
        ({"throttle_max_trades": 9, "throttle_min_spacing_seconds": 1.5}, "min_interval"),
        ({"throttle_max_trades": 9, "throttle_max_notional": 1_200.0}, "notional_limit"),
    ],
)
def test_each_switch_of_the_throttle_holds_trades_back_in_its_own_way(options, state):
    report = driven(**options)
    assert state in report.throttle.states or state == report.throttle.state


def test_consumed_and_remaining_notional_make_up_the_limit():
    report = driven(trades=2, throttle_max_trades=9, throttle_max_notional=4_400.0)
    throttle = report.throttle
    assert throttle.limit_notional == throttle.consumed_notional + throttle.remaining_notional == Decimal(4_400)
    assert throttle.used_share == pytest.approx(0.5, abs=0.01)


def test_a_multiplier_limits_by_the_budget_of_the_instance():
    report = driven(throttle_max_trades=9, throttle_multiplier=0.0005)
    assert report.throttle.limit_notional == pytest.approx(Decimal(1_500), rel=Decimal("0.01"))
    assert report.execution.approved < 3


def test_a_scope_by_side_has_a_window_for_each():
    report = driven(throttle_scope_fields=("strategy", "side"))
    assert [(one.scope["side"], one.used) for one in report.throttle_scopes] == [("buy", 1), ("sell", 0)]


def test_many_trades_are_held_back_by_nothing_but_the_throttle():
    report = driven(trades=60, throttle_max_trades=100)
    assert (report.execution.approved, report.execution.fills) == (60, 60)
    assert report.decision_latency.samples == 60


def test_a_desk_slower_than_the_trades_come_falls_behind():
    report = driven(tick_ms=40, trades=20, max_processing_ms=10_000.0)
    assert report.backlog.max_lag_ms == report.backlog.latest_lag_ms > 250
    assert report.backlog.max_breach_streak == report.backlog.breaches > 1
    assert (report.healthy, report.severity) == (False, Severity.FAIL)


def test_resources_are_of_the_measured_time():
    resource = driven().resource
    assert (resource.memory_mb, resource.memory_percent) == (64.0, 1.5)
    assert resource.cpu_percent > 0
    unknown = driven(process=Process(known=False), max_memory_mb=100.0)
    assert unknown.resource.cpu_percent is None
    assert unknown.severity is Severity.UNKNOWN


def test_approved_baselines_that_cannot_be_read_leave_the_latency_unknown():
    def damaged(_machine):
        raise InvalidInput("damaged at seq 3")

    found = driven(trades=12, baseline_of=damaged).decision_latency
    assert found.severity is Severity.UNKNOWN
    assert found.checks[0].text == "the approved baselines: damaged at seq 3"


def test_an_approved_baseline_of_this_machine_is_compared_with():
    baseline = LatencyBaseline("linux-x86_64-2-ab", NANOS_PER_MILLI, 2 * NANOS_PER_MILLI)
    slow = driven(trades=12, tick_ms=5, baseline_of=lambda machine: baseline)
    assert (slow.decision_latency.severity, slow.healthy) == (Severity.FAIL, False)


def test_the_verb_writes_both_forms(tmp_path, capsys):
    output, runs = tmp_path / "out" / "baseline.json", str(tmp_path)
    words = ["performance-baseline", "--trades", "20", "--runs", runs]
    assert call([*words, "--output", str(output)]) == ExitCode.PASS
    report = json.loads(output.read_text())
    assert output.with_suffix(".md").read_text() == report["reports"]["page"]
    assert {
        "generated_at", "healthy", "execution", "throughput", "performance", "backlog", "resource", "throttle",
        "throttle_scopes", "reports", "options",
    } <= set(report)  # fmt: skip
    assert report["decision_latency"]["severity"] == "UNKNOWN"
    capsys.readouterr()
    assert call([*words, "--require-latency-baseline", "--indent", "0"]) == ExitCode.COULD_NOT_JUDGE
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert json.loads(printed)["severity"] == "UNKNOWN"


@pytest.mark.parametrize("wrong", [("--trades", "0"), ("--indent", "-1"), ("--throttle-scope-field", "moon")])
def test_wrong_words_are_told_and_nothing_is_measured(wrong):
    assert call(["performance-baseline", *wrong]) == ExitCode.COULD_NOT_JUDGE
