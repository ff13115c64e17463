"""`tradeworthy gate` leaves with the house's codes: 0 GO, 1 with warnings, 2 NO-GO, 3 nobody can say."""

import socket
from pathlib import Path

import msgspec
import pytest

from tradeworthy.app import identity
from tradeworthy.app.config import load
from tradeworthy.app.gates.check_mutations import registered
from tradeworthy.app.gates.desk_gates import Gates, RecordedVerdicts, binding_of
from tradeworthy.app.gates.verdicts import GateAsk
from tradeworthy.app.halting.guard_memory import LAST_RUN
from tradeworthy.cli import gate_capital
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal
from tradeworthy.kernel.report import Check, Report, canonical
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal
from tradeworthy.operations.assessments.framework.mutation import healthy_facts
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import encode, take
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.gates.asking import journals_of
from tradeworthy.operations.gates.build_alerts import BuildAlerted
from tradeworthy.operations.gates.capital.ramp import RampDecided, Step
from tradeworthy.operations.gates.maturity import Rebaselined
from tradeworthy.operations.gates.model import Verdict
from tradeworthy.operations.gates.named import GATES, Act
from tradeworthy.operations.gates.policy_ledger import StageChanged, standings
from tradeworthy.operations.gates.reading import healthy
from tradeworthy.operations.gates.signed_rebaseline import signers_of
from tradeworthy.operations.gates.store import GateStore

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config" / "paper.toml"


CODE = "c" * 64


@pytest.fixture(autouse=True)
def one_release(monkeypatch):
    """Let every verb see the same code, whatever is written meanwhile."""
    monkeypatch.setattr(identity, "code_hash", lambda package=None: CODE)


@pytest.fixture
def binding():
    return binding_of(load(CONFIG), code=CODE, tier="paper")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "gates"


def gate(folder, *words):
    return call(["gate", *map(str, words), "--gates", str(folder)])


def fill(folder, binding, name, *, status=Severity.OK, but=()):
    """Record healthy evidence for every row of a gate, as its producers would."""
    store, clock = GateStore(folder, SystemClock()), SystemClock()
    for one in {one.source: one for one in GATES[name].requirements if one.source not in but}.values():
        made = healthy(one.source, clock.now(), environment=binding.environment, hashes=binding.hashes)
        store.record(msgspec.structs.replace(made, status=status))


def verdicts(folder, name):
    return [one for one in GateStore(folder, SystemClock()).read().verdicts if one.verdict.gate == name]


def test_without_evidence_every_gate_is_no_go(folder):
    for name in GATES:
        assert gate(folder, "check", name, CONFIG) == 2
        assert [one.verdict.answer for one in verdicts(folder, name)] == ["NO-GO"]
    assert gate(folder, "status") == 2


def test_a_gate_is_go_once_its_checks_are_proved_and_its_evidence_is_good(folder, binding, capsys):
    fill(folder, binding, "desk_health")
    assert gate(folder, "check", "desk_health", CONFIG) == 2
    assert "unproven" in capsys.readouterr().out
    assert gate(folder, "mutate", "desk_health", "--configuration", CONFIG) == 0
    assert gate(folder, "check", "desk_health", CONFIG) == 0
    out = capsys.readouterr().out
    assert "GO without warnings, ends in" in out
    name = verdicts(folder, "desk_health")[-1].verdict_id
    assert (folder / "desk_health" / f"{name}.html").is_file()
    assert gate(folder, "verify", "desk_health", name[:12]) == 0
    assert gate(folder, "history", "desk_health") == 0
    assert gate(folder, "history", "desk_health", "--today-rules") == 0
    assert capsys.readouterr().out.count("the same") >= 2


def test_warnings_leave_with_one_and_failures_with_two(folder, binding, capsys):
    gate(folder, "mutate", "desk_health", "--configuration", CONFIG)
    fill(folder, binding, "desk_health", status=Severity.WARN)
    assert gate(folder, "check", "desk_health", CONFIG) == 1
    fill(folder, binding, "desk_health", status=Severity.UNKNOWN)
    assert gate(folder, "check", "desk_health", CONFIG) == 2
    capsys.readouterr()
    assert gate(folder, "explain", "desk_health", CONFIG) == 2
    told = capsys.readouterr().out
    assert "renew log_integrity" in told
    assert "way 1" in told


def test_an_edited_verdict_is_found(folder, capsys):
    gate(folder, "check", "system_validation", CONFIG)
    (given,) = verdicts(folder, "system_validation")
    place = folder / "system_validation" / f"{given.verdict_id}.json"
    place.write_bytes(place.read_bytes().replace(b"NO-GO", b"no-go", 1))
    assert gate(folder, "verify", "system_validation", given.verdict_id) == 2
    assert gate(folder, "verify", "system_validation", "ffff") == 3


def test_promotion_makes_its_own_preflight_and_a_corrupt_runbook_fails_it(folder, tmp_path):
    assert gate(folder, "promote", CONFIG, "--docs", ROOT / "docs") == 2
    (given,) = verdicts(folder, "promotion")
    rows = {row.id: row for row in given.verdict.rows}
    assert rows["preflight"].met
    assert not rows["tests"].met
    docs = tmp_path / "docs"
    (docs / "runbooks").mkdir(parents=True)
    assert gate(folder, "promote", CONFIG, "--docs", docs) == 2
    rows = {row.id: row for row in verdicts(folder, "promotion")[-1].verdict.rows}
    assert rows["preflight"].standing == "failed"


def test_evidence_of_an_earlier_cycle_does_not_count_for_this_one(folder):
    gate(folder, "promote", CONFIG, "--docs", ROOT / "docs")
    gate(folder, "check", "promotion", CONFIG)
    rows = {row.id: row for row in verdicts(folder, "promotion")[-1].verdict.rows}
    assert rows["preflight"].standing == "other_run"


def test_a_report_is_recorded_with_its_own_status_and_an_altered_one_is_refused(folder, tmp_path, capsys):
    told = Report(name="regression", title="r", sources=(), checks=(Check("a.b", Severity.FAIL, "1", "0", "bad"),))
    place = tmp_path / "report.json"
    place.write_bytes(canonical(told))
    assert gate(folder, "record", place, CONFIG) == 0
    assert "regression  FAIL" in capsys.readouterr().out
    place.write_bytes(canonical(told).replace(b"FAIL", b"OK", 1))
    assert gate(folder, "record", place, CONFIG) == 3
    place.write_bytes(canonical(msgspec.structs.replace(told, name="other")))
    assert gate(folder, "record", place, CONFIG) == 3
    assert gate(folder, "record", tmp_path / "none.json", CONFIG) == 3


def test_the_ladder_tells_the_level_and_what_is_missing(folder, capsys):
    assert gate(folder, "ladder", CONFIG) == 2
    assert "missing first: tests" in capsys.readouterr().out


@pytest.mark.parametrize("words", [
    ("check", "nothing", CONFIG), ("check", "live", CONFIG, "--tier", "huge"), ("check", "live", "none.toml"),
    ("check", "live", CONFIG, "--class-override", "tests=warning"), ("check", "live", CONFIG, "--at", "yesterday"),
    ("check", "live", CONFIG, "--waivers", "w"), ("daily", "--until", "yesterday"),
    ("watch", "live", CONFIG, "--every", "0"),
])  # fmt: skip
def test_words_that_nobody_can_judge_leave_with_three(folder, words):
    assert gate(folder, *words) == 3
    assert not (folder / "live").exists()


def test_looking_back_keeps_nothing(folder):
    assert gate(folder, "check", "live", CONFIG, "--at", "2026-01-31T00:00:00Z") == 2
    assert verdicts(folder, "live") == []
    assert gate(folder, "history") == 3


def test_a_watch_tells_the_turn_once_and_ends_with_the_answers_code(folder, binding, capsys):
    assert gate(folder, "watch", "desk_health", CONFIG, "--times", 1) == 2
    assert "raise  gate_lapse" in capsys.readouterr().out
    assert gate(folder, "watch", "desk_health", CONFIG, "--times", 1) == 2
    assert "raise" not in capsys.readouterr().out
    gate(folder, "mutate", "desk_health", "--configuration", CONFIG)
    fill(folder, binding, "desk_health")
    assert gate(folder, "watch", "desk_health", CONFIG, "--times", 1) == 0
    assert "resolve  gate_lapse" in capsys.readouterr().out


def test_soak_and_readiness_hold_with_their_blockers(folder, capsys):
    assert gate(folder, "soak", CONFIG) == 2
    assert "stale_reports" in capsys.readouterr().out
    assert gate(folder, "ready", CONFIG) == 2
    assert "Readiness: HOLD" in capsys.readouterr().out


def test_the_day_can_be_reported(folder, tmp_path):
    gate(folder, "check", "live", CONFIG)
    place = tmp_path / "day.md"
    assert gate(folder, "daily", "--output", place) == 0
    assert "## Next three" in place.read_text()


def test_a_verdict_is_told_as_certificate_summary_week_and_scorecard(folder, tmp_path, capsys):
    gate(folder, "check", "desk_health", CONFIG)
    (given,) = verdicts(folder, "desk_health")
    short = given.verdict_id[:12]
    capsys.readouterr()
    assert gate(folder, "certificate", "desk_health", short) == 2
    first = capsys.readouterr().out
    assert first.startswith("# Certificate: gate desk_health, NO-GO")
    at = stamp_of(given.verdict.evaluated_at + 14 * 86_400 * 10**9)
    assert gate(folder, "certificate", "desk_health", short, "--at", at) == 2
    again = capsys.readouterr().out
    assert gate(folder, "certificate", "desk_health", short, "--at", at) == 2
    assert capsys.readouterr().out == again
    place = tmp_path / "summary.md"
    place.write_text("before\n")
    assert gate(folder, "summary", "desk_health", "--output", place) == 2
    assert place.read_text().startswith("before\n# Gate desk_health: NO-GO")
    assert gate(folder, "summary", "live") == 3
    assert gate(folder, "weekly", "--until", at) == 0
    assert "## Committee" in capsys.readouterr().out
    assert gate(folder, "scorecard", CONFIG) == 1
    assert "Largest gaps of desk" in capsys.readouterr().out
    assert gate(folder, "drill", "desk_health", "resources", short, short, short, "--name", "d", "--out", tmp_path) == 3


def test_packages_are_judged_against_their_lock(tmp_path, capsys):
    lock, advisories = tmp_path / "run.txt", tmp_path / "advisories.json"
    words = ["gate", "supply", "--lock", str(lock), "--out", str(tmp_path)]
    lock.write_text("pytest==1.0\n    --hash=sha256:aa\n")
    assert call(words) == 2
    lock.write_text(f"pytest=={pytest.__version__} \\\n    --hash=sha256:aa\n")
    assert call(words) == 3
    advisories.write_text(f'{{"stamp": {SystemClock().now()}, "advisories": []}}')
    assert call([*words, "--advisories", str(advisories)]) == 0
    assert call([*words, "--advisories", str(lock)]) == 3


def good(folder, binding, status=Severity.OK):
    """Record one check and return its id."""
    made = healthy("regression", SystemClock().now(), environment="paper", hashes=binding.hashes)
    return GateStore(folder, SystemClock()).record(msgspec.structs.replace(made, status=status)).evidence_id


@pytest.fixture
def people(tmp_path):
    """Return a trust file and the keys of two people who may approve."""
    trust, keys = tmp_path / "people.json", {}
    for name in ("bob", "cy"):
        keys[name] = tmp_path / f"{name}.key"
        assert call(["evidence", "key", str(keys[name])]) == 0
        assert call(["evidence", "trust", "add", str(trust), "--key", f"{keys[name]}.pub", "--holder", name, "--role",
                     "risk", "--valid-from", "2020-01-01T00:00:00Z", "--valid-to", "2090-01-01T00:00:00Z"]) == 0
    return trust, keys


def test_a_policy_climbs_by_evidence_and_signed_approvals_and_goes_down_freely(
    folder, binding, people, tmp_path, capsys
):
    step, shown, (trust, keys) = ("--author", "ann", "--reason", "r"), good(folder, binding), people
    files = {name: tmp_path / f"{name}.approval" for name in keys}
    for name, private in keys.items():
        assert call(["gate", "approve", "p", "pilot", "--evidence", shown, "--role", "risk", "--key", str(private),
                     "--output", str(files[name])]) == 0  # fmt: skip
    capsys.readouterr()
    assert gate(folder, "stage", "p") == 0
    assert "experiment; open to it: paper" in capsys.readouterr().out
    assert gate(folder, "stage", "p", "pilot", *step, "--evidence", shown) == 2
    assert gate(folder, "stage", "p", "paper", *step, "--evidence", "typed") == 2
    assert gate(folder, "stage", "p", "paper", *step, "--evidence", good(folder, binding, Severity.FAIL)) == 2
    assert gate(folder, "stage", "p", "paper", *step, "--evidence", shown) == 0
    assert gate(folder, "stage", "p", "pilot", *step, "--evidence", shown) == 2
    signed = ("--evidence", shown, "--approval", files["bob"])
    assert gate(folder, "stage", "p", "pilot", *step, *signed) == 3
    assert gate(folder, "stage", "p", "pilot", "--author", "bob", "--reason", "r", *signed, "--trust", trust) == 2
    assert gate(folder, "stage", "q", "paper", *step, *signed, "--trust", trust) == 2
    assert gate(folder, "stage", "p", "pilot", *step, *signed, "--trust", trust) == 0
    assert gate(folder, "stage", "p", "experiment", *step) == 0
    tighter = ("--override", "decisions=30")
    assert gate(folder, "stage", "p", "paper", *step, "--evidence", shown, "--override", "decisions=3") == 2
    assert gate(folder, "stage", "p", "paper", *step, "--evidence", shown, *tighter) == 0
    assert gate(folder, "stage-report", CONFIG) == 0
    assert "threshold      decisions 30" in capsys.readouterr().out
    assert gate(folder, "stage", "p", "experiment", *step) == 0
    assert gate(folder, "stage", "p", "paper") == 3
    assert call(["gate", "approve", "p", "huge", "--evidence", "e", "--role", "risk", "--key", str(keys["bob"]),
                 "--output", str(tmp_path / "x")]) == 3  # fmt: skip
    capsys.readouterr()
    assert gate(folder, "stage", "p") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "experiment; open to it: paper"


def test_lists_and_tables_are_told(folder, capsys):
    assert call(["gate", "list"]) == 0
    assert call(["gate", "show", "live"]) == 0
    assert "venue_soak" in capsys.readouterr().out
    assert call(["gate", "show"]) == 3


def test_the_runtime_asks_and_is_refused_and_let_through(folder, binding):
    clock = SystemClock()
    gates = Gates(GateStore(folder, clock), binding, clock)
    asked = RecordedVerdicts(gates.door(), clock, Act.CHANGE_TIER)
    question = GateAsk(
        release=binding.release, tier=binding.tier, environment=binding.environment, hashes=binding.hashes
    )  # fmt: skip
    assert not asked.answer(question).go
    gate(folder, "check", "promotion", CONFIG)
    refused = asked.answer(question)
    assert (refused.go, refused.why.partition(":")[0]) == (False, "gate promotion, no_go")
    assert [one.allowed for _, one in gates.store.read().answers] == [False, False]


def test_another_code_voids_proofs_and_what_was_bound_to_it(folder, binding, monkeypatch):
    gate(folder, "mutate", "desk_health", "--configuration", CONFIG)
    fill(folder, binding, "desk_health")
    assert gate(folder, "check", "desk_health", CONFIG) == 0
    monkeypatch.setattr(identity, "code_hash", lambda: "d" * 64)
    assert gate(folder, "check", "desk_health", CONFIG) == 2
    assert {row.standing for row in verdicts(folder, "desk_health")[-1].verdict.rows} == {"unproven"}


def test_json_is_the_verdict_itself(folder, capsys):
    gate(folder, "check", "system_validation", CONFIG, "--json")
    found = msgspec.json.decode(capsys.readouterr().out.encode(), type=Verdict)
    assert found.gate == "system_validation"
    assert registered()


def lines(path, rows):
    path.write_bytes(b"\n".join(msgspec.json.encode(one) for one in rows))
    return str(path)


def test_capital_is_earned_by_diary_sessions_and_pairs_and_an_abort_demotes(folder, binding, tmp_path, capsys):
    step = ("--author", "ann", "--reason", "r", "--evidence", good(folder, binding))
    assert gate(folder, "stage", "p", "paper", *step) == 0
    diary = lines(tmp_path / "d", [{"at": 1, "stage": "experiment", "regime": "bullish", "mood": "normal"}])
    assert call(["gate", "capital", "graduate", diary, "--to", "paper", "--out", str(tmp_path)]) == 2
    assert call(["gate", "capital", "graduate", diary, "--to", "huge"]) == 3
    sessions = lines(tmp_path / "s", [{"decisions": 2, "hits": 1}] * 3)
    assert call(["gate", "capital", "tune", sessions]) == 0
    lost = {"session": "a", "filled": True, "candidate_erred": None, "baseline_erred": None}
    assert gate(folder, "capital", "ramp", "p", "paper", lines(tmp_path / "m", [lost])) == 1
    capsys.readouterr()
    assert gate(folder, "capital", "ramp", "p", "paper", lines(tmp_path / "m", [lost] * 4)) == 2
    assert "do now: flat" in capsys.readouterr().out
    assert gate(folder, "stage", "p") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("experiment;")
    over = {"envelope": {"notional": "101", "spread": "0.01", "stop": "0.02", "take_profit": "0.05", "cancels": 20},
            "fills_since_calibration": 0, "live_instances": 0, "cross_exposure": None, "trades": 30}  # fmt: skip
    assert call(["gate", "capital", "envelope", lines(tmp_path / "e", [over]), "--out", str(tmp_path)]) == 2
    assert call(["gate", "capital", "tune", str(tmp_path / "none")]) == 3


def test_a_counterfactual_at_its_limit_moves_the_ledger_to_paper(folder, binding, tmp_path, capsys):
    store = GateStore(folder, SystemClock())
    for stage in ("paper", "pilot"):
        store.note(StageChanged("p", stage, "ann", "r", good(folder, binding), ("bob",), overrides=()))
    line = {"at": 1, "stage": "pilot", "regime": "bullish", "mood": "normal", "counterfactual": 0.2}
    words = ("capital", "graduate", lines(tmp_path / "d", [line]), "--to", "limited_live", "--out", tmp_path)
    assert gate(folder, *words) == 2
    assert standings(store.read().stages)["p"].stage == "pilot"
    assert gate(folder, *words, "--policy-id", "p") == 2
    assert "p is put back to paper" in capsys.readouterr().out
    assert standings(store.read().stages)["p"].stage == "paper"
    assert gate(folder, *words, "--policy-id", "p") == 2
    assert len(store.read().stages) == 3


def test_a_step_to_real_capital_needs_the_gates_go(folder, tmp_path, monkeypatch, capsys):
    store = GateStore(folder, SystemClock())
    told = RampDecided("p", "paper", "canary", Step.PROMOTE, "100 pairs: not worse", 5, 100, 100)
    monkeypatch.setattr(gate_capital, "decide", lambda *words: told)
    words = ("capital", "ramp", "p", "paper", lines(tmp_path / "m", []))
    assert gate(folder, *words) == 2
    assert "expected --configuration" in capsys.readouterr().out
    assert gate(folder, *words, "--configuration", CONFIG) == 2
    assert "capital_step needs the gate's GO: gate live, absent" in capsys.readouterr().out
    (answer,) = [one for _, one in store.read().answers]
    assert (answer.act, answer.subject, answer.tier, answer.allowed) == ("capital_step", "p to canary", "canary", False)
    steps = [one.step for _, one in store.read().notes if isinstance(one, RampDecided)]
    assert steps == [Step.HOLD, Step.HOLD]
    monkeypatch.setattr(gate_capital, "decide", lambda *words: msgspec.structs.replace(told, tier="shadow", to="paper"))
    assert gate(folder, *words) == 0


def test_a_count_begun_anew_needs_two_people_and_a_recovery_names_what_is_broken(folder, people, tmp_path, capsys):
    trust, keys = people
    words = ("rebaseline", "--source", "market_data", "--counted", 4, "--reason", "another feed", "--trust", trust)
    assert gate(folder, *words, "--key", keys["cy"]) == 2
    assert gate(folder, *words, "--key", keys["cy"], "--key", keys["bob"]) == 0
    (note,) = [one for _, one in GateStore(folder, SystemClock()).read().notes if isinstance(one, Rebaselined)]
    assert (note.counted, signers_of(note, read_trust(trust))) == (4, ("cy", "bob"))
    capsys.readouterr()
    assert gate(folder, "recover", CONFIG, "--service", "desk=http://127.0.0.1:1/health", "--wait", 0) == 2
    assert "broken: desk" in capsys.readouterr().out
    assert gate(folder, "recover", CONFIG, "--service", "desk") == 3
    assert gate(folder, "maturity", CONFIG, "--run", tmp_path) == 3
    assert gate(folder, "maturity", CONFIG, "--run", tmp_path, "--every", 0) == 3
    assert gate(folder, "rollback", CONFIG, "--run", tmp_path, "--previous", tmp_path) == 3
    assert gate(folder, "rollback", CONFIG, "--run", tmp_path, "--previous", tmp_path, "--node", "a") == 3


def test_reports_that_are_due_are_written_once(folder, capsys):
    assert gate(folder, "reports") == 0
    assert capsys.readouterr().out.count("written") == 2
    assert gate(folder, "reports") == 0
    assert "written" not in capsys.readouterr().out
    assert gate(folder, "reports", "--every", 0) == 3


def test_a_build_asks_without_a_network(folder, binding, monkeypatch):
    def refused(*words, **more):
        raise AssertionError("a gate opened a socket")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refused)
    fill(folder, binding, "desk_health")
    for name in GATES:
        assert gate(folder, "check", name, CONFIG, "--ci") == 2
        assert gate(folder, "check", name, CONFIG, "--ci", "--strict") == 2


def test_a_warning_of_a_named_component_blocks_and_the_json_says_so(folder, binding, capsys):
    gate(folder, "mutate", "operational_readiness", "--configuration", CONFIG)
    fill(folder, binding, "operational_readiness", status=Severity.WARN)
    assert gate(folder, "check", "operational_readiness", CONFIG) == 1
    capsys.readouterr()
    words = ("check", "operational_readiness", CONFIG, "--json", "--warn-component", "system_validation")
    assert gate(folder, *words) == 2
    found = msgspec.json.decode(capsys.readouterr().out.encode(), type=Verdict)
    assert [one.partition(":")[0] for one in found.blocking] == ["system_validation"]
    assert "issue.system_validation.warn_blocked" in [code for row in found.rows for code in row.codes]
    assert gate(folder, "check", "operational_readiness", CONFIG, "--block-on-warn") == 2
    assert len(verdicts(folder, "operational_readiness")[-1].verdict.blocking) == 3
    assert gate(folder, "check", "operational_readiness", CONFIG, "--warn-component", "nothing") == 3


def test_verify_finds_the_journal_of_the_desk_that_a_verdict_cites(folder, binding, capsys):
    one, clock = registry().get("time_integrity"), SystemClock()
    for desk in ("other", load(CONFIG).desk.name):
        now = clock.now()
        snapshot = take(one, healthy_facts(one, now), one.policy, now, environment="paper", code_version=CODE)
        journal = SnapshotJournal(folder.parent / "state" / desk / "assessments", clock)
        journal.append(snapshot.id, one.name, encode(snapshot), now)
        journal.close()
    assert gate(folder, "check", "desk_health", CONFIG) == 2
    (given,) = verdicts(folder, "desk_health")
    assert snapshot.id in {artefact.sha256 for artefact in given.verdict.artefacts}
    assert [one.parent.name for one in journals_of(GateStore(folder, clock), given)] == [load(CONFIG).desk.name]
    assert gate(folder, "verify", "desk_health", given.verdict_id) == 0
    assert gate(folder, "verify", "desk_health", given.verdict_id, "--assessments", folder / "none") == 2


def test_a_verdict_cites_the_head_of_the_desks_last_journal(folder, tmp_path):
    runs, name = folder.parent, load(CONFIG).desk.name
    assert gate(folder, "check", "system_validation", CONFIG) == 2
    journal, now = Journal.open(runs / "last" / "journal", clock=SystemClock()), SystemClock().now()
    for key in (1, 2, 3):
        told = BuildAlerted("tests", True, now, False, (), ())
        journal.accept(event_of(told, source="made", key=key, ts_event=now, ts_init=now))
    journal.close()
    state = runs / "state" / name
    state.mkdir(parents=True)
    (state / LAST_RUN).write_text("last")
    assert gate(folder, "check", "system_validation", CONFIG) == 2
    first, second = (one.verdict for one in verdicts(folder, "system_validation"))
    assert (first.context.journal_head, second.context.journal_head[0]) == (None, 3)
    assert first.bundle_id != second.bundle_id
    assert gate(folder, "verify", "system_validation", verdicts(folder, "system_validation")[-1].verdict_id) == 0
