"""The guardian's judgement: what degrades a run, what fails it, and what only looks like it (PPR-02 to PPR-08)."""

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from guarded import EURUSD, HOUR, MB, START, STARTED, Watched, fill, guard, intent, submit
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.records import InputQuarantined, TornTail
from tradeworthy.kernel.supervision.transitions import Cause, TaskAbandoned, TaskFailed
from tradeworthy.kernel.supervision.watched import WatchdogMissed
from tradeworthy.operations.paper_run.files import encoded
from tradeworthy.operations.paper_run.invariants import BrokenInvariant
from tradeworthy.operations.paper_run.latency import LatencyRing
from tradeworthy.operations.paper_run.model import Status
from tradeworthy.operations.paper_run.policy import PaperRunPolicy
from tradeworthy.trading.execution.execution import RefusedAltered
from tradeworthy.trading.execution.intake import Cause as LetterCause
from tradeworthy.trading.execution.intake import DeadLetter
from tradeworthy.trading.ledger.bookings import SplitBooked
from tradeworthy.trading.market_data.reconnect import StreamCut, StreamRestored
from tradeworthy.trading.market_data.two_sources import SourceSwitched
from tradeworthy.trading.model import GuardLevel, Side
from tradeworthy.trading.model.order import ApprovedIntent, ExecReport, OrderAnomaly, OrderState, ReportType
from tradeworthy.trading.model.run import DeskFailed
from tradeworthy.trading.model.state import Abstained

ANOMALY = OrderAnomaly("o-1", OrderState.FILLED, ReportType.FILL, "no arrow allows this")


def test_the_defaults_of_every_switch_stand_in_the_report():
    report = msgspec.json.decode(encoded(Watched(minimum_runtime_hours=168.0).guardian.report()))
    assert report["policy"] == {
        "duration_hours": 0.0, "progress_interval_s": 60.0, "latency_p99_max_s": None, "memory_growth_max_mb": None,
        "minimum_runtime_hours": 168.0, "min_orders": 0, "allow_invariant_errors": False, "memory_warmup_s": 600.0,
        "latency_samples_min": 100, "latency_kept": 4_096, "samples_kept": 2_048, "errors_kept": 256,
        "alerts_kept": 256, "breaches_kept": 256,
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration_hours": -1.0}, {"progress_interval_s": 0.0}, {"latency_p99_max_s": 0.0}, {"min_orders": -1},
        {"memory_growth_max_mb": float("nan")}, {"minimum_runtime_hours": float("inf")}, {"latency_kept": 99},
    ],
)  # fmt: skip
def test_a_limit_that_cannot_be_is_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        PaperRunPolicy(**wrong)


def test_a_run_is_preparing_until_the_desk_starts_then_running_then_completed():
    watched = Watched(started=False)
    assert watched.status == "preparing"
    watched.show(STARTED, source="run")
    assert watched.status == "running"
    report = watched.finish()
    assert (report.status, report.objectives_met, report.stop_reasons) == (Status.COMPLETED, True, ("the tapes ended",))
    assert report.run.run_id == "run-1"
    assert watched.reports[-1] == report


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("completed", ExitCode.PASS), ("degraded", ExitCode.WARN), ("stopped", ExitCode.WARN),
        ("failed", ExitCode.FAIL),
    ],
)  # fmt: skip
def test_each_status_has_its_exit_code(status, code):
    assert Status(status).exit_code is code


def test_a_signal_stops_and_is_named():
    report = Watched().finish("signal SIGTERM")
    assert (report.status, report.stop_reasons) == (Status.STOPPED, ("signal SIGTERM",))


def test_the_duration_ends_a_run_that_then_is_complete():
    watched = Watched(duration_hours=2.0)
    watched.wait(7_199)
    watched.wait(0.999)
    assert watched.stops == []
    watched.wait(60)
    watched.wait(60)
    assert watched.stops == ["duration of 2 h reached"]
    assert watched.finish("duration of 2 h reached").status is Status.COMPLETED


def test_a_duration_shorter_than_the_interval_ends_on_time():
    watched = Watched(duration_hours=10 / 3_600)
    watched.wait(9.9)
    assert watched.stops == []
    watched.wait(0.1)
    assert len(watched.stops) == 1


def test_a_signal_during_the_end_of_the_duration_is_a_stop():
    watched = Watched(duration_hours=1.0)
    watched.wait(3_600)
    report = watched.finish("signal SIGINT")
    assert (report.status, report.stop_reasons) == (Status.STOPPED, ("duration of 1 h reached", "signal SIGINT"))


def test_samples_are_taken_at_the_interval_and_the_oldest_give_way():
    watched = Watched(samples_kept=3)
    for _ in range(10):
        watched.wait(60)
        watched.wait(59.9)
        watched.wait(0.05)
    samples = watched.guardian.report().samples
    assert len(samples) == 3
    gaps = [b.runtime_seconds - a.runtime_seconds for a, b in pairwise(samples)]
    assert all(gap >= 60 for gap in gaps)
    assert len(watched.reports) == 11


def test_the_ring_holds_2048_samples_by_default():
    watched = Watched(progress_interval_s=1.0)
    watched.guardian._write = lambda report: None
    for _ in range(2_100):
        watched.wait(1)
    samples = watched.guardian.report().samples
    assert len(samples) == 2_048
    assert samples[-1].runtime_seconds == 2_100


# latency


@pytest.mark.parametrize(("samples", "told"), [(99, False), (100, True)])
def test_below_a_hundred_samples_the_maximum_stands_alone(samples, told):
    watched = Watched(latency_p99_max_s=10.0)
    for number in range(samples):
        watched.decide(0.25 if number else 0.5, str(number))
    latency = watched.guardian.report().metrics.latency
    assert (latency.samples, latency.max_seconds, latency.last_seconds) == (samples, 0.5, 0.25)
    assert (latency.p99_seconds is not None) is told
    assert watched.guardian.report().metrics.objective_compliance["latency_p99_max_seconds"] is (True if told else None)


@pytest.mark.parametrize(("limit", "status"), [(0.2500001, "running"), (0.25, "degraded"), (0.2, "degraded")])
def test_a_p99_that_reaches_its_maximum_degrades(limit, status):
    watched = Watched(latency_p99_max_s=limit)
    for number in range(100):
        watched.decide(0.25, str(number))
    watched.wait(60)
    assert watched.status == status
    assert watched.stops == []


def test_a_slow_venue_degrades_and_the_final_status_keeps_it():
    watched = Watched(latency_p99_max_s=0.3)
    for number in range(100):
        watched.order(str(number))
        watched.show(
            ExecReport(ReportType.ACKNOWLEDGED, f"o-{number}", EURUSD), source="venue",
            ts=watched.clock.now() + 300_000_000,
        )  # fmt: skip
    watched.wait(60)
    report = watched.finish()
    assert report.metrics.venue_latency.p99_seconds == 0.3
    assert [one.code for one in report.breaches] == ["latency_p99.venue"]
    assert (report.status, report.objectives_met) == (Status.DEGRADED, False)


def test_a_latency_that_was_asked_for_and_could_not_be_judged_is_not_met():
    report = Watched(latency_p99_max_s=1.0).finish()
    assert report.metrics.objective_compliance["latency_p99_max_seconds"] is None
    assert (report.status, report.objectives_met) == (Status.DEGRADED, False)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
def test_the_ring_tells_the_newest_and_counts_all(durations):
    ring = LatencyRing(16, 1)
    for one in durations:
        ring.add(one)
    told, newest = ring.told(), sorted(durations[-16:])
    assert (told.samples, told.max_seconds) == (len(durations), max(durations) / 1e9)
    assert told.p99_seconds == newest[-1] / 1e9
    assert told.p50_seconds == newest[(len(newest) + 1) // 2 - 1] / 1e9


# memory


@pytest.mark.parametrize(("growth", "failed"), [(99, False), (100, True), (101, True)])
def test_memory_that_grew_to_its_limit_fails_and_stops(growth, failed):
    watched = Watched(memory=500 * MB, memory_growth_max_mb=100.0)
    watched.wait(600)
    watched.rss = (500 + growth) * MB
    watched.wait(60)
    assert (watched.status == "failed") is failed
    assert watched.stops == ([f"memory grew {growth}.0 MB, limit 100 MB"] if failed else [])


def test_growth_during_the_warm_up_is_no_growth_and_what_was_freed_again_neither():
    watched = Watched(memory=100 * MB, memory_growth_max_mb=50.0)
    watched.wait(599)
    watched.rss = 900 * MB
    watched.wait(60)
    watched.rss = 940 * MB
    watched.wait(60)
    watched.rss = 920 * MB
    watched.wait(60)
    assert watched.status == "running"
    memory = watched.guardian.report().metrics.memory
    assert (memory.baseline_mb, memory.last_mb, memory.growth_mb) == (900.0, 920.0, 20.0)


def test_memory_that_nobody_can_read_is_unknown_and_not_met():
    watched = Watched(memory=None, memory_growth_max_mb=50.0)
    watched.wait(700)
    report = watched.finish()
    assert report.metrics.memory.last_mb is None
    assert (report.status, report.objectives_met) == (Status.DEGRADED, False)


# invariants

BREACHES = {
    "order.anomaly": (ANOMALY,), "execution.refused_altered": (RefusedAltered(intent()),),
    "desk.failed": (DeskFailed("risk", "ValueError: x"),), "order.unapproved": (submit(),),
    "guard.ledger.imbalance": (guard("ledger.imbalance"),), "guard.journal.conflict": (guard("journal.conflict"),),
    "guard.reconciliation.break": (guard("reconciliation.break"),),
    "guard.risk.self_failure": (guard("risk.self_failure"),),
    "ledger.position": (fill("1"), fill("2", position=1_999)),
    "guard.opening_passed": (
        guard("operator.pause", GuardLevel.PAUSED), ApprovedIntent(intent(), "p", 1, opening_lots=5),
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", BREACHES)
def test_a_broken_invariant_fails_and_stops_at_once(code):
    watched = Watched()
    for fact in BREACHES[code]:
        watched.show(fact)
    assert watched.status == "failed"
    assert len(watched.stops) == 1
    assert watched.stops[0].startswith(code)
    assert [(one.code, one.seq) for one in watched.reports[-1].breaches] == [(code, watched.seq)]
    report = watched.finish("guardian")
    assert (report.status, report.objectives_met) == (Status.FAILED, False)


@pytest.mark.parametrize("code", BREACHES)
def test_with_the_switch_it_degrades_and_the_run_goes_on(code):
    watched = Watched(allow_invariant_errors=True)
    for fact in BREACHES[code]:
        watched.show(fact)
    assert (watched.status, watched.stops) == ("degraded", [])
    report = watched.finish()
    assert report.metrics.objective_compliance["invariant_breaches"] is False
    assert (report.status, report.objectives_met) == (Status.DEGRADED, False)


@pytest.mark.parametrize(
    "fact",
    [
        Abstained("quoter", "strategy.invariant_violation"),
        InputQuarantined("tape", "violation of the invariant", 3, "a"),
        guard("ledger.borrow_unknown", GuardLevel.PAUSED), guard("operator.pause", GuardLevel.PAUSED),
        guard("ledger.imbalance", set_=False),
    ],
)  # fmt: skip
def test_a_word_in_a_note_and_a_reason_that_is_no_breach_break_nothing(fact):
    watched = Watched()
    watched.show(fact)
    assert watched.status == "running"


def test_a_room_above_says_what_its_own_facts_break():
    watched = Watched(invariants={Abstained: lambda one: BrokenInvariant("own", one.code, "none")})
    watched.show(Abstained("quoter", "x"))
    assert (watched.status, watched.reports[-1].breaches[0].code) == ("failed", "own")


def test_a_desk_that_starts_again_begins_with_what_it_is_told():
    watched = Watched()
    watched.show(guard("operator.kill"))
    watched.order("1")
    watched.show(fill("1", position=1_000))
    watched.show(STARTED, source="run")
    assert watched.status == "running"
    watched.show(fill("2", position=1_000))
    assert watched.status == "running"
    assert watched.finish().metrics.fills == 2


def test_an_approved_order_leaves_once():
    watched = Watched()
    watched.order("1")
    assert watched.status == "running"
    watched.show(submit("2", intent_id="i-1"))
    assert watched.status == "failed"


def test_positions_are_learnt_anew_after_a_split():
    watched = Watched()
    watched.show(fill("1"))
    watched.show(SplitBooked(EURUSD, 2, 1))
    watched.show(fill("2", position=3_000))
    watched.show(fill("3", position=4_000))
    assert watched.status == "running"
    watched.show(fill("4", position=4_000))
    assert watched.status == "failed"


@given(st.lists(st.sampled_from(["alert", "clear", "wait", "order", "finish", "signal"]), max_size=12))
def test_failed_is_final(acts):
    watched = Watched(duration_hours=0.1)
    watched.show(ANOMALY)
    for act in acts:
        match act:
            case "alert":
                watched.guardian.failover("bus", True)
            case "clear":
                watched.guardian.failover("bus", False)
            case "wait":
                watched.wait(600)
            case "order":
                watched.order()
            case _:
                watched.finish("completed" if act == "finish" else "signal SIGTERM")
        assert watched.status == "failed"


def test_a_stopped_guard_degrades_while_it_lasts():
    watched = Watched()
    watched.show(guard("operator.kill"))
    assert watched.status == "degraded"
    watched.show(guard("operator.kill", set_=False))
    assert watched.status == "running"
    (alert,) = watched.guardian.report().alerts
    assert alert.code == "guard.stopped"
    assert alert.cleared_at is not None


# failover

FAILOVERS = {
    "source": (SourceSwitched(EURUSD, "tape.backup", "quarantine"), SourceSwitched(EURUSD, "tape.main", "operator")),
    "stream": (StreamCut("md", "reset"), StreamRestored("md", 2, 5, 1)),
    "venue": (guard("venue.outage", GuardLevel.PAUSED), guard("venue.outage", GuardLevel.PAUSED, set_=False)),
    "bus": (guard("bus.outage", GuardLevel.PAUSED), guard("bus.outage", GuardLevel.PAUSED, set_=False)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILOVERS)
def test_a_failover_degrades_while_it_is_active(name):
    watched = Watched(backups=["tape.backup"])
    begins, ends = FAILOVERS[name]
    watched.show(begins)
    assert watched.status == "degraded"
    assert len(watched.guardian.report().failover.active) == 1
    watched.show(ends)
    assert watched.status == "running"
    view = watched.guardian.report().failover
    assert (view.active, view.episodes_total) == ((), 1)
    assert view.episodes[0].ended_at is not None
    assert watched.finish().status is Status.COMPLETED


def test_a_failover_that_still_stands_at_the_end_leaves_the_run_degraded():
    watched = Watched()
    watched.guardian.failover("publisher", True, "spool in place of the bus")
    watched.guardian.failover("publisher", True, "told twice")
    report = watched.finish()
    assert (report.status, report.failover.episodes_total) == (Status.DEGRADED, 1)
    assert report.failover.episodes[0].detail == "spool in place of the bus"


# runtime, orders, errors


@pytest.mark.parametrize(("nanos", "status"), [(168 * HOUR - 1, "degraded"), (168 * HOUR, "completed")])
def test_a_run_shorter_than_its_minimum_is_degraded(nanos, status):
    watched = Watched(minimum_runtime_hours=168.0)
    watched.clock.sleep(nanos)
    report = watched.finish()
    assert report.status.value == status
    assert report.objectives_met is (status == "completed")


def test_a_run_of_ten_seconds_shows_its_shortfall():
    watched = Watched(minimum_runtime_hours=168.0)
    watched.wait(10)
    report = watched.finish("signal SIGINT")
    (breach,) = report.breaches
    assert (breach.code, breach.message) == ("runtime.short", "167.9972 h are missing")
    assert (report.status, report.stop_reasons) == (Status.DEGRADED, ("signal SIGINT",))
    assert report.metrics.objective_compliance == {"invariant_breaches": True, "minimum_runtime_hours": False}


@pytest.mark.parametrize(("orders", "status"), [(1, "degraded"), (2, "completed"), (3, "completed")])
def test_fewer_orders_than_asked_for_degrade(orders, status):
    watched = Watched(min_orders=2)
    for number in range(orders):
        watched.order(str(number))
    report = watched.finish()
    assert (report.status.value, report.metrics.orders) == (status, orders)


def test_equal_errors_are_one_with_their_count_and_further_kinds_are_only_counted():
    watched = Watched(errors_kept=2)
    for reason in ("bad price", "bad price", "bad size", "bad line", "bad price"):
        watched.clock.sleep(1_000_000)
        watched.show(InputQuarantined("tape.a", reason, 10, "ab"), source="door")
    report = watched.guardian.report()
    assert [(one.message, one.count) for one in report.errors] == [("tape.a: bad price", 3), ("tape.a: bad size", 1)]
    assert (report.metrics.errors, report.errors_unlisted) == (5, 1)
    assert report.errors[0].first_at < report.errors[0].last_at
    watched.wait(60)
    assert watched.guardian.report().samples[-1].last_error == "input.quarantined: tape.a: bad price"


def test_facts_of_other_journals_are_heard_as_errors_and_failovers():
    watched = Watched()
    watched.guardian.hear(TaskAbandoned("bus", 1, 2, ()))
    watched.guardian.hear(StreamCut("bus", "down"))
    report = watched.guardian.report()
    assert [(one.code, one.message, one.seq) for one in report.errors] == [
        ("supervision.abandoned", "bus ignores its cancellation", None)
    ]
    assert (report.status, report.failover.active) == (Status.DEGRADED, ("stream:bus",))


def test_every_error_in_the_table_has_words():
    told = {
        TaskFailed("bus", 1, Cause.FAILURE, "ValueError", "x"): "bus: ValueError: x",
        DeadLetter("operator", LetterCause.EXPIRED, "expired", "{}"): "expired from operator: expired",
        ExecReport(ReportType.UNKNOWN, "o-1", EURUSD): f"{EURUSD}: outcome unknown",
        TornTail("a", 3, 9): "an unsealed tail of the journal was cut at the start",
        WatchdogMissed(1, 5, None): "the watchdog was not heard",
    }
    for fact, text in told.items():
        watched = Watched()
        watched.show(fact, source="venue")
        assert [one.message for one in watched.guardian.report().errors] == [text]


def test_a_crash_is_a_failed_run_without_its_secrets():
    report = Watched().guardian.crashed(RuntimeError("no route, password=hunter2hunter2"))
    assert (report.status, report.objectives_met) == (Status.FAILED, False)
    assert b"hunter2" not in encoded(report)


# fills


def test_without_fills_the_section_is_absent_and_not_zero():
    assert "order_summary" not in msgspec.json.decode(encoded(Watched().finish()))


def test_fills_are_summed_by_symbol_and_side_at_the_ledgers_times():
    watched = Watched()
    watched.show(fill("1"), ts=START + 1_000)
    watched.show(fill("2", position=2_000, price=120_000), ts=START + 2_000_000)
    watched.show(fill("3", side=Side.SELL, lots=500, position=1_500, fee=None), ts=START + 3_000_000)
    watched.show(fill("3", side=Side.SELL, lots=-500, position=2_000), ts=START + 4_000_000)
    summary = watched.guardian.report().order_summary
    assert (summary.fills, summary.restatements) == (3, 1)
    assert [(one.side, one.fills, one.quantity, one.notional, one.fee) for one in summary.lines] == [
        ("buy", 2, 2_000, 2_300, Decimal("1.0")), ("sell", 1, 500, 550, None)
    ]  # fmt: skip
    assert (summary.first_at, summary.last_at) == (summary.lines[0].first_at, summary.lines[1].last_at)
