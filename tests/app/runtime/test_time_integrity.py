"""The wall clock against the monotonic one: a step pauses openings until a minute was quiet (APP-12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.app.runtime.policy import TimeIntegrityPolicy
from tradeworthy.app.runtime.time_integrity import TimeIntegrity, of_environment
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity

MONDAY = 1_700_000_000 * NANOS_PER_SECOND


class SteppingClock:
    """A wall clock that can be set, beside a monotonic one that cannot."""

    def __init__(self):
        self.elapsed = self.step = 0

    def now(self):
        return MONDAY + self.elapsed + self.step

    def monotonic(self):
        return self.elapsed

    def sleep(self, nanos):
        self.elapsed += nanos

    def pass_(self, seconds):
        self.elapsed += round(seconds * NANOS_PER_SECOND)

    def set_by(self, seconds):
        self.step += round(seconds * NANOS_PER_SECOND)


class Hold:
    def __init__(self):
        self.held, self.acts = set(), []

    def hold(self, code, evidence):
        self.held.add(code)
        self.acts.append(("hold", evidence))

    def release(self, code):
        self.held.discard(code)
        self.acts.append(("release", ""))


class Bench:
    def __init__(self, offset_ms=None, **policy):
        self.clock, self.hold, self.told = SteppingClock(), Hold(), []
        self.offset = None if offset_ms is None else round(offset_ms * NANOS_PER_MILLI)
        self.integrity = TimeIntegrity(
            self.clock, self.hold, TimeIntegrityPolicy(**policy), offset=lambda: self.offset, tell=self.told.append
        )

    def after(self, seconds, step=0.0):
        self.clock.pass_(seconds)
        self.clock.set_by(step)
        return self.integrity.check()


@pytest.mark.parametrize(("step", "paused"), [(0.749, False), (0.75, True), (1.0, True), (-0.75, True), (-3_600, True)])
def test_drift_that_reaches_the_threshold_pauses(step, paused):
    bench = Bench(offset_ms=0)
    found = bench.after(10, step)
    assert bool(bench.hold.held) is paused
    assert found.severity is (Severity.FAIL if paused else Severity.OK)
    assert found.drift_ns == round(step * NANOS_PER_SECOND)


def test_a_pause_ends_after_sixty_quiet_seconds_and_not_before():
    bench = Bench(offset_ms=0)
    bench.after(10, 1.0)
    for _ in range(5):
        assert bench.after(10).severity is Severity.FAIL
        assert bench.hold.held == {"stepped"}
    bench.after(9.9)
    assert bench.hold.held
    assert bench.after(0.1).severity is Severity.OK
    assert not bench.hold.held
    assert [kind for kind, _ in bench.hold.acts] == ["hold", "release"]
    assert "+1.000 s" in bench.hold.acts[0][1]


def test_another_step_within_the_minute_begins_it_anew():
    bench = Bench(offset_ms=0)
    bench.after(10, 1.0)
    bench.after(50, -1.0)
    bench.after(50)
    assert bench.hold.held
    bench.after(10)
    assert not bench.hold.held


def test_slow_drift_adds_up_to_a_step():
    bench = Bench(offset_ms=0)
    severities = [bench.after(10, 0.25).severity for _ in range(3)]
    assert severities == [Severity.OK, Severity.OK, Severity.FAIL]


@pytest.mark.parametrize(
    ("offset_ms", "severity"),
    [(None, Severity.UNKNOWN), (0, Severity.OK), (2_499, Severity.OK), (2_500, Severity.WARN), (-2_500, Severity.WARN)],
)
def test_the_true_offset_warns_at_half_of_the_tolerance_and_is_unknown_without_a_service(offset_ms, severity):
    bench = Bench(offset_ms=offset_ms)
    assert bench.after(10).severity is severity
    assert not bench.hold.held


def test_a_judgement_is_told_when_it_changes():
    bench = Bench(offset_ms=0)
    for _ in range(3):
        bench.after(10)
    bench.after(10, 1.0)
    bench.after(60)
    assert [one.severity for one in bench.told] == [Severity.OK, Severity.FAIL, Severity.OK]


@given(st.lists(st.tuples(st.floats(0.1, 120), st.floats(-0.7, 0.7)), max_size=30))
def test_a_hold_stands_whenever_a_step_was_seen_within_the_last_minute(turns):
    bench, stepped_at = Bench(offset_ms=0), None
    for seconds, step in turns:
        found = bench.after(seconds, step)
        if abs(found.drift_ns) >= 750 * NANOS_PER_MILLI:
            stepped_at = bench.clock.monotonic()
        quiet = stepped_at is None or bench.clock.monotonic() - stepped_at >= 60 * NANOS_PER_SECOND
        assert bool(bench.hold.held) is not quiet


def test_variables_win_over_the_document():
    keys = {"ENABLED": "false", "THRESHOLD_SECONDS": "0.1", "INTERVAL_SECONDS": "1.5"}
    found = of_environment(TimeIntegrityPolicy(), {f"RUNTIME_TIME_INTEGRITY_{key}": text for key, text in keys.items()})
    assert (found.enabled, found.threshold_seconds, found.interval_seconds) == (False, 0.1, 1.5)
    assert of_environment(TimeIntegrityPolicy(), {"OTHER": "1"}) == TimeIntegrityPolicy()


@pytest.mark.parametrize(("key", "text"), [("THRESHOLD_SECONDS", "0"), ("INTERVAL_SECONDS", "-1"), ("ENABLED", "maybe"),
                                           ("THRESHOLD_SECONDS", "nan"), ("INTERVAL_SECONDS", "soon")])  # fmt: skip
def test_a_value_that_cannot_be_used_is_usage_and_named(key, text):
    with pytest.raises(UsageError, match="RUNTIME_TIME_INTEGRITY"):
        of_environment(TimeIntegrityPolicy(), {f"RUNTIME_TIME_INTEGRITY_{key}": text})
