"""Is the objective of each dimension of the data met, and would anybody hear of it if not? (AS-43)"""

from collections.abc import Mapping
from typing import Any

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments import ingest_health
from tradeworthy.operations.assessments.framework import (
    Assessment,
    Case,
    Category,
    FactSpec,
    Kind,
    Verdict,
    custom,
)
from tradeworthy.operations.assessments.ingest_health import BOTH, FACTS, IngestHealthPolicy

OK, WARN, FAIL = Severity.OK, Severity.WARN, Severity.FAIL
SAID = {Severity.OK: "met", Severity.WARN: "at risk", Severity.UNKNOWN: "unknown", Severity.FAIL: "breached"}
PARTS = (ingest_health.fresh, ingest_health.rows, ingest_health.instruments)


class IngestSlosPolicy(IngestHealthPolicy, frozen=True, kw_only=True):
    """The limits of ingest health, which these objectives mirror."""


def objective(values: Mapping[str, Any], policy: IngestSlosPolicy, now: int) -> Verdict | None:
    """Judge the objective of a dimension by the worst that its health says."""
    said = [one for part in PARTS if (one := part(values, policy, now)) is not None]
    worst = max(said, key=lambda one: one.severity, default=None)
    return None if worst is None else worst._replace(message=f"{SAID[worst.severity]}: {worst.message}")


def route(values: Mapping[str, Any], policy: IngestSlosPolicy, now: int) -> Verdict:
    """Judge whether a breach would reach a channel: without one it warns."""
    del policy, now
    told = len(values["channels"])
    return Verdict(OK if told else WARN, told, 1, "" if told else "a breach would reach no channel", "channels")


ASSESSMENT = Assessment(
    title="The objective of each dimension of the data is met.",
    topic="telemetry.operational.slos", section="operational", owner="operations", runbook="runbooks/slos.md",
    category=Category.OPERATIONS, policy=IngestSlosPolicy(),
    facts=(*FACTS, FactSpec("channels", Kind.NAMES, "", ("ops-email",), per="dimension")),
    rules=(
        custom("objective", objective, facts=tuple(one.name for one in FACTS), remedy=ingest_health.ASK, cases=(
            Case("met", {"freshness": 899.999}, OK), Case("at_risk", {"freshness": 900.0}, WARN),
            Case("breached", {"freshness": 1_800.0}, FAIL), Case("one_gone", {"observed": BOTH[:1]}, WARN),
            Case("all_gone", {"observed": ()}, FAIL), Case("no_row", {"rows": 0}, FAIL),
            Case("closed", {"open": False, "freshness": 86_400.0}, OK),
        )),
        custom("no_route", route, facts=("channels",), runbook="runbooks/alert-path.md",
               remedy="name its category in a rule of telemetry.alerts", cases=(
                   Case("nobody", {"channels": ()}, WARN), Case("one", {"channels": ("ops-sms",)}, OK),
               )),
    ),
)  # fmt: skip
