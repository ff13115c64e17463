"""What a page says is to be done first: the worst, then what the rest stands on; and reasons that are told once."""

import msgspec

from tradeworthy.operations.assessments.framework.collect import Collected
from tradeworthy.operations.assessments.framework.mutation import AT, healthy_facts
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.report import Shown, acts_of, told_of
from tradeworthy.operations.assessments.framework.snapshot import encode, take

KNOWN = registry()
SECTIONS = {one.name: one.section for one in KNOWN}


def taken(name, **changes):
    one = KNOWN.get(name)
    facts = [
        msgspec.structs.replace(fact, value=changes[fact.name], missing="asleep" if changes[fact.name] is None else "")
        if fact.name in changes else fact for fact in Collected(healthy_facts(one)).facts
    ]  # fmt: skip
    return take(one, tuple(facts), one.policy, AT, environment="paper", code_version="")


def plain(*some):
    return [msgspec.json.decode(encode(one)) for one in some]


def test_what_the_rest_stands_on_comes_before_what_is_as_bad_and_worse_before_milder():
    bus, milder = taken("event_bus_health", depth=500), taken("resources", disk=0.8)
    clock = taken("time_integrity", step=2.0)
    books = taken("accounting_integrity", residual="9")
    acts = acts_of(plain(milder, bus, clock, books), (), SECTIONS)
    assert [one["word"] for one in acts] == ["FAIL"] * 3
    assert acts[0]["code"].startswith("accounting_integrity.")
    assert acts[1]["code"] == "event_bus_health.depth"


def test_what_nothing_brought_facts_to_is_no_act():
    assert acts_of(plain(taken("event_bus_health", depth=500)), ("event_bus_health",), SECTIONS) == []


def test_a_reason_that_several_facts_share_is_told_once():
    found = taken("event_bus_health", depth=None, dropped=None)
    told = told_of(Shown(title="x", told="", bodies=(encode(found),), titles={}, sections={}))
    rows = told.issues[0]["findings"]
    assert len(rows) == 1
    assert rows[0]["message"].count("asleep") == 1
    assert "depth" in rows[0]["what"]
