"""An incident's states, its people, its means: a fold that any replay of the facts repeats."""

import msgspec
import pytest
from alert_scene import SECOND, START, policy_of, signal
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.operations.incidents.acts import Request, Verb, act_on_incidents
from tradeworthy.operations.incidents.book import AlertBook
from tradeworthy.operations.incidents.catalogue import sev_of
from tradeworthy.operations.incidents.lifecycle import NEXT, IncidentBook, IncidentRefused, Phase, replayed
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.routing import Routing

INFO, WARNING, ERROR, CRITICAL = AlertSeverity
MINUTE = 60 * SECOND
FULL = {"review": "r", "cause": "c", "check": "k", "failed_before": "f", "passed_after": "p"}
WAY = {
    Phase.OPEN: (), Phase.ACKNOWLEDGED: (Phase.ACKNOWLEDGED,), Phase.MITIGATED: (Phase.ACKNOWLEDGED, Phase.MITIGATED),
    Phase.RESOLVED: (Phase.ACKNOWLEDGED, Phase.RESOLVED),
    Phase.REVIEWED: (Phase.ACKNOWLEDGED, Phase.RESOLVED, Phase.REVIEWED),
    Phase.CLOSED: (Phase.ACKNOWLEDGED, Phase.RESOLVED, Phase.REVIEWED, Phase.CLOSED),
}  # fmt: skip


def alert_of(code="kill.flat", severity=CRITICAL, at=START, component="gateway"):
    policy = policy_of().alerts
    told = signal(code, severity=severity, component=component)
    return AlertBook(policy, Routing(policy), run_id="r").take(told, at).alert


def book_at(phase, told=None):
    book = IncidentBook(IncidentPolicy())
    facts = [] if told is None else told

    def keep(fact):
        facts.append(fact)
        book.fold(fact)

    keep(book.open_for(alert_of(), START))
    for n, step in enumerate(WAY[phase], 1):
        keep(book.move("INC-00001", step, "ann", START + n * MINUTE, **FULL))
    return book


@pytest.mark.parametrize("before", list(Phase))
@pytest.mark.parametrize("after", list(Phase))
def test_only_the_steps_of_the_table_are_allowed_and_a_step_twice_is_once(before, after):
    book = book_at(before)
    if before is after:
        assert book.move("INC-00001", after, "ann", START, **FULL) is None
    elif after in NEXT[before]:
        assert book.move("INC-00001", after, "ann", START, **FULL).phase is after
    else:
        with pytest.raises(IncidentRefused, match=f"is {before.value}"):
            book.move("INC-00001", after, "ann", START, **FULL)


@pytest.mark.parametrize("missing", ["cause", "check", "failed_before", "passed_after"])
def test_closing_without_a_cause_and_a_check_that_would_catch_it_is_refused(missing):
    with pytest.raises(IncidentRefused, match=missing):
        book_at(Phase.REVIEWED).move("INC-00001", Phase.CLOSED, "ann", START, **(FULL | {missing: ""}))


def test_a_review_needs_words_and_a_step_needs_a_person():
    with pytest.raises(IncidentRefused, match="review"):
        book_at(Phase.RESOLVED).move("INC-00001", Phase.REVIEWED, "ann", START)
    with pytest.raises(IncidentRefused, match="person"):
        book_at(Phase.OPEN).move("INC-00001", Phase.ACKNOWLEDGED, "", START)


def test_one_incident_while_it_lives_and_another_when_it_comes_back_after_that():
    book = book_at(Phase.ACKNOWLEDGED)
    assert book.open_for(alert_of(), START) is None
    assert book.open_for(alert_of(component="other"), START).incident == "INC-00002"
    assert book_at(Phase.RESOLVED).open_for(alert_of(), START).incident == "INC-00002"


@pytest.mark.parametrize(
    ("code", "severity", "sev"),
    [
        ("kill.flat", CRITICAL, 1), ("journal.stalls", CRITICAL, 1), ("reconciliation.break", CRITICAL, 1),
        ("venue.down", CRITICAL, 2), ("kill.slow", WARNING, 4), ("alert_path.unrouted_error", ERROR, 3),
        ("x.y", ERROR, 3), ("x.y", INFO, 5),
    ],
)  # fmt: skip
def test_money_or_control_at_risk_is_the_gravest(code, severity, sev):
    assert sev_of(alert_of(code, severity)) == sev


def test_a_severity_rises_freely_and_falls_with_a_reason_and_a_second_person():
    book = book_at(Phase.OPEN)
    with pytest.raises(IncidentRefused, match="second"):
        book.rate("INC-00001", 2, "ann", START, reason="less")
    with pytest.raises(IncidentRefused, match="second"):
        book.rate("INC-00001", 2, "ann", START, reason="less", second="ann")
    book.fold(book.rate("INC-00001", 2, "ann", START, reason="less", second="bob"))
    assert book.get("INC-00001").sev == 2
    assert book.rate("INC-00001", 1, "ann", START).sev == 1
    assert book.rate("INC-00001", 2, "ann", START) is None


def test_means_are_those_of_the_journal_with_n_and_drills_apart():
    book = IncidentBook(IncidentPolicy())
    for n, (ack, fix, drill) in enumerate([(2, 10, False), (4, 30, False), (60, 600, True)], 1):
        book.fold(book.open_by("ann", f"i{n}", 3, START, drill=drill))
        book.fold(book.move(f"INC-{n:05d}", Phase.ACKNOWLEDGED, "ann", START + ack * MINUTE))
        book.fold(book.move(f"INC-{n:05d}", Phase.RESOLVED, "ann", START + fix * MINUTE))
    found = book.means(START + 60 * MINUTE)
    assert (found.mtta.minutes, found.mtta.n) == (3.0, 2)
    assert (found.mttr.minutes, found.mttr.n) == (20.0, 2)
    assert found.mtta.low < 3.0 < found.mtta.high
    assert (found.drills_mtta.minutes, found.drills_mtta.low, found.drills_mttr.minutes) == (60.0, None, 600.0)
    past = book.means(START + 30 * 86_400 * SECOND + 1)
    assert past.mtta.n == past.mttr.n == 0
    assert past.mtta.minutes is None


def test_a_grave_incident_is_late_when_five_minutes_are_reached():
    book = book_at(Phase.OPEN)
    assert book.late(START + 5 * MINUTE - 1) == ()
    assert book.late(START + 5 * MINUTE) == ("INC-00001",)
    assert book_at(Phase.ACKNOWLEDGED).late(START + 5 * MINUTE) == ()


def test_memory_is_bounded_and_what_lives_stays():
    book = IncidentBook(IncidentPolicy(kept_max=2))
    for n in range(3):
        book.fold(book.open_by("ann", f"i{n}", 3, START))
        if n == 1:
            book.fold(book.move("INC-00002", Phase.ACKNOWLEDGED, "ann", START))
            book.fold(book.move("INC-00002", Phase.RESOLVED, "ann", START))
    assert [one.id for one in book.all] == ["INC-00001", "INC-00003"]


@given(st.lists(st.tuples(st.sampled_from(list(Verb)), st.integers(1, 3), st.sampled_from(list(Phase)),
                          st.integers(1, 5), st.booleans()), max_size=25))  # fmt: skip
def test_any_play_of_acts_folds_to_the_same_book_at_every_cut(plays):
    facts, book = [], IncidentBook(IncidentPolicy())

    def keep(fact):
        facts.append(fact)
        book.fold(fact)

    for n, (verb, target, phase, sev, full) in enumerate(plays):
        words = FULL if full else {}
        asked = Request(
            id=str(n), verb=verb, person="ann", target=f"INC-{target:05d}", phase=phase, sev=sev, text="t",
            second="bob", **words,
        )  # fmt: skip
        before = len(facts)
        answer = act_on_incidents(book, asked, START + n, keep)
        assert answer.fault == "" or len(facts) == before, "a refusal changes nothing"
        again = replayed(facts, IncidentPolicy())
        assert msgspec.json.encode(again.all) == msgspec.json.encode(book.all)
