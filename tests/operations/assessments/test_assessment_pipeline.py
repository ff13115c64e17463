"""The one way out: nothing before the journal, a fault at each step has its own consequence (FW-23)."""

import json

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.redaction import register
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.publisher import PublishFailed, Stage
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.collect import Probe
from tradeworthy.operations.assessments.framework.cycle import Assessor
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.journaled import PolicyChanged, SnapshotJournal, snapshots_of
from tradeworthy.operations.assessments.framework.mutation import AT, changed, healthy_facts, judged
from tradeworthy.operations.assessments.framework.pipeline import Pipeline
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.render import html, markdown
from tradeworthy.operations.assessments.framework.snapshot import decode, encode

BUS = registry().get("event_bus_health")
CANARY = "canary-4711-value"


class World:
    """Every port in one: what happened in order, and what fails by name."""

    def __init__(self, fails: str = "", failed_over: bool = False) -> None:
        self.fails, self.failed_over, self.seen = fails, failed_over, []
        self.alerts, self.bodies, self.payloads = [], [], []

    def append(self, snapshot_id, assessment, body, ts):
        self._step("journal")
        self.bodies.append(body)

    def commit(self):
        self._step("commit")

    def publish(self, topic, payload, *, event_id):
        if self.fails == "publish":
            raise PublishFailed(topic, Stage.FAILOVER, OSError("disk"))
        self._step("publish")
        self.payloads.append(payload)

    def alert(self, event):
        self._step("alert")
        self.alerts.append(event)

    def renewed(self, assessment, snapshot):
        self._step("gate")

    def halt(self, reason):
        self._step("halt")

    def page(self, body):
        self._step("render")
        return markdown(body)

    def clean(self, value):
        from tradeworthy.kernel.redaction import redact

        self._step("redact")
        return redact(value)

    def pipeline(self) -> Pipeline:
        return Pipeline(self, self, self, self, self, renderers={"md": self.page}, cleaned=self.clean)

    def _step(self, name):
        if self.fails == name:
            raise OSError(f"{name} is down")
        self.seen.append(name)


def snapshot(depth: int):
    return judged(BUS, changed(BUS, Case("", {"depth": depth}, Severity.OK)), BUS.policy)


def test_the_steps_come_in_their_order():
    world = World()
    emitted = world.pipeline().emit(BUS, snapshot(500), BUS.policy)
    assert world.seen == ["redact", "journal", "commit", "render", "publish", "alert", "gate"]
    assert emitted.status is Severity.FAIL
    assert emitted.pages["md"].startswith("# event_bus_health: FAIL")
    assert decode(world.bodies[0]) == emitted.snapshot


def test_a_snapshot_that_cannot_be_cleaned_is_withheld():
    world = World("redact")
    emitted = world.pipeline().emit(BUS, snapshot(0), BUS.policy)
    [finding] = emitted.snapshot.findings
    assert (finding.code, finding.severity) == ("event_bus_health.redaction_failed", Severity.FAIL)
    assert emitted.snapshot.facts == ()


@pytest.mark.parametrize(("step", "before"), [("journal", ["redact"]), ("commit", ["redact", "journal"])])
def test_a_journal_that_stalls_halts_the_desk_and_is_alerted_directly(step, before):
    world = World(step)
    with pytest.raises(HaltTrading):
        world.pipeline().emit(BUS, snapshot(0), BUS.policy)
    assert world.seen == [*before, "alert", "halt"]
    [event] = world.alerts
    assert not event.journaled
    assert event.severity is Severity.FAIL


def test_a_page_that_fails_leaves_the_json_and_warns():
    world = World("render")
    emitted = world.pipeline().emit(BUS, snapshot(0), BUS.policy)
    assert [(one.code, one.severity) for one in emitted.findings] == [
        ("event_bus_health.render_failed", Severity.WARN)
    ]
    assert world.payloads == [emitted.snapshot]


def test_what_no_stage_publishes_fails_and_what_the_spool_took_warns():
    failed = World("publish").pipeline().emit(BUS, snapshot(0), BUS.policy)
    assert [one.severity for one in failed.findings] == [Severity.FAIL]
    over = World(failed_over=True).pipeline().emit(BUS, snapshot(0), BUS.policy)
    assert [one.severity for one in over.findings] == [Severity.WARN]
    assert over.status is Severity.WARN


def test_a_gate_that_cannot_be_told_is_named_and_holds_nothing_up():
    world = World("gate")
    emitted = world.pipeline().emit(BUS, snapshot(0), BUS.policy)
    assert world.seen == ["redact", "journal", "commit", "render", "publish"]
    [finding] = emitted.findings
    assert (finding.code, finding.severity) == ("event_bus_health.gate_unmarked", Severity.WARN)
    assert emitted.snapshot.status is Severity.OK


def test_what_holds_no_secret_keeps_its_bytes_and_what_does_is_cleaned():
    register(CANARY)
    tasks = registry().get("task_supervision")
    for source, kept in (("process", True), (f"token={CANARY}", False)):
        world = World()
        facts = tuple(msgspec.structs.replace(one, source=source) for one in healthy_facts(tasks))
        taken = judged(tasks, facts, tasks.policy)
        pipeline = Pipeline(world, world, world, world, world, renderers={})
        assert (pipeline.emit(tasks, taken, tasks.policy).snapshot.id == taken.id) is kept
        assert CANARY.encode() not in world.bodies[0]


def test_a_finding_is_alerted_once_raised_when_it_grows_worse_and_resolved_when_it_is_gone():
    world = World()
    pipeline = world.pipeline()
    for depth in (100, 100, 500, 0, 0):
        pipeline.emit(BUS, snapshot(depth), BUS.policy)
    assert [(one.active, one.severity) for one in world.alerts] == [
        (True, Severity.WARN), (True, Severity.FAIL), (False, Severity.FAIL),
    ]  # fmt: skip
    assert {one.category for one in world.alerts} == {"runtime"}


def test_an_alert_that_reached_nobody_is_told_and_tried_again():
    world = World("alert")
    pipeline = world.pipeline()
    first = pipeline.emit(BUS, snapshot(500), BUS.policy)
    assert first.undelivered == ("event_bus_health.depth|event_bus_health",)
    world.fails = ""
    assert pipeline.emit(BUS, snapshot(500), BUS.policy).undelivered == ()
    assert len(world.alerts) == 1


def test_findings_below_the_threshold_raise_no_alert():
    world = World()
    policy = msgspec.structs.replace(BUS.policy, alert_from=Severity.FAIL)
    world.pipeline().emit(BUS, snapshot(100), policy)
    assert world.alerts == []


def test_a_secret_in_the_facts_appears_nowhere():
    register(CANARY)
    world = World()
    tasks = registry().get("task_supervision")
    facts = tuple(
        msgspec.structs.replace(one, value=CANARY, source=f"token={CANARY}") if one.name == "state" else one
        for one in healthy_facts(tasks)
    )
    emitted = world.pipeline().emit(tasks, judged(tasks, facts, tasks.policy), tasks.policy)
    told = [*world.bodies, emitted.pages["md"].encode(), html(world.bodies[0]).encode()]
    told += [msgspec.json.encode(one) for one in (*world.payloads, *world.alerts)]
    assert emitted.snapshot.findings
    assert all(CANARY.encode() not in one for one in told)


def test_a_page_escapes_what_facts_say():
    tasks = registry().get("task_supervision")
    facts = tuple(
        msgspec.structs.replace(one, value="<script>") if one.name == "state" else one for one in healthy_facts(tasks)
    )
    page = html(encode(judged(tasks, facts, tasks.policy)))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_journal_keeps_a_snapshot_once_and_gives_it_back(tmp_path):
    clock = EventClock(AT)
    kept = SnapshotJournal(tmp_path, clock)
    one, other = snapshot(0), snapshot(500)
    for each in (one, one, other):
        kept.append(each.id, each.assessment, encode(each), each.generated_at)
    kept.close()
    assert [each.id for each in snapshots_of(tmp_path)] == [one.id, other.id]


def test_a_looser_limit_needs_another_person(tmp_path):
    kept = SnapshotJournal(tmp_path, EventClock(AT))
    changed_by = PolicyChanged("event_bus_health", "ann", "busy", "a", "b", ("depth.warn",))
    for second in ("", "ann "):
        with pytest.raises(ValueError, match="second person"):
            kept.policy_changed(msgspec.structs.replace(changed_by, second=second), AT)
    kept.policy_changed(msgspec.structs.replace(changed_by, second="bob"), AT)
    kept.policy_changed(msgspec.structs.replace(changed_by, loosened=(), new_hash="c"), AT)
    kept.close()


def assessor(
    world: World, clock: EventClock, facts, settle_s: float = 0.0, renew_s: float = 0.0
) -> tuple[Assessor, History]:
    history = History()
    probes = {"event_bus_health": (Probe("bus", lambda now: facts()),), "resources": (Probe("none", lambda now: ()),)}
    return Assessor(
        registry(), registry().policies({}), world.pipeline(), history, clock, probes=probes, environment="case",
        code_version="1", settle_s=settle_s, renew_s=renew_s,
    ), history  # fmt: skip


def test_a_cycle_judges_all_and_children_before_their_composite():
    world = World()
    cycle, history = assessor(world, EventClock(AT), lambda: healthy_facts(BUS))
    found = cycle.cycle([one.name for one in registry()])
    assert list(found) == [one.name for one in registry().in_order()]
    assert found["event_bus_health"].status is Severity.OK
    assert found["resources"].status is Severity.UNKNOWN
    assert {json.loads(body)["assessment"] for body in world.bodies} == set(found)
    assert history.newest().keys() == found.keys()


def test_a_cycle_is_durable_by_one_sync_before_any_of_it_leaves():
    world = World()
    cycle, _ = assessor(world, EventClock(AT), lambda: healthy_facts(BUS))
    cycle.cycle([one.name for one in registry()])
    assert world.seen.count("commit") == 1
    first_out = world.seen.index("render")
    assert world.seen.index("commit") < first_out
    assert "journal" not in world.seen[first_out:]


def test_only_what_is_due_is_judged_and_only_judging_renews():
    clock = EventClock(AT)
    cycle, history = assessor(World(), clock, lambda: healthy_facts(BUS))
    assert cycle.cycle_due().keys() == {"event_bus_health", "resources"}  # nobody waits here for what others bring
    assert cycle.cycle_due() == {}
    clock.advance_to(AT + 30 * NANOS_PER_SECOND)
    before = history.last("resources")
    assert "resources" not in cycle.cycle_due()
    assert history.last("resources") == before
    clock.advance_to(AT + 60 * NANOS_PER_SECOND)
    assert "resources" in cycle.cycle_due()


def test_while_little_is_known_everything_is_judged_each_half_minute():
    clock = EventClock(AT)
    cycle, _ = assessor(World(), clock, lambda: healthy_facts(BUS), settle_s=45.0)
    cycle.cycle_due()
    clock.advance_to(AT + 30 * NANOS_PER_SECOND)
    assert "resources" in cycle.cycle_due()
    clock.advance_to(AT + 60 * NANOS_PER_SECOND)
    assert "resources" in cycle.cycle_due()
    clock.advance_to(AT + 90 * NANOS_PER_SECOND)
    assert "resources" not in cycle.cycle_due()


def test_what_says_the_same_is_brought_out_again_after_its_time_and_a_change_at_once():
    clock, facts = EventClock(AT), [healthy_facts(BUS)]
    cycle, history = assessor(World(), clock, lambda: facts[0], renew_s=90.0)
    assert "event_bus_health" in cycle.cycle_due()
    first = history.last("event_bus_health")
    for seconds in (30, 60):
        clock.advance_to(AT + seconds * NANOS_PER_SECOND)
        facts[0] = healthy_facts(BUS, clock.now())
        assert "event_bus_health" not in cycle.cycle_due()
    assert history.last("event_bus_health") == first
    clock.advance_to(AT + 90 * NANOS_PER_SECOND)
    facts[0] = healthy_facts(BUS, clock.now())
    assert "event_bus_health" in cycle.cycle_due()
    clock.advance_to(AT + 120 * NANOS_PER_SECOND)
    facts[0] = []
    assert cycle.cycle_due()["event_bus_health"].status is Severity.UNKNOWN


def test_a_probe_that_fails_is_named_and_nothing_stands_in_for_it():
    def broken():
        raise OSError("the bus is gone")

    cycle, _ = assessor(World(), EventClock(AT), broken)
    found = cycle.cycle(["event_bus_health"])["event_bus_health"].snapshot
    assert found.status is Severity.UNKNOWN
    assert ("event_bus_health.collector_failed", "bus") in {one.key for one in found.findings}
