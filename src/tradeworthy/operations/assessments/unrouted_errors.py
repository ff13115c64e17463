"""Did anything fail within the last hour that nobody has a route for? (AS-33)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_most,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

ROUTE = "give it a route in telemetry.alerts.log_routes, or mend what says it"


class UnroutedErrorsPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """ERROR lines, dead letters and system mails of the last hour that no alert rule takes.

    mailbox  the file of the machine's mail, as mbox; empty = that of the user whose process it is
    """

    period_s: float = 60.0
    lines: Limit = at_most("lines", fail=1)
    letters: Limit = at_most("letters", fail=1)
    mails: Limit = at_most("mails", fail=1)
    mailbox: str = ""


ASSESSMENT = Assessment(
    title="Nothing failed that nobody hears of.",
    topic="telemetry.operational.unrouted", section="operational", owner="operations",
    runbook="runbooks/unrouted-errors.md", category=Category.OPERATIONS, policy=UnroutedErrorsPolicy(),
    nouns={"mailbox": "a machine without a mailbox takes no mail"},
    facts=(
        FactSpec("error_lines", Kind.INTEGER, "lines", 0), FactSpec("dead_letters", Kind.INTEGER, "letters", 0),
        FactSpec("mails", Kind.INTEGER, "mails", 0, per="mailbox"),
    ),
    rules=(
        threshold("error_lines", "lines", what="error_line", remedy=ROUTE),
        threshold("dead_letters", "letters", what="dead_letter", remedy="see the letter, mend its handler, settle it"),
        threshold("mails", "mails", what="system_mail", remedy="read it; mend the job that wrote it"),
    ),
)  # fmt: skip
