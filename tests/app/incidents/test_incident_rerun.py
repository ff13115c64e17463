"""Incidents beside a real run's journal: tickets, reviews, and today's checks on what the desk knew (IN-02, 05, 07)."""

import json
import os
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tradeworthy.app import config
from tradeworthy.app.alerts.desk import AlertDesk
from tradeworthy.app.alerts.journal import ALERTS, JOURNAL, AlertJournal
from tradeworthy.app.incidents.course import course_of, scene_at_rest
from tradeworthy.app.incidents.rerun import desks_of, judged_again, rerun_desk
from tradeworthy.app.incidents.validation import DESK, LOOSE, _raw
from tradeworthy.app.runs import last_run
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.course import DURING
from tradeworthy.operations.incidents.lifecycle import Phase
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.postmortem import postmortem
from tradeworthy.trading.model import NANOS

CLOCK = SystemClock()
DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
ONE, ROWS = "INC-00001", 800


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Return the root of one paper run that is over."""
    root = tmp_path_factory.mktemp("runs")
    document = config.parse(_raw("paper", rows=ROWS, throttle=LOOSE, speed=0), origin="a small desk")
    RunSession(document, root=root, clock=CLOCK, environ=os.environ).play()
    return root


@pytest.fixture
def root(played, tmp_path):
    """Return a copy of that root with an alert path's journal that is empty but for its opening."""
    shutil.copytree(played, tmp_path / "runs")
    path = tmp_path / "runs" / "state" / DESK / ALERTS / JOURNAL
    path.parent.mkdir(parents=True)
    AlertJournal(path, CLOCK, run_id="t").close()
    return tmp_path / "runs"


class People:
    """Ask a desk at rest."""

    def __init__(self, root):
        self.desk, self.asked = AlertDesk(root, DESK, clock=CLOCK), 0

    def do(self, verb, **words):
        self.asked += 1
        answer = self.desk.ask(Request(id=f"q{self.asked}", verb=verb, person="ann", **words))
        assert answer.fault == ""
        return answer.found

    def close(self, check):
        self.do(Verb.OPEN, text="odd", sev=2)
        for phase in (Phase.ACKNOWLEDGED, Phase.RESOLVED):
            self.do(Verb.MOVE, target=ONE, phase=phase)
        self.do(Verb.MOVE, target=ONE, phase=Phase.REVIEWED, review="read")
        self.do(Verb.MOVE, target=ONE, phase=Phase.CLOSED, cause="c", check=check, failed_before="f", passed_after="p")
        return self.desk.incident(ONE)


def test_a_ticket_at_rest_holds_what_the_ledger_held(root):
    state = root / "state" / DESK
    held = scene_at_rest(root, state)(ONE, "open", 1)
    memory = last_run.memory(state, root, 2**62)
    assert memory is not None
    assert {(one.instance, one.instrument): one.lots for one in held.positions} == {
        (one.instance, one.instrument): one.lots for one in memory.positions
    }
    assert held.positions
    assert (held.run, held.seq, held.desk_time) == (memory.run, memory.seq, memory.ts)
    assert held.equity is None or round(held.equity * NANOS) == memory.equity
    assert len(held.config_hash) == 64


def test_a_review_is_filled_in_from_the_journal_and_is_the_same_bytes_twice(root):
    people = People(root)
    one = people.close("data_feed.gap")
    people.do(Verb.ACTION, target=ONE, owner="bob", text="raise the limit", due=2**62)
    draft = postmortem(one, people.desk.row_of(ONE))
    assert draft == postmortem(people.desk.incident(ONE), people.desk.row_of(ONE))
    held = one.began
    assert f"Run `{held.run}` at seq {held.seq}" in draft
    assert f"configuration `{held.config_hash}`" in draft
    for row in held.positions:
        assert f"| {row.instance} {row.instrument} | {row.lots} |" in draft
    assert "`ACT-00001` open, bob: raise the limit" in draft
    assert "| before |" in draft
    assert "nobody commanded it" in draft


def test_the_money_of_an_incident_is_what_the_ledger_booked_in_between(root):
    people = People(root)
    one = people.close("data_feed.gap")
    early = replace(one.began, seq=one.began.seq // 2)
    found = course_of(root, replace(one, began=early), IncidentPolicy())
    assert found.span(DURING).fills > 0
    assert sum(row.fills for row in found.effect) == found.span(DURING).fills
    whole = scene_at_rest(root, root / "state" / DESK)(ONE, "open", 1).booked
    assert sum(row.realized for row in found.effect) != 0
    assert all(row.fills <= all_.fills for row, all_ in zip(found.effect, whole, strict=True))


@pytest.mark.parametrize(("check", "caught"), [
    ("data_feed.gap", True), ("market_data_freshness.message_age", False), ("accounting_integrity.equity", False),
])
def test_a_check_is_held_against_what_the_desk_knew_and_unknown_catches_nothing(root, check, caught):
    one = People(root).close(check)
    problem = judged_again(root, CLOCK)(one, check)
    assert (problem == "") is caught, problem
    assert caught or "says" in problem


def test_a_run_that_was_taken_away_is_a_problem_and_a_check_that_asks_no_run_is_left_to_its_mutation(root):
    one = People(root).close("data_feed.gap")
    assert judged_again(root, CLOCK)(one, "incident_response.late_answer") is None
    assert judged_again(root, CLOCK)(one, "no_such.check") is None
    shutil.rmtree(root / one.began.run)
    assert "gone" in judged_again(root, CLOCK)(one, "data_feed.gap")


@pytest.mark.parametrize(("check", "code"), [("data_feed.gap", 0), ("market_data_freshness.message_age", 2)])
def test_the_nightly_verb_looks_at_every_desk_and_exits_by_what_it_finds(root, check, code, tmp_path, capsys):
    People(root).close(check)
    out = tmp_path / "night.json"
    assert list(desks_of(root)) == [DESK]
    assert call(["incident", "museum", "--all", "--out", str(out), "--runs", str(root)]) == code
    (found,) = json.loads(out.read_bytes())["incidents"][DESK]
    assert (found["check"], not found["problem"]) == (check, code == 0)
    assert f"{DESK}: {1 - code // 2} of 1 past incidents" in capsys.readouterr().out


def test_an_incident_of_a_desk_that_never_ran_is_held_against_the_mutation_alone(tmp_path):
    path = tmp_path / "state" / DESK / ALERTS / JOURNAL
    path.parent.mkdir(parents=True)
    AlertJournal(path, CLOCK, run_id="t").close()
    one = People(tmp_path).close("accounting_integrity.equity")
    assert (one.began.seq, one.began.why) == (0, "no run of the desk is kept")
    (found,) = rerun_desk(tmp_path, DESK, [], CLOCK)
    assert (found.problem, found.by) == ("", "mutation")


def test_the_timer_of_the_night_calls_the_verb_as_it_is(root):
    unit = (DEPLOY / "tradeworthy-museum.service").read_text()
    (line,) = [one for one in unit.splitlines() if one.startswith("ExecStart=")]
    words = line.split()[2:]
    folders = {"/var/lib/tradeworthy/runs": str(root), "/var/lib/tradeworthy/museum.json": str(root / "night.json")}
    People(root).close("data_feed.gap")
    assert call([folders.get(word, word) for word in words]) == 0
    assert (root / "night.json").is_file()
    assert "OnCalendar=" in (DEPLOY / "tradeworthy-museum.timer").read_text()
