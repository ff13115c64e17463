"""Soak monitor and readiness: is the desk ready to be decided on, and the decision by ids (GT-06, GT-07)."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.report import address
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.dry_run.page import Page
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.gates.model import Answer, Evidence
from tradeworthy.operations.gates.store import GivenVerdict

PARTS = {
    "log_maturity": "log_maturity", "reconciliation": "reconciliation_not_healthy", "shadow_parity": "parity_not_met",
    "portfolio_risk": "portfolio_risk_not_healthy",
}  # fmt: skip
"""What the soak monitor reads, and the blocker where it is not healthy."""
STRICT, STALE = "strict_not_met", "stale_reports"


class ReadinessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Age at which an input is too old, and how long a decision lasts."""

    age_max_s: int = 30 * 60
    lasts_ns: int = NANOS_PER_DAY


class SoakState(msgspec.Struct, frozen=True, kw_only=True):
    """What the monitor says at a time: ready, or hold with every blocker. `inputs` by name are ids, empty = none."""

    at: int
    ready: bool
    blockers: tuple[str, ...]
    inputs: dict[str, str]

    @property
    def soak_id(self) -> str:
        """The SHA-256 of what it says."""
        return address(canonical(self))

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.PASS if self.ready else ExitCode.FAIL


def soak_state(
    newest: Mapping[str, Evidence], strict: GivenVerdict | None, now: int, policy: ReadinessPolicy | None = None
) -> SoakState:
    """Return whether maturity, reconciliation, parity, portfolio risk and the strict cycle are all well and young.

    newest  evidence by source;  strict  the newest verdict that was asked strictly
    """
    p = policy or ReadinessPolicy()
    blockers: list[str] = []
    old = False
    inputs: dict[str, str] = {}
    for source, blocker in PARTS.items():
        one = newest.get(source)
        inputs[source] = "" if one is None else one.evidence_id
        stale = one is None or not _young(one.stamp, now, p)
        old = old or stale
        if one is None or stale or one.error or one.status is None or one.status > Severity.WARN:
            blockers.append(blocker)
    inputs["strict"] = "" if strict is None else strict.verdict_id
    stale = strict is None or not _young(strict.verdict.evaluated_at, now, p)
    if strict is None or stale or not strict.verdict.mode.strict or strict.verdict.standing(now) is Answer.NO_GO:
        blockers.append(STRICT)
    if old or stale:
        blockers.append(STALE)
    return SoakState(at=now, ready=not blockers, blockers=tuple(blockers), inputs=inputs)


class Decision(StrEnum):
    """What was decided."""

    GO = "GO"
    HOLD = "HOLD"


@fact("gate.readiness")
class ReadinessDecided(Fact, frozen=True):
    """A decision over inputs by their ids; it ends at `expires_at`. `reasons` of a HOLD, and of inputs refused."""

    decision: Decision
    decided_at: int
    expires_at: int
    release: str
    maturity: str
    strict: str
    bundle_id: str
    soak: str
    reasons: tuple[str, ...]

    def standing(self, now: int) -> Decision:
        """Return the decision wherever it is read: past its end and before its time it is HOLD."""
        return self.decision if self.decided_at <= now < self.expires_at else Decision.HOLD


def decide(
    maturity: Evidence | None, strict: GivenVerdict | None, soak: SoakState, release: str, now: int,
    policy: ReadinessPolicy | None = None,
) -> ReadinessDecided:  # fmt: skip
    """Return the decision; an input that is newer than it, or 30 minutes old, is refused."""
    p = policy or ReadinessPolicy()
    reasons = []
    stamps = {
        "log_maturity": None if maturity is None else maturity.stamp,
        "strict": None if strict is None else strict.verdict.evaluated_at, "soak": soak.at,
    }  # fmt: skip
    for name, stamp in stamps.items():
        if stamp is None:
            reasons.append(f"{name}: there is none")
        elif stamp > now:
            reasons.append(f"{name}: refused, it is newer than the decision")
        elif not _young(stamp, now, p):
            reasons.append(f"{name}: refused, it is {(now - stamp) / NANOS_PER_SECOND:,.0f} s old")
    if maturity is not None and (maturity.error or maturity.status is None or maturity.status > Severity.WARN):
        reasons.append("log_maturity: the record is not complete for long enough")
    if strict is not None and strict.verdict.context.binding.release != release:
        reasons.append(f"strict: it is for release {strict.verdict.context.binding.release}")
    if strict is not None and (strict.verdict.standing(now) is Answer.NO_GO or not strict.verdict.mode.strict):
        reasons.append("strict: it does not say GO")
    reasons += [f"soak: {one}" for one in soak.blockers]
    return ReadinessDecided(
        decision=Decision.HOLD if reasons else Decision.GO, decided_at=now, expires_at=now + p.lasts_ns,
        release=release, maturity="" if maturity is None else maturity.evidence_id,
        strict="" if strict is None else strict.verdict_id,
        bundle_id="" if strict is None else strict.verdict.bundle_id, soak=soak.soak_id, reasons=tuple(reasons),
    )  # fmt: skip


def readiness_page(found: ReadinessDecided) -> str:
    """Return the decision for people."""
    page = Page(f"Readiness: {found.decision}")
    page.facts((
        ("release", found.release), ("decided", stamp_of(found.decided_at)), ("ends", stamp_of(found.expires_at)),
        ("strict verdict", found.strict or "none"), ("bundle", found.bundle_id or "none"),
        ("log maturity", found.maturity or "none"), ("soak", found.soak),
    ))  # fmt: skip
    if found.reasons:
        page.heading("What holds it")
        page.bullets(found.reasons)
    return page.render()


def _young(stamp: int, now: int, policy: ReadinessPolicy) -> bool:
    return 0 <= now - stamp < policy.age_max_s * NANOS_PER_SECOND
