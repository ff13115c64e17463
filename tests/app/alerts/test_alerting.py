"""A desk's alert path put together: real journal, real files, real webhook, and no secret anywhere."""

import asyncio
import json
from pathlib import Path
from random import Random

import msgspec
import pytest

from tradeworthy.app import config
from tradeworthy.app.alerts.alerting import JOURNAL, Alerting, alert_facts, path_policy
from tradeworthy.app.alerts.desk import AlertDesk, send_test_alone
from tradeworthy.app.config import Document
from tradeworthy.kernel import redaction
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import TaskSupervisor
from tradeworthy.kernel.telemetry.log_policy import LogPolicy
from tradeworthy.kernel.telemetry.logs import open_logs
from tradeworthy.kernel.telemetry.message import message_of
from tradeworthy.operations.assessments.framework.ports import AlertEvent
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.catalogue import category_of
from tradeworthy.operations.incidents.lifecycle import IncidentOpened
from tradeworthy.operations.incidents.model import AlertSeverity, Outcome, Receipt, Signal
from tradeworthy.operations.incidents.policy import AlertPolicy
from tradeworthy.operations.incidents.routing import Routing
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.model import GuardChanged, GuardLevel

ROOT = Path(__file__).resolve().parents[3]
CANARY = "canary-alert-8831"
CLOCK = SystemClock()


def document(**alerts) -> Document:
    found = config.load(ROOT / "config" / "paper.toml")
    channels = alerts.pop("channels", ({"name": "lines", "transport": "file", "destination": "lines.jsonl"},))
    names = [one["name"] for one in channels]
    telemetry = {
        "alerts": {
            "channels": list(channels), "default_channels": names,
            "rules": [{"name": "all", "categories": ["venue.", "alert_path.", "kill.", "guard."], "channels": names}],
            **alerts,
        },
        "escalation": {"tiers": [{"roles": [role], "channels": names} for role in ("a", "b", "c")]},
    }  # fmt: skip
    return msgspec.structs.replace(found, telemetry=telemetry)


def killed(code):
    return Signal(code=code, category=code, message="kill", severity=AlertSeverity.CRITICAL)


class Nobody:
    def escalate(self, escalated, cause):
        raise AssertionError(escalated)


class Running:
    """The path of a document for as long as `play` goes on."""

    def __init__(self, found, state, *, run_id="life-1", environ=None):
        self.asked, self.stopped, self.delivered, self.publish = [], [], [], lambda topic, event: None
        self.alerting = Alerting(found, state=state, clock=CLOCK, environ=environ or {}, run_id=run_id)

    def run(self, play):
        async def scene():
            supervisor = TaskSupervisor(CLOCK, Random(1), Nobody())
            self.alerting.open(
                supervisor, self.ask, self.publish,
                delivered=lambda channel, seconds: self.delivered.append((channel, seconds < 5)),
            )  # fmt: skip
            supervisor.create(self.alerting.work, owner="alerts", name="alerts")
            try:
                return await play()
            finally:
                await supervisor.cancel_all(1.0)
                self.alerting.close()

        return asyncio.run(scene())

    def ask(self, asked):
        """Note what the guard is asked for: the stop of a SEV-1 incident apart."""
        (self.stopped if asked.code == "severe_incident" else self.asked).append(asked)

    async def until(self, done, within_s=5.0):
        for _ in range(round(within_s / 0.02)):
            if done():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not happen in time")


def lines(state):
    path = state / "alerts" / "lines.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_what_is_told_before_the_path_opens_is_sent_and_the_journal_verifies(tmp_path):
    running = Running(document(), tmp_path)
    running.alerting.tell(Signal(code="venue.down", category="venue.down", message="gone",
                                 severity=AlertSeverity.CRITICAL))  # fmt: skip

    async def play():
        await running.until(lambda: lines(tmp_path))

    running.run(play)
    [notice] = lines(tmp_path)
    assert running.alerting.workload().kind == "alerts"
    assert notice["alerts"][0]["code"] == "venue.down"
    assert verify(tmp_path / "alerts" / JOURNAL).ok
    kinds = [event.kind for event in alert_facts(tmp_path / "alerts")]
    assert kinds.index("alert.event") < kinds.index("alert.delivery")
    assert "incident.opened" in kinds


def test_an_assessments_findings_rise_and_resolve(tmp_path):
    running = Running(document(), tmp_path)
    event = AlertEvent(
        key="k", active=True, assessment="bus", code="alert_path.lag", component="c", category="operations",
        severity=Severity.FAIL, message="late", runbook="runbooks/bus.md", owner="ops", snapshot="s", ts=1,
    )  # fmt: skip

    async def play():
        running.alerting.alert(event)
        await running.until(lambda: lines(tmp_path))
        running.alerting.alert(msgspec.structs.replace(event, active=False))
        await running.until(lambda: running.alerting.facts().firing == 0)

    running.run(play)
    assert lines(tmp_path)[0]["severity"] == "critical"


def test_an_error_line_that_nobody_hears_of_is_one_incident_however_often_it_comes(tmp_path):
    running = Running(document(log_routes={"known_problem": "venue.errors"}), tmp_path / "state")
    logs = open_logs(
        LogPolicy(unrouted_repeat_s=0.0), run_id="r", environment="paper", clock=CLOCK, release="x", variables={},
        folder=tmp_path / "logs", routed=running.alerting.errors.routed,
        on_unrouted=running.alerting.errors.on_unrouted,
    )  # fmt: skip

    async def play():
        log = logs.logger("tradeworthy.somewhere")
        for _ in range(97):
            log.error("mail_bounced", host="x")
        log.error("known_problem")
        await running.until(lambda: running.alerting.facts().taken >= 98)
        assert [one.opened.sev for one in running.alerting.path.incidents.all] == [3]

    try:
        running.run(play)
    finally:
        logs.close()
    told = [one.payload for one in alert_facts(tmp_path / "state" / "alerts")]
    opened = [one for one in told if isinstance(one, IncidentOpened)]
    assert [(one.code, one.subject) for one in opened] == [("alert_path.unrouted_error", "mail_bounced")]


def test_incidents_outlive_the_process_and_a_person_takes_them_while_it_runs_and_while_it_rests(tmp_path):
    root, state = tmp_path, tmp_path / "state" / "paper"
    running = Running(document(), state)
    desk = AlertDesk(root, "paper", clock=CLOCK)

    async def play():
        running.alerting.tell(killed("kill.flat"))
        await running.until(lambda: running.alerting.path.incidents.all)
        assert desk.running
        loop = asyncio.get_running_loop()
        row = desk.rows()[0]
        asked = Request(id="q1", verb=Verb.ACK, person="ann", target=row.alert.id)
        answer = await loop.run_in_executor(None, desk.ask, asked)
        assert answer.fault == ""
        asked = Request(id="q2", verb=Verb.ACK, person="ann", target="none")
        answer = await loop.run_in_executor(None, desk.ask, asked)
        assert "expected an alert" in answer.fault

    running.run(play)
    assert not desk.running
    assert desk.rows()[0].taken_by == "ann"
    assert desk.incident("INC-00001").phase.value == "acknowledged"
    answer = desk.ask(Request(id="q3", verb=Verb.OPEN, person="bob", text="odd", sev=4))
    assert answer.found == "INC-00002"
    again = Running(document(), state, run_id="life-2")

    async def look():
        assert [one.id for one in again.alerting.path.incidents.all] == ["INC-00001", "INC-00002"]

    again.run(look)
    assert [row.taken_by for row in desk.rows() if row.standing] == ["ann"], "it is not resolved, so it climbs on"
    with pytest.raises(UsageError, match="running desk"):
        desk.ask(Request(id="q4", verb=Verb.SILENCE, person="bob", target="venue.", text="x"))


def test_a_file_that_is_no_request_is_answered_with_the_reason(tmp_path):
    running = Running(document(), tmp_path)
    asked = tmp_path / "alerts" / "asked"
    asked.mkdir(parents=True)
    (asked / "bad.json").write_text("{")

    async def play():
        await running.until(lambda: not list(asked.iterdir()))

    running.run(play)
    assert "expected a request" in (tmp_path / "alerts" / "answered" / "bad.json").read_text()


def test_no_secret_is_in_any_notice_receipt_or_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    channels = (
        {"name": "lines", "transport": "file", "destination": "lines.jsonl"},
        {"name": "hook", "transport": "webhook", "destination": "http://127.0.0.1:9/x", "secret": "secret://hook"},
        {"name": "chat", "transport": "slack", "destination": "secret://hook"},
    )
    running = Running(
        document(channels=channels, attempts=1), tmp_path, environ={"TRADEWORTHY_SECRET_HOOK": f"http://{CANARY}"}
    )

    async def play():
        running.alerting.tell(Signal(
            code="venue.down", category="venue.down", severity=AlertSeverity.CRITICAL,
            message=f"at http://{CANARY} down", observed=f"token=http://{CANARY}",
            tags=(("password", f"http://{CANARY}"),), subject=f"http://{CANARY}",
        ))  # fmt: skip
        await running.until(
            lambda: len([1 for one in running.alerting.path.outbox.all if one.facts().undelivered]) == 2, within_s=20
        )

    running.run(play)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [path.name for path in files if CANARY.encode() in path.read_bytes()] == []
    told = [one.payload for one in alert_facts(tmp_path / "alerts") if isinstance(one.payload, Receipt)]
    assert {one.channel for one in told if one.outcome is Outcome.UNDELIVERED} >= {"hook", "chat"}


def test_a_paper_desk_without_any_channel_is_not_paused_and_says_that_nobody_is_told(tmp_path):
    bare = ({"name": "mail", "transport": "email"},)
    running = Running(document(channels=bare, undelivered_hold_s=0.05), tmp_path)

    async def play():
        running.alerting.tell(killed("kill.x"))
        await asyncio.sleep(0.8)
        assert running.alerting.facts().severity is Severity.FAIL

    running.run(play)
    assert running.asked == []


def test_a_configured_channel_that_is_dead_pauses_the_desk_in_the_name_of_alert_path(tmp_path):
    dead = ({"name": "hook", "transport": "webhook", "destination": "http://127.0.0.1:9/x"},)
    running = Running(document(channels=dead, undelivered_hold_s=0.05, attempts=1), tmp_path)

    async def play():
        running.alerting.tell(killed("kill.x"))
        await running.until(lambda: running.asked)

    running.run(play)
    assert running.asked[0] == GuardAsked(
        "alert_path", "undelivered", GuardLevel.PAUSED, evidence="a critical alert reached no channel"
    )


def test_what_the_last_process_could_not_tell_is_told_by_the_next_once(tmp_path):
    dead = ({"name": "lines", "transport": "webhook", "destination": "http://127.0.0.1:9/x"},)
    first = Running(document(channels=dead, attempts=1), tmp_path)

    async def play():
        first.alerting.tell(killed("kill.x"))
        await first.until(lambda: first.alerting.facts().undelivered)

    first.run(play)
    for number, expected in ((2, ["alert_path.missed"]), (3, [])):
        (tmp_path / "alerts" / "lines.jsonl").unlink(missing_ok=True)
        later = Running(document(), tmp_path, run_id=f"life-{number}")

        async def look(later=later, expected=expected):
            if expected:
                await later.until(lambda: later.alerting.facts().sent)
            else:
                await asyncio.sleep(0.7)

        later.run(look)
        assert [one["alerts"][0]["code"] for one in lines(tmp_path)] == expected


def test_the_bus_takes_what_the_path_publishes(tmp_path):
    published = []
    running = Running(document(), tmp_path)
    running.publish = lambda topic, event: published.append(
        message_of(topic, event, event_id=event.event_id, source="alerts", ts=1).topic
    )

    async def play():
        running.alerting.tell(killed("kill.x"))
        await running.until(lambda: len(set(published)) == 3 and ("lines", True) in running.delivered)

    running.run(play)
    assert set(published) == {"telemetry.alerts.event", "telemetry.alerts.delivery", "telemetry.incidents.event"}


def test_a_test_of_channels_without_endpoints_is_undelivered_everywhere(tmp_path):
    found = send_test_alone(
        document(channels=({"name": "a", "transport": "email"}, {"name": "b", "transport": "slack"})),
        state=tmp_path, clock=CLOCK, environ={}, person="ann", run_id="test-1",
    )  # fmt: skip
    assert [(one.channel, one.outcome, one.reason) for one in found.receipts] == [
        ("a", Outcome.UNDELIVERED, "no destination is configured"),
        ("b", Outcome.UNDELIVERED, "no destination is configured"),
    ]


@pytest.mark.parametrize(
    ("section", "value", "said"),
    [
        ("alerts", {"surprise": 1}, "surprise"),
        ("alerts", {"rules": [{"name": "r", "categories": ["x"], "channels": ["nobody"]}]}, "nobody"),
        ("alerts", {"attempts": 0}, "attempts"),
        ("alerts", {"storm_pages_max": 3}, "storm_pages_max"),
        ("escalation", {"tier_2_after_s": 700}, "tier_2_after_s"),
        ("escalation", {"tiers": []}, "three tiers"),
        ("escalation", {"session_start_hour": 24}, "session_start_hour"),
        ("incidents", {"mtta_warn_minutes": 61}, "mtta_warn_minutes"),
        ("alerts", {"channels": [{"name": "x", "transport": "pigeon"}]}, "pigeon"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_at_the_start(section, value, said):
    found = msgspec.structs.replace(config.load(ROOT / "config" / "paper.toml"), telemetry={section: value})
    with pytest.raises((UsageError, ConfigurationRefused), match=said):
        path_policy(found)


def test_live_is_refused_while_a_critical_alert_has_fewer_than_two_ways(tmp_path):
    found = config.load(ROOT / "config" / "paper.toml")
    live = msgspec.structs.replace(found, desk=msgspec.structs.replace(found.desk, environment="live"))
    with pytest.raises(ConfigurationRefused, match="two configured channels"):
        Alerting(live, state=tmp_path, clock=CLOCK, environ={}, run_id="r")


@pytest.mark.parametrize(
    ("reason", "scope", "level", "severity"),
    [("risk.daily_loss", "desk", GuardLevel.STOPPED, "critical"),
     ("clock.drift", "desk", GuardLevel.PAUSED, "warning"),
     ("strategy.warming", "strategy:mm", GuardLevel.PAUSED, "info"),
     ("shutdown.end", "desk", GuardLevel.PAUSED, "info"),
     ("risk.loss", "strategy:mm", GuardLevel.STOPPED, "critical"),
     ("alert_path.canary_lost", "desk", GuardLevel.PAUSED, None)],
)  # fmt: skip
def test_a_reason_at_the_guard_is_an_alert_but_for_the_paths_own(tmp_path, reason, scope, level, severity):
    alerting = Alerting(document(), state=tmp_path, clock=CLOCK, environ={}, run_id="r")
    told = GuardChanged(reason, scope, True, level, level, "because")
    alerting.on_event(event_of(told, source="desk", key=1, ts_event=1, ts_init=1), 7)
    found = [(one.code, one.severity.value, one.cause) for one in alerting._early]
    assert found == ([] if severity is None else [(f"guard.{reason.partition('.')[0]}", severity, "journal:7")])


@pytest.mark.parametrize(
    ("code", "family", "category"),
    [
        ("risk_posture.limit", "risk", "risk_breach"), ("resources.memory", "runtime", "system_failure"),
        ("incident_response.mtta", "operations", "incident_response.mtta"), ("roi.behind", "operations",
                                                                             "assessment.operations"),
        ("reconciliation.break", "trading", "reconciliation.break"),
    ],
)  # fmt: skip
def test_a_finding_is_routed_by_its_code_and_else_by_its_family(code, family, category):
    assert category_of(code, family) == category
    assert Routing(AlertPolicy()).knows(category)
