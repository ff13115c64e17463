"""A run's evidence is made, asked and kept in one cycle; breaking one input flips the check that names it."""

import json
import shutil
import tomllib
from importlib.resources import files

import msgspec
import pytest

from tradeworthy.app import identity
from tradeworthy.app.config import parse
from tradeworthy.app.gates.cycle import ask_in_cycle, strict_cycle
from tradeworthy.app.gates.desk_gates import Gates, binding_of
from tradeworthy.app.gates.log_maturity import record_of
from tradeworthy.app.gates.producers import CyclePolicy, Material, await_renewed, produce
from tradeworthy.app.runs.folder import journal_of
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock, SystemClock
from tradeworthy.kernel.report import address
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal
from tradeworthy.operations.assessments.framework.mutation import healthy_facts
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import encode, take
from tradeworthy.operations.gates.asking import faults_of
from tradeworthy.operations.gates.bundle import table_hash
from tradeworthy.operations.gates.model import Mode
from tradeworthy.operations.gates.named import GATES
from tradeworthy.operations.gates.store import GateStore

PROMOTION = GATES["promotion"]
NOT_WAITING = CyclePolicy(wait_s=0)
CODE = "c" * 64


def document_with(rows_max):
    plain = tomllib.loads(files("tradeworthy.demo").joinpath("demo.toml").read_text())
    for tape in plain["tapes"]:
        tape["rows_max"] = rows_max
    return parse(plain, origin="demo")


def played(document, root):
    before, identity.code_hash = identity.code_hash, lambda: CODE
    try:
        session = RunSession(document, root=root)
        session.play()
        return session.folder
    finally:
        identity.code_hash = before


@pytest.fixture(scope="module")
def document():
    return document_with(400)


@pytest.fixture(scope="module")
def run(tmp_path_factory, document):
    """A short run: too short for its replay's windows, which is no failure."""
    return played(document, tmp_path_factory.mktemp("runs"))


def gates_over(tmp_path, document):
    store = GateStore(tmp_path / "gates", SystemClock())
    return Gates(store, binding_of(document, code=CODE, tier="paper"), SystemClock())


@pytest.fixture
def gates(tmp_path, document):
    return gates_over(tmp_path, document)


def material(tmp_path, run, **rest):
    return Material(configuration=run / "configuration.json", docs=tmp_path / "docs", run=run, **rest)


def rows(verdict):
    return {row.id: row for row in verdict.rows}


def asked(gates, given, **rest):
    return ask_in_cycle(gates, PROMOTION, given, SystemClock(), mode=Mode(strict=True), policy=NOT_WAITING, **rest)


def test_a_run_gives_its_gate_evidence_of_its_own_and_the_bundle_is_verified(tmp_path):
    document = document_with(5_400)
    run = played(document, tmp_path / "runs")
    gates = gates_over(tmp_path, document)
    found = asked(gates, material(tmp_path, run))
    told = rows(found.verdict)
    for name in ("paper_isolation", "replay_determinism", "regression"):
        assert told[name].standing in ("met", "warned"), (name, told[name])
    assert told["fleet_consistency"].met
    assert told["log_integrity"].met
    assert told["tests"].standing == "absent"
    assert (told["shadow_parity"].standing, told["shadow_parity"].reason.partition(":")[0]) == (
        "unknown", "no source yet",
    )  # fmt: skip
    seq, head = found.verdict.context.journal_head
    assert seq > 5_400
    assert len(head) == 64
    runs = {one.run_id for one in found.cycle.produced}
    assert found.verdict.run_id not in runs
    assert len({one.source for one in found.cycle.produced}) == len(found.cycle.produced)
    (given,) = gates.store.read().verdicts
    assert faults_of(gates.store, given, ()) == ()
    for suffix in ("json", "md", "html"):
        assert (gates.store.root / "promotion" / f"{found.verdict_id}.{suffix}").is_file()
    page = (gates.store.root / "promotion" / f"{found.verdict_id}.html").read_text()
    assert page.index("Not met") < page.index("What gives GO") < page.index("Met <small>")


def test_breaking_one_input_flips_exactly_the_check_that_names_it(tmp_path, run, gates):
    before = rows(asked(gates, material(tmp_path, run)).verdict)
    other = tmp_path / "other" / run.name
    shutil.copytree(run, other)
    wire = tmp_path / "wire.jsonl"
    wire.write_text('{"method": "POST", "path": "/order"}\n')
    after = rows(asked(gates, material(tmp_path, other, wire=wire)).verdict)
    flipped = {name for name in before if before[name].met and not after[name].met}
    assert flipped == {"paper_isolation"}
    segment = next(iter(sorted((other / "journal").glob("journal-*"))))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    torn = rows(asked(gates, material(tmp_path, other)).verdict)
    assert torn["regression"].standing in ("failed", "error")
    assert torn["replay_determinism"].standing in ("failed", "error")


def test_a_whole_run_that_was_played_lost_nothing(run):
    found = record_of((journal_of(run),), None, None)
    assert found.days
    assert sum(found.lost.values()) == 0


def test_a_producer_that_fails_takes_its_older_evidence_away(tmp_path, run, gates):
    assert rows(asked(gates, material(tmp_path, run)).verdict)["paper_isolation"].met
    told = produce(gates, material(tmp_path, run, wire=tmp_path / "nothing"), "cycle", SystemClock())
    (one,) = [one for one in told if one.source == "paper_isolation"]
    assert (one.status, "nothing" in one.problem) == ("unreadable", True)
    verdict = gates.judge(PROMOTION)
    assert rows(verdict)["paper_isolation"].standing == "error"


def test_the_suite_s_report_speaks_for_tests_and_named_cases(tmp_path, run, gates):
    junit = tmp_path / "junit.xml"
    junit.write_text('<testsuites><testsuite><testcase classname="tests.a.test_b" name="test_c"><failure/></testcase>'
                     "</testsuite></testsuites>")  # fmt: skip
    found = asked(gates, Material(configuration=tmp_path / "none.toml", docs=tmp_path, junit=junit, tests=tmp_path))
    told = rows(found.verdict)
    assert (told["tests"].standing, told["preflight"].standing) == ("failed", "failed")
    made = {one.source: one.status for one in found.cycle.produced}
    assert (made["torn_write"], made["control_mutation"]) == ("UNKNOWN", "OK")
    newest = gates.newest(gates.now())
    assert newest["torn_write"].environment == "simulated"


def test_a_strict_cycle_asks_as_a_build_and_leaves_its_artefact(tmp_path, run, gates):
    found = strict_cycle(gates, GATES["live"], material(tmp_path, run), SystemClock(), incident="INC-1",
                         policy=NOT_WAITING)  # fmt: skip
    assert found.verdict.exit_code == 2
    assert (found.verdict.mode.ci, found.verdict.mode.strict) == (True, True)
    assert not rows(found.verdict)["log_maturity"].met
    place = gates.store.root / "strict" / f"{found.cycle.cycle_id}.json"
    assert address(place.read_bytes()) == found.cycle.cycle_id
    told = json.loads(place.read_bytes())
    assert (told["verdict_id"], told["answer"]) == (found.verdict_id, "NO-GO")
    assert all(one["run_id"] != found.verdict.run_id for one in told["produced"])
    strict = gates.strict_verdict()
    assert strict.verdict_id == found.verdict_id
    assert found.verdict.table_hash == table_hash(GATES["live"])


def snapshot(journal, clock, at):
    one = registry().get("resources")
    taken = take(one, healthy_facts(one, at), one.policy, at, environment="paper", code_version=CODE)
    journal.append(taken.id, taken.assessment, encode(taken), at)
    journal.commit()


class RenewingClock(EventClock):
    """Renew the desk's snapshot at the second poll."""

    def __init__(self, start, journal):
        super().__init__(start)
        self._journal, self.polls = journal, 0

    def sleep(self, nanos):
        super().sleep(nanos)
        self.polls += 1
        if self.polls == 2:
            snapshot(self._journal, self, self.now())


def test_a_cycle_waits_for_what_a_living_desk_renews_and_no_longer_than_its_limit(tmp_path, document):
    start = 1_772_582_400 * NANOS_PER_SECOND
    journal = SnapshotJournal(tmp_path / "snapshots", EventClock(start))
    snapshot(journal, None, start - 60 * NANOS_PER_SECOND)
    clock = RenewingClock(start, journal)
    store = GateStore(tmp_path / "gates", clock)
    gates = Gates(store, binding_of(document, code=CODE, tier="paper"), clock, assessments=(tmp_path / "snapshots",))
    assert await_renewed(gates, start, clock, CyclePolicy()) == ()
    assert clock.now() - start == 10 * NANOS_PER_SECOND
    late = EventClock(clock.now())
    assert await_renewed(gates, clock.now() + 1, late, CyclePolicy()) == ("resources",)
    assert late.now() - clock.now() == 180 * NANOS_PER_SECOND
    journal.close()
    ended = EventClock(late.now())
    assert await_renewed(gates, clock.now() + 1, ended, CyclePolicy()) == ()
    assert ended.now() == late.now()


def test_the_verbs_ask_over_a_run_and_name_what_they_made(tmp_path, run, monkeypatch, capsys):
    monkeypatch.setattr(identity, "code_hash", lambda: CODE)
    folder = tmp_path / "gates"
    words = ["--run", str(run), "--gates", str(folder), "--docs", "docs", "--wait", "0"]
    assert call(["gate", "promote", "--strict", *words]) == 2
    out = capsys.readouterr().out
    assert "NO-GO:" in out
    (given,) = GateStore(folder, SystemClock()).read().verdicts
    assert call(["gate", "verify", "promotion", given.verdict_id[:12], "--gates", str(folder)]) == 0
    assert call(["gate", "strict", *words]) == 2
    assert "made  replay_determinism" in capsys.readouterr().out
    assert call(["gate", "promote", "--gates", str(folder)]) == 3
    assert call(["gate", "promote", *words, "--witness", "w"]) == 3
    assert msgspec.json.decode((run / "configuration.json").read_bytes())
