"""The ladder outlives its process: the journal's facts alone bring every step back at its own moment (AR-18)."""

import asyncio

import msgspec
import pytest
from alert_scene import SECOND, START, Scene, policy_of, signal
from test_escalation import HOUR, MONDAY

from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.escalation import Escalated, Ladder
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy
from tradeworthy.operations.incidents.model import Alert, AlertSeverity, AlertState

ERROR, CRITICAL = AlertSeverity.ERROR, AlertSeverity.CRITICAL
MINUTE = 60 * SECOND


def folded(facts, policy=None):
    ladder = Ladder(policy or EscalationPolicy())
    for one in facts:
        ladder.fold(one)
    return ladder


def lived(seconds, *, ack_after=None, severity=CRITICAL, **changed):
    """Return the facts of a process that saw one alert and ended after so many seconds."""
    scene = Scene(policy=policy_of())

    async def play():
        scene.path.tell(signal("x.y", severity=severity, **changed))
        if ack_after is not None:
            await asyncio.sleep(ack_after)
            scene.path.act(Request(id="a", verb=Verb.ACK, person="ada", target=scene.path.book.firing[0].id))
        await asyncio.sleep(seconds - (ack_after or 0))

    scene.run(play)
    return scene.record.facts


@pytest.mark.parametrize(("lived_s", "left"), [
    (1, {300: 2, 600: 3, 900: 0}), (299, {300: 2, 600: 3, 900: 0}), (301, {600: 3, 900: 0}), (601, {900: 0}),
    (901, {}),
])
def test_a_second_process_goes_on_at_the_same_moments(lived_s, left):
    ladder = folded(lived(lived_s))
    found = {}
    for second in range(lived_s, 1_000):
        for step in ladder.tick(START + second * SECOND):
            found[second] = step.tier
            assert step.due == START + second * SECOND
    assert found == left
    assert ladder.unanswered


def test_an_acknowledgement_holds_over_the_restart_and_ends_after_half_an_hour():
    ladder = folded(lived(400, ack_after=100))
    acked = START + 100 * SECOND
    assert [one.tier for one in ladder.tick(acked + 30 * MINUTE - SECOND)] == []
    assert [one.tier for one in ladder.tick(acked + 30 * MINUTE + SECOND)] == [1]


def test_a_resolved_alert_climbs_no_more_and_a_milder_one_never_did():
    facts = lived(10)
    alert = next(one for one in facts if isinstance(one, Alert))
    over = msgspec.structs.replace(alert, state=AlertState.RESOLVED)
    assert folded([*facts, over]).carried == ()
    assert folded(lived(10, severity=AlertSeverity.WARNING)).carried == ()


def test_an_error_out_of_session_waits_for_it_in_the_next_process_as_well():
    policy = EscalationPolicy(session_start_hour=8, session_end_hour=17)
    alert = next(one for one in lived(10, severity=ERROR) if isinstance(one, Alert))
    early = msgspec.structs.replace(alert, at=MONDAY + 6 * HOUR, since=MONDAY + 6 * HOUR)
    ladder = folded([early], policy)
    assert ladder.tick(MONDAY + 8 * HOUR - 1) == []
    assert [one.tier for one in ladder.tick(MONDAY + 8 * HOUR)] == [1]


def test_a_carried_alert_is_known_told_as_over_by_its_source_and_over_when_a_person_takes_it():
    facts = lived(400)
    for ending in ("source", "person"):
        scene = Scene(policy=policy_of(), ladder=folded(facts))
        (alert,) = scene.path.book.firing
        assert alert.id == "r:1"

        async def play(scene=scene, ending=ending, alert=alert):
            if ending == "source":
                scene.path.tell(signal("x.y", firing=False))
            else:
                assert not scene.path.act(Request(id="a", verb=Verb.ACK, person="ada", target=alert.id)).fault
            await asyncio.sleep(1_000)

        scene.run(play)
        assert scene.path.book.firing == ()
        assert scene.record.of(Escalated) == []


def test_nobody_answered_in_the_last_process_and_the_guard_stays_reduced_until_somebody_does():
    scene = Scene(policy=policy_of(), ladder=folded(lived(1_000)))
    assert list(scene.reducing.now) == ["no_answer"]
    scene.path.act(Request(id="a", verb=Verb.ACK, person="ada", target="r:1"))
    assert scene.reducing.now == {}
