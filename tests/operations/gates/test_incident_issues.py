"""Gate incident_response blocks by category: failures always, warnings where they are said to block."""

import gate_scene as scene
import msgspec
import pytest
from gate_scene import NOW

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.incident_issues import BLOCKING, PREFIX, incident_report, issue_codes, with_roster
from tradeworthy.operations.gates.named import INCIDENT_RESPONSE
from tradeworthy.operations.gates.reading import of_report
from tradeworthy.operations.incidents.judge import judge_incidents
from tradeworthy.operations.incidents.lifecycle import IncidentBook
from tradeworthy.operations.incidents.policy import EscalationPolicy, IncidentPolicy
from tradeworthy.operations.incidents.roster import RosterFacts, judge_roster

TABLE = msgspec.structs.replace(
    INCIDENT_RESPONSE, requirements=tuple(o for o in INCIDENT_RESPONSE.requirements if o.source == "incident_review")
)


def checks(**severities):
    names = (*BLOCKING, "late")
    return tuple(Check(f"{PREFIX}{one}", severities.get(one, Severity.OK), "seen", "kept") for one in names)


def unmet(found):
    evidence = of_report(incident_report(found), "incident_review", run_id="r", stamp=NOW, environment="paper",
                         hashes={})  # fmt: skip
    verdict = scene.ask(TABLE, [msgspec.structs.replace(evidence, evidence_id="e")])
    return sorted(row.id for row in verdict.unmet()), verdict.exit_code


def test_all_in_order_is_go():
    assert unmet(checks()) == ([], 0)


@pytest.mark.parametrize("name", BLOCKING)
def test_a_warning_of_a_blocking_category_is_no_go(name):
    found = checks(**{name: Severity.WARN})
    assert unmet(found) == ([f"issue_{name}"], 2)
    assert issue_codes(found) == (f"issue.{name}.warn_blocked",)


def test_a_warning_elsewhere_is_a_warning_and_a_failure_blocks_and_unknown_is_one():
    assert unmet(checks(late=Severity.WARN))[1] == 1
    assert unmet(checks(late=Severity.FAIL)) == (["incident_review"], 2)
    assert issue_codes(checks(late=Severity.FAIL, mtta=Severity.UNKNOWN)) == ("issue.late.fail", "issue.mtta.fail")
    assert issue_codes(checks(late=Severity.WARN)) == ("issue.late.warn",)


def test_a_category_that_nobody_judged_is_not_met():
    assert unmet(judge_incidents(IncidentBook(IncidentPolicy()), IncidentPolicy(), NOW))[0] == [
        "issue_missing_runbooks", "issue_primary_roster",
    ]  # fmt: skip


def test_no_roster_and_missing_runbooks_are_findings():
    policy = EscalationPolicy()
    found = with_roster(checks()[:0], judge_roster(RosterFacts(), policy), ("a.md",))
    assert {one.code: one.severity for one in found} == {
        f"{PREFIX}primary_roster": Severity.UNKNOWN, f"{PREFIX}missing_runbooks": Severity.FAIL,
    }  # fmt: skip
    assert with_roster((), (), ())[0].severity is Severity.UNKNOWN
