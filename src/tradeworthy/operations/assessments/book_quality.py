"""Does depth come in order, in time, and not in the way of all else? (AS-118)"""

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
    age,
    at_least,
    at_most,
    custom,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit

OK, FAIL = Severity.OK, Severity.FAIL
AGAIN = "the book was built anew: see the connection, and why a diff was missing"
LIGHTER = "ask the venue for fewer levels, or for a slower stream"


class BookQualityPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Of one depth stream: seconds since its newest event, counts of the last hour, its share of the instrument's
    events, the largest event in bytes, and how many events came for each one that is kept.
    """

    silent: Limit = at_most("s", fail=180.0)
    gaps: Limit = at_most("gaps", warn=1, fail=50)
    crossed: Limit = at_most("books", fail=1)
    sampled: Limit = at_least("events", fail=1)
    raw_ratio: Limit = at_most("events", warn=100.0)
    share: Limit = at_most("share", warn=0.95, high=1.0)
    event_bytes: Limit = at_most("bytes", warn=4_000)


def there(values: Mapping[str, Any], policy: BookQualityPolicy, now: int) -> Verdict:
    """Judge whether depth came at all where the desk's venue is matched by it."""
    del policy, now
    gone = values["expected"] and not values["streams"]
    return Verdict(FAIL if gone else OK, values["streams"], int(values["expected"]), "no depth came" if gone else "")


def _of(name: str, kind: Kind, unit: str, healthy: object) -> FactSpec:
    return FactSpec(name, kind, unit, healthy, per="depth stream")


ASSESSMENT = Assessment(
    title="Depth comes in order and in time.",
    topic="telemetry.desk.book_quality", section="desk", owner="trading", runbook="runbooks/market_data.md",
    category=Category.TRADING, policy=BookQualityPolicy(),
    facts=(
        FactSpec("expected", Kind.FLAG, "", True), FactSpec("streams", Kind.INTEGER, "streams", 1),
        _of("in_session", Kind.FLAG, "", True),
        _of("last_depth", Kind.TIME, "", 1), _of("gaps", Kind.INTEGER, "gaps", 0),
        _of("crossed", Kind.INTEGER, "books", 0), _of("sampled", Kind.INTEGER, "events", 1_000),
        _of("raw_ratio", Kind.NUMBER, "events", 1.0), _of("share", Kind.NUMBER, "share", 0.5),
        _of("event_bytes", Kind.INTEGER, "bytes", 1_000),
    ),
    rules=(
        custom("no_depth", there, facts=("expected", "streams"), primitive="required", remedy=AGAIN, cases=(
            Case("none_of_it", {"streams": 0}, FAIL), Case("not_wanted", {"expected": False, "streams": 0}, OK),
        )),
        age("last_depth", "silent", what="silent", when="in_session", remedy="see the connection; ask for a snapshot"),
        threshold("gaps", "gaps", remedy=AGAIN), threshold("crossed", "crossed", remedy=AGAIN),
        threshold("sampled", "sampled", what="no_events", primitive="floor", remedy="see why nothing is kept"),
        threshold("raw_ratio", "raw_ratio", what="thinned", remedy="see what takes the desk's time"),
        threshold("share", "share", remedy=LIGHTER), threshold("event_bytes", "event_bytes", remedy=LIGHTER),
    ),
    nouns={"depth stream": "a desk without depth has no stream"},
)  # fmt: skip
