"""The kill switch in practice: one real trip a week, and a proof of many for each release (KS-10).

Both are reports under the address of their bytes, and both live seven days: what is older says nothing any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_MILLI, NANOS_PER_SECOND
from tradeworthy.kernel.report import ADDRESSED, Check, Report, address
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.drills.bounds import failure_bound
from tradeworthy.trading.control.certificate import Certificate, Flatness

TRIP, PROOF, REHEARSAL = "kill-drill", "kill-proof", "kill-rehearsal"
"""Names of the reports: a real trip, many trips under faults, and a look without one, which is evidence of nothing."""
DRILLS = "drills"
"""Where a desk's state keeps them."""
OUTCOMES = {
    Flatness.VERIFIED: Severity.OK, Flatness.PARTIAL: Severity.FAIL, Flatness.UNVERIFIED: Severity.UNKNOWN,
}  # fmt: skip


class KillDrillPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long evidence lives, from which age on the next is due, and what a proof must show."""

    lives_days: int = 7
    due_days: int = 6
    trips_min: int = 299
    failure_rate_max: float = 0.01
    confidence: float = 0.95


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest evidence says now: of the weekly trip and of the release's proof."""

    at: int
    checks: tuple[Check, ...]
    evidence: dict[str, str]

    @property
    def severity(self) -> Severity:
        """The worst of both."""
        return max((one.severity for one in self.checks), default=Severity.UNKNOWN)


def trip_report(
    certificate: Certificate | None, faults: Sequence[str], *, digest: str, at: int, desk: str,
    hashes: Mapping[str, str], policy: KillDrillPolicy,
) -> Report:  # fmt: skip
    """Return the report of a real trip by its certificate; None: nobody certified it, and nothing is known.

    digest  of the certificate's file;  at  nanoseconds UTC;  hashes  of code and configuration of the desk's life
    """
    figures: dict[str, Any] = {
        "desk": desk, "at": at, "expires_at": at + policy.lives_days * NANOS_PER_DAY, "certificate": digest,
        "hashes": dict(hashes),
    }  # fmt: skip
    if certificate is None:
        absent = Check("kill_switch.outcome", Severity.UNKNOWN, "no certificate", "verified")
        return Report(name=TRIP, title=f"Kill drill of {desk}", sources=(), checks=(absent,), figures=figures)
    checks = [Check("kill_switch.outcome", OUTCOMES[certificate.outcome], certificate.outcome.value, "verified")]
    if faults:
        checks.append(Check("kill_switch.certificate", Severity.FAIL, "; ".join(faults), "a sound certificate"))
    for step in certificate.steps:
        took = "not done" if step.after_ns is None else f"{step.after_ns / NANOS_PER_MILLI:.1f} ms"
        severity = Severity.OK if step.in_time else Severity.FAIL
        checks.append(Check(f"kill_switch.{step.name}", severity, took, f"{step.limit_ns / NANOS_PER_MILLI:g} ms"))
    figures |= {
        "steps_ns": {one.name: one.after_ns for one in certificate.steps}, "cancels": len(certificate.cancels),
        "seen_by": certificate.seen_by, "halts": [one.name for one in certificate.halts],
    }  # fmt: skip
    return Report(name=TRIP, title=f"Kill drill of {desk}", sources=(), checks=tuple(checks), figures=figures)


def proof_report(
    trips: int, failures: int, steps_ns: Mapping[str, Sequence[int | None]], faults: Mapping[str, int], *, at: int,
    code_hash: str, policy: KillDrillPolicy, of: str,
) -> Report:  # fmt: skip
    """Return the report of many trips under random faults.

    steps_ns  what each step took in each trip, None where it was not done;  faults  how often each was there
    of        which desk was tripped, in words
    """
    bound = failure_bound(failures, trips, confidence=policy.confidence)
    checks = (
        Check("kill_proof.failures", Severity.FAIL if failures else Severity.OK, str(failures), "0"),
        Check("kill_proof.trips", Severity.OK if trips >= policy.trips_min else Severity.UNKNOWN, str(trips),
              f"{policy.trips_min} or more"),
        Check("kill_proof.bound", Severity.OK if bound <= policy.failure_rate_max else Severity.UNKNOWN,
              f"{bound:.4%}", f"{policy.failure_rate_max:.0%} at {policy.confidence:.0%}"),
    )  # fmt: skip
    figures = {
        "of": of, "trips": trips, "failures": failures, "bound": bound, "confidence": policy.confidence, "at": at,
        "expires_at": at + policy.lives_days * NANOS_PER_DAY, "hashes": {"code": code_hash}, "faults": dict(faults),
        "steps_ms": {name: _quantiles(found) for name, found in steps_ns.items()},
    }  # fmt: skip
    return Report(name=PROOF, title=f"{trips} trips of {of}", sources=(), checks=checks, figures=figures)


def reports_in(folder: Path) -> tuple[dict[str, Any], ...]:
    """Return the reports below a folder, oldest first; a file whose bytes are not those of its name is left out."""
    found = []
    for path in sorted((folder / ADDRESSED).glob("*.json")):
        data = path.read_bytes()
        if address(data) != path.stem:
            continue
        plain = msgspec.json.decode(data)
        if plain.get("name") in (TRIP, PROOF):
            found.append({**plain, "evidence": path.stem})
    return tuple(sorted(found, key=lambda one: (one["figures"]["at"], one["evidence"])))


def standing(reports: Iterable[Mapping[str, Any]], *, now: int, code_hash: str, policy: KillDrillPolicy) -> Standing:
    """Judge the newest trip and the newest proof of this code at `now`.

    A trip or proof that failed fails; one whose days are over, and none at all, is unknown; the day before it warns.
    """
    newest: dict[str, Mapping[str, Any]] = {}
    for one in reports:
        if one["figures"]["hashes"].get("code") == code_hash:
            newest[one["name"]] = one
    checks = tuple(_aged(name, newest.get(name), now, policy) for name in (TRIP, PROOF))
    return Standing(at=now, checks=checks, evidence={name: one["evidence"] for name, one in newest.items()})


def _aged(name: str, found: Mapping[str, Any] | None, now: int, policy: KillDrillPolicy) -> Check:
    limit = f"one that passed, younger than {policy.lives_days} d"
    if found is None:
        return Check(name, Severity.UNKNOWN, "none for this code", limit)
    age = now - found["figures"]["at"]
    days = f"{age / NANOS_PER_DAY:.1f} d old"
    if age < 0:
        return Check(name, Severity.FAIL, f"{-age / NANOS_PER_SECOND:.0f} s in the future", limit)
    if age >= policy.lives_days * NANOS_PER_DAY:
        return Check(name, Severity.UNKNOWN, f"expired, {days}", limit)
    said = Severity[found["severity"]]
    if said is Severity.OK and age >= policy.due_days * NANOS_PER_DAY:
        return Check(name, Severity.WARN, f"due, {days}", limit)
    return Check(name, said, f"{said.name.lower()}, {days}", limit)


def _quantiles(found: Sequence[int | None]) -> dict[str, float | int]:
    ordered = sorted(one / NANOS_PER_MILLI for one in found if one is not None)
    if not ordered:
        return {"done": 0}
    last = len(ordered) - 1
    return {
        "done": len(ordered), "p50": ordered[len(ordered) // 2], "p99": ordered[min(last, int(len(ordered) * 0.99))],
        "max": ordered[-1],
    }  # fmt: skip
