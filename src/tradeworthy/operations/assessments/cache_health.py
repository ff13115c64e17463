"""Is the cache there where one is expected, and does it answer what it is asked? Counts are of an hour (AS-21)."""

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
    at_most,
    custom,
    threshold,
)
from tradeworthy.operations.assessments.framework.limits import Limit
from tradeworthy.operations.assessments.framework.primitives import required

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL


class CacheHealthPolicy(AssessmentPolicy, frozen=True, kw_only=True):
    """Hit shares and the lookups that each needs; entries that gave way."""

    hit_rate_warn: float = 0.25
    lookups_warn: int = 5
    hit_rate_fail: float = 0.10
    lookups_fail: int = 20
    evictions: Limit = at_most("entries", warn=1)


def present(values: Mapping[str, Any], policy: CacheHealthPolicy, now: int) -> Verdict:
    """Judge whether a cache is configured where one is expected."""
    del policy, now
    return required(values["configured"] or not values["expected"])


def hit_rate(values: Mapping[str, Any], policy: CacheHealthPolicy, now: int) -> Verdict | None:
    """Judge how many lookups were answered; without a cache there is nothing to judge."""
    del now
    if not values["configured"]:
        return None
    lookups = values["hits"] + values["misses"]
    if lookups == 0:
        severity = UNKNOWN if values["expected"] else OK
        return Verdict(severity, 0, policy.lookups_warn, "nobody looked anything up", "lookups")
    share = values["hits"] / lookups
    said = f"{values['hits']} of {lookups} lookups answered ({share:.1%})"
    if lookups >= policy.lookups_fail and share < policy.hit_rate_fail:
        return Verdict(FAIL, share, policy.hit_rate_fail, said, "share")
    if lookups >= policy.lookups_warn and share < policy.hit_rate_warn:
        return Verdict(WARN, share, policy.hit_rate_warn, said, "share")
    return Verdict(OK, share, policy.hit_rate_warn, said, "share")


ASSESSMENT = Assessment(
    title="The cache is there where one is expected, and answers what it is asked.",
    topic="telemetry.cache.health", section="runtime", owner="operations", runbook="runbooks/cache.md",
    category=Category.RUNTIME, policy=CacheHealthPolicy(),
    facts=(
        FactSpec("configured", Kind.FLAG, "", True), FactSpec("expected", Kind.FLAG, "", True),
        FactSpec("hits", Kind.INTEGER, "lookups", 90), FactSpec("misses", Kind.INTEGER, "lookups", 10),
        FactSpec("evictions", Kind.INTEGER, "entries", 0),
    ),
    rules=(
        custom("absent", present, facts=("configured", "expected"), primitive="required",
               remedy="configure the cache, or take it off what is expected", cases=(
                   Case("expected", {"configured": False}, FAIL), Case("there", {"configured": True}, OK),
                   Case("not_wanted", {"configured": False, "expected": False}, OK),
               )),
        custom("hit_rate", hit_rate, facts=("configured", "expected", "hits", "misses"), primitive="ratio",
               remedy="see what is asked for: keys that change, or entries that end too soon", cases=(
                   Case("none_of_20", {"hits": 0, "misses": 20}, FAIL),
                   Case("none_of_19", {"hits": 0, "misses": 19}, WARN),
                   Case("none_of_5", {"hits": 0, "misses": 5}, WARN), Case("none_of_4", {"hits": 0, "misses": 4}, OK),
                   Case("none_of_100", {"hits": 0, "misses": 100}, FAIL),
                   Case("9_of_100", {"hits": 9, "misses": 91}, FAIL),
                   Case("10_of_100", {"hits": 10, "misses": 90}, WARN),
                   Case("24_of_100", {"hits": 24, "misses": 76}, WARN),
                   Case("25_of_100", {"hits": 25, "misses": 75}, OK),
                   Case("nobody_asked", {"hits": 0, "misses": 0}, UNKNOWN),
                   Case("nobody_asks", {"hits": 0, "misses": 0, "expected": False}, OK),
                   Case("no_cache", {"configured": False, "expected": False, "hits": 0, "misses": 20}, OK),
               )),
        threshold("evictions", "evictions", remedy="give the cache more memory, or its entries less time"),
    ),
)  # fmt: skip
