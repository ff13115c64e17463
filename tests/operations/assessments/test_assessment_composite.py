"""Composites: as good as the weakest part; missing, stale and unknown parts never count as good."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.assessment import Assessment, Child
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.composite import compose, join
from tradeworthy.operations.assessments.framework.mutation import AT, changed, healthy_facts, judged
from tradeworthy.operations.assessments.framework.registry import Registry, registry

READY = registry().get("operational_readiness")
PARTS = ("event_bus_health", "task_supervision", "log_integrity", "resources")
parts = st.lists(
    st.tuples(st.one_of(st.none(), st.sampled_from(Severity)), st.booleans()), min_size=1, max_size=len(PARTS)
)


def composite(children: tuple[Child, ...]) -> Assessment:
    return msgspec.structs.replace(READY, children=children)


def part(name: str, status: Severity):
    one = registry().get(name)
    return msgspec.structs.replace(judged(one, healthy_facts(one), one.policy), status=status)


@given(parts, st.booleans())
def test_every_vector_of_statuses_is_as_good_as_its_weakest_part(vector, gone_is_stale):
    children = tuple(Child(name, optional) for name, (_, optional) in zip(PARTS, vector, strict=False))
    snapshots = {}
    for name, (status, _) in zip(PARTS, vector, strict=False):
        if status is not None:
            snapshots[name] = part(name, status)
        elif gone_is_stale:
            snapshots[name] = msgspec.structs.replace(part(name, Severity.OK), expires_at=AT)
    found = compose(composite(children), snapshots, READY.policy, AT, environment="", code_version="").status
    assert found is join({child.name: pair for child, pair in zip(children, vector, strict=False)})
    required = [status for status, optional in vector if not optional]
    assert (found is Severity.OK) == all(status is Severity.OK for status, _ in vector)
    if None in required:
        assert found >= Severity.UNKNOWN
    if Severity.FAIL in required:
        assert found is Severity.FAIL
    if not required:
        assert found <= Severity.WARN


def test_a_composite_names_what_is_missing_and_what_has_ended_and_cites_the_rest():
    children = tuple(Child(name) for name in PARTS[:3])
    sound = part(PARTS[0], Severity.OK)
    ended = msgspec.structs.replace(part(PARTS[1], Severity.OK), expires_at=AT)
    snapshot = compose(
        composite(children), {PARTS[0]: sound, PARTS[1]: ended}, READY.policy, AT, environment="", code_version=""
    )
    assert {(one.code.partition(".")[2], one.component) for one in snapshot.findings} == {
        ("child_stale", PARTS[1]), ("child_missing", PARTS[2]),
    }  # fmt: skip
    assert [ref.id for ref in snapshot.children] == [sound.id, ended.id, ""]


def test_an_optional_part_that_failed_warns():
    children = (Child(PARTS[0]), Child(PARTS[1], optional=True))
    snapshots = {PARTS[0]: part(PARTS[0], Severity.OK), PARTS[1]: part(PARTS[1], Severity.FAIL)}
    found = compose(composite(children), snapshots, READY.policy, AT, environment="", code_version="")
    assert found.status is Severity.WARN


def test_a_composite_repeats_the_issues_of_its_parts():
    bus = registry().get("event_bus_health")
    bad = judged(bus, changed(bus, Case("", {"depth": 500}, Severity.FAIL)), bus.policy)
    found = compose(composite((Child("event_bus_health"),)), {"event_bus_health": bad}, READY.policy, AT,
                    environment="", code_version="")  # fmt: skip
    assert found.metadata["issues"] == [{
        "child": "event_bus_health", "component": "event_bus_health", "code": "event_bus_health.depth",
        "severity": "FAIL",
    }]  # fmt: skip
    assert found.metadata["counts"] == {"event_bus_health": bad.issue_counts}


def test_children_come_before_the_composite_and_those_that_were_never_judged_count_as_missing():
    order = [one.name for one in registry().in_order(["operational_readiness"])]
    assert order == [*(child.name for child in READY.children), "operational_readiness"]
    found = compose(READY, {}, READY.policy, AT, environment="", code_version="")
    assert found.status is Severity.UNKNOWN
    assert len(found.findings) == len(READY.children)


def test_a_child_that_no_topic_waits_for_is_refused():
    import pytest

    with pytest.raises(ValueError, match="nobody"):
        Registry([msgspec.structs.replace(READY, children=(Child("nobody"),))])


def test_readiness_is_sound_where_all_of_its_parts_are_and_falls_with_any_of_them():
    whole = {child.name: part(child.name, Severity.OK) for child in READY.children}
    assert compose(READY, whole, READY.policy, AT, environment="", code_version="").status is Severity.OK
    for name in whole:
        broken = {**whole, name: part(name, Severity.FAIL)}
        assert compose(READY, broken, READY.policy, AT, environment="", code_version="").status is Severity.FAIL
