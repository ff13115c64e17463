"""The running desk assesses itself: facts from memory, one journal of snapshots, alerts, and a halt where it stalls."""

import asyncio
import random

import msgspec
import pytest

from tradeworthy.app.assessing.live import ASSESSMENTS, LiveSource, assessor_of
from tradeworthy.app.runtime.facts import ClockChecked
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import TaskPolicy, TaskSupervisor
from tradeworthy.kernel.supervision.resources import ResourceLedger, Usage
from tradeworthy.kernel.supervision.simulated_loop import SimulatedLoop
from tradeworthy.kernel.telemetry import TOPICS
from tradeworthy.kernel.telemetry.bus_health import BusFacts
from tradeworthy.operations.assessments.framework.journaled import snapshots_of
from tradeworthy.operations.assessments.framework.mutation import AT, healthy_facts, judged
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.health.facts import RuntimeFacts
from tradeworthy.operations.health.judge import judge as judge_health
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.operations.incidents.latency import Quantile
from tradeworthy.operations.incidents.lifecycle import IncidentBook
from tradeworthy.operations.incidents.path_model import PathFacts, PathPolicy
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.roster import RosterFacts

BUS = BusFacts(
    expected=True, running=True, depth=0, bound=1_000, published=5, dropped=0, handler_errors=0, subscribers=2,
    last_published_age_seconds=1.0, oldest_waiting_seconds=0.0, open_dead_letters=0, published_total=5,
    delivered_total=5, dropped_total=0, handler_errors_total=0, duplicates_total=0, dead_letters_total=0,
)  # fmt: skip


class Machine:
    """A machine that uses little and does not grow."""

    def read(self) -> Usage:
        return Usage(100 << 20, 0.0, 10, 1_024, 4, 10, 100)


class Publisher:
    """Keep what is published, as the process's publisher takes it."""

    def __init__(self):
        self.seen = []

    def publish(self, topic, payload, *, source, event_id=None):
        assert topic in TOPICS
        self.seen.append((topic, payload, source, event_id))

    def facts(self):
        return type("Facts", (), {"failed_over": False})()


class Ports:
    """Alerts, gates and halts, as they come."""

    def __init__(self):
        self.alerts, self.gates, self.halts = [], [], []

    def alert(self, event):
        self.alerts.append(event)

    def renewed(self, assessment, snapshot):
        self.gates.append((assessment, snapshot))

    def halt(self, reason):
        self.halts.append(reason)


class Process:
    """The parts of a small process on a simulated loop."""

    def __init__(self, state, environment="paper"):
        self.clock = EventClock(AT)
        self.loop = SimulatedLoop(self.clock)
        self.told = []
        self.supervisor = TaskSupervisor(
            self.clock, random.Random(7), type("Desk", (), {"escalate": lambda self, one, cause: None})(),
            run_id="r", sink=self.told.append,
        )  # fmt: skip
        self.bus, self.checked = BUS, ClockChecked(0, 0, Severity.OK, "")
        self.machine = ResourceLedger(self.clock, Machine())
        self.source = LiveSource(
            self.clock, environment=environment, supervisor=self.supervisor, bus=lambda: self.bus,
            health=lambda: judge_health(
                RuntimeFacts(run_id="r", environment=environment), HealthPolicy(), self.clock.now()
            ),
            checked=lambda: self.checked, machine=self.machine, audited=lambda: None, running=lambda: "0" * 64,
            root=state,
        )  # fmt: skip
        self.source.mailbox = state / "mail"
        self.publisher, self.ports, self.state = Publisher(), Ports(), state
        self.assessor, self.journal, self.history = assessor_of(
            self.source, self.clock, state=state, publisher=self.publisher, alerts=self.ports, gates=self.ports,
            halt=self.ports, overrides={}, environment=environment, code_version="1",
        )  # fmt: skip

    async def lives(self, seconds, *works):
        self.supervisor.install(asyncio.get_running_loop())
        for number, work in enumerate(works):
            self.supervisor.create(work, owner="test", name=f"test.{number}", policy=TaskPolicy(hang_timeout_s=30.0))
        await asyncio.sleep(seconds)


def assesses(assessor):
    async def judging(pulse):
        while True:
            assessor.cycle_due()
            pulse.beat()
            await asyncio.sleep(1)

    return judging


async def idle(pulse):
    while True:
        pulse.beat()
        await asyncio.sleep(1)


@pytest.fixture
def process(tmp_path):
    made = Process(tmp_path)
    yield made
    left = asyncio.all_tasks(made.loop)
    for task in left:
        task.cancel()
    if left:
        made.loop.run_until_complete(asyncio.wait(left, timeout=0))
    made.journal.close()
    made.loop.close()


def last(process, name):
    return process.history.last(name)


def test_a_running_process_assesses_itself(process):
    for _ in range(6):
        process.clock.sleep(10 * NANOS_PER_SECOND)
        process.machine.sample()
    process.loop.run_until_complete(process.lives(5, idle, assesses(process.assessor)))
    assert last(process, "task_supervision").status is Severity.OK
    assert last(process, "event_bus_health").status is Severity.OK
    assert last(process, "time_integrity").status is Severity.OK
    warming = {"resources.cpu", "resources.forecast", "resources.memory_growth"}  # five of six samples, a first minute
    assert {one.code for one in last(process, "resources").findings} == warming
    assert last(process, "runtime_health").status is Severity.UNKNOWN
    kept = [one.assessment for one in snapshots_of(process.state / ASSESSMENTS)]
    assert set(kept) == {one.name for one in process.assessor.judged}
    assert {payload.id for _, payload, _, _ in process.publisher.seen} == {
        snapshot for _, snapshot in process.ports.gates
    }


def test_a_full_bus_is_an_alert_and_its_end_is_told(process):
    work = process.lives(3, assesses(process.assessor))
    process.bus = msgspec.structs.replace(BUS, depth=500)
    process.loop.run_until_complete(work)
    assert any(one.code == "event_bus_health.depth" and one.active for one in process.ports.alerts)
    process.bus = BUS
    process.loop.run_until_complete(asyncio.sleep(31))
    [resolved] = [one for one in process.ports.alerts if one.code == "event_bus_health.depth" and not one.active]
    assert resolved.severity is Severity.FAIL


def test_a_task_that_is_silent_is_found_by_its_heartbeat(process):
    async def silent(pulse):
        await asyncio.sleep(1_000)

    async def scene():
        process.supervisor.install(asyncio.get_running_loop())
        process.supervisor.create(silent, owner="test", name="test.silent", policy=TaskPolicy(hang_timeout_s=None))
        await asyncio.sleep(121)
        return process.assessor.cycle(["task_supervision"])["task_supervision"].snapshot

    found = process.loop.run_until_complete(scene())
    states = {one.code for one in found.findings}
    assert "task_supervision.heartbeat" in states


def test_after_a_restart_the_end_of_an_old_alert_is_told_and_the_course_goes_on(tmp_path):
    first = Process(tmp_path)
    first.bus = msgspec.structs.replace(BUS, depth=500)
    first.assessor.cycle(["event_bus_health"])
    first.journal.close()
    first.loop.close()
    second = Process(tmp_path)
    found = second.assessor.cycle(["event_bus_health"])["event_bus_health"].snapshot
    assert [(one.code, one.active) for one in second.ports.alerts] == [("event_bus_health.depth", False)]
    assert found.delta_vs_last.cleared == ("event_bus_health.depth|event_bus_health",)
    second.journal.close()
    second.loop.close()


def test_live_takes_measurements_alone(tmp_path):
    made = Process(tmp_path, environment="live")
    found = made.assessor.cycle(["roi"])["roi"].snapshot
    assert found.policy["provenance_floor"] == "measured"
    made.journal.close()
    made.loop.close()


def test_the_age_of_the_drift_verdict_is_told_once_drift_was_judged(process):
    (*_, probe) = process.source.probes()["understanding_slos"]
    assert next(iter(probe.read(AT))).missing == "drift was not judged yet"
    sentry = registry().get("drift_sentry")
    process.history.take(judged(sentry, healthy_facts(sentry), sentry.policy))
    assert next(iter(probe.read(AT))).value == AT


class Path:
    """A desk's alert path, as the source asks it."""

    def __init__(self):
        self.policy, self.last_told = PathPolicy(), AT
        self.incidents, self.nobody = IncidentBook(IncidentPolicy()), 0

    def facts(self):
        fields = dict.fromkeys(PathFacts._fields, 0) | {"channels": (), "generation": Quantile(1.0, 2.0, 100)}
        return PathFacts(**fields | {"nobody": self.nobody})

    def roster_facts(self):
        return RosterFacts()


def test_a_refused_alert_counts_for_an_hour_and_incidents_come_from_memory(process):
    assert process.source._alert_path(None) == process.source._incidents(None) == []
    process.source._alerting = path = Path()

    def told(name):
        (probe,) = process.source.probes()[name]
        return {one.name: one.value for one in probe.read(process.clock.now())}

    assert told("alert_path")["reached_nobody"] == 0
    path.nobody = 2
    assert told("alert_path")["reached_nobody"] == told("alert_path")["reached_nobody"] == 2
    process.clock.sleep(3_600 * NANOS_PER_SECOND)
    assert told("alert_path")["reached_nobody"] == 0
    assert told("incident_response")["open_incidents"] == 0
    assert told("incident_response")["missing_runbooks"] == ()
