import msgspec
import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.research.calibration.environment_parity import SessionFigures, compare_environments

PAPER = SessionFigures("paper", 0.30, 2.0, 0.90, 1.0, {"up": 0.5, "neutral_low_vol": 0.5})


def against(**other):
    return compare_environments(PAPER, msgspec.structs.replace(PAPER, name="testnet", **other))


def codes(verdict):
    return [one.code.removeprefix("environments.") for one in verdict.checks if one.severity]


def test_identical_environments_score_ten():
    found = against()
    assert (found.score, found.accepted, found.ramp_held) == (10.0, True, False)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("fill_rate", {"fill_rate": 0.10}), ("fill_rate", {"fill_rate": 0.90}), ("capture", {"capture_bps": 3.0}),
        ("capture", {"capture_bps": 1.0}), ("regimes", {"regimes": {"up": 0.6, "neutral_low_vol": 0.4}}),
        ("maker_share", {"maker_share": 0.70}),
    ],
)
def test_one_warning_scores_seven_and_a_half(name, other):
    found = against(**other)
    assert codes(found) == [name]
    assert (found.score, found.accepted, found.ramp_held) == (7.5, False, False)


@pytest.mark.parametrize(
    "other",
    [{"fill_rate": 0.101}, {"capture_bps": 2.99}, {"regimes": {"up": 0.599, "neutral_low_vol": 0.401}},
     {"maker_share": 0.701}],
)
def test_just_inside_a_budget_nothing_warns(other):
    assert against(**other).score == 10.0


def test_two_warnings_hold_the_ramp():
    found = against(maker_share=0.1, capture_bps=9.0)
    assert (found.score, found.ramp_held) == (5.0, True)


@pytest.mark.parametrize(
    ("net", "score", "accepted"), [(1.0, 10.0, True), (1.099, 10.0, True), (0.89, 7.5, False), (0.75, 5.0, False)]
)
def test_with_a_live_side_the_divergence_counts_too(net, score, accepted):
    found = compare_environments(PAPER, msgspec.structs.replace(PAPER, name="live", real=True, net_bps=net))
    assert (found.score, found.accepted) == (score, accepted)


def test_what_cannot_be_compared_is_never_accepted():
    found = against(fill_rate=None)
    assert (found.score, found.accepted, found.ramp_held) == (None, False, True)
    assert found.checks[0].severity is Severity.UNKNOWN


def test_one_side_without_labels_is_not_compared_and_two_are_alike():
    assert against(regimes=None).score is None
    bare = msgspec.structs.replace(PAPER, regimes=None)
    assert compare_environments(bare, msgspec.structs.replace(bare, name="testnet")).score == 10.0
