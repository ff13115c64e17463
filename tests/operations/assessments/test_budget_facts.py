"""Error budgets: documents are read or refused by name, events are counted by minute, and a burn is seen in time."""

import math
import random
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal.records import Heartbeat, InputQuarantined, LossAcknowledged
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.burn_rate import reached, tail
from tradeworthy.operations.assessments.collectors.budgets import MINUTES_KEPT, BudgetFold, MinuteBudget
from tradeworthy.operations.assessments.collectors.desk import DeskFold
from tradeworthy.operations.assessments.collectors.freshness import sessions_of
from tradeworthy.operations.assessments.collectors.objectives import INDICATORS, objectives_at, objectives_in, shipped
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.moved import moved
from tradeworthy.operations.assessments.framework.mutation import AT, judged
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.trading.market_data.calendar import AlwaysOpen, ForexWeek
from tradeworthy.trading.model import Bar, Quote
from tradeworthy.trading.risk.policy import RiskPolicy
from tradeworthy.trading.timing import STEP, DeskTiming, StageTiming

SECOND = NANOS_PER_SECOND
MINUTE = 60 * SECOND
MONDAY = 1_704_067_200 * SECOND
TELL = Teller("test", MONDAY, environment="backtest")
BURN, FRESHNESS = registry().get("burn_rate"), registry().get("market_data_freshness")


def metric(indicator):
    return {"metricSource": {"type": "tradeworthy", "spec": {"indicator": indicator}}}


def document(name="mine", **changes):
    both = {"counter": True, "good": metric("availability"), "total": metric("availability")}
    spec = {
        "service": "desk", "budgetingMethod": "Occurrences", "timeWindow": [{"duration": "30d", "isRolling": True}],
        "indicator": {"metadata": {"name": name}, "spec": {"ratioMetric": both}}, "objectives": [{"target": 0.99}],
    }  # fmt: skip
    return {"apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": name}, "spec": {**spec, **changes}}


def fold(*objectives, calendars=None, expected=None, **more):
    return BudgetFold(objectives or shipped("tier_0"), calendars or {}, expected or {}, **{"fresh_s": 30.0, **more})


def told(at_s, fact, source="tape"):
    ts = MONDAY + round(at_s * SECOND)
    return event_of(fact, source=source, key=str(at_s), ts_event=ts, ts_init=ts)


def give(found, at_s, fact, source="tape"):
    found.on_event(told(at_s, fact, source))


def bar():
    return Bar("A", 3_600 * SECOND, 1, 1, 1, 1, 1)


def counts(found, name, window="3d"):
    told = {(one.component, one.name): one.value for one in found.facts(TELL)}
    return told[name, f"bad_{window}"], told[name, f"total_{window}"]


@pytest.mark.parametrize(("tier", "target", "latency"), [
    ("tier_0", 0.995, 100.0), ("tier_1", 0.999, 20.0), ("tier_2", 0.9999, 5.0),
])  # fmt: skip
def test_each_tier_brings_its_own_availability_and_latency(tier, target, latency):
    known = {one.name: one for one in shipped(tier)}
    assert {one.indicator for one in known.values()} == set(INDICATORS)
    assert known["availability"].target == known["decision_latency"].target == target
    assert known["decision_latency"].value == latency
    assert not known["decision_latency"].keeps(latency)
    assert known["order_to_fill"].keeps(100.0)
    with pytest.raises(UsageError, match="tier_9"):
        shipped("tier_9")


def test_documents_of_a_folder_are_read_as_json_and_toml(tmp_path):
    (tmp_path / "a.json").write_bytes(msgspec.json.encode(document("a")))
    tier = Path(objectives_at.__code__.co_filename).parents[1] / "objectives" / "tier_0.toml"
    (tmp_path / "b.toml").write_text(tier.read_text().replace('"availability", disp', '"other", disp'))
    assert {"a", "other", "freshness"} <= {one.name for one in objectives_at(tmp_path)}


@pytest.mark.parametrize(("changes", "said"), [
    ({"objectives": [{"target": 1.0}]}, "target"), ({"objectives": [{"target": 0.5}]}, "target"),
    ({"indicator": {"metadata": {"name": "a"}, "spec": {}}}, "ratioMetric or a thresholdMetric"),
    ({"indicator": {"metadata": {"name": "a"}, "spec": {"thresholdMetric": metric("moon")}}}, "moon"),
    ({"service": 5}, "service"),
])  # fmt: skip
def test_a_document_that_says_nothing_is_refused_by_name(changes, said):
    with pytest.raises(UsageError, match=said):
        objectives_in(document(**changes), "a.json")


def test_a_name_that_stands_twice_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(UsageError, match="mine again"):
        objectives_in([document(), document()], "a.json")
    with pytest.raises(UsageError, match="found none"):
        objectives_at(tmp_path)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UsageError, match=r"a\.json"):
        objectives_at(tmp_path)


def test_windows_forget_and_memory_is_bounded():
    budget = MinuteBudget()
    for minute in range(3 * MINUTES_KEPT):
        budget.add(minute * MINUTE, bad=minute % 2, total=1)
    now = (3 * MINUTES_KEPT - 1) * MINUTE
    assert budget.counts(now, 60) == (30, 60)
    assert budget.counts(now, MINUTES_KEPT) == (MINUTES_KEPT // 2, MINUTES_KEPT)
    assert budget.counts(now + 60 * MINUTE, 60) == (0, 0)
    assert len(budget._minutes) <= 2 * MINUTES_KEPT


def test_an_objective_takes_the_limit_of_freshness_unless_it_has_a_value_of_its_own():
    (ours,) = [one for one in shipped("tier_2") if one.indicator == "freshness"]
    strict = msgspec.structs.replace(ours, name="strict", value=10.0)
    found = fold(ours, strict, fresh_s=7_200.0)
    for at in (0, 900, 1_800, 9_000):
        give(found, at, Quote("A", 1, 2))
    assert counts(found, "freshness") == (1, 150)  # it is reached in the last of these minutes
    assert counts(found, "strict") == (150, 150)


def test_bars_of_an_hour_are_fresh_until_the_next_is_overdue_and_then_burn():
    found = fold()
    for hour in range(6):
        give(found, 3_600 * hour, bar())
    assert counts(found, "freshness") == (0, 300)
    give(found, 3_600 * 6 + 29, Heartbeat(1), source="beat")
    assert counts(found, "freshness") == (0, 300)
    give(found, 3_600 * 6 + 330, Heartbeat(34), source="beat")
    assert counts(found, "freshness", "5m") == (5, 5)


def test_around_the_clock_midnight_ends_no_silence():
    found = fold(calendars={"A": AlwaysOpen()})
    give(found, 86_000, Quote("A", 1, 2))
    give(found, 86_700, Heartbeat(1), source="beat")
    assert counts(found, "freshness") == (12, 12)
    give(found, 86_720, Quote("A", 1, 2))
    assert counts(found, "freshness") == (12, 12)


def test_age_and_budget_call_the_same_feed_fresh():
    instruments = {"A": ForexWeek()}
    for silence, fresh in ((0, True), (29.9, True), (30, False), (3_600, False)):
        budget = fold(calendars=instruments)
        age = DeskFold({}, RiskPolicy(), Decimal(1), environment="paper", sessions=sessions_of(instruments))
        for number, (at, fact, source) in enumerate(
            ((0, bar(), "tape"), (3_600, bar(), "tape"), (7_200 + silence, Heartbeat(1), "beat")), 1
        ):
            give(budget, at, fact, source=source)
            age.on_event(told(at, fact, source=source), number)
        facts = moved(age.market_data_facts(), FRESHNESS.specs, AT - age.now)
        snapshot = judged(FRESHNESS, tuple(facts), FRESHNESS.policy)
        assert (snapshot.status is not Severity.FAIL) is fresh, silence
        assert (counts(budget, "freshness")[0] == 0) is fresh, silence


def test_a_silent_feed_burns_while_its_market_is_open_and_not_at_the_weekend():
    open_always = fold(calendars={"EURUSD.DEMO": AlwaysOpen()})
    for at in (0, 40, 60, 660):
        give(open_always, at, Quote("EURUSD.DEMO", 1, 2))
    assert counts(open_always, "freshness") == (10, 11)
    opens = 6 * 86_400 + 22 * 3_600
    for late, expected in ((29, (0, 1)), (1_830, (30, 30))):
        weekend = fold(calendars={"EURUSD.DEMO": ForexWeek()})
        for at in (4 * 86_400, opens + late):
            give(weekend, at, Quote("EURUSD.DEMO", 1, 2))
        assert counts(weekend, "freshness") == expected


def test_a_feed_that_is_silent_now_burns_before_it_speaks_again():
    found = fold(calendars={"A": AlwaysOpen()})
    for at in (0, 40, 60):
        give(found, at, Quote("A", 1, 2))
    give(found, 391, Heartbeat(1), source="beat")
    assert counts(found, "freshness", "5m") == (5, 5)
    assert counts(found, "freshness") == (6, 7)


def test_missed_heartbeats_late_reports_and_slow_periods_are_bad_events():
    found = fold(expected={"minute:a": 60.0})
    for at, slot in ((0, 100), (10, 101), (60, 106)):
        give(found, at, Heartbeat(slot))
    assert counts(found, "availability") == (4, 7)
    for at, p99 in ((60, 99_000_000), (120, 100_000_000)):
        give(found, at, DeskTiming(Severity.OK, (StageTiming(STEP, 100, 1, p99, p99, 1, Severity.OK),)))
    assert counts(found, "decision_latency") == (1, 2)
    assert counts(found, "completeness") == (1, 1)


def test_what_nobody_told_is_unknown_and_what_nobody_asked_for_is_no_failure():
    found = fold()
    assert counts(found, "reconciliation") == (None, None)
    assert counts(found, "order_to_fill") == (0, 0)
    snapshot = judged(BURN, tuple(found.facts(Teller("test", AT, environment=""))), BURN.policy)
    assert snapshot.status is Severity.UNKNOWN
    assert "order_to_fill" not in {one.component for one in snapshot.findings}


def test_comparisons_with_a_break_burn():
    found = fold(agreed=lambda fact: not fact.reason if isinstance(fact, InputQuarantined) else None)
    for at, reason in ((0, ""), (10, "a break")):
        give(found, at, InputQuarantined("venue", reason, 1, ""))
    give(found, 20, LossAcknowledged("a", 1, 1, "b", ("c", "d")))
    assert counts(found, "reconciliation") == (1, 2)


@pytest.mark.parametrize(("bad", "total", "share", "known"), [
    (0, 10, 0.1, 1.0), (10, 10, 0.5, 0.5**10), (1, 10, 0.1, 1 - 0.9**10), (2, 5, 0.072, 0.0448),
])  # fmt: skip
def test_the_tail_is_the_binomials(bad, total, share, known):
    assert tail(bad, total, share) == pytest.approx(known, abs=5e-4)


def test_few_events_need_more_than_chance_and_many_only_their_share():
    assert not reached(1, 50, 0.995, 1.0)
    assert reached(5, 50, 0.995, 1.0)
    assert reached(72, 1_000, 0.995, 14.4)
    assert not reached(71, 1_000, 0.995, 14.4)
    assert not reached(0, 0, 0.995, 1.0)


def test_a_burn_is_seen_within_a_step_of_theory():
    """500 failures that begin at once: the long window holds 14.4 budgets after 60 x 14.4 x (1 - target) / share."""
    draw = random.Random(7)
    for _ in range(500):
        target = draw.choice([0.99, 0.995, 0.999])
        share = draw.uniform(14.4 * (1 - target) * 1.05, 1.0)
        bad, total = math.ceil(share * 1_000), 1_000
        budget = MinuteBudget()
        for minute in range(60):
            budget.add(minute * MINUTE, bad=0, total=total)
        theory = 60 * 14.4 * (1 - target) / (bad / total)
        seen = None
        for minute in range(60, 130):
            budget.add(minute * MINUTE, bad=bad, total=total)
            windows = [budget.counts(minute * MINUTE, length) for length in (60, 5)]
            if all(reached(*one, target, 14.4) for one in windows):
                seen = minute - 59
                break
        short = 5 * 14.4 * (1 - target) / (bad / total)
        assert seen is not None
        assert abs(seen - max(theory, short)) <= 1, (target, share, seen, theory)
