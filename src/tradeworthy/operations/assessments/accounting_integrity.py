"""Do the books of every instance hold together? (AS-110)"""

from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Category,
    FactSpec,
    Kind,
    age,
    at_least,
    at_most,
    below,
    required,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.trading.ledger.integrity import IntegrityPolicy

BOUNDS = IntegrityPolicy()
REPLAY = "replay the run: an equal digest points at an input, a fee or a corporate action"


class AccountingIntegrityPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Fields that are missing, money that nothing explains (quote currency), seconds since the books were told."""

    missing: Limit = at_most("fields", fail=1)
    residual: Limit = below("quote", fail=BOUNDS.balance_tolerance)
    equity: Limit = at_least("quote", fail=0.0000001)
    books_age: Limit = at_most("s", warn=120.0, fail=1_200.0)
    snapshots: Limit = at_least("snapshots", fail=1)


ASSESSMENT = Assessment(
    title="The books of every instance hold together.",
    topic="telemetry.desk.accounting_integrity", section="desk", owner="trading", runbook="runbooks/ledger.md",
    category=Category.TRADING, policy=AccountingIntegrityPolicy(),
    facts=(
        FactSpec("fields_missing", Kind.INTEGER, "fields", 0, per="instance"),
        FactSpec("books_accepted", Kind.FLAG, "", True, per="instance"),
        FactSpec("residual", Kind.DECIMAL, "quote", "0", per="instance"),
        FactSpec("equity", Kind.NUMBER, "quote", 1_000.0, per="instance", low=None),
        FactSpec("fees_negative_without_rebate", Kind.FLAG, "", False, per="instance"),
        FactSpec("last_snapshot", Kind.TIME, "", 1, per="instance"),
        FactSpec("snapshots", Kind.INTEGER, "snapshots", 10, per="instance"),
    ),
    rules=(
        threshold("fields_missing", "missing", what="field_missing", remedy="see which field the snapshot lacks"),
        required("books_accepted", what="not_accepted", remedy=REPLAY),
        threshold("residual", "residual", what="unexplained", primitive="cap", remedy=REPLAY),
        threshold("equity", "equity", primitive="floor", remedy="the desk has lost everything, or its books are wrong"),
        required("fees_negative_without_rebate", what="fees_negative", wanted=False,
                 remedy="compare the fee with the venue's schedule"),
        age("last_snapshot", "books_age", what="books_age", remedy="see why the ledger tells nothing"),
        threshold("snapshots", "snapshots", what="no_snapshots", primitive="floor",
                  remedy="see why the ledger tells nothing"),
    ),
)  # fmt: skip
