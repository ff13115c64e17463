"""The registry of topics: complete, each with its owner and payload, closed to strangers."""

import re
from pathlib import Path

import pytest

from tradeworthy.kernel.telemetry import TOPICS, Flow, UnknownTopic, topic_of, topics_of, trips_kill_switch

PACKAGE = Path(__file__).resolve().parents[3] / "src" / "tradeworthy"


@pytest.mark.parametrize(
    "name",
    [
        "telemetry.runtime.tasks", "telemetry.runtime.watchdog", "telemetry.runtime.health", "telemetry.runtime.guard",
        "telemetry.runtime.configuration", "telemetry.risk.configuration", "telemetry.event_bus.health",
        "telemetry.data_backbone.readiness", "telemetry.strategy.proposal.macro", "telemetry.trading.release_route",
        "telemetry.desk.upstream_fitness", "telemetry.operations.dry_run.verdict", "runtime.kill_switch",
    ],
)  # fmt: skip
def test_a_topic_of_the_specification_is_registered(name):
    assert topic_of(name).name == name


@pytest.mark.parametrize(
    "name", ["", "telemetry", "telemetry.runtime", "telemetry.runtime.task", "Telemetry.Runtime.Tasks"]
)
def test_an_unknown_topic_is_refused_by_name(name):
    with pytest.raises(UnknownTopic, match=re.escape(repr(name))):
        topic_of(name)


def test_every_topic_names_a_room_of_the_house_and_says_what_it_carries():
    wings = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    for name, topic in TOPICS.items():
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+){1,3}", name)
        assert topic.name == name
        assert topic.owner.partition("/")[0] in wings
        assert topic.payload


def test_the_registry_cannot_be_changed():
    with pytest.raises(TypeError):
        TOPICS["telemetry.new.topic"] = TOPICS["runtime.kill_switch"]


@pytest.mark.parametrize(
    ("name", "flow"),
    [
        ("telemetry.risk.policy", Flow.RISK), ("telemetry.compliance.trade", Flow.COMPLIANCE), ("risk.halt", Flow.RISK),
        ("telemetry.execution.dropcopy", Flow.EXECUTION), ("telemetry.operational.execution", Flow.TELEMETRY),
        ("telemetry.runtime.tasks", Flow.TELEMETRY),
    ],
)  # fmt: skip
def test_the_family_of_a_topic_is_its_flow(name, flow):
    assert topic_of(name).flow is flow
    assert flow.guarded == (flow is not Flow.TELEMETRY)


def test_a_prefix_names_all_topics_below_it_and_nothing_beside():
    below = topics_of(["telemetry.risk."])
    assert "telemetry.risk.var" in below
    assert {name.rpartition(".")[0] for name in below} == {"telemetry.risk"}
    assert topics_of(["telemetry."]) == {name for name in TOPICS if name.startswith("telemetry.")}


@pytest.mark.parametrize("pattern", ["telemetry.nobody.", "telemetry.risk", "."])
def test_a_pattern_that_names_nothing_is_refused(pattern):
    with pytest.raises(UnknownTopic):
        topics_of([pattern])


def test_the_kill_switch_is_tripped_by_its_topic_and_those_of_risk_and_compliance():
    trips = {name for name in TOPICS if trips_kill_switch(name)}
    assert trips == {"runtime.kill_switch", "risk.halt", "compliance.halt"}
