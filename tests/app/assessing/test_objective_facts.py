"""Objectives of a run: dimensions of its data, how fast and how alike it understands, and where documents come from."""

import msgspec
import pytest
from soak_runs import played

from tradeworthy.app.assessing.desk_folds import budget_fold, desk_fold, dimensions_facts, objectives_of
from tradeworthy.app.assessing.desk_probes import RunFolds
from tradeworthy.app.assessing.run_probes import RunSource, verdict_facts
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal.records import Deleted
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.collectors.ingest import ingest_facts
from tradeworthy.operations.assessments.collectors.streams import FeedSeen
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.understanding import UnderstandingFold, replay_facts
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.mutation import AT, healthy_facts, judged
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.trading.market_data.calendar import ForexWeek
from tradeworthy.trading.model import GuardLevel
from tradeworthy.trading.model.state import GuardChanged
from tradeworthy.trading.replay import ReplayResult
from tradeworthy.trading.restoring import DeskRestored
from tradeworthy.trading.timing import IO_WAIT, STEP, DeskTiming, StageTiming

CLOCK = EventClock(1)
SECOND = NANOS_PER_SECOND
DAY = 86_400 * SECOND
MONDAY = 1_704_067_200 * SECOND
TELL = Teller("test", AT, environment="backtest")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return played(tmp_path_factory.mktemp("objectives"), steps=1_500, minute_seconds=60).folder


@pytest.fixture(scope="module")
def folds(run):
    found = RunFolds(RunSource(run, CLOCK), run, soaked=False)
    found.catch_up()
    return found


def values(facts):
    return {(one.name, one.component): one.value for one in facts}


def codes(name, facts):
    one = registry().get(name)
    return {found.code.partition(".")[2]: found.severity for found in judged(one, tuple(facts), one.policy).findings}


def document(folds, **changes):
    return msgspec.structs.replace(folds._source.document, **changes)


def test_dimensions_are_told_by_what_the_feeds_brought(folds):
    facts = dimensions_facts(folds._source.document, folds.streams, folds.streams.now, TELL, routed=True)
    found = values(facts)
    assert found["expected", "intraday_trades"] == found["observed", "intraday_trades"] == ("EURUSD.DEMO",)
    assert found["rows", "intraday_trades"] > 1_000
    assert found["channels", "intraday_trades"]
    assert codes("ingest_slos", facts) == {}


def test_an_instrument_that_never_came_is_missing_and_one_of_two_warns():
    feeds = (FeedSeen("A", 0, 10, MONDAY), FeedSeen("B", DAY, 3, MONDAY))
    found = ingest_facts(feeds, {"A", "B", "C"}, {}, MONDAY, TELL)
    assert values(found)["expected", "intraday_trades"] == ("A", "C")
    assert values(found)["expected", "daily_bars"] == ("B",)
    assert codes("ingest_health", found) == {"symbols_missing": Severity.WARN}
    nothing = ingest_facts((), {"A"}, {}, MONDAY, TELL)
    assert codes("ingest_health", nothing) == {
        "freshness": Severity.UNKNOWN, "no_rows": Severity.FAIL, "symbols_missing": Severity.FAIL
    }  # fmt: skip


def test_the_slowest_instrument_counts_by_its_fastest_feed_and_not_while_its_market_is_closed():
    feeds = (FeedSeen("A", 0, 10, MONDAY), FeedSeen("A", 3_600 * SECOND, 10, MONDAY), FeedSeen("B", 0, 1, MONDAY))
    now = MONDAY + 1_000 * SECOND
    assert values(ingest_facts(feeds, {"A"}, {}, now, TELL))["freshness", "intraday_trades"] == 1_000
    assert values(ingest_facts(feeds[:2], {"A"}, {}, now, TELL))["freshness", "intraday_trades"] == 0
    weekend = ingest_facts(feeds[:1], {"A"}, {"A": ForexWeek()}, MONDAY + 5 * DAY, TELL)
    assert (values(weekend)["open", "intraday_trades"], codes("ingest_health", weekend)) == (False, {})


def test_without_a_rule_for_its_category_an_objective_has_no_route(folds):
    rule = {"name": "other", "categories": ["guard."], "channels": ["ops-email"]}
    alone = document(folds, telemetry={"alerts": {"rules": [rule]}})
    facts = dimensions_facts(alone, folds.streams, folds.streams.now, TELL, routed=True)
    assert codes("ingest_slos", facts) == {"no_route": Severity.WARN}


def test_a_run_replays_alike_and_a_changed_outcome_is_a_share(run, folds):
    probes = folds.probes()["understanding_slos"]
    found = values(one for probe in probes for one in probe.read(0) if one.name.startswith("replay"))
    assert found == {("replay_equal", ""): True, ("replay_differing", ""): 0, ("replay_drift", ""): 0.0}
    other = ReplayResult(10, 5, 90, 0, object(), "a", None)
    told = values(replay_facts(other, 100, TELL))
    assert (told["replay_equal", ""], told["replay_differing", ""]) == (False, 1)
    assert told["replay_drift", ""] == pytest.approx(0.1)
    assert set(values(replay_facts(other, 0, TELL)).values()) == {None}


def test_the_newest_period_of_each_way_is_told():
    fold = UnderstandingFold()
    assert set(values(fold.latency_facts(TELL)).values()) == {None}

    def period(number, *stages):
        told = DeskTiming(Severity.OK, stages)
        fold.on_event(event_of(told, source="telemetry", key=number, ts_event=AT, ts_init=AT))

    period(1, StageTiming(STEP, 100, 1, 2, 9_000_000, 1, Severity.OK, 3_000_000),
           StageTiming(IO_WAIT, 19, 1, None, 4_000_000, 1, Severity.OK, None))  # fmt: skip
    period(2, StageTiming(STEP, 100, 1, 2, 8_000_000, 1, Severity.OK, 2_000_000))
    assert values(fold.latency_facts(TELL)) == {
        ("signal_p95", ""): 2.0, ("signal_max", ""): 8.0, ("order_p95", ""): None, ("order_max", ""): 4.0,
    }  # fmt: skip


def test_a_desk_that_took_a_memory_over_was_replayed():
    fold = UnderstandingFold()
    assert {one.missing for one in fold.restored_facts(TELL)} == {
        "no earlier run was replayed: this desk began without a memory"
    }
    fields = dict.fromkeys(DeskRestored.__struct_fields__)
    fold.on_event(event_of(DeskRestored(**fields), source="start", key="1", ts_event=AT, ts_init=AT))
    assert set(values(fold.restored_facts(TELL)).values()) == {True, 0}


def test_only_a_known_verdict_on_drift_has_an_age():
    sentry = registry().get("drift_sentry")
    history = History()
    assert verdict_facts(history, TELL)[0].value is None
    unknown = judged(sentry, (), sentry.policy)
    history.take(unknown)
    assert verdict_facts(history, TELL)[0].value is None
    history.take(judged(sentry, healthy_facts(sentry), sentry.policy))
    assert verdict_facts(history, TELL)[0].value == AT


def test_a_document_of_the_desk_takes_the_place_of_the_tiers(folds, tmp_path):
    assert {one.target for one in objectives_of(document(folds, runtime={"tier": "tier_1"}))} == {0.995, 0.999}
    source = {"metricSource": {"type": "tradeworthy", "spec": {"indicator": "availability"}}}
    mine = {
        "apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": "mine"}, "spec": {
            "service": "desk", "budgetingMethod": "Occurrences", "timeWindow": [{"duration": "30d"}],
            "indicator": {"metadata": {"name": "mine"}, "spec": {"thresholdMetric": source}},
            "objectives": [{"target": 0.97}],
        },
    }  # fmt: skip
    (tmp_path / "mine.json").write_bytes(msgspec.json.encode(mine))
    own = document(folds, assessments={"burn_rate": {"documents": str(tmp_path)}})
    assert [one.component for one in budget_fold(own).facts(TELL) if one.name == "target"] == ["mine"]
    assert registry().policies(own.assessments)["burn_rate"].documents == str(tmp_path)
    with pytest.raises(UsageError, match="expected"):
        objectives_of(document(folds, assessments={"burn_rate": {"documents": str(tmp_path / "gone.json")}}))


def test_a_desk_that_cannot_coordinate_says_so(folds):
    (probe,) = folds.probes()["coordination_policy"]
    facts = list(probe.read(0))
    assert values(facts)["enabled", ""] is False
    assert {one.name for one in facts} == {one.name for one in registry().get("coordination_policy").facts}


def test_the_files_of_a_run_are_looked_at_and_nothing_is_deleted(run):
    found = RunFolds(RunSource(run, EventClock(AT)), run, soaked=False)
    (probe,) = found.probes()["artefact_retention"]
    before = sorted(run.rglob("*"))
    facts = values(probe.read(0))
    assert (facts["deleted_cited", ""], facts["journal_days", ""]) == (0, 2_555)
    assert sorted(run.rglob("*")) == before
    evidence = run.parent / "evidence"
    evidence.mkdir(exist_ok=True)
    (evidence / "bundle.json").write_text('{"files": ["journal-1.jsonl"]}')
    found._deleted.append(Deleted("journal-1.jsonl", "a" * 64, "a rule"))
    assert values(probe.read(0))["deleted_cited", ""] == 1


def test_who_stepped_in_is_counted_for_an_hour(folds):
    desk = desk_fold(folds._source.document, "backtest")

    def held(at_s, reason, holds=True):
        changed = GuardChanged(reason, "desk", holds, GuardLevel.PAUSED, GuardLevel.PAUSED)
        ts = AT + at_s * SECOND
        desk.on_event(event_of(changed, source="desk", key=f"{at_s}{reason}", ts_event=ts, ts_init=ts), 1)

    held(0, "operator.pause")
    held(1, "operator.pause", holds=False)
    held(2, "clock.step")
    assert values(desk.enforcement_facts())["interventions", ""] == 1
    held(3_660, "risk.daily_loss")
    assert values(desk.enforcement_facts())["interventions", ""] == 1
    assert values(desk.enforcement_facts())["warnings", ""] == 0
