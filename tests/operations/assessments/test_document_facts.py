"""Documents and artefacts: a changed page, an old roster, a deleted file that evidence rests on."""

from pathlib import Path

import pytest

from tradeworthy.kernel.journal.records import Deleted
from tradeworthy.kernel.journal.retention import Step
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.collectors.documents import artefact_facts, document_facts
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.mutation import AT, judged
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.incidents.roster import RosterFacts

TELL = Teller("test", AT, environment="paper")
FRESH = RosterFacts(age_hours=1.0)
HELD = {"weekly_committee", "monthly_audit", "quarterly_review", "weekly_report"}


def codes(name, facts):
    one = registry().get(name)
    snapshot = judged(one, tuple(facts), one.policy)
    return {found.code.partition(".")[2]: found.severity for found in snapshot.findings}


@pytest.mark.parametrize(("starts", "here", "severity"), [
    ([("a", "1")], "1", None), ([("a", "1")], "2", Severity.WARN),
    ([("a", "1"), ("a", "2")], "2", Severity.WARN), ([("a", "1"), ("b", "2")], "2", None),
    ([], "1", Severity.UNKNOWN), ([("a", "")], "1", Severity.UNKNOWN), ([("a", "1")], "", Severity.UNKNOWN),
])  # fmt: skip
def test_a_page_that_changed_without_a_release_warns(starts, here, severity):
    found = codes("document_control", document_facts(starts, here, FRESH, TELL))
    assert found.get("changed") is severity


def test_a_roster_of_a_day_fails_and_a_contact_nobody_reached_warns():
    def of(roster):
        return codes("document_control", document_facts([("a", "1")], "1", roster, TELL))

    assert set(of(FRESH)) == HELD
    assert of(RosterFacts(age_hours=24.0))["roster"] is Severity.FAIL
    assert of(RosterFacts(age_hours=1.0, untested=("ann email",)))["contact_test"] is Severity.WARN
    assert of(RosterFacts())["roster"] is of(None)["contact_test"] is Severity.UNKNOWN


def test_what_nobody_keeps_a_register_of_is_unknown_until_it_is_attested():
    found = codes("document_control", document_facts([("a", "1")], "1", FRESH, TELL))
    assert found == dict.fromkeys(HELD, Severity.UNKNOWN)


def test_a_cited_file_that_was_deleted_fails_by_name_or_digest():
    gone = [Deleted("journal-1.jsonl", "a" * 64, "a rule")]
    assert codes("artefact_retention", artefact_facts(gone, {"other"}, (), {}, TELL)) == {}
    for cited in ("journal-1.jsonl", "a" * 64):
        assert codes("artefact_retention", artefact_facts(gone, {cited}, (), {}, TELL)) == {"deleted": Severity.FAIL}


def test_what_stays_past_its_time_warns_and_what_only_shrinks_does_not():
    def planned(act):
        return codes("artefact_retention", artefact_facts((), (), [Step(act, Path("gate-1.json"), "old")], {}, TELL))

    assert planned("delete") == planned("archive") == {"expired_kept": Severity.WARN}
    assert planned("compress") == planned("release") == {}


def test_an_artefact_that_is_another_fails_and_without_a_manifest_nobody_knows():
    def of(altered):
        return codes("artefact_retention", artefact_facts((), (), (), altered, TELL))

    assert of({"blotter.csv": False}) == {}
    assert of({"blotter.csv": True, "nav.jsonl": False}) == {"altered": Severity.FAIL}
    assert of(None) == {"altered": Severity.UNKNOWN}
