"""Rules over what happened, who must report, and changes of a policy: each at its edge."""

import random
from pathlib import Path

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.windows import MinuteCounts
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Case,
    Category,
    FactSpec,
    Kind,
    at_least,
    at_most,
    budget_burn,
    coverage,
    detectors,
    drift,
    quantile,
    streak,
    window_count,
)
from tradeworthy.operations.assessments.framework.expected import (
    ExpectedReport,
    completeness_facts,
    manifest,
    silent,
)
from tradeworthy.operations.assessments.framework.journaled import changes_of
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.mutation import AT, mutate, unproven
from tradeworthy.operations.assessments.framework.policy import effective
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.replay import replay
from tradeworthy.operations.assessments.framework.snapshot import decode

RNG = random.Random(11)
BASE = tuple(RNG.gauss(0, 1) for _ in range(240))
QUIET = tuple(RNG.gauss(0, 1) for _ in range(60))
STEPPED = tuple(one + 5 for one in QUIET)
CORPUS = Path(__file__).parents[2] / "replay" / "assessments"


class SeriesPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """A limit for each rule over a series."""

    failures: Limit = at_most("runs", warn=1, fail=2)
    drops: Limit = at_most("drops", warn=1, fail=5)
    share: Limit = at_least("share", warn=0.85, fail=0.60, high=1.0)
    burn: Limit = at_most("times", warn=1.0, fail=14.4)
    shift: Limit = at_most("deviations", warn=1.0, fail=3.0)
    tail: Limit = at_most("ms", warn=10.0, fail=20.0)


def drift_rule(detector="mean_shift"):
    return drift(
        "baseline", "current", "shift", detector=detector, what="drift", remedy="look", cases=(
            Case("quiet", {"current": QUIET}, Severity.OK), Case("stepped", {"current": STEPPED}, Severity.FAIL),
            Case("few", {"current": QUIET[:29]}, Severity.UNKNOWN), Case("flat", {"baseline": (1.0,) * 240},
                                                                         Severity.UNKNOWN),
        ),
    )  # fmt: skip


def series() -> Assessment:
    return Assessment(
        title="Series.", topic="telemetry.desk.minimum_order", section="desk", owner="trading",
        runbook="runbooks/venue.md", category=Category.TRADING, policy=SeriesPolicy(), name="series",
        facts=(
            FactSpec("outcomes", Kind.NUMBERS, "", (1.0,)), FactSpec("ages", Kind.NUMBERS, "s", ()),
            FactSpec("rows", Kind.INTEGER, "rows", 10_000), FactSpec("planned", Kind.INTEGER, "rows", 10_000),
            FactSpec("bad", Kind.INTEGER, "events", 0), FactSpec("events", Kind.INTEGER, "events", 10_000),
            FactSpec("baseline", Kind.NUMBERS, "", BASE, low=None),
            FactSpec("current", Kind.NUMBERS, "", QUIET, low=None),
            FactSpec("latencies", Kind.NUMBERS, "ms", (1.0,) * 100),
        ),
        rules=(
            streak("outcomes", "failures", what="streak", remedy="look"),
            window_count("ages", "drops", window_s=3_600, what="drops", remedy="look"),
            coverage("rows", "planned", "share", what="coverage", remedy="look"),
            budget_burn("bad", "events", "burn", objective=0.99, what="burn", remedy="look"),
            quantile("latencies", 0.99, "tail", what="tail", remedy="look"), drift_rule(),
        ),
    )  # fmt: skip


def test_every_rule_over_a_series_flips_at_its_edges():
    one = series()
    results = tuple(mutate(one))
    assert [f"{result.code} {result.case} {result.problem}" for result in results if result.problem] == []
    assert unproven(one, results) == ()
    assert len(results) > 30


@pytest.mark.parametrize("detector", sorted(set(detectors.DETECTORS) - {"adwin", "kswin", "page_hinkley_online"}))
def test_every_detector_tells_a_step_from_quiet(detector):
    measure = detectors.DETECTORS[detector]
    quiet, stepped = measure(BASE, QUIET), measure(BASE, tuple(3 * one for one in STEPPED))
    assert stepped > 2 * quiet


def test_a_rule_of_drift_or_ones_own_needs_cases_of_both_kinds():
    with pytest.raises(ValueError, match="fires"):
        drift("baseline", "current", "shift", detector="psi", what="a", remedy="b",
              cases=(Case("quiet", {}, Severity.OK),))  # fmt: skip


def test_who_is_silent_for_two_periods_is_named():
    known, policies = registry(), registry().policies({})
    expected = manifest(known, policies, [ExpectedReport("feed", "stream", 5.0)])
    heard = dict.fromkeys(expected, AT)
    period = round(policies["roi"].period_s * NANOS_PER_SECOND)
    assert silent(expected, heard, AT) == ()
    assert "roi" not in silent(expected, heard, AT + 2 * period - 1)
    assert "roi" in silent(expected, heard, AT + 2 * period)
    assert silent(expected, {**heard, "feed": AT - 10 * NANOS_PER_SECOND}, AT) == ("feed",)
    del heard["feed"]
    assert silent(expected, heard, AT) == ("feed",)
    with pytest.raises(ValueError, match="twice"):
        manifest(known, policies, [ExpectedReport("roi", "log", 1.0)])
    with pytest.raises(ValueError, match="above 0"):
        ExpectedReport("a", "log", 0)


def test_completeness_is_told_by_source():
    tell = Teller("case", AT, environment="case")
    expected = {"feed": ExpectedReport("feed", "stream", 5.0)}
    found = {(one.name, one.component): one.value for one in completeness_facts(expected, {"other": AT}, tell)}
    assert found == {("last_heard", "feed"): None, ("period", "feed"): 5.0, ("undeclared", ""): 1}


def test_counts_of_the_last_hour_forget_by_themselves():
    counts, minute = MinuteCounts(), 60 * NANOS_PER_SECOND
    for n in range(120):
        counts.add("a", n * minute)
    assert counts.total("a", 119 * minute) == 60
    assert counts.total("a", 179 * minute - 1) == 1
    assert counts.total("a", 179 * minute) == 0
    assert counts.total("b", 0) == 0


def test_a_change_of_a_policy_tells_what_it_loosens():
    before = registry().policies({})
    bus = effective("event_bus_health", before["event_bus_health"], {"depth": {"warn": 200}})
    [found] = changes_of(before, {**before, "event_bus_health": bus}, author="ann", reason="busy", second="bob")
    assert (found.assessment, found.loosened) == ("event_bus_health", ("depth.warn",))
    assert found.old_hash != found.new_hash
    assert changes_of(before, before, author="ann", reason="none") == ()
    with pytest.raises(ValueError, match="author"):
        changes_of(before, before, author=" ", reason="none")


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.json")), ids=lambda path: path.stem)
def test_stored_snapshots_are_judged_to_the_same_id(path):
    recorded = decode(path.read_bytes())
    found = replay(registry().get(recorded.assessment), recorded)
    assert found.differs == ()
    assert found.found == recorded.id


def test_the_corpus_is_not_empty():
    assert len(list(CORPUS.glob("*.json"))) >= 17


def test_series_policies_are_refused_like_any_other():
    with pytest.raises(ValueError, match="floor"):
        tuple(streak("a", "share", what="x", remedy="y").cases(SeriesPolicy(), {}))
    assert msgspec.structs.replace(SeriesPolicy(), period_s=1.0).period_s == 1.0
