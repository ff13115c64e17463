"""A seeded campaign: the same seed gives the same outcome, worse worlds give worse ones, a copy stays a copy."""

import msgspec
import pytest
from alert_scene import policy_of

from tradeworthy.operations.incidents.chaos import ChaosPolicy, simulate
from tradeworthy.operations.incidents.lifecycle import IncidentBook

SHORT = ChaosPolicy(hours=1.0)
POLICY = policy_of(("ops-email", "ops-webhook"))


def test_the_same_seed_gives_the_same_outcome_and_another_seed_another():
    first = simulate(7, POLICY, SHORT)
    assert simulate(7, POLICY, SHORT) == first
    assert simulate(8, POLICY, SHORT).digest != first.digest
    assert first.failures > 0
    assert first.incidents == first.acknowledged > 0


def test_a_world_without_people_leaves_incidents_open_and_reduces_the_desk():
    found = simulate(7, POLICY, msgspec.structs.replace(SHORT, people=()))
    assert found.acknowledged == 0
    assert "+escalation.no_answer" in found.holds


def test_gateways_that_are_always_out_leave_alerts_unheard_and_pause_the_desk():
    found = simulate(7, POLICY, msgspec.structs.replace(SHORT, outage_share=1.0))
    calm = simulate(7, POLICY, msgspec.structs.replace(SHORT, outage_share=0.0))
    assert found.undelivered > calm.undelivered == 0
    assert calm.unheard == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_campaign_begins_with_a_copy_of_the_desks_incidents(seed):
    book = IncidentBook(POLICY.incidents)
    opened = book.open_by("ada", "before", 2, SHORT.start)
    found = simulate(seed, POLICY, SHORT, before=[opened])
    assert found.incidents == simulate(seed, POLICY, SHORT).incidents
