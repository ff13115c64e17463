"""Facts at the door: nothing that is missing, stale, attested, invalid or from the future counts as good."""

import math

import msgspec
import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.mutation import AT, healthy_facts, judged
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.values import Attestation, Observation, Provenance

BUS = registry().get("event_bus_health")
FAR = AT + 30 * NANOS_PER_DAY


def with_depth(**changes) -> tuple[Observation, ...]:
    return tuple(
        msgspec.structs.replace(one, **changes) if one.name == "depth" else one for one in healthy_facts(BUS)
    )


def codes(facts, policy=BUS.policy) -> dict[str, Severity]:
    return {one.code.partition(".")[2]: one.severity for one in judged(BUS, facts, policy).findings}


def test_healthy_facts_are_ok():
    assert judged(BUS, healthy_facts(BUS), BUS.policy).status is Severity.OK


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, 1.5, "3", True, [1], {}])
def test_a_value_that_is_not_what_was_declared_fails_by_name(value):
    found = codes(with_depth(value=value))
    assert found["invalid_fact"] is Severity.FAIL
    assert found["depth"] is Severity.UNKNOWN


def test_a_missing_value_is_unknown_with_its_reason():
    snapshot = judged(BUS, with_depth(value=None, missing="the bus has no counter"), BUS.policy)
    [finding] = snapshot.findings
    assert (finding.code, finding.severity) == ("event_bus_health.depth", Severity.UNKNOWN)
    assert "the bus has no counter" in finding.message


@pytest.mark.parametrize(("age_s", "status"), [(59, Severity.OK), (60, Severity.UNKNOWN), (61, Severity.UNKNOWN)])
def test_an_observation_that_has_reached_its_age_is_missing(age_s: int, status: Severity):
    assert judged(BUS, with_depth(ts_observed=AT - age_s * NANOS_PER_SECOND), BUS.policy).status is status


def test_an_observation_from_the_future_fails():
    assert codes(with_depth(ts_observed=AT + 1))["future_timestamp"] is Severity.FAIL
    bound = msgspec.structs.replace(BUS.policy, future_offset_s=0.5)
    assert codes(with_depth(ts_observed=AT + NANOS_PER_SECOND // 2), bound) == {}


def attested(**changes) -> Attestation:
    whole = Attestation(signer="ann", role="risk", reason="drill", signed_at=AT - NANOS_PER_DAY, expires_at=FAR)
    return msgspec.structs.replace(whole, **changes)


def test_a_fact_that_a_person_attested_is_at_best_a_warning():
    found = codes(with_depth(provenance=Provenance.ATTESTED, attestation=attested()))
    assert found == {"attested_only": Severity.WARN}


def test_an_attested_fact_that_is_bad_stays_bad():
    found = codes(with_depth(value=500, provenance=Provenance.ATTESTED, attestation=attested()))
    assert found == {"depth": Severity.FAIL}


@pytest.mark.parametrize(
    "attestation",
    [
        None, attested(signer=" "), attested(role=""), attested(reason=""), attested(expires_at=AT),
        attested(signed_at=AT + 1, expires_at=FAR), attested(signed_at=AT - 61 * NANOS_PER_DAY),
    ],
)  # fmt: skip
def test_an_attestation_that_does_not_count_is_missing(attestation):
    found = codes(with_depth(provenance=Provenance.ATTESTED, attestation=attestation))
    assert found == {"depth": Severity.UNKNOWN}


def test_a_simulated_fact_is_unknown_where_measurements_are_asked_for():
    facts = with_depth(provenance=Provenance.SIMULATED)
    measured = msgspec.structs.replace(BUS.policy, provenance_floor="measured")
    assert codes(facts) == {}
    assert codes(facts, measured) == {"simulated_only": Severity.UNKNOWN}


def test_a_fact_that_is_not_declared_or_comes_twice_fails():
    extra = msgspec.structs.replace(healthy_facts(BUS)[0], name="depths")
    assert codes((*healthy_facts(BUS), extra))["invalid_fact"] is Severity.FAIL
    twice = healthy_facts(BUS)[0]
    assert codes((*healthy_facts(BUS), twice))["invalid_fact"] is Severity.FAIL
    assert codes(with_depth(component="a"))["invalid_fact"] is Severity.FAIL
    assert codes(with_depth(unit="bytes"))["invalid_fact"] is Severity.FAIL
