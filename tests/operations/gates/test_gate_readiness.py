"""Ready is a statement about young inputs by their ids; what is older, newer or missing holds."""

import gate_scene as scene
import pytest
from gate_scene import NOW, S, gate, need, say

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.model import Mode
from tradeworthy.operations.gates.readiness import PARTS, STALE, STRICT, Decision, decide, readiness_page, soak_state
from tradeworthy.operations.gates.store import GivenVerdict

AGE_S = 30 * 60
TABLE = gate(need("a", age_max_s=86_400))


def strict(*, status=Severity.OK, at_s=0, mode=None):
    now = NOW + at_s * S
    said = say("a", status, stamp=now, recorded_at=now)
    return GivenVerdict("v", scene.ask(TABLE, [said], now=now, mode=mode or Mode(strict=True)))


def parts(*, but=(), **ages):
    return {name: say(name, age_s=ages.get(name, 0)) for name in PARTS if name not in but}


def test_everything_well_and_young_is_ready():
    state = soak_state(parts(), strict(), NOW)
    assert (state.ready, state.blockers, state.exit_code) == (True, (), 0)
    assert state.inputs["reconciliation"] == "id-reconciliation"


@pytest.mark.parametrize(("name", "blocker"), PARTS.items())
def test_each_part_that_is_not_well_blocks_by_its_own_name(name, blocker):
    failed = {**parts(), name: say(name, Severity.FAIL)}
    assert soak_state(failed, strict(), NOW).blockers == (blocker,)
    assert soak_state(parts(but=(name,)), strict(), NOW).blockers == (blocker, STALE)
    assert soak_state(parts(**{name: AGE_S - 1e-9}), strict(), NOW).ready
    assert soak_state(parts(**{name: AGE_S}), strict(), NOW).blockers == (blocker, STALE)


@pytest.mark.parametrize(("given", "blockers"), [
    (None, (STRICT, STALE)), (strict(status=Severity.FAIL), (STRICT,)), (strict(mode=Mode()), (STRICT,)),
    (strict(at_s=-AGE_S), (STRICT, STALE)), (strict(at_s=1), (STRICT, STALE)),
])  # fmt: skip
def test_the_strict_cycle_must_be_go_strict_and_young(given, blockers):
    assert soak_state(parts(), given, NOW).blockers == blockers


def decided(*, maturity=None, given=None, soak=None, release="1.0", now=NOW):
    return decide(
        maturity or say("log_maturity"), given or strict(), soak or soak_state(parts(), strict(), NOW), release, now
    )


def test_a_decision_of_go_cites_its_inputs_and_ends_after_a_day():
    found = decided()
    assert (found.decision, found.maturity, found.strict) == (Decision.GO, "id-log_maturity", "v")
    assert len(found.bundle_id) == len(found.soak) == 64
    end = NOW + 86_400 * S
    assert (found.standing(end - 1), found.standing(end), found.standing(NOW - 1)) == ("GO", "HOLD", "HOLD")
    assert found.bundle_id in readiness_page(found)


@pytest.mark.parametrize(("change", "told"), [
    ({"given": strict(at_s=1)}, "strict: refused, it is newer"),
    ({"given": strict(at_s=-AGE_S)}, "strict: refused, it is 1,800"),
    ({"given": strict(status=Severity.FAIL)}, "strict: it does not say GO"),
    ({"release": "2.0"}, "strict: it is for release 1.0"),
    ({"maturity": say("log_maturity", age_s=AGE_S)}, "log_maturity: refused"),
    ({"maturity": say("log_maturity", Severity.FAIL)}, "log_maturity: the record"),
    ({"soak": soak_state({}, strict(), NOW)}, "soak: log_maturity"),
    ({"soak": soak_state(parts(), strict(), NOW + S)}, "soak: refused, it is newer"),
])  # fmt: skip
def test_what_is_newer_older_or_bad_holds_and_is_told(change, told):
    found = decided(**change)
    assert found.decision is Decision.HOLD
    assert any(one.startswith(told) for one in found.reasons)
    assert told.partition(":")[0] in readiness_page(found)


def test_without_inputs_it_holds():
    found = decide(None, None, soak_state({}, None, NOW), "1.0", NOW)
    assert (found.decision, found.strict, found.bundle_id) == (Decision.HOLD, "", "")
