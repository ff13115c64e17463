"""Each number of graduation and tuning decides at its boundary and just past it, and too little is never good."""

from decimal import Decimal

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.capital.envelope import (
    MANDATE,
    PARTS,
    Candidate,
    WeightsApproved,
    envelope_report,
    weights_approved,
)
from tradeworthy.operations.gates.capital.figures import PhaseFigures, phase_rows, sharpe_shown
from tradeworthy.operations.gates.capital.graduation import (
    REGIMES,
    DiaryEntry,
    GraduationPolicy,
    Mood,
    graduation_report,
    green_days,
    tightened,
)
from tradeworthy.operations.gates.capital.tuning import Advice, PaperSession, advise

NOW = 20_000 * NANOS_PER_DAY + NANOS_PER_DAY // 2
STAGE = {"paper": "experiment", "pilot": "paper", "limited_live": "pilot"}


def diary(to, count, *, forced=0, warned=0, newest=(), regimes=REGIMES):
    """Return a diary whose bad decisions are its oldest."""
    moods = [Mood.FORCED] * forced + [Mood.WARN] * warned
    moods += [Mood.NORMAL] * (count - len(moods) - len(newest)) + list(newest)
    return [
        DiaryEntry(at=NOW - (count - at), stage=STAGE[to], regime=regimes[at % len(regimes)], mood=mood)
        for at, mood in enumerate(moods)
    ]


def green(days=14, *, end=0):
    return [
        DiaryEntry(at=NOW - day * NANOS_PER_DAY, stage="paper", regime="bullish", mood=Mood.NORMAL)
        for day in range(end, days)
    ]


def bad(entries, to):
    return {one.code.removeprefix("graduation."): one.severity for one in graduation_report(entries, to, NOW).checks
            if one.severity}  # fmt: skip


@pytest.mark.parametrize(("to", "entries", "expected"), [
    ("paper", diary("paper", 20), {}),
    ("paper", diary("paper", 19), {"decisions": 3, "forced": 2, "warn": 2, "normal": 2}),
    ("paper", diary("paper", 20, forced=7), {}), ("paper", diary("paper", 20, forced=8), {"forced": 3}),
    ("paper", diary("paper", 20, warned=8), {}), ("paper", diary("paper", 20, warned=9), {"warn": 3}),
    ("paper", diary("paper", 20, forced=5, warned=5), {}),
    ("paper", diary("paper", 20, forced=5, warned=6), {"normal": 3}),
    ("pilot", diary("pilot", 40), {}),
    ("pilot", diary("pilot", 39), {"decisions": 3, "forced": 2, "warn": 2, "normal": 2}),
    ("pilot", diary("pilot", 40, forced=10), {}), ("pilot", diary("pilot", 40, forced=11), {"forced": 3}),
    ("pilot", diary("pilot", 40, warned=8), {}), ("pilot", diary("pilot", 40, warned=9), {"warn": 3}),
    ("pilot", diary("pilot", 40, forced=7, warned=7), {}),
    ("pilot", diary("pilot", 40, forced=8, warned=7), {"normal": 3}),
    ("pilot", diary("pilot", 40, newest=(Mood.WARN, *[Mood.NORMAL] * 8)), {}),
    ("pilot", diary("pilot", 40, newest=(Mood.WARN, *[Mood.NORMAL] * 7)), {"streak": 3}),
    ("limited_live", diary("limited_live", 60) + green(), {}),
    ("limited_live", diary("limited_live", 60) + green(13), {"green_days": 3}),
    ("limited_live", diary("limited_live", 60) + green(15, end=1), {"green_days": 3}),
    ("limited_live", diary("limited_live", 60, forced=6) + green(), {}),
    ("limited_live", diary("limited_live", 60, forced=7) + green(), {"forced": 3}),
    ("limited_live", diary("limited_live", 60, warned=7) + green(), {"warn": 3}),
    ("limited_live", diary("limited_live", 60, forced=6, warned=6) + green(), {}),
    ("limited_live", diary("limited_live", 60, newest=(Mood.WARN, *[Mood.NORMAL] * 15)) + green(), {}),
    ("limited_live", diary("limited_live", 60, newest=(Mood.WARN, *[Mood.NORMAL] * 14)) + green(), {"streak": 3}),
])  # fmt: skip
def test_each_number_decides_at_its_boundary(to, entries, expected):
    assert bad(entries, to) == {name: Severity(value) for name, value in expected.items()}


@pytest.mark.parametrize("to", ["paper", "limited_live"])
@pytest.mark.parametrize("regime", REGIMES)
def test_a_regime_with_two_decisions_is_not_covered(to, regime):
    rest = tuple(one for one in REGIMES if one != regime)
    few = [
        DiaryEntry(at=NOW, stage=STAGE[to], regime=regime, mood=Mood.NORMAL) for _ in range(2)
    ]  # fmt: skip
    extra = green() if to == "limited_live" else []
    assert bad(diary(to, 60, regimes=rest) + few + extra, to) == {f"regime.{regime}": Severity.FAIL}
    assert bad(diary(to, 60, regimes=rest) + few + few + extra, to) == {}


@pytest.mark.parametrize(("to", "limit"), [("pilot", 0.35), ("limited_live", 0.20)])
def test_a_counterfactual_at_its_limit_forces_the_policy_back_to_paper(to, limit):
    entries = diary(to, 60) + (green() if to == "limited_live" else [])
    below = [msgspec.structs.replace(entries[0], counterfactual=limit - 0.001), *entries[1:]]
    assert bad(below, to) == {}
    at = [msgspec.structs.replace(entries[0], counterfactual=limit), *entries[1:]]
    report = graduation_report(at, to, NOW)
    assert bad(at, to) == {"counterfactual": Severity.FAIL}
    assert report.figures["stage_forced"] == "paper"


def test_one_alert_is_too_many_and_what_comes_later_is_not_looked_at():
    entries = diary("paper", 20)
    assert bad([msgspec.structs.replace(entries[3], alerts=1), *entries[:3], *entries[4:]], "paper") == {
        "alerts": Severity.FAIL
    }
    later = msgspec.structs.replace(entries[0], at=NOW + 1, alerts=9)
    assert bad([*entries, later], "paper") == {}


def test_a_day_without_a_decision_breaks_the_green_days():
    days = green()
    assert green_days(days, NOW) == 14
    assert green_days([one for one in days if (NOW - one.at) // NANOS_PER_DAY != 5], NOW) == 5
    assert green_days([], NOW) == 0


GOOD = PaperSession(decisions=10, hits=5)


@pytest.mark.parametrize(("sessions", "advice"), [
    ([GOOD] * 3, Advice.KEEP), ([GOOD] * 2, Advice.HOLD), ([], Advice.HOLD),
    ([GOOD, GOOD, msgspec.structs.replace(GOOD, hits=4)], Advice.ADJUST),
    ([GOOD, GOOD, msgspec.structs.replace(GOOD, direction_misses=1)], Advice.ADJUST),
    ([GOOD, GOOD, msgspec.structs.replace(GOOD, consensus_misses=1)], Advice.ADJUST),
    ([GOOD, GOOD, msgspec.structs.replace(GOOD, data_gaps=1)], Advice.HOLD),
    ([GOOD, GOOD, msgspec.structs.replace(GOOD, evidence_gaps=1)], Advice.HOLD),
    ([PaperSession(decisions=0, hits=0)] * 3, Advice.HOLD),
])  # fmt: skip
def test_one_value_flips_the_advice(sessions, advice):
    assert advise(sessions).advice is advice


def test_three_days_show_their_width_and_gate_nothing():
    shown = sharpe_shown([0.01, -0.02, 0.015])
    assert "± 9.2 over 3 days, not judged" in shown.text
    assert sharpe_shown([0.01, -0.02] * 29 + [0.01]).judged is False
    assert sharpe_shown([0.01, -0.02] * 30).judged is True
    assert sharpe_shown([]).text == "no Sharpe ratio of 0 days"
    assert sharpe_shown([0.01] * 90).sharpe is None
    long = sharpe_shown([0.01, -0.005] * 60)
    assert 0.5 < long.probabilistic <= 1
    assert long.record_days > 0


def test_figures_that_are_not_known_say_so():
    rows = phase_rows(PhaseFigures(profit_factor=None, drawdown=0.031, turnover_day=2.5, fee_share=None))
    assert [value for _, value, _ in rows] == ["not known", "3.10%", "2.50", "not known"]


CANDIDATE = Candidate(envelope=MANDATE, fills_since_calibration=99, live_instances=0, cross_exposure=None, trades=30)


def refused(**change):
    return [one.code for one in envelope_report(msgspec.structs.replace(CANDIDATE, **change)).failed()]


@pytest.mark.parametrize("part", PARTS)
def test_an_envelope_one_unit_over_its_mandate_is_refused(part):
    assert refused() == []
    unit = 1 if part == "cancels" else Decimal(1)
    over = msgspec.structs.replace(MANDATE, **{part: getattr(MANDATE, part) + unit})
    assert refused(envelope=over) == [f"envelope.{part}"]
    assert refused(envelope=msgspec.structs.replace(MANDATE, **{part: unit * 0})) == [f"envelope.{part}"]


def test_too_few_trades_old_costs_and_unjudged_neighbours_are_refused():
    assert refused(trades=29) == ["envelope.trades"]
    assert refused(fills_since_calibration=100) == ["envelope.calibration"]
    assert refused(live_instances=1) == ["envelope.cross_exposure"]
    assert refused(live_instances=1, cross_exposure=True) == []


def test_weights_trade_only_as_their_newest_version_was_approved():
    one = WeightsApproved("p", 1, (("a", Decimal("0.5")),), (), "ann", "bob")
    assert weights_approved((one,), "p", {"a": Decimal("0.5")}) == ""
    assert "other weights" in weights_approved((one,), "p", {"a": Decimal("0.6")})
    assert "no weights" in weights_approved((one,), "q", {})
    again = msgspec.structs.replace(one, version=3)
    assert "versions" in weights_approved((one, again), "p", {"a": Decimal("0.5")})
    with pytest.raises(ValueError, match="other than their author"):
        WeightsApproved("p", 1, (), (), "ann", "Ann ")


def test_a_policys_own_thresholds_decide():
    def decisions(**own):
        return graduation_report(diary("paper", 20), "paper", NOW, overrides=own).checks[0].severity

    assert (decisions(), decisions(decisions="20"), decisions(decisions="21")) == (
        Severity.OK, Severity.OK, Severity.FAIL,
    )  # fmt: skip
    own = tightened(GraduationPolicy().paper, {"decisions": "20.5", "forced_max": "0.1", "counterfactual_limit": "0.1"})
    assert (own.decisions, own.forced_max, own.counterfactual_limit) == (21, 0.1, None)
