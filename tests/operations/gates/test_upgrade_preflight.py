"""A candidate beside the running release: each part that breaks fails by its own code, and nothing else does."""

import pytest
from msgspec.structs import replace

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.upgrade import Candidate, Parameter, Shape, lost, preflight_report

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
SEND = {"VenuePort.send": (Parameter("command"), Parameter("ts"))}
QUOTE = {"market.quote": (Parameter("bid"), Parameter("ask"))}
RUNNING = Shape(release="1.0", modules=10, ports=SEND, facts=QUOTE)
SOUND = Candidate(shape=replace(RUNNING, release="1.1"), contracts="", migrated="", rehearsed=True)


def not_ok(candidate):
    found = preflight_report(RUNNING, candidate)
    return {one.code.partition(".")[2]: one.severity for one in found.checks if one.severity}


def with_shape(**odd):
    return replace(SOUND, shape=replace(SOUND.shape, **odd))


def test_a_candidate_that_keeps_everything_is_ok():
    assert not_ok(SOUND) == {}


@pytest.mark.parametrize(("candidate", "code", "severity"), [
    (with_shape(unimported={"a.b": "ImportError: no c"}), "import", FAIL),
    (with_shape(ports={}), "broken_api", FAIL),
    (with_shape(facts={}), "broken_api", FAIL),
    (with_shape(refused="UsageError: risk.x: unknown key"), "render", FAIL),
    (replace(SOUND, contracts="1 failed"), "contract", FAIL),
    (replace(SOUND, contracts=None), "contract", UNKNOWN),
    (replace(SOUND, migrated="another state out of the same journal"), "migrations", FAIL),
    (replace(SOUND, migrated=None), "migrations", UNKNOWN),
    (with_shape(release="1.0"), "same_version", WARN),
    (replace(SOUND, rehearsed=False), "rollback", FAIL),
    (replace(SOUND, rehearsed=None), "rollback", FAIL),
])  # fmt: skip
def test_each_part_that_breaks_has_its_own_code(candidate, code, severity):
    assert not_ok(candidate) == {code: severity}


@pytest.mark.parametrize(("after", "told"), [
    ((Parameter("command"), Parameter("ts")), ()),
    ((Parameter("command"), Parameter("ts"), Parameter("more", needed=False)), ()),
    ((Parameter("command", needed=False), Parameter("ts")), ()),
    ((Parameter("command"),), ("VenuePort.send lost ts",)),
    ((Parameter("command"), Parameter("ts"), Parameter("more")), ("VenuePort.send needs more",)),
])  # fmt: skip
def test_what_is_added_with_a_default_breaks_nobody(after, told):
    assert lost(SEND, {"VenuePort.send": after}) == told


def test_a_part_that_had_a_default_and_is_needed_now_breaks():
    before = {"market.quote": (Parameter("bid", needed=False),)}
    assert lost(before, {"market.quote": (Parameter("bid"),)}) == ("market.quote needs bid",)
