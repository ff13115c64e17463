"""The health report: what `/health` answers, its schema by version, and the same for people (HLT-02)."""

from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity, worst

SCHEMA: Final = "tradeworthy.health/1"
Status = Literal["OK", "WARN", "UNKNOWN", "FAIL"]
HTTP_OK, HTTP_UNAVAILABLE = 200, 503
NANOS_PER_MICRO = 1_000


class Verdict(msgspec.Struct, frozen=True):
    """What one rule says; `limit` is the one that was reached, or the next one while all is well."""

    severity: Severity
    summary: str
    observed: float | int | str | None = None
    limit: float | int | str | None = None
    unit: str = ""


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One check; `status` is None where it does not apply."""

    name: str
    status: Severity | None
    verdict: Verdict
    runbook: str

    @property
    def applies(self) -> bool:
        """Tell whether the check was judged."""
        return self.status is not None


class CheckBody(msgspec.Struct, frozen=True, kw_only=True):
    """One check as it is answered; `status` is null where it does not apply."""

    name: str
    status: Status | None
    applies: bool
    summary: str
    observed: float | int | str | None
    limit: float | int | str | None
    unit: str
    runbook: str


class HealthBody(msgspec.Struct, frozen=True, kw_only=True):
    """What `/health` answers. `generated_at` is UTC with microseconds."""

    schema: Literal["tradeworthy.health/1"]
    status: Status
    generated_at: str
    run_id: str
    environment: str
    checks: tuple[CheckBody, ...]


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one moment. `generated_at` is nanoseconds UTC."""

    generated_at: int
    run_id: str
    environment: str
    checks: tuple[HealthCheck, ...]

    @property
    def status(self) -> Severity:
        """The worst check that applies; none is UNKNOWN."""
        return worst(one.status for one in self.checks if one.status is not None)

    @property
    def statuses(self) -> dict[str, Severity]:
        """The checks that apply, by name, as metrics show them."""
        return {one.name: one.status for one in self.checks if one.status is not None}

    @property
    def http_status(self) -> int:
        """Fit to trade (OK, WARN) is 200, anything else 503."""
        return HTTP_OK if self.status <= Severity.WARN else HTTP_UNAVAILABLE

    def check(self, name: str) -> HealthCheck:
        """Return one check; raises `KeyError` for a name that there is not."""
        found = next((one for one in self.checks if one.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


def body_of(report: HealthReport) -> HealthBody:
    """Return the report as it is answered, without secrets."""
    checks = tuple(
        CheckBody(
            name=one.name, status=None if one.status is None else _word(one.status), applies=one.applies,
            summary=str(redact(one.verdict.summary)), observed=redact(one.verdict.observed), limit=one.verdict.limit,
            unit=one.verdict.unit, runbook=one.runbook,
        )
        for one in report.checks
    )  # fmt: skip
    return HealthBody(
        schema=SCHEMA, status=_word(report.status), generated_at=stamp(report.generated_at), run_id=report.run_id,
        environment=report.environment, checks=checks,
    )  # fmt: skip


def encode(report: HealthReport) -> bytes:
    """Return the report as JSON."""
    return msgspec.json.encode(body_of(report))


def schema() -> dict[str, Any]:
    """Return the JSON schema of the answer; its `$id` carries the version."""
    return {"$id": SCHEMA, **msgspec.json.schema(HealthBody)}


def markdown(body: HealthBody) -> str:
    """Return the report for people: the verdict, then each check, worst first, those that do not apply last."""
    lines = [f"# Health: {body.status}", "", f"Run `{body.run_id}`, {body.environment}, at {body.generated_at}.", ""]
    lines += ["| check | status | observed | limit | what | runbook |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {one.name} | {one.status or 'n/a'} | {figure(one.observed, one.unit)} | {figure(one.limit, one.unit)} | "
        f"{one.summary.replace('|', '/')} | {one.runbook} |"
        for one in by_severity(body)
    ]
    return "\n".join(lines) + "\n"


def by_severity(body: HealthBody) -> list[CheckBody]:
    """Return the checks, worst first, those that do not apply last."""
    return sorted(body.checks, key=lambda one: 1 if one.status is None else -Severity[one.status])


def figure(value: float | int | str | None, unit: str) -> str:
    """Return a figure with its unit for people; an absent one is a dash."""
    if value is None:
        return "-"
    return f"{value:.4g} {unit}".strip() if isinstance(value, float) else f"{value} {unit}".strip()


def stamp(nanos: int) -> str:
    """Return nanoseconds UTC as text with microseconds."""
    moment = datetime.fromtimestamp(nanos // NANOS_PER_SECOND, UTC)
    micros = nanos % NANOS_PER_SECOND // NANOS_PER_MICRO
    return moment.replace(microsecond=micros).isoformat(timespec="microseconds")


def _word(severity: Severity) -> Status:
    match severity:
        case Severity.OK:
            return "OK"
        case Severity.WARN:
            return "WARN"
        case Severity.UNKNOWN:
            return "UNKNOWN"
        case Severity.FAIL:
            return "FAIL"
