"""Controls disabled in a simulated desk: another one notices within five minutes, or the score falls."""

import pytest
from msgspec.structs import replace

from tradeworthy.app.gates.control_scenes import SCENES
from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.app.gates.disabled_controls import REMOVED, TEN_TIMES, WATCHING, play_all
from tradeworthy.app.gates.producers import score_before
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.report import address
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.control_score import ControlScorePolicy, control_report
from tradeworthy.operations.gates.model import HASHES, Binding
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.risk.controls import all_controls
from tradeworthy.trading.risk.policy import RiskPolicy

CLOCK = EventClock(10**18)
BINDING = Binding(release="1.0", environment="paper", tier="paper", hashes={name: name[0] * 64 for name in HASHES})
POLICY = ControlScorePolicy()
SAMPLE = ("risk.max_position", "risk.throttle", "risk.guard", "risk.min_order", "risk.stop_required")


def scenes(*names):
    return [one for one in SCENES if one.control in names]


def test_every_control_of_the_review_has_its_scene():
    known = all_controls(RiskPolicy(), tuple(shipped().values()))
    assert [one.control for one in SCENES] == [one.code for one in known]


@pytest.mark.parametrize("control", SAMPLE)
def test_a_disabled_control_is_noticed_by_another(control):
    found = list(play_all(scenes(control)))
    assert found
    assert all(one.stopped and one.noticed(POLICY) and not one.by.startswith(control) for one in found)


def test_a_removed_control_and_a_limit_times_ten_are_both_played():
    found = list(play_all(scenes("risk.max_position")))
    assert [one.how for one in found] == [REMOVED, TEN_TIMES]


def test_one_of_two_lines_that_is_gone_lets_the_score_fall():
    two = scenes("risk.max_position", "risk.min_order")
    both, one_line = (control_report(play_all(two, without=without)) for without in ((), WATCHING))
    assert (both.severity, one_line.severity) == (Severity.OK, Severity.FAIL)
    assert "risk.max_position removed" in one_line.checks[0].text
    assert "risk.min_order" not in one_line.checks[0].text


@pytest.mark.proof
def test_each_control_that_is_disabled_in_each_way_is_noticed_in_time():
    report = control_report(play_all())
    assert report.severity is Severity.OK
    assert report.figures["score_pct"] == 100.0
    assert report.figures["disabled"] >= 45


def test_the_score_of_another_code_is_that_of_the_release_before(tmp_path):
    earlier, now = (
        Gates(GateStore(tmp_path, CLOCK), replace(BINDING, hashes={**BINDING.hashes, "code": address(code)}), CLOCK)
        for code in (b"a", b"b")
    )
    assert score_before(now) is None
    earlier.record(control_report(play_all(scenes("risk.min_order"))), "control_mutation", run_id="c")
    assert (score_before(now), score_before(earlier)) == (100.0, None)
