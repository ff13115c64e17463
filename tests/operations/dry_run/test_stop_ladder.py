"""The stop ladder and what an exit means (DR-05, DR-06)."""

import signal

import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.stopping import StopLadder, judge_exit

SECOND = NANOS_PER_SECOND


class Group:
    """A process group that remembers its signals."""

    def __init__(self):
        self.signals = []

    def signal_group(self, number):
        self.signals.append(number)


def test_signals_come_at_once_at_half_and_at_the_end_of_the_grace():
    group = Group()
    ladder = StopLadder(group, grace_seconds=60.0)
    ladder.climb(0)
    assert group.signals == []
    ladder.request(0)
    ladder.request(SECOND)
    ladder.climb(30 * SECOND - 1)
    assert group.signals == [signal.SIGINT]
    ladder.climb(30 * SECOND)
    assert group.signals[-1] == signal.SIGTERM
    assert ladder.next_at() == 60 * SECOND
    ladder.climb(60 * SECOND - 1)
    assert not ladder.forced
    ladder.climb(60 * SECOND)
    ladder.climb(90 * SECOND)
    assert group.signals == [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
    assert ladder.forced
    assert ladder.next_at() is None


def test_a_hurried_ladder_skips_the_rest_of_the_grace():
    group = Group()
    ladder = StopLadder(group, grace_seconds=60.0)
    ladder.request(0)
    ladder.hurry()
    ladder.climb(1)
    assert group.signals[-1] == signal.SIGKILL


@pytest.mark.parametrize("code", [0, 130, 143, -2, -15])
def test_exits_by_the_harness_s_own_signal_are_clean(code):
    assert judge_exit(code, stop_requested=True, forced=False).severity is Severity.OK


@pytest.mark.parametrize(("code", "requested", "forced", "finding"), [
    (3, True, False, "exit.code"), (-9, True, False, "exit.code"), (1, False, False, "exit.early"),
    (-11, False, False, "exit.early"), (-15, False, False, "exit.early"), (-9, True, True, "shutdown.forced"),
    (0, False, False, ""),
])  # fmt: skip
def test_other_exits_have_their_finding(code, requested, forced, finding):
    verdict = judge_exit(code, stop_requested=requested, forced=forced)
    assert verdict.code == finding
    assert verdict.severity is {"shutdown.forced": Severity.WARN, "": Severity.OK}.get(finding, Severity.FAIL)
