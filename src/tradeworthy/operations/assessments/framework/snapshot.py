"""The snapshot: what was judged of which facts by which policy, addressed by its own bytes (FW-20 to FW-24, FW-32)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.codec import require_finite
from tradeworthy.kernel.report import address
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.assessments.framework.assessment import Assessment, judge
from tradeworthy.operations.assessments.framework.canonical import canonical, encoded
from tradeworthy.operations.assessments.framework.finding import Finding, Kept
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy, policy_hash
from tradeworthy.operations.assessments.framework.values import Facts, Observation

SCHEMA: Final = "tradeworthy.assessment/1"


class Component(msgspec.Struct, frozen=True):
    """One component: its worst rule, and how many rules were judged of it."""

    name: str
    status: Severity
    judged: int


class ChildRef(msgspec.Struct, frozen=True):
    """The snapshot of a child as a composite read it; the id is empty where there was none."""

    name: str
    id: str
    status: Severity
    optional: bool
    expires_at: int | None


class Delta(msgspec.Struct, frozen=True):
    """What differs from the last snapshot, as `code|component`; `unchanged_since` is a time where nothing does."""

    new: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    better: tuple[str, ...] = ()
    unchanged_since: int | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One judgement. Times in nanoseconds UTC; `findings` are those that are not OK, worst first.

    children      of a composite, by id;  issue_counts  of the findings, by severity and by category
    policy        the effective policy, so that anybody can judge the recorded facts again
    failed        probes that could not read
    """

    schema: Literal["tradeworthy.assessment/1"] = SCHEMA
    id: str = ""
    assessment: str
    topic: str
    status: Severity
    generated_at: int
    expires_at: int
    environment: str
    policy_hash: str
    inputs_hash: str
    code_version: str
    facts: tuple[Observation, ...]
    findings: tuple[Finding, ...]
    components: tuple[Component, ...]
    children: tuple[ChildRef, ...] = ()
    issue_counts: dict[str, dict[str, int]]
    delta_vs_last: Delta = Delta()
    policy: dict[str, Any]
    failed: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}

    def standing(self, now: int) -> Severity:
        """Return the status wherever it is read: past its end nobody knows, before its time it fails (FW-24)."""
        if self.generated_at > now:
            return Severity.FAIL
        return max(self.status, Severity.UNKNOWN) if now >= self.expires_at else self.status


def take(
    assessment: Assessment, observations: Iterable[Observation], policy: AssessmentPolicy, now: int, *,
    environment: str, code_version: str, failed: Sequence[str] = (), last: Snapshot | None = None,
    metadata: dict[str, Any] | None = None,
) -> Snapshot:  # fmt: skip
    """Judge facts at `now` and return the snapshot; the same arguments give the same bytes."""
    facts = Facts(
        assessment.facts, observations, now=now, age_max_s=policy.fact_age_max_s,
        future_offset_s=policy.future_offset_s,
    )  # fmt: skip
    judged = tuple(judge(assessment, facts, policy, now, failed))
    given = storable(facts) if facts.faults else facts.given
    return sealed(
        assessment, judged, policy, now, environment=environment, code_version=code_version, facts=given,
        inputs_hash=address(encoded((given, failed))), failed=tuple(failed), last=last, metadata=metadata or {},
    )  # fmt: skip


def sealed(
    assessment: Assessment, judged: Sequence[Finding | Kept], policy: AssessmentPolicy, now: int, *, environment: str,
    code_version: str, inputs_hash: str, facts: tuple[Observation, ...] = (), children: tuple[ChildRef, ...] = (),
    failed: tuple[str, ...] = (), last: Snapshot | None = None, metadata: dict[str, Any] | None = None,
) -> Snapshot:  # fmt: skip
    """Return the snapshot of judged rules with its id."""
    worst_first = sorted((one for one in judged if one.severity), key=lambda one: (-one.severity, *one.key))
    bad = tuple(one for one in worst_first if isinstance(one, Finding))
    require_finite(bad, "findings")
    by: dict[str, list[Severity]] = {}
    for one in judged:
        by.setdefault(one.component, []).append(one.severity)
    counts = {
        "severity": dict(sorted(Counter(one.severity.name for one in bad).items())),
        "category": dict(sorted(Counter(one.category.value for one in bad).items())),
    }
    shares = {"|".join(one.key): one.utilisation for one in judged if one.utilisation is not None}
    body = Snapshot(
        assessment=assessment.name, topic=assessment.topic, status=worst(one.severity for one in judged),
        generated_at=now, expires_at=now + round(policy.age_max_s * NANOS_PER_SECOND), environment=environment,
        policy_hash=policy_hash(policy), inputs_hash=inputs_hash, code_version=code_version,
        facts=facts, findings=bad,
        components=tuple(Component(name, worst(by[name]), len(by[name])) for name in sorted(by)), children=children,
        issue_counts=counts, delta_vs_last=delta(last, bad), policy=msgspec.json.decode(canonical(policy)),
        failed=failed, metadata={**(metadata or {}), "utilisation": dict(sorted(shares.items()))},
    )  # fmt: skip
    return with_id(body)


def with_id(body: Snapshot) -> Snapshot:
    """Return a snapshot under the SHA-256 of its canonical bytes without the id."""
    return msgspec.structs.replace(body, id=address(encoded(msgspec.structs.replace(body, id=""))))


def encode(snapshot: Snapshot) -> bytes:
    """Return the snapshot as canonical JSON."""
    return encoded(snapshot)


def decode(data: bytes) -> Snapshot:
    """Return a snapshot from its canonical JSON; raises `InvalidInput` for other bytes, id or policy."""
    try:
        found = msgspec.json.decode(data, type=Snapshot)
    except msgspec.MsgspecError as problem:
        raise InvalidInput(f"expected a snapshot of {SCHEMA}, found {problem}") from None
    if encode(found) != data.rstrip(b"\n"):
        raise InvalidInput("expected the canonical form of a snapshot, found another")
    wanted = with_id(found).id
    if found.id != wanted:
        raise InvalidInput(f"expected id {wanted}, found {found.id!r}: the snapshot was altered")
    if address(canonical(found.policy)) != found.policy_hash:
        raise InvalidInput(f"expected the policy of hash {found.policy_hash}, found another")
    return found


def delta(last: Snapshot | None, findings: Sequence[Finding]) -> Delta:
    """Return what is new, gone, worse and better against the last snapshot."""
    now = {one.key: one.severity for one in findings}
    if last is None:
        return Delta(new=_named(now))
    then = {one.key: one.severity for one in last.findings}
    both = now.keys() & then.keys()
    found = Delta(
        _named(now.keys() - then.keys()), _named(then.keys() - now.keys()),
        _named(key for key in both if now[key] > then[key]), _named(key for key in both if now[key] < then[key]),
    )
    if found != Delta():
        return found
    since = last.delta_vs_last.unchanged_since
    return Delta(unchanged_since=last.generated_at if since is None else since)


def storable(facts: Facts) -> tuple[Observation, ...]:
    """Return facts as they can be kept: what the door refused, e.g. NaN, as the text that it was found as."""
    bad = {(fault.component, fault.name) for fault in facts.faults}
    return tuple(_storable(one) if (one.component, one.name) in bad else one for one in facts.given)


def _storable(one: Observation) -> Observation:
    try:
        canonical(one.value)
    except (InvalidInput, TypeError):
        return msgspec.structs.replace(one, value=repr(one.value))
    return one


def _named(keys: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted("|".join(key) for key in keys))
