"""The path on a moved clock: journal first, channels apart, receipts that do not lie, canaries, the guard."""

import asyncio

from alert_scene import SECOND, Failing, Scene, Taking, policy_of, signal

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.lifecycle import IncidentMoved, IncidentOpened
from tradeworthy.operations.incidents.model import (
    Alert,
    AlertAcknowledged,
    AlertSeverity,
    AlertState,
    Outcome,
    Purpose,
    Receipt,
)

CRITICAL, ERROR, WARNING = AlertSeverity.CRITICAL, AlertSeverity.ERROR, AlertSeverity.WARNING


def alerts_on(gateway):
    return [one for one in gateway.notices if one.purpose in (Purpose.ALERT, Purpose.DIGEST)]


def test_a_critical_alert_is_journaled_and_on_every_channel_within_a_second():
    scene = Scene()
    scene.after(1.0, signal(severity=CRITICAL))
    assert [one.code for one in scene.record.of(Alert)] == ["venue.errors"]
    for gateway in scene.transports.values():
        [notice] = alerts_on(gateway)
        assert (notice.severity, notice.alerts[0].component) == (CRITICAL, "gateway")
    receipts = [one for one in scene.record.of(Receipt) if one.purpose is Purpose.ALERT]
    assert {(one.channel, one.outcome) for one in receipts} == {("one", Outcome.ACCEPTED), ("two", Outcome.ACCEPTED)}
    assert all(one.latency_ns < SECOND for one in receipts)
    assert {topic for topic, _ in scene.published} >= {"telemetry.alerts.event", "telemetry.alerts.delivery"}


def test_the_journal_has_the_alert_before_a_channel_gets_it():
    seen = []
    scene = Scene()

    class Looking(Taking):
        async def send(self, notice, *, timeout_s):
            seen.append([one.id for one in scene.record.of(Alert)])
            return await super().send(notice, timeout_s=timeout_s)

    scene.path.outbox.channels["one"]._transport = Looking()
    scene.after(1.0, signal(severity=CRITICAL))
    assert seen == [["r:1"]]


def test_a_channel_that_raises_and_one_that_hangs_delay_nobody():
    gateways = {"dead": Failing(), "hung": Failing(hang=True), "one": Taking()}
    scene = Scene(gateways)
    scene.after(90.0, signal(severity=CRITICAL))
    receipts = {one.channel: one for one in scene.record.of(Receipt) if one.purpose is Purpose.ALERT and
                one.severity is CRITICAL}
    assert receipts["one"].latency_ns < SECOND
    assert receipts["dead"].outcome is receipts["hung"].outcome is Outcome.UNDELIVERED
    assert receipts["dead"].attempts == receipts["hung"].attempts == 3
    assert "connection reset" in receipts["dead"].reason
    assert receipts["hung"].reason == "no answer within 4 s"
    assert receipts["hung"].latency_ns <= 30 * SECOND
    told = [alert.component for notice in gateways["one"].notices for alert in notice.alerts]
    assert {"dead", "hung"} <= set(told), "a dead channel is a warning on the others"
    assert scene.pausing.now == {}


def test_a_refusal_is_final_and_a_failure_is_tried_again():
    gateways = {"refusing": Failing(final=True), "shaky": Failing(2)}
    scene = Scene(gateways)
    scene.after(25.0, signal(severity=CRITICAL))
    assert gateways["refusing"].attempts == 1
    first = next(one for one in scene.record.of(Receipt) if one.channel == "shaky")
    assert (first.outcome, first.attempts) == (Outcome.ACCEPTED, 3)


def test_a_full_queue_is_told_and_not_waited_for():
    scene = Scene({"hung": Failing(hang=True)}, policy=policy_of(("hung",), queue_max=1))
    codes = ("venue.errors", "kill.flat", "risk.x")
    scene.after(1.0, *(signal(code, severity=CRITICAL) for code in codes))
    full = [one for one in scene.record.of(Receipt) if "queue full" in one.reason]
    assert full
    assert all(one.outcome is Outcome.UNDELIVERED and one.attempts == 0 for one in full)


def test_an_unconfigured_channel_is_undelivered_at_once_and_the_desk_pauses_after_a_minute():
    scene = Scene({"one": "no destination is configured"}, policy=policy_of(("one",)))
    scene.after(59.0, signal(severity=CRITICAL))
    assert scene.pausing.now == {}
    receipt = scene.record.of(Receipt)[0]
    if receipt.purpose is Purpose.CANARY:
        receipt = next(one for one in scene.record.of(Receipt) if one.purpose is Purpose.ALERT)
    assert (receipt.outcome, receipt.attempts, receipt.reason) == (
        Outcome.UNDELIVERED, 0, "no destination is configured"
    )  # fmt: skip
    again = Scene({"one": "no destination is configured"}, policy=policy_of(("one",)))
    again.after(61.0, signal(severity=CRITICAL))
    assert list(again.pausing.now) == ["undelivered"]
    assert again.path.facts().severity is Severity.FAIL


def test_a_warning_that_reaches_nobody_does_not_pause():
    scene = Scene({"one": "nothing"}, policy=policy_of(("one",)))
    scene.after(200.0, signal(severity=WARNING))
    assert scene.pausing.now == {}


def test_two_lost_canaries_pause_the_desk_and_a_test_alert_that_is_acknowledged_ends_it():
    lost = Failing(9)
    scene = Scene(canary=lost)

    async def play():
        await asyncio.sleep(59.0)
        assert scene.pausing.now == {}
        await asyncio.sleep(62.0)
        assert list(scene.pausing.now) == ["canary_lost"]
        scene.pausing.told.clear()
        answer = scene.path.act(Request(id="t0", verb=Verb.TEST, person="ann"))
        await asyncio.sleep(1.0)
        scene.path.act(Request(id="a0", verb=Verb.ACK, person="ann", target=answer.found))
        assert scene.pausing.now, "while canaries are lost no person can say that the path lives"
        await asyncio.sleep(75.0)
        assert scene.path.facts().canary_missing == 0
        answer = scene.path.act(Request(id="t1", verb=Verb.TEST, person="ann"))
        await asyncio.sleep(1.0)
        scene.path.act(Request(id="a1", verb=Verb.ACK, person="ann", target=answer.found))
        assert scene.pausing.now == {}

    scene.run(play)


def test_canaries_run_each_minute_and_feed_the_ledger():
    scene = Scene()
    scene.after(601.0)
    assert len(scene.canary.notices) == 11
    facts = scene.path.facts()
    assert facts.generation.n == 11
    assert facts.severity is Severity.OK
    assert facts.generation.max_ms < 1_000


def test_alerts_leave_when_the_journal_does_not_take_them():
    scene = Scene()
    scene.record.broken = True
    scene.after(1.0, signal(severity=CRITICAL))
    assert len(alerts_on(scene.transports["one"])) == 1
    assert scene.path.facts().unrecorded > 0


def test_a_resolve_reaches_those_who_heard_of_the_alert():
    scene = Scene()

    async def play():
        scene.path.tell(signal(severity=CRITICAL))
        await asyncio.sleep(2.0)
        scene.path.tell(signal(finding=Severity.OK))
        await asyncio.sleep(301.0)

    scene.run(play)
    assert [one.state for one in scene.record.of(Alert)] == [AlertState.FIRING, AlertState.RESOLVED]
    assert [one.purpose for one in scene.transports["two"].notices] == [Purpose.ALERT, Purpose.RESOLVED]


def test_a_critical_alert_opens_exactly_one_incident_and_an_acknowledgement_takes_both():
    scene = Scene()

    async def play():
        for _ in range(5):
            scene.path.tell(signal("kill.flat", severity=CRITICAL))
        await asyncio.sleep(1.0)
        [opened] = scene.record.of(IncidentOpened)
        assert (opened.sev, opened.incident, opened.alert) == (1, "INC-00001", "r:1")
        answer = scene.path.act(Request(id="1", verb=Verb.ACK, person="ann", target="r:1"))
        assert answer.fault == ""
        again = scene.path.act(Request(id="1", verb=Verb.ACK, person="ann", target="r:1"))
        assert again == answer

    scene.run(play)
    assert [one.person for one in scene.record.of(AlertAcknowledged)] == ["ann"]
    assert [one.phase.value for one in scene.record.of(IncidentMoved)] == ["acknowledged"]


def test_nobody_answers_and_the_guard_reduces_until_somebody_does():
    scene = Scene()

    async def play():
        scene.path.tell(signal("kill.flat", severity=CRITICAL))
        await asyncio.sleep(299.0)
        told = [one for one in scene.transports["one"].notices if one.purpose is Purpose.ESCALATION]
        assert told == []
        await asyncio.sleep(2.0)
        told = [one for one in scene.transports["one"].notices if one.purpose is Purpose.ESCALATION]
        assert len(told) == 1
        assert "Tier 2 (risk)" in told[0].text
        await asyncio.sleep(598.0)
        assert scene.reducing.now == {}
        await asyncio.sleep(2.0)
        assert list(scene.reducing.now) == ["no_answer"]
        scene.path.act(Request(id="1", verb=Verb.ACK, person="ann", target="r:1"))
        assert scene.reducing.now == {}

    scene.run(play)


def test_an_inbox_that_is_full_counts_and_keeps_criticals():
    scene = Scene(policy=policy_of(inbox_max=3))
    for n in range(5):
        scene.path.tell(signal(f"venue.e{n}", severity=WARNING))
    scene.path.tell(signal("kill.flat", severity=CRITICAL))
    scene.after(1.0)
    assert scene.path.facts().overflowed == 2
    assert [one.alerts[0].code for one in alerts_on(scene.transports["one"])] == ["kill.flat"]


def test_what_waits_at_the_end_has_a_receipt():
    scene = Scene({"hung": Failing(hang=True)}, policy=policy_of(("hung",)))
    scene.after(0.5, signal(severity=CRITICAL), signal("kill.flat", severity=CRITICAL))
    notices = {one.notice for one in scene.record.of(Receipt) if one.purpose is Purpose.ALERT}
    assert len(notices) == 2, "one in flight, one in the queue"


def test_a_cancellation_that_meets_a_signal_ends_the_task():
    scene = Scene()

    async def play():
        task = scene.supervisor.create(scene.path.work, owner="alerts", name="second")
        await asyncio.sleep(0.1)
        scene.path.tell(signal(severity=CRITICAL))
        await asyncio.sleep(0)
        report = await scene.supervisor.cancel_all(1.0)
        assert report.abandoned == 0
        assert task.state.value == "cancelled"

    scene.run(play)


def test_a_cancellation_that_meets_a_gateways_answer_ends_the_channel():
    gateway = Taking(after_s=0.2)
    scene = Scene({"one": gateway}, policy=policy_of(("one",)))

    async def play():
        scene.path.tell(signal(severity=CRITICAL))
        await asyncio.sleep(0.2)
        report = await scene.supervisor.cancel_all(1.0)
        assert report.abandoned == 0

    scene.run(play)
