"""Journals as tables: the same rows however often they are projected, and each event once."""

import sqlite3
from collections import Counter

import pytest
from soak_runs import document, lines, played

from tradeworthy.adapters.projection_tables import TABLES, SqliteProjections
from tradeworthy.app.assessing.live import ASSESSMENTS
from tradeworthy.app.assessing.projecting import project, reviews_of, table_facts
from tradeworthy.app.configuration.audit import AUDIT, audit_configuration
from tradeworthy.app.runtime.life import begin_life
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal
from tradeworthy.operations.assessments.framework.mutation import AT, healthy_facts, judged
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import encode, take
from tradeworthy.operations.ingest.facts import IngestCycle, SourceTaken

SECOND = NANOS_PER_SECOND
OPS_STORE = registry().get("ops_store")
TELL = Teller("test", AT, environment="paper")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return played(tmp_path_factory.mktemp("projected"), steps=600).folder


def rows(store, name, most=10_000):
    return [dict(zip(TABLES[name].names, row, strict=True)) for row in store.newest(TABLES[name], most)]


def test_each_review_of_a_run_is_a_row_once(run, tmp_path):
    store = SqliteProjections(tmp_path / "t.sqlite")
    kinds = Counter(line["kind"] for line in lines(run))
    expected = kinds["intent.approved"] + kinds["intent.refused"]
    assert expected > 10
    assert project(store, run=run)["compliance_audit"] == expected
    assert project(store, run=run)["compliance_audit"] == expected
    told = rows(store, "compliance_audit")
    assert Counter(one["outcome"] for one in told)["approved"] == kinds["intent.approved"]
    assert {one["instance"] for one in told} == {"quoter"}


def test_what_a_state_keeps_becomes_rows(tmp_path):
    clock, state = EventClock(AT), tmp_path / "made"
    journal = SnapshotJournal(state / ASSESSMENTS, clock)
    for name in ("execution_readiness", "roi"):
        one = registry().get(name)
        taken = take(one, healthy_facts(one), one.policy, AT, environment="paper", code_version="1")
        journal.append(taken.id, name, encode(taken), AT)
    journal.close()
    audit_configuration(document(environment="live"), state / AUDIT, clock, "ann")
    life = begin_life(state, clock)
    source = SourceTaken(
        source="tape", instrument="EURUSD.DEMO", digest="d", fetched=3, inserted=2, unchanged=1, rejected=0, left_out=0,
        newest=AT, age_ns=1_500_000_000, severity=Severity.OK, took_ns=250_000_000,
    )  # fmt: skip
    life.tell(IngestCycle(
        run_id="r", number=1, store="s", sources=(source,), inserted=2, unchanged=1, rejected=0, severity=Severity.OK,
        took_ns=1,
    ))  # fmt: skip
    life.close()
    store = SqliteProjections(tmp_path / "t.sqlite")
    first = project(store, state=state)
    assert first == project(store, state=state)
    assert (first["assessment_snapshots"], first["execution_snapshots"], first["ingest_runs"]) == (2, 1, 1)
    [taken] = rows(store, "ingest_runs")
    assert (taken["status"], taken["rows"], taken["freshness"], taken["duration"]) == ("OK", 2, 1.5, 0.25)
    [changed] = [one for one in rows(store, "configuration_audit") if one["field"] == "desk.environment"]
    assert (changed["actor"], changed["severity"], changed["current"]) == ("ann", "FAIL", '"live"')


def compared(store, run, now=None):
    found = table_facts(store, TELL, run=run, state=None, now=AT, run_now=now or last(run))
    snapshot = judged(OPS_STORE, tuple(found), OPS_STORE.policy)
    return {one.code.partition(".")[2]: one.severity for one in snapshot.findings}


def last(run):
    return max(row["at"] for row in reviews(run))


def reviews(run):
    return [dict(zip(TABLES["compliance_audit"].names, row, strict=True)) for row in reviews_of(run)]


def test_tables_that_follow_their_journal_are_whole_and_twice_the_same(run, tmp_path):
    store = SqliteProjections(tmp_path / "t.sqlite")
    for _ in range(2):
        project(store, run=run)
        assert compared(store, run, now=last(run) + 3_600 * SECOND) == {}


@pytest.mark.parametrize(("late_s", "told"), [
    (4.9, {}), (5, {"stopped_writer": Severity.WARN}), (60, {"stopped_writer": Severity.FAIL}),
])  # fmt: skip
def test_a_writer_that_stopped_is_as_late_as_the_oldest_row_that_waits(run, tmp_path, late_s, told):
    store, rows_of = SqliteProjections(tmp_path / "t.sqlite"), list(reviews_of(run))
    waits = last(run)
    store.put(TABLES["compliance_audit"], [row for row in rows_of if row[2] < waits])
    assert compared(store, run, now=waits + round(late_s * SECOND)) == told


def test_a_row_that_is_missing_among_newer_ones_and_one_that_stands_twice_fail(run, tmp_path):
    table, place = TABLES["compliance_audit"], tmp_path / "t.sqlite"
    store, rows_of = SqliteProjections(place), list(reviews_of(run))
    store.put(table, rows_of[1:])
    assert compared(store, run) == {"counts_differ": Severity.FAIL}
    project(store, run=run)
    with sqlite3.connect(place) as base:
        base.execute("CREATE TABLE other AS SELECT * FROM compliance_audit UNION ALL SELECT * FROM compliance_audit")
        base.execute("DROP TABLE compliance_audit")
        base.execute("ALTER TABLE other RENAME TO compliance_audit")
    assert compared(store, run) == {"duplicates": Severity.FAIL}


def test_an_empty_table_waits_for_everything_and_a_store_that_does_not_answer_is_unknown(run, tmp_path, capsys):
    assert compared(SqliteProjections(tmp_path / "t.sqlite"), run)["stopped_writer"] is Severity.FAIL
    words = ["assess", "ops_store", "--run", str(run), "--tables"]
    target = f"sqlite:{tmp_path / 'u.sqlite'}"
    assert call([*words, f"sqlite:{tmp_path / 'no' / 'folder'}", "--json"]) == 3
    assert "ops_store.collector_failed" in capsys.readouterr().out
    assert call([*words, target]) == 2
    assert call(["assess", "tables", target, "--run", str(run)]) == 0
    assert call([*words, target]) == 0


def test_the_verb_projects_and_wants_something_to_project(run, tmp_path, capsys):
    target = f"sqlite:{tmp_path / 't.sqlite'}"
    assert call(["assess", "tables", target]) == 3
    assert call(["assess", "tables", "nowhere", "--run", str(run)]) == 3
    capsys.readouterr()
    assert call(["assess", "tables", target, "--run", str(run)]) == 0
    assert "compliance_audit" in capsys.readouterr().out
