"""A run that truly has everything is of class release; each thing that it lacks makes a rehearsal that names it."""

import msgspec
import pytest
from virtual_run_fixture import POLICY, settings_in

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.operations.dry_run.artefacts import decode_summary
from tradeworthy.operations.dry_run.audit.judges import AuditJudges
from tradeworthy.operations.dry_run.chain import Chain
from tradeworthy.operations.dry_run.deliver import Deliveries, ReviewInputs, deliver
from tradeworthy.operations.dry_run.desk_facts import FEED_AGE_NS_MAX, FEED_SILENCE_NS_MAX, DeskFacts
from tradeworthy.operations.dry_run.model import Hashes, Status
from tradeworthy.operations.dry_run.objectives import ASSESSED_BY, derived_objectives
from tradeworthy.operations.dry_run.outside import WitnessReading
from tradeworthy.operations.dry_run.policy import FreshnessPolicy
from tradeworthy.operations.dry_run.recover import left_in
from tradeworthy.operations.dry_run.run_class import REQUIRED_OBJECTIVES
from tradeworthy.operations.dry_run.simulation import SimulationPolicy
from tradeworthy.operations.dry_run.smoke import VIRTUAL_START
from tradeworthy.operations.dry_run.virtual import VirtualCommand

HOUR = 3_600 * NANOS_PER_SECOND
HASHES = Hashes(code="a" * 64, config="b" * 64, limits="c" * 64, models="d" * 64)
SLOW = FreshnessPolicy(warn_minutes=20.0, fail_minutes=40.0)
THREE_DAYS = {
    "duration_hours": 72.0, "uptime_ratio_min": 0.995, "heartbeat_interval_seconds": 120.0,
    "live_gap_alert_minutes": 15.0, "diary_freshness": SLOW, "performance_freshness": SLOW,
    "evidence_initial_grace_minutes": 15.0, "evidence_check_interval_minutes": 10.0, "checkpoint_seconds": 3_600.0,
    "progress_interval_minutes": 360.0, "resources": msgspec.structs.replace(
        POLICY["resources"], sample_interval_minutes=60.0
    ),
}  # fmt: skip
PASSED = {one: (Status.PASS, f"id-{one}") for many in ASSESSED_BY.values() for one in many}


class OwnDesk:
    """A desk on a live feed whose journal and assessments were read."""

    def __init__(self, *, found=PASSED, hashes=HASHES, **facts):
        self._found, self._hashes = found, hashes
        known = {"environment": "paper", "live_feed": True, "decisions": 0}
        self._facts = {**known, "market_first_ns": VIRTUAL_START + NANOS_PER_SECOND,
                       "market_last_ns": VIRTUAL_START + 72 * HOUR, **facts}  # fmt: skip

    def read(self, log_dir):
        return DeskFacts(**self._facts), self._hashes

    def objectives(self, facts, *, started, ended):
        assert ended - started == pytest.approx(72 * HOUR, rel=0.001)
        return derived_objectives(self._found)


class Outside:
    """A witness that saw the whole run."""

    def reading(self, *, started, ended):
        return WitnessReading(ratio=1.0, minutes=4_320, minutes_missing=0, key_id="k")


class NoDiaryCount(AuditJudges):
    """Judge the simulated runtime's diary, which no journal of a desk stands behind."""

    def diary(self, path, policy, window, *, now, desk):
        return super().diary(path, policy, window, now=now, desk=None)


def played(folder, desk):
    settings = settings_in(folder, odd=THREE_DAYS.items(), timeline=folder / "timeline")
    settings = msgspec.structs.replace(settings, release=HASHES)
    clock = EventClock(VIRTUAL_START)
    policy = SimulationPolicy(
        duration_seconds=1e6, tick_seconds=60.0, diary=settings.paths.diary, performance=settings.paths.performance,
        durable=False,
    )  # fmt: skip
    chain = Chain(
        settings, NoDiaryCount(), clock=clock, say=lambda line: None, summary_path=folder / "summary.json",
        witness=Outside(), desks=desk,
    )  # fmt: skip
    return chain.run(lambda failed: VirtualCommand(policy, clock))


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    return folder, played(folder, OwnDesk())


def judged_again(folder, desk):
    """Judge what that run left once more, with another desk behind it."""
    left = left_in(folder)
    chain = Chain(
        left.settings, NoDiaryCount(), clock=EventClock(VIRTUAL_START + 73 * HOUR), say=lambda line: None,
        summary_path=None, witness=Outside(), desks=desk,
    )  # fmt: skip
    return chain.recover(left)


def reviewed(result):
    return deliver(result.summary, Deliveries(review=ReviewInputs()), code=0, now=VIRTUAL_START + 73 * HOUR)


def test_three_days_on_a_live_feed_with_witness_objectives_and_release_are_of_class_release(released):
    folder, result = released
    assert result.rehearsal_reasons == ()
    assert (str(result.summary.run_class), str(result.summary.status), result.exit_code) == ("release", "pass", 0)
    kept = decode_summary((folder / "summary.json").read_bytes())
    assert {one.name for one in kept.objectives} == REQUIRED_OBJECTIVES
    done = reviewed(result)
    assert done.exit_code == 0
    assert "derived" in done.review_page


@pytest.mark.parametrize(("desk", "reason"), [
    (OwnDesk(live_feed=False), "not shown to be paper on a live feed"),
    (OwnDesk(environment="replay"), "not shown to be paper on a live feed"),
    (OwnDesk(market_first_ns=None), "not shown to be paper on a live feed"),
    (OwnDesk(found={name: one for name, one in PASSED.items() if name != "risk_policy"}),
     "objectives not derived: risk"),
    (OwnDesk(found=PASSED | {"data_feed": (Status.UNKNOWN, "id")}), "objectives not derived: data_backbone"),
    (OwnDesk(hashes=msgspec.structs.replace(HASHES, limits="9" * 64)), "hashes are not shown to equal a release"),
])  # fmt: skip
def test_one_thing_that_the_desk_did_not_show_makes_a_rehearsal_and_is_named(released, desk, reason):
    result = judged_again(released[0], desk)
    assert (str(result.summary.run_class), result.rehearsal_reasons) == ("rehearsal", (reason,))


def test_a_command_that_is_no_desk_of_ours_is_a_rehearsal(released):
    assert len(judged_again(released[0], None).rehearsal_reasons) == 3


def test_an_objective_that_failed_is_derived_and_fails_the_review(released):
    result = judged_again(released[0], OwnDesk(found=PASSED | {"risk_posture": (Status.FAIL, "id")}))
    assert str(result.summary.run_class) == "release"
    assert reviewed(result).exit_code == 2


START, END = 1_000 * HOUR, 1_072 * HOUR


@pytest.mark.parametrize(("first", "last", "live"), [
    (START, END, True), (START - FEED_AGE_NS_MAX, END + FEED_AGE_NS_MAX, True),
    (START - FEED_AGE_NS_MAX - 1, END, False), (START, END + FEED_AGE_NS_MAX + 1, False),
    (START + FEED_SILENCE_NS_MAX, END - FEED_SILENCE_NS_MAX, True), (START + FEED_SILENCE_NS_MAX + 1, END, False),
    (START, END - FEED_SILENCE_NS_MAX - 1, False), (None, END, False), (START, None, False),
])  # fmt: skip
def test_prices_of_a_live_feed_came_into_being_while_the_run_went_on(first, last, live):
    facts = DeskFacts(environment="paper", live_feed=True, market_first_ns=first, market_last_ns=last)
    assert facts.paper_on_live_feed(started=START, ended=END) is live


def test_objectives_are_the_worst_of_their_assessments_and_none_is_derived_without_all():
    found = {one.name: one for one in derived_objectives(PASSED | {"data_feed": (Status.WARN, "w")})}
    assert {name: str(one.status) for name, one in found.items()} == dict.fromkeys(REQUIRED_OBJECTIVES, "pass") | {
        "data_backbone": "warn"
    }
    assert {one.provenance for one in found.values()} == {"derived"}
    assert "id-risk_posture" in found["risk"].evidence
    assert derived_objectives({}) == ()
