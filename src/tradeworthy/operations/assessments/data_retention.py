"""Does the store hold what it must, for as long, and without holes? (AS-11)"""

from collections.abc import Mapping
from typing import Any

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework import (
    Assessment,
    AssessmentPolicy,
    Case,
    Category,
    FactSpec,
    Kind,
    Verdict,
    at_least,
    at_most,
    custom,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import against

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
DIMENSIONS = ("daily", "intraday", "macro")


class DataRetentionPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Days from the first to the last row, by dimension, both counted; sessions present over those expected.

    intraday_optional  short intraday data warn only;  cap_is_legal  data that are kept too long fail
    """

    daily: Limit = at_least("d", warn=365, fail=300)
    intraday: Limit = at_least("d", warn=30, fail=7)
    macro: Limit = at_least("d", warn=365, fail=180)
    intraday_optional: bool = False
    complete: Limit = at_least("share", warn=0.98, fail=0.90, high=1)
    daily_cap: Limit = at_most("d", warn=400)
    intraday_cap: Limit = at_most("d", warn=45)
    macro_cap: Limit = at_most("d", warn=400)
    cap_is_legal: bool = False


def span(values: Mapping[str, Any], policy: DataRetentionPolicy, now: int) -> Verdict:
    """Judge how far back the rows reach; a table without rows fails."""
    del now
    if values["dimension"] not in DIMENSIONS:
        return Verdict(UNKNOWN, values["dimension"], ", ".join(DIMENSIONS), "nobody knows this dimension")
    if values["rows"] == 0:
        return Verdict(FAIL, 0, 1, "the table is empty", "rows")
    found = against(getattr(policy, values["dimension"]), values["days"])
    if found.severity is FAIL and values["dimension"] == "intraday" and policy.intraday_optional:
        return found._replace(severity=WARN)
    return found


def gaps(values: Mapping[str, Any], policy: DataRetentionPolicy, now: int) -> Verdict | None:
    """Judge the sessions that are there over those between the first and the last row."""
    del now
    expected, present = values["sessions_expected"], values["sessions_present"]
    if values["rows"] == 0:
        return None
    if expected == 0:
        return Verdict(UNKNOWN, present, 0, "no session lies between the first and the last row", "sessions")
    return against(policy.complete, min(1.0, present / expected), f"{present} of {expected} sessions are there")


def cap(values: Mapping[str, Any], policy: DataRetentionPolicy, now: int) -> Verdict | None:
    """Judge data that are kept for longer than they should, or may."""
    del now
    if values["dimension"] not in DIMENSIONS:
        return None
    found = against(getattr(policy, f"{values['dimension']}_cap"), values["days"])
    return found._replace(severity=FAIL) if found.severity is WARN and policy.cap_is_legal else found


SPAN, CAP = ("dimension", "rows", "days"), ("dimension", "days")
GAPS = ("rows", "sessions_expected", "sessions_present")
ASSESSMENT = Assessment(
    title="The store holds what it must, for as long, and without holes.",
    topic="telemetry.data_backbone.retention", section="data-backbone", owner="operations",
    runbook="runbooks/data_retention.md", category=Category.DATA, policy=DataRetentionPolicy(),
    facts=(
        FactSpec("dimension", Kind.TEXT, "", "daily", per="table"),
        FactSpec("rows", Kind.INTEGER, "rows", 252, per="table"),
        FactSpec("days", Kind.INTEGER, "d", 366, per="table"),
        FactSpec("sessions_expected", Kind.INTEGER, "sessions", 252, per="table"),
        FactSpec("sessions_present", Kind.INTEGER, "sessions", 252, per="table"),
    ),
    rules=(
        custom("span", span, facts=SPAN, primitive="floor", limit="daily", remedy="backfill the missing past", cases=(
            Case("366_days", {"days": 366}, OK), Case("365_days", {"days": 365}, OK),
            Case("364_days", {"days": 364}, WARN),
            Case("300_days", {"days": 300}, WARN), Case("299_days", {"days": 299}, FAIL),
            Case("empty", {"rows": 0}, FAIL),
            Case("intraday_30", {"dimension": "intraday", "days": 30}, OK),
            Case("intraday_29", {"dimension": "intraday", "days": 29}, WARN),
            Case("intraday_6", {"dimension": "intraday", "days": 6}, FAIL),
            Case("macro_179", {"dimension": "macro", "days": 179}, FAIL),
            Case("unheard_of", {"dimension": "x"}, UNKNOWN),
        )),
        custom("gaps", gaps, facts=GAPS, primitive="coverage", limit="complete",
               remedy="backfill the missing sessions", cases=(
            Case("two_rows_a_year_apart", {"rows": 2, "sessions_present": 2}, FAIL),
            Case("98_of_100", {"sessions_expected": 100, "sessions_present": 98}, OK),
            Case("97_of_100", {"sessions_expected": 100, "sessions_present": 97}, WARN),
            Case("90_of_100", {"sessions_expected": 100, "sessions_present": 90}, WARN),
            Case("89_of_100", {"sessions_expected": 100, "sessions_present": 89}, FAIL),
            Case("no_session", {"sessions_expected": 0, "sessions_present": 0}, UNKNOWN),
        )),
        custom("over_cap", cap, facts=CAP, limit="daily_cap", remedy="delete what is older than it may be", cases=(
            Case("daily_399", {"days": 399}, OK), Case("daily_400", {"days": 400}, WARN),
            Case("intraday_44", {"dimension": "intraday", "days": 44}, OK),
            Case("intraday_45", {"dimension": "intraday", "days": 45}, WARN),
            Case("macro_400", {"dimension": "macro", "days": 400}, WARN),
        )),
    ),
)  # fmt: skip
