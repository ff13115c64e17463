"""Every edge of the health judgement, and one below it (HLT-02, HLT-03)."""

from pathlib import Path

import msgspec
import pytest
from health_facts import NOW, ago, well

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.health import facts as known
from tradeworthy.operations.health.judge import CHECKS, judge
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.health.report import HealthBody, body_of, encode, markdown, schema
from tradeworthy.trading.control import HeldReason
from tradeworthy.trading.model import GuardLevel

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
JUST = 0.001
POLICY = HealthPolicy()
HELD = HeldReason("md", "stale", GuardLevel.PAUSED, "strategy:x", NOW)
REDUCES = HeldReason("allocation", "over", GuardLevel.REDUCING, "strategy:x", NOW)


def sessions(**changes):
    return known.Sessions(**{"at": NOW, "open": 1, "expected": 1, "last_message_at": ago(1), **changes})


def data(**changes):
    return known.MarketData(**{"at": NOW, "ingest_at": ago(1), "decision_at": ago(1), **changes})


def exporters(**changes):
    return known.Exporters(**{"at": NOW, "published_at": ago(1), **changes})


def clock(drift_s=0.0, offset_s=0.0, expected=True):
    offset = None if offset_s is None else round(offset_s * NANOS_PER_SECOND)
    drift = None if drift_s is None else round(drift_s * NANOS_PER_SECOND)
    return known.ClockView(at=NOW, drift_ns=drift, offset_ns=offset, offset_expected=expected)


def late(names):
    return known.SchedulerView(at=NOW, running=True, overdue=tuple(names))


EDGES = [
    ("fix_connectivity", sessions(), OK),
    ("fix_connectivity", sessions(open=None), UNKNOWN),
    ("fix_connectivity", sessions(open=0), FAIL),
    ("venue_connectivity", sessions(open=0), FAIL),
    ("venue_connectivity", sessions(open=1, expected=2), WARN),
    ("venue_connectivity", sessions(last_message_at=None), WARN),
    ("venue_connectivity", sessions(last_message_at=ago(300 - JUST)), OK),
    ("venue_connectivity", sessions(last_message_at=ago(300)), WARN),
    ("venue_connectivity", sessions(last_message_at=ago(9e6)), WARN),
    ("market_data", data(ingest_at=ago(900 - JUST)), OK),
    ("market_data", data(ingest_at=ago(900)), WARN),
    ("market_data", data(ingest_at=ago(1_800 - JUST)), WARN),
    ("market_data", data(ingest_at=ago(1_800)), FAIL),
    ("market_data", data(ingest_at=None), UNKNOWN),
    ("market_data", data(ingest_at=ago(-6)), FAIL),
    ("market_data", data(ingest_at=ago(-5)), OK),
    ("market_data", data(decision_at=ago(180 - JUST)), OK),
    ("market_data", data(decision_at=ago(180)), WARN),
    ("market_data", data(decision_at=ago(600 - JUST)), WARN),
    ("market_data", data(decision_at=ago(600)), FAIL),
    ("market_data", data(decision_at=None), UNKNOWN),
    ("market_data", data(decision_at=None, ingest_at=ago(1_800)), FAIL),
    ("market_data", data(ingest_at=None, ingest_expected=False), OK),
    ("market_data", data(decision_at=None, decision_expected=False), OK),
    ("market_data", data(ingest_expected=False, decision_expected=False), UNKNOWN),
    ("telemetry_exporters", exporters(published_at=ago(300 - JUST)), OK),
    ("telemetry_exporters", exporters(published_at=ago(300)), WARN),
    ("telemetry_exporters", exporters(published_at=None), WARN),
    ("telemetry_exporters", exporters(broker_expected=True, publisher=False), FAIL),
    ("telemetry_exporters", exporters(broker_expected=True, publisher=None), UNKNOWN),
    ("telemetry_exporters", exporters(broker_expected=False, publisher=False), OK),
    ("journal", known.Journal(at=NOW, accepting=True, verified=True), OK),
    ("journal", known.Journal(at=NOW, accepting=False, verified=True), FAIL),
    ("journal", known.Journal(at=NOW, accepting=True, verified=False), FAIL),
    ("journal", known.Journal(at=NOW, accepting=None, verified=True), UNKNOWN),
    ("journal", known.Journal(at=NOW, accepting=True, verified=None), UNKNOWN),
    ("guard", known.GuardView(at=NOW, level=None), UNKNOWN),
    ("guard", known.GuardView(at=NOW, level=GuardLevel.PAUSED), WARN),
    ("guard", known.GuardView(at=NOW, level=GuardLevel.REDUCING), WARN),
    ("guard", known.GuardView(at=NOW, level=GuardLevel.STOPPED), FAIL),
    ("guard", known.GuardView(at=NOW, level=GuardLevel.RUNNING, reasons=(HELD,)), OK),
    ("guard", known.GuardView(at=NOW, level=GuardLevel.RUNNING, reasons=(HELD, REDUCES)), WARN),
    ("kill_switch", known.KillView(at=NOW, tripped=None), UNKNOWN),
    ("kill_switch", known.KillView(at=NOW, tripped=True, scopes=("venue:x",)), FAIL),
    ("supervisor", known.Tasks(at=NOW, running=5, restarting=1), WARN),
    ("supervisor", known.Tasks(at=NOW, running=0, restarting=0), UNKNOWN),
    ("supervisor", known.Tasks(at=NOW), UNKNOWN),
    ("supervisor", known.Tasks(at=NOW, running=5, restarting=0, failed=("a",)), FAIL),
    ("supervisor", known.Tasks(at=NOW, running=5, restarting=0, abandoned=("a",)), FAIL),
    ("supervisor", known.Tasks(at=NOW, running=5, restarting=0, failed_optional=("a",)), WARN),
    ("watchdog", known.WatchdogView(at=NOW, watching=None), UNKNOWN),
    ("watchdog", known.WatchdogView(at=NOW, watching=False), FAIL),
    *[("bus", known.Judged(at=NOW, severity=one), one) for one in Severity],
    ("bus", known.Judged(at=NOW), UNKNOWN),
    *[("disk", known.Judged(at=NOW, severity=one), one) for one in Severity],
    ("clock", clock(drift_s=0.75 - JUST), OK),
    ("clock", clock(drift_s=0.75), FAIL),
    ("clock", clock(drift_s=-0.75), FAIL),
    ("clock", clock(drift_s=None), UNKNOWN),
    ("clock", clock(offset_s=None), UNKNOWN),
    ("clock", clock(offset_s=None, expected=False), OK),
    ("clock", clock(offset_s=0.5 - JUST), OK),
    ("clock", clock(offset_s=-0.5), WARN),
    ("clock", clock(offset_s=1 - JUST), WARN),
    ("clock", clock(offset_s=1), FAIL),
    *[(name, known.Dependency(at=NOW, reachable=None), UNKNOWN) for name in ("database", "cache")],
    *[(name, known.Dependency(at=NOW, reachable=False), FAIL) for name in ("database", "cache")],
    *[(name, known.Dependency(at=NOW, reachable=True, degraded="file"), WARN) for name in ("database", "cache")],
    ("scheduler", known.SchedulerView(at=NOW, running=None), UNKNOWN),
    ("scheduler", known.SchedulerView(at=NOW, running=False), FAIL),
    ("scheduler", known.SchedulerView(at=NOW, running=True, overdue=("close",)), WARN),
    *[(name, known.Members(at=NOW), UNKNOWN) for name in ("agents", "providers", "controls", "permissions")],
    *[(name, known.Members(at=NOW, total=2, unwell=("a",)), WARN) for name in ("agents", "providers", "controls")],
    *[(name, known.Members(at=NOW, total=1, unwell=("a",)), FAIL) for name in ("agents", "providers", "controls")],
    *[(name, known.Members(at=NOW, total=0), OK) for name in ("agents", "providers", "controls", "permissions")],
    ("permissions", known.Members(at=NOW, total=9, unwell=("key",)), FAIL),
    ("portfolio", known.Portfolio(at=NOW, balanced=False, breaks=0, unpriced=0), FAIL),
    ("portfolio", known.Portfolio(at=NOW, balanced=True, breaks=1, unpriced=0), FAIL),
    ("portfolio", known.Portfolio(at=NOW, balanced=True, breaks=0, unpriced=1), WARN),
    ("portfolio", known.Portfolio(at=NOW, balanced=True, breaks=None, unpriced=0), UNKNOWN),
    ("alerts", known.Alerts(at=NOW, warnings=1, failures=0, undelivered=0), WARN),
    ("alerts", known.Alerts(at=NOW, warnings=0, failures=1, undelivered=0), FAIL),
    ("alerts", known.Alerts(at=NOW, warnings=0, failures=0, undelivered=1), FAIL),
    ("alerts", known.Alerts(at=NOW, warnings=None, failures=0, undelivered=0), UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("name", "seen", "expected"), EDGES)
def test_each_edge_gives_its_severity_and_decides_the_whole(name, seen, expected):
    report = judge(well(**{name: seen}), POLICY, NOW)
    assert report.check(name).status is expected, report.check(name).verdict
    assert report.status is expected
    assert report.http_status == (200 if expected <= WARN else 503)


@pytest.mark.parametrize(
    ("name", "seen", "observed", "limit", "words"),
    [
        ("clock", clock(offset_s=0.25), 0.25, 0.5, "off by 0.250 s"),
        ("clock", clock(offset_s=-0.75), 0.75, 0.5, "off by 0.750 s"),
        ("clock", clock(offset_s=2), 2.0, 1.0, "off by 2.000 s"),
        ("market_data", data(ingest_at=ago(1_000)), 1_000.0, 900.0, "the last ingest is 1000 s ago"),
        ("market_data", data(decision_at=ago(700)), 700.0, 600.0, "the last decision is 700 s ago"),
        ("venue_connectivity", sessions(open=0, expected=3), 0, 3, "no session is open"),
        ("venue_connectivity", sessions(open=0, expected=None), 0, 1, "no session is open"),
        ("bus", known.Judged(at=NOW, severity=WARN, summary="deep", observed=7, limit=5, unit="events"), 7, 5, "deep"),
        ("bus", known.Judged(at=NOW, severity=WARN), None, None, "not judged yet"),
        ("journal", known.Journal(at=NOW, verified=True), "unknown", "accepting, verified", "takes events"),
        ("journal", known.Journal(at=NOW, accepting=True), "unknown", "accepting, verified", "is whole"),
        ("guard", known.GuardView(at=NOW, level=GuardLevel.RUNNING, reasons=(HELD,)), "running", "running",
         "running: md.stale (strategy:x)"),
        ("guard", known.GuardView(at=NOW, level=GuardLevel.PAUSED, reasons=(HELD, REDUCES)), "paused", "running",
         "paused: allocation.over (strategy:x), md.stale (strategy:x)"),
        ("kill_switch", known.KillView(at=NOW, tripped=True, phase="safe"), "safe", "armed", "tripped: desk"),
        ("kill_switch", known.KillView(at=NOW, tripped=True, scopes=("a", "b")), "tripped", "armed", "tripped: a, b"),
        ("kill_switch", known.KillView(at=NOW, tripped=False, phase="review"), "review", "armed", "armed"),
        ("kill_switch", known.KillView(at=NOW, tripped=False), "armed", "armed", "armed"),
        ("supervisor", known.Tasks(at=NOW, running=None, restarting=0), None, None, "nobody has counted"),
        ("supervisor", known.Tasks(at=NOW, running=3, restarting=None), None, None, "nobody has counted"),
        ("scheduler", late("abcdefgh"), 8, 1, "late: a, b, c, d, e, f, g, h"),
        ("scheduler", late("abcdefghi"), 9, 1, "g, h and 1 more"),
    ],
)  # fmt: skip
def test_a_check_shows_what_was_observed_and_the_limit_it_met(name, seen, observed, limit, words):
    verdict = judge(well(**{name: seen}), POLICY, NOW).check(name).verdict
    assert (verdict.observed, verdict.limit) == (observed, limit)
    assert words in verdict.summary
    assert words != "armed" or verdict.summary == "armed"


def test_an_old_fact_that_said_nothing_keeps_its_own_words():
    seen = known.Dependency(at=ago(3_600), reachable=None)
    assert judge(well(database=seen), POLICY, NOW).check("database").verdict.summary == "it has not answered yet"


def test_every_check_has_edges_and_the_healthy_desk_is_ok():
    assert {name for name, _, _ in EDGES} == CHECKS.keys()
    assert judge(well(), POLICY, NOW).status is OK


def test_the_worst_check_decides_and_unknown_is_worse_than_a_warning():
    guard = known.GuardView(at=NOW, level=GuardLevel.PAUSED)
    assert judge(well(guard=guard), POLICY, NOW).status is WARN
    assert judge(well(guard=guard, database=None), POLICY, NOW).status is UNKNOWN
    assert judge(well(guard=guard, database=None, fix_connectivity=sessions(open=0)), POLICY, NOW).status is FAIL


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_check_nobody_read_is_unknown_and_one_that_does_not_apply_is_listed_unjudged(name):
    assert judge(well(**{name: None}), POLICY, NOW).http_status == 503
    report = judge(well(**{name: None}, not_applicable={name: "no such thing here"}), POLICY, NOW)
    assert report.status is OK
    assert report.check(name).status is None
    body = next(one for one in body_of(report).checks if one.name == name)
    assert (body.applies, body.status, body.summary) == (False, None, "no such thing here")


def test_a_desk_without_any_applying_check_is_unknown():
    facts = known.RuntimeFacts(run_id="r", environment="paper", not_applicable=dict.fromkeys(CHECKS, "off"))
    assert judge(facts, POLICY, NOW).status is UNKNOWN


@pytest.mark.parametrize(("age", "expected"), [(29.999, OK), (30, UNKNOWN), (-5, OK), (-5.001, FAIL)])
def test_a_fact_read_long_ago_is_not_known_and_one_from_the_future_is_wrong(age, expected):
    seen = known.Dependency(at=ago(age), reachable=True)
    assert judge(well(database=seen), POLICY, NOW).check("database").status is expected


def test_an_old_failure_stays_a_failure():
    seen = known.Dependency(at=ago(3_600), reachable=False)
    assert judge(well(database=seen), POLICY, NOW).check("database").status is FAIL


def test_limits_come_from_the_policy():
    policy = HealthPolicy(ingest_warn_seconds=2, ingest_fail_seconds=3)
    assert judge(well(market_data=data(ingest_at=ago(2))), policy, NOW).status is WARN
    assert judge(well(market_data=data(ingest_at=ago(3))), policy, NOW).status is FAIL


def test_the_answer_has_exactly_the_fields_of_its_schema_and_reads_back():
    plain = msgspec.json.decode(encode(judge(well(database=None), POLICY, NOW)))
    assert list(plain) == ["schema", "status", "generated_at", "run_id", "environment", "checks"]
    assert plain["schema"] == schema()["$id"] == "tradeworthy.health/1"
    assert plain["generated_at"] == "2025-10-09T08:53:20.000000+00:00"
    expected = ["name", "status", "applies", "summary", "observed", "limit", "unit", "runbook"]
    assert all(list(one) == expected for one in plain["checks"])
    assert [one["name"] for one in plain["checks"]] == list(CHECKS)
    definitions = schema()["$defs"]
    assert sorted(definitions["HealthBody"]["required"]) == sorted(plain)
    assert sorted(definitions["CheckBody"]["required"]) == sorted(expected)
    assert msgspec.json.decode(encode(judge(well(), POLICY, NOW)), type=HealthBody).status == "OK"


def test_the_published_schema_is_that_of_the_answer_so_a_change_needs_a_new_version():
    published = Path(__file__).resolve().parents[3] / "docs" / "schemas" / "health-1.json"
    assert msgspec.json.decode(published.read_bytes()) == msgspec.json.decode(msgspec.json.encode(schema()))


def test_the_page_for_people_puts_the_worst_first_and_those_that_do_not_apply_last():
    facts = well(database=known.Dependency(at=NOW, reachable=False), not_applicable={"cache": "embedded"})
    lines = markdown(body_of(judge(facts, POLICY, NOW))).splitlines()
    assert lines[0] == "# Health: FAIL"
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("| ")][1:]
    assert rows[0] == "database"
    assert rows[-1] == "cache"
    assert len(rows) == len(CHECKS)


def test_no_secret_leaves_in_a_summary():
    seen = known.Dependency(at=NOW, reachable=True, degraded="postgres password=hunter2222 refused")
    assert b"hunter2222" not in encode(judge(well(database=seen), POLICY, NOW))
