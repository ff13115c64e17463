"""Action items: owner, day, state; what is overdue is told, and what cries wolf is proposed to change (IN-06)."""

import pytest
from alert_scene import SECOND, START, Scene, policy_of, signal

from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.actions import ActionWatch, FalsePositive, Stand, Work
from tradeworthy.operations.incidents.acts import Request, Verb, act_on_incidents
from tradeworthy.operations.incidents.judge import judge_incidents
from tradeworthy.operations.incidents.lifecycle import IncidentBook, replayed
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.regulatory import Brought

POLICY = IncidentPolicy()
DAY = NANOS_PER_DAY


class Desk:
    """A book with one incident, and what people asked of it."""

    def __init__(self):
        self.book, self.facts, self.asked = IncidentBook(POLICY), [], 0
        self.keep(self.book.open_by("ann", "odd", 2, START))

    def keep(self, told):
        self.facts.append(told)
        self.book.fold(told)

    def do(self, verb, *, now=START, person="ann", again=False, **words):
        self.asked += not again
        return act_on_incidents(
            self.book, Request(id=f"q{self.asked}", verb=verb, person=person, **words), now, self.keep
        )

    def add(self, **odd):
        words = {"target": "INC-00001", "owner": "bob", "text": "look at it", "due": START + DAY} | odd
        return self.do(Verb.ACTION, **words)


def test_an_action_has_an_owner_a_day_and_a_state_and_the_same_request_makes_one():
    desk = Desk()
    assert desk.add().found == "ACT-00001"
    desk.do(Verb.ACTION, again=True, target="INC-00001", owner="bob", text="look at it", due=START + DAY)
    (one,) = desk.book.actions.of("INC-00001")
    assert (one.stand, one.told.owner, one.told.due, one.told.work) == (Stand.OPEN, "bob", START + DAY, Work.ACTION)
    assert desk.do(Verb.END, target="ACT-00001", stand=Stand.DONE, text="done").fault == ""
    assert desk.do(Verb.END, target="ACT-00001", stand=Stand.DONE, text="done").fault == "", "twice is once"
    assert desk.do(Verb.END, target="ACT-00001", stand=Stand.DROPPED, text="no").fault
    assert [one.stand for one in desk.book.actions.all] == [Stand.DONE]


@pytest.mark.parametrize("wrong", [
    {"owner": ""}, {"text": ""}, {"due": START}, {"due": START - 1}, {"person": ""}, {"target": "INC-9"},
])
def test_an_action_without_owner_text_or_a_day_to_come_is_refused(wrong):
    desk = Desk()
    assert desk.add(**wrong).fault
    assert desk.book.actions.all == ()


@pytest.mark.parametrize(("days", "severity"), [
    (-1e-9, Severity.OK), (0, Severity.WARN), (4.999, Severity.WARN), (5, Severity.FAIL),
])
def test_an_overdue_action_is_a_finding_that_grows(days, severity):
    desk = Desk()
    desk.add()
    found = {one.code: one for one in judge_incidents(desk.book, POLICY, START + DAY + round(days * DAY))}
    assert found["incident_response.action_overdue"].severity is severity
    assert ("ACT-00001 (bob)" in found["incident_response.action_overdue"].observed) is (severity is not Severity.OK)


def test_people_hear_once_when_it_is_late_once_when_it_is_worse_and_when_it_ends():
    desk = Desk()
    desk.add()
    watch = ActionWatch(desk.book.actions)
    told = []
    for at in (0, DAY, DAY + SECOND, 6 * DAY, 6 * DAY + SECOND):
        told += [(one.severity, one.firing, one.owner) for one in watch.look(START + at)]
    assert told == [(AlertSeverity.WARNING, True, "bob"), (AlertSeverity.ERROR, True, "bob")]
    desk.do(Verb.END, target="ACT-00001", stand=Stand.DROPPED, text="the rule is gone")
    assert [one.firing for one in watch.look(START + 7 * DAY)] == [False]


def vain(desk, incident, *, now=START):
    if incident != "INC-00001":
        desk.keep(desk.book.open_by("ann", "odd", 2, now))
    return desk.do(Verb.FALSE, target=incident, text="the feed was fine", now=now)


def test_the_third_false_alarm_of_a_rule_proposes_its_change_and_silences_nothing():
    desk = Desk()
    for n in (1, 2):
        vain(desk, f"INC-0000{n}")
    assert desk.book.actions.all == ()
    vain(desk, "INC-00003")
    (one,) = desk.book.actions.all
    assert (one.stand, one.told.work, one.told.code, one.told.owner) == (
        Stand.PROPOSED, Work.CHANGE_REQUEST, "person", ""
    )
    assert "config propose" in one.told.text
    assert {type(told).__name__ for told in desk.facts} == {"IncidentOpened", "FalsePositive", "ActionSet"}
    vain(desk, "INC-00004")
    assert len(desk.book.actions.all) == 1, "it is proposed already"


def test_the_same_incident_counts_once_and_what_is_long_ago_no_more():
    desk = Desk()
    for _ in range(4):
        vain(desk, "INC-00001")
    assert sum(isinstance(told, FalsePositive) for told in desk.facts) == 1
    vain(desk, "INC-00002", now=START + 31 * DAY)
    vain(desk, "INC-00003", now=START + 31 * DAY)
    assert desk.book.actions.all == ()


def test_a_proposal_binds_when_somebody_takes_it_and_nobody_taking_it_is_overdue_as_well():
    desk = Desk()
    for n in (1, 2, 3):
        vain(desk, f"INC-0000{n}")
    assert [one.told.action for one in desk.book.actions.overdue(START + 14 * DAY)] == ["ACT-00001"]
    assert desk.do(Verb.ACCEPT, target="ACT-00001", owner="").fault
    assert desk.do(Verb.ACCEPT, target="ACT-00001", owner="cyd").fault == ""
    (one,) = desk.book.actions.all
    assert (one.stand, one.told.owner) == (Stand.OPEN, "cyd")


def test_the_journal_tells_the_actions_again():
    desk = Desk()
    desk.add()
    for n in (1, 2, 3):
        vain(desk, f"INC-0000{n}")
    desk.do(Verb.END, target="ACT-00001", stand=Stand.DONE, text="done", evidence=("aa11",))
    again = replayed(desk.facts, POLICY)
    assert again.actions.all == desk.book.actions.all
    assert again.actions.false_positives("INC-00002") == desk.book.actions.false_positives("INC-00002")


def test_a_rule_that_was_said_to_fire_in_vain_is_told_as_before():
    scene = Scene(policy=policy_of())
    scene.incidents.actions.fold(FalsePositive(incident="x", code="venue.errors", person="a", reason="r", at=START))
    scene.after(60.0, signal("venue.errors", severity=AlertSeverity.CRITICAL))
    assert any(alert.code == "venue.errors" for one in scene.transports["one"].notices for alert in one.alerts)


def test_the_watch_is_one_of_the_paths_looks():
    desk = Desk()
    desk.add()
    watch = ActionWatch(desk.book.actions)
    scene = Scene(looks=lambda now: Brought((), watch.look(now + DAY)))
    scene.after(10.0)
    assert "incident_response.action_overdue" in {one.code for one in scene.path.book.firing}
