"""What the watchdog's page says of a desk: from the last beat alone (HLT-01)."""

import pytest

from tradeworthy.app.halting.watchdog_page import judge, serve_page
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.beat import Beat


class Heard:
    """A watchdog that heard `guard` so long ago."""

    def __init__(self, guard, silent_s):
        self.last = None if guard is None else Beat("r", 1, 1, 0, 0, "h", guard)
        self.silent_ns = int(silent_s * NANOS_PER_SECOND)


def report(guard="running", silent_s=0.2):
    return judge(Heard(guard, silent_s), environment="paper", run_id="r", hang_after_s=1.5, now=NANOS_PER_SECOND)


@pytest.mark.parametrize(
    ("guard", "silent_s", "status", "http"),
    [
        ("running", 0.2, Severity.OK, 200), ("running", 1.499, Severity.OK, 200), ("running", 1.5, Severity.FAIL, 503),
        ("paused", 0.2, Severity.WARN, 200), ("reducing", 0.2, Severity.WARN, 200),
        ("stopped", 0.2, Severity.FAIL, 503),
        ("nonsense", 0.2, Severity.UNKNOWN, 503), (None, 0.2, Severity.UNKNOWN, 503),
    ],
)  # fmt: skip
def test_a_desk_is_fit_while_its_loop_beats_and_its_guard_allows(guard, silent_s, status, http):
    found = report(guard, silent_s)
    assert (found.status, found.http_status) == (status, http)


def test_a_hung_loop_is_named_with_its_silence():
    loop = report(silent_s=2.25).check("loop").verdict
    assert (loop.summary, loop.observed, loop.limit) == ("loop_hung: no beat for 2.250 s", 2.25, 1.5)


@pytest.mark.parametrize("address", ["0.0.0.0:80", "10.0.0.1:80", "127.0.0.1", "127.0.0.1:x", ""])
def test_the_page_is_on_this_machine_only(address):
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:PORT"):
        serve_page(address, report)
