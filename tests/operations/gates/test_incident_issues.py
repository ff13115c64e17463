"""Gate incident_response blocks by category: failures always, warnings where they are said to block."""

import gate_scene as scene
import msgspec
import pytest
from gate_scene import NOW

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.mutation import healthy_facts
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import take
from tradeworthy.operations.gates.incident_issues import BLOCKING, PREFIX, issue_codes
from tradeworthy.operations.gates.named import INCIDENT_RESPONSE
from tradeworthy.operations.gates.reading import of_snapshot

TABLE = msgspec.structs.replace(
    INCIDENT_RESPONSE,
    requirements=tuple(one for one in INCIDENT_RESPONSE.requirements if one.source == "incident_response"),
)


def said(**severities):
    """Return evidence in which every category is well but those that are named."""
    one = registry().get("incident_response")
    sound = of_snapshot(take(one, healthy_facts(one, NOW), one.policy, NOW, environment="paper", code_version="c"))
    assert set(sound.components.values()) == {Severity.OK}
    parts = {**sound.components, **{f"{PREFIX}{name}": word for name, word in severities.items()}}
    return msgspec.structs.replace(sound, status=max(parts.values()), components=parts)


def unmet(evidence):
    verdict = scene.ask(TABLE, [evidence])
    return sorted(row.id for row in verdict.unmet()), verdict.exit_code


def test_all_in_order_is_go():
    assert unmet(said()) == ([], 0)
    assert issue_codes(said().components) == ()


@pytest.mark.parametrize("name", BLOCKING)
def test_a_warning_of_a_blocking_category_is_no_go(name):
    found = said(**{name: Severity.WARN})
    assert unmet(found) == ([f"issue_{name}"], 2)
    assert issue_codes(found.components) == (f"issue.{name}.warn_blocked",)


def test_a_warning_elsewhere_is_a_warning_a_failure_blocks_and_unknown_is_one():
    assert unmet(said(drill=Severity.WARN)) == ([], 1)
    assert unmet(said(drill=Severity.FAIL)) == (["incident_response"], 2)
    assert issue_codes(said(drill=Severity.FAIL, mtta=Severity.UNKNOWN).components) == (
        "issue.drill.fail", "issue.mtta.fail",
    )  # fmt: skip
    assert issue_codes(said(drill=Severity.WARN).components) == ("issue.drill.warn",)


def test_a_category_that_nobody_judged_is_not_met():
    bare = msgspec.structs.replace(said(), components={})
    assert unmet(bare)[0] == sorted(f"issue_{one}" for one in BLOCKING)


def test_the_verdict_carries_the_codes_of_the_categories():
    verdict = scene.ask(TABLE, [said(mtta=Severity.WARN, drill=Severity.WARN)])
    codes = {row.id: row.codes for row in verdict.rows}
    assert codes["incident_response"] == ("issue.drill.warn", "issue.mtta.warn")
    assert codes["issue_mtta"] == ("issue.mtta.warn_blocked",)
    assert codes["issue_mttr"] == ()
    assert [one.partition(":")[0] for one in verdict.blocking] == ["issue_mtta"]
