"""A gate beside a running desk: asked when evidence is new, it pauses a desk whose gate lapsed, and says why."""

import msgspec
import pytest

from tradeworthy.app.gates.check_mutations import registered
from tradeworthy.app.gates.desk_gates import Gates, RecordedVerdicts
from tradeworthy.app.gates.verdicts import GateAsk
from tradeworthy.app.gates.watch import SETTLE_S, GateWatch
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.journaled import SnapshotJournal
from tradeworthy.operations.assessments.framework.mutation import AT, changed, healthy_facts
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import encode, take
from tradeworthy.operations.gates.model import HASHES, Binding
from tradeworthy.operations.gates.named import GATES, Act
from tradeworthy.operations.gates.store import GateStore

S = NANOS_PER_SECOND
DESK = GATES["desk_health"]
BINDING = Binding(release="1.0", environment="paper", tier="paper", hashes=dict.fromkeys(HASHES, "h" * 64))


class Scene:
    """A desk whose assessments are judged by real rules over healthy facts, or over changed ones."""

    def __init__(self, folder):
        self.clock = EventClock(AT)
        self.journal = SnapshotJournal(folder / "assessments", self.clock)
        self.gates = Gates(
            GateStore(folder / "gates", self.clock), BINDING, self.clock, assessments=(folder / "assessments",),
            living=True,
        )  # fmt: skip
        self.gates.mutate(DESK)
        self.told, self.asked = [], []
        self.watch = GateWatch(self.gates, DESK, self.clock, tell=self.told.append, ask=self.asked.append)

    def judge_all(self, broken=""):
        now = self.clock.now()
        for one in DESK.requirements:
            assessment = registry().get(one.source)
            facts = healthy_facts(assessment, now)
            if one.source == broken:
                policy, specs = assessment.policy, assessment.specs
                cases = [case for rule in assessment.rules for case in rule.all_cases(policy, specs)]
                facts = changed(assessment, next(case for case in cases if case.severity is Severity.FAIL), now)
            snapshot = take(assessment, facts, assessment.policy, now, environment="paper", code_version="h" * 64)
            self.journal.append(snapshot.id, one.source, encode(snapshot), now)
            self.watch.renewed(one.source, snapshot.id)
        self.journal.commit()

    def look(self, after_s=0):
        self.clock.advance_to(self.clock.now() + after_s * S)
        tick = self.watch.look()
        self.watch.act(tick)
        return tick.verdict


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    yield scene
    scene.journal.close()


def test_a_desk_whose_assessments_are_well_is_go(scene):
    scene.judge_all()
    verdict = scene.look()
    assert (verdict.answer, verdict.exit_code) == ("GO", 0)
    assert scene.told == scene.asked == []


@pytest.mark.parametrize("broken", [one.source for one in DESK.requirements])
def test_any_part_that_breaks_is_told_at_once_and_pauses_after_the_grace(scene, broken):
    scene.judge_all()
    scene.look()
    scene.clock.advance_to(scene.clock.now() + S)
    scene.judge_all(broken)
    assert [row.id for row in scene.look().unmet()] == [broken]
    assert [(one.code, one.firing) for one in scene.told] == [("gate_lapse", True)]
    assert scene.asked == []
    scene.judge_all(broken)
    scene.look(after_s=300)
    assert [(one.owner, one.active) for one in scene.asked] == [("gate", True)]
    scene.judge_all()
    scene.look()
    assert [(one.owner, one.active) for one in scene.asked] == [("gate", True), ("gate", False)]


def test_silence_ends_a_go(scene):
    scene.judge_all()
    end = scene.look().ends_first
    assert scene.look(after_s=round(end.seconds)).answer == "NO-GO"


def test_new_evidence_is_asked_about_soon_and_without_any_each_period(scene):
    scene.judge_all()
    scene.look()
    assert not scene.watch.due
    scene.watch.renewed("resources", "x")
    scene.clock.advance_to(scene.clock.now() + SETTLE_S * S - 1)
    assert not scene.watch.due
    scene.clock.advance_to(scene.clock.now() + 1)
    assert scene.watch.due
    scene.look()
    scene.clock.advance_to(scene.clock.now() + 300 * S)
    assert scene.watch.due


def test_a_damaged_journal_of_snapshots_leaves_nothing_met(scene, tmp_path):
    scene.judge_all()
    scene.journal.close()
    place = next((tmp_path / "assessments").glob("journal-*"))
    data = bytearray(place.read_bytes())
    data[200] ^= 1
    place.write_bytes(bytes(data))
    assert scene.look().answer == "NO-GO"


def test_a_question_about_a_tier_that_is_not_of_money_is_refused(scene):
    question = GateAsk(release="1.0", tier="tier_1", environment="paper", hashes=dict(BINDING.hashes))
    found = RecordedVerdicts(scene.gates.door(), scene.clock, Act.CHANGE_TIER).answer(question)
    assert (found.go, "tier_1" in found.why) == (False, True)
    named = RecordedVerdicts(scene.gates.door(), scene.clock, Act.CHANGE_TIER, tier="paper").answer(question)
    assert named.why.startswith("gate promotion, absent")
    assert registered()
    assert msgspec.structs.replace(BINDING, tier="pilot") != BINDING
