"""Did every dimension of the data come, whole and fresh? (AS-01)"""

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
from tradeworthy.operations.assessments.framework.primitives import against, names

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
DAILY, INTRADAY, MACRO = "daily_bars", "intraday_trades", "macro_events"
DAY_S = 86_400.0
RUNBOOK = "runbooks/feed-stale.md"
ASK = "ask the source again: tradeworthy ingest; see its connection"


class IngestHealthPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Seconds since the newest row while its market is open, by dimension; rows that must be there."""

    daily: Limit = at_most("s", warn=DAY_S, fail=2 * DAY_S)
    intraday: Limit = at_most("s", warn=900.0, fail=1_800.0)
    macro: Limit = at_most("s", warn=7 * DAY_S, fail=14 * DAY_S)
    rows: Limit = at_least("rows", warn=1)


def fresh(values: Mapping[str, Any], policy: IngestHealthPolicy, now: int) -> Verdict | None:
    """Judge the age of the newest row of a planned dimension; a closed market brings none."""
    del now
    if not values["planned"] or not values["open"]:
        return None
    limits = {DAILY: policy.daily, INTRADAY: policy.intraday, MACRO: policy.macro}
    found = limits.get(values["dimension"])
    if found is None:
        return Verdict(UNKNOWN, values["dimension"], ", ".join(limits), "no limit is known for this dimension")
    return against(found, values["freshness"], f"newest row {values['freshness']:g} s ago")


def rows(values: Mapping[str, Any], policy: IngestHealthPolicy, now: int) -> Verdict | None:
    """Judge the rows of a planned dimension: none fails where instruments were expected, and warns where none was."""
    del now
    if not values["planned"]:
        return None
    if values["rows"] == 0 and values["dimension"] != MACRO:
        severity = FAIL if values["expected"] else WARN
        return Verdict(severity, 0, 1, f"no row of {len(values['expected'])} instruments", "rows")
    return against(policy.rows, values["rows"]) if values["dimension"] != MACRO else None


def instruments(values: Mapping[str, Any], policy: IngestHealthPolicy, now: int) -> Verdict | None:
    """Judge the instruments of a planned dimension: all missing fails, some warn."""
    del policy, now
    gone = sorted(set(values["expected"]) - set(values["observed"]))
    if not values["planned"] or not gone:
        return None
    whole = len(gone) == len(set(values["expected"]))
    return Verdict(FAIL if whole else WARN, len(gone), 0, f"no row of {names(gone)}", "instruments")


def spec(name: str, kind: Kind, unit: str, healthy: Any) -> FactSpec:
    """Return a fact of a dimension."""
    return FactSpec(name, kind, unit, healthy, per="dimension")


BOTH = ("EURUSD", "GBPUSD")
FACTS = (
    spec("dimension", Kind.TEXT, "", INTRADAY), spec("planned", Kind.FLAG, "", True), spec("open", Kind.FLAG, "", True),
    spec("freshness", Kind.NUMBER, "s", 1.0), spec("rows", Kind.INTEGER, "rows", 100),
    spec("expected", Kind.NAMES, "", BOTH), spec("observed", Kind.NAMES, "", BOTH),
)  # fmt: skip
ASSESSMENT = Assessment(
    title="Every dimension of the data came whole and fresh.",
    topic="telemetry.ingest.health", section="ingest", owner="operations", runbook=RUNBOOK,
    category=Category.TRADING, policy=IngestHealthPolicy(), facts=FACTS,
    rules=(
        custom("freshness", fresh, facts=("dimension", "planned", "open", "freshness"), remedy=ASK, cases=(
            Case("intraday_under", {"freshness": 899.999}, OK), Case("intraday_at_15_min", {"freshness": 900.0}, WARN),
            Case("intraday_at_30_min", {"freshness": 1_800.0}, FAIL),
            Case("daily_under", {"dimension": DAILY, "freshness": DAY_S - 1}, OK),
            Case("daily_at_a_day", {"dimension": DAILY, "freshness": DAY_S}, WARN),
            Case("macro_at_two_weeks", {"dimension": MACRO, "freshness": 14 * DAY_S}, FAIL),
            Case("closed", {"open": False, "freshness": DAY_S}, OK),
            Case("not_planned", {"planned": False, "freshness": DAY_S}, OK),
            Case("unheard_of", {"dimension": "x"}, UNKNOWN),
        )),
        custom("no_rows", rows, facts=("dimension", "planned", "rows", "expected"), remedy=ASK, cases=(
            Case("none_of_two", {"rows": 0}, FAIL),
            Case("none_expected", {"rows": 0, "expected": ()}, WARN), Case("one", {"rows": 1}, OK),
            Case("macro", {"rows": 0, "dimension": MACRO}, OK), Case("not_planned", {"rows": 0, "planned": False}, OK),
        )),
        custom("symbols_missing", instruments, facts=("planned", "expected", "observed"), remedy=ASK, cases=(
            Case("one_gone", {"observed": BOTH[:1]}, WARN), Case("all_gone", {"observed": ()}, FAIL),
            Case("more_than_expected", {"observed": (*BOTH, "USDJPY")}, OK),
            Case("not_planned", {"observed": (), "planned": False}, OK),
        )),
    ),
)  # fmt: skip
