"""Are runbooks the ones that were released, contacts tested, and reviews held when they are due? (AS-58)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    age,
    at_most,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

DAY_S = 86_400.0
HELD = "hold it, and attest it: tradeworthy assess document_control --facts FILE"


class DocumentControlPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Pages that changed without a release; hours since the roster was exported; contacts nobody reached in 30 days;
    seconds since the committee, the audit's review and report, and the quarterly review.
    """

    period_s: float = 600.0
    changed: Limit = at_most("changes", warn=1)
    roster_age: Limit = at_most("h", fail=24.0)
    untested: Limit = at_most("contacts", warn=1)
    committee_age: Limit = at_most("s", warn=8 * DAY_S)
    audit_age: Limit = at_most("s", warn=32 * DAY_S)
    quarterly_age: Limit = at_most("s", warn=95 * DAY_S)
    report_age: Limit = at_most("s", warn=8 * DAY_S)


ASSESSMENT = Assessment(
    title="Documents are the released ones, and reviews are held.",
    topic="telemetry.operational.documents", section="operational", owner="operations",
    runbook="runbooks/operator.md", category=Category.OPERATIONS, policy=DocumentControlPolicy(),
    facts=(
        FactSpec("changed", Kind.INTEGER, "changes", 0), FactSpec("roster_age", Kind.NUMBER, "h", 1.0),
        FactSpec("untested", Kind.INTEGER, "contacts", 0), FactSpec("last_committee", Kind.TIME, "", 3_600),
        FactSpec("last_audit", Kind.TIME, "", 3_600), FactSpec("last_quarterly", Kind.TIME, "", 3_600),
        FactSpec("last_report", Kind.TIME, "", 3_600),
    ),
    rules=(
        threshold("changed", "changed", remedy="release the page that changed, or put the released one back"),
        threshold("roster_age", "roster_age", what="roster", remedy="export the roster again",
                  runbook="runbooks/escalation.md"),
        threshold("untested", "untested", what="contact_test", remedy="tradeworthy alert test",
                  runbook="runbooks/escalation.md"),
        age("last_committee", "committee_age", what="weekly_committee", remedy=HELD),
        age("last_audit", "audit_age", what="monthly_audit", remedy=HELD),
        age("last_quarterly", "quarterly_age", what="quarterly_review", remedy=HELD),
        age("last_report", "report_age", what="weekly_report", remedy=HELD),
    ),
)  # fmt: skip
