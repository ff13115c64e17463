"""What runs in the process, and with which care: the table of kinds (APP-01, APP-02)."""

import pytest
from runtime_scene import forever

from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.app.runtime.workload import KINDS, Workload, WorkloadClass, hang_of
from tradeworthy.kernel.supervision import Criticality

INGEST, TRADING, AUXILIARY = WorkloadClass.INGEST, WorkloadClass.TRADING, WorkloadClass.AUXILIARY
IMPORTANT, CRITICAL, OPTIONAL = Criticality.IMPORTANT, Criticality.CRITICAL, Criticality.OPTIONAL


def workload(kind, **given):
    return Workload(kind, kind, "of a test", forever, **given)


@pytest.mark.parametrize(
    ("kind", "wanted", "criticality", "base_s", "interval_s", "hang_s"),
    [
        ("data_backbone", INGEST, IMPORTANT, 5.0, None, 600.0),
        ("embedded_ingest", INGEST, IMPORTANT, 2.0, None, 600.0),
        ("trading_loop", TRADING, CRITICAL, 2.0, None, 10.0),
        ("time_integrity", AUXILIARY, IMPORTANT, 0.1, 10.0, 70.0),
        ("scheduler", AUXILIARY, IMPORTANT, 0.1, 1.0, 61.0),
        ("health_server", AUXILIARY, IMPORTANT, 0.1, 1.0, 61.0),
        ("drift_monitor", AUXILIARY, OPTIONAL, 0.1, 120.0, 480.0),
        ("reflection", AUXILIARY, OPTIONAL, 0.1, 3_600.0, 14_400.0),
        ("governance", AUXILIARY, OPTIONAL, 0.1, 60.0, 240.0),
        ("performance_writer", AUXILIARY, OPTIONAL, 0.1, 20.0, 80.0),
    ],
)  # fmt: skip
def test_a_kind_has_the_class_care_back_off_and_hang_limit_of_the_table(
    kind, wanted, criticality, base_s, interval_s, hang_s
):
    one = workload(kind, interval_s=interval_s)
    assert (one.workload_class, one.criticality) == (wanted, criticality)
    assert (one.policy().backoff_base_s, one.policy().hang_timeout_s) == (base_s, hang_s)
    assert one.policy().max_restarts is None
    assert one.required == (wanted is not AUXILIARY)


def test_the_idle_beat_is_far_below_the_hang_limit_of_trading():
    assert RuntimePolicy().idle_beat_s == 1.0
    assert RuntimePolicy().idle_beat_s < KINDS["trading_loop"].hang_s


@pytest.mark.parametrize(("interval_s", "hang_s"), [(None, None), (0.25, 60.25), (20.0, 80.0), (21.0, 84.0)])
def test_a_periodic_workload_may_be_silent_four_intervals_and_a_minute_more_than_one_at_least(interval_s, hang_s):
    assert hang_of(interval_s) == hang_s


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind must be one of"):
        workload("moonshot")
