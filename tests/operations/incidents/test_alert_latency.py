"""The ledger shows the slow step; a canary that does not come back is missing, and so many are a loss."""

import pytest
from alert_scene import SECOND, policy_of

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.latency import LEDGER_MAX, CanaryWatch, LatencyLedger, quantile

MS = SECOND // 1_000


def ledger_of(n, generated_ms=1, received_ms=2):
    ledger = LatencyLedger()
    for k in range(n):
        ledger.left(f"n{k}", "alert", 0, generated_ms * MS, generated_ms * MS)
        ledger.received(f"n{k}", received_ms * MS, 0)
    return ledger


@pytest.mark.parametrize(
    ("n", "generated", "received", "expected"),
    [
        (0, 1, 1, Severity.UNKNOWN), (100, 999, 1_000, Severity.OK), (100, 1_000, 1_000, Severity.WARN),
        (99, 1_000, 1_000, Severity.OK), (1, 5_000, 5_000, Severity.FAIL), (1, 4_999, 4_999, Severity.OK),
        (100, 1, 5_000, Severity.WARN),
    ],
)  # fmt: skip
def test_a_limit_is_breached_when_it_is_reached_and_a_p99_needs_a_hundred(n, generated, received, expected):
    assert ledger_of(n, generated, received).severity(policy_of().alerts) is expected


def test_only_the_first_receipt_counts_and_rows_are_bounded():
    ledger = ledger_of(LEDGER_MAX + 5)
    assert len(ledger.rows) == LEDGER_MAX
    assert ledger.received("n1", 1, 1) is None


def test_the_slow_step_shows():
    ledger = LatencyLedger()
    ledger.left("a", "alert", 10 * MS, 3_010 * MS, 3_011 * MS)
    row = ledger.received("a", 3_020 * MS, 5)
    assert (row.generated_ns // MS, row.sent_ns // MS, row.received_ns // MS) == (3_000, 3_001, 3_010)


def test_p99_is_the_nearest_rank():
    found = quantile(n * MS for n in range(1, 201))
    assert (found.p99_ms, found.max_ms, found.n) == (198.0, 200.0, 200)


def test_two_missing_canaries_are_a_loss_and_one_that_comes_ends_it():
    watch, minute = CanaryWatch(policy_of().alerts, 0), 60 * SECOND
    assert watch.due(0)
    assert not watch.due(minute - 1)
    assert watch.due(minute)
    assert (watch.missing, watch.lost) == (1, False)
    assert watch.due(2 * minute)
    assert (watch.missing, watch.lost) == (2, True)
    assert watch.age(2 * minute) == 2 * minute
    assert watch.came(2 * minute + 1)
    assert (watch.missing, watch.lost, watch.age(2 * minute + 2)) == (0, False, 1)
    assert not watch.came(2 * minute + 3)


def test_a_process_that_slept_has_lost_nothing():
    watch = CanaryWatch(policy_of().alerts, 0)
    watch.due(0)
    watch.came(5)
    assert watch.due(3_600 * SECOND)
    assert watch.missing == 0
