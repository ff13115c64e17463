"""Whatever is known: unknown is never fit, and knowing something worse never makes a desk better (contract 6)."""

import msgspec
from health_facts import NOW, well
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.health.facts import Judged
from tradeworthy.operations.health.judge import CHECKS, judge
from tradeworthy.operations.health.policy import HealthPolicy

POLICY = HealthPolicy()
names = st.sets(st.sampled_from(sorted(CHECKS)))


@given(lost=names)
def test_a_desk_of_which_anything_is_unknown_is_not_fit(lost):
    report = judge(well(**dict.fromkeys(lost)), POLICY, NOW)
    assert report.status is (Severity.UNKNOWN if lost else Severity.OK)
    assert report.http_status == (503 if lost else 200)


@given(lost=names, off=names)
def test_only_what_applies_decides(lost, off):
    facts = well(**dict.fromkeys(lost), not_applicable=dict.fromkeys(off, "off"))
    report = judge(facts, POLICY, NOW)
    assert report.statuses.keys() == CHECKS.keys() - off
    assert (report.status is Severity.OK) == (not (lost - off) and len(off) < len(CHECKS))


@given(bus=st.sampled_from(Severity), disk=st.sampled_from(Severity), worse=st.sampled_from(Severity))
def test_a_worse_fact_never_gives_a_better_report(bus, disk, worse):
    def status(found):
        facts = well(bus=Judged(at=NOW, severity=found), disk=Judged(at=NOW, severity=disk))
        return judge(facts, POLICY, NOW).status

    assert status(max(bus, worse)) >= status(bus)


@given(seconds=st.integers(0, 100_000))
def test_time_alone_never_makes_a_desk_better(seconds):
    then = judge(well(), POLICY, NOW + seconds * NANOS_PER_SECOND).status
    later = judge(well(), POLICY, NOW + (seconds + 1) * NANOS_PER_SECOND).status
    assert later >= then


@given(seconds=st.integers(-100, 2_000))
def test_the_same_facts_and_time_give_the_same_report(seconds):
    now = NOW + seconds * NANOS_PER_SECOND
    assert msgspec.json.encode(judge(well(), POLICY, now)) == msgspec.json.encode(judge(well(), POLICY, now))
