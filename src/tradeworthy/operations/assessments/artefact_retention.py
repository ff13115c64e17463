"""Are artefacts kept as long as they must be, and no longer? (AS-139)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    at_least,
    at_most,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit


class ArtefactRetentionPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Files that living evidence cites and that were deleted; files whose time is over; days that a journal stays.

    `altered` are artefacts of a run that are gone, or other bytes than its manifest says.
    """

    deleted: Limit = at_most("files", fail=1)
    expired: Limit = at_most("files", warn=1)
    journal_days: Limit = at_least("days", fail=7 * 365)
    altered: Limit = at_most("files", fail=1)


ASSESSMENT = Assessment(
    title="Artefacts are kept as long as they must be.",
    topic="telemetry.desk.artefact_retention", section="desk", owner="operations", runbook="runbooks/disk.md",
    category=Category.DATA, policy=ArtefactRetentionPolicy(),
    facts=(
        FactSpec("deleted_cited", Kind.INTEGER, "files", 0), FactSpec("expired", Kind.INTEGER, "files", 0),
        FactSpec("journal_days", Kind.INTEGER, "days", 7 * 365),
        FactSpec("altered", Kind.INTEGER, "files", 0, per="file"),
    ),
    rules=(
        threshold("deleted_cited", "deleted", what="deleted",
                  remedy="bring the file back by its digest; see who deleted it: tradeworthy journal integrity RUN"),
        threshold("expired", "expired", what="expired_kept", remedy="tradeworthy journal retention RUN shows them"),
        threshold("journal_days", "journal_days", what="kept_too_short", primitive="floor",
                  remedy="records of trading stay for seven years"),
        threshold("altered", "altered", what="altered",
                  remedy="do not read it: bring it back, or make it again from the journal, `tradeworthy replay RUN`"),
    ),
)  # fmt: skip
