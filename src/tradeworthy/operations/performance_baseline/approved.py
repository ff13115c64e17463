"""A new baseline is an approved act: proposed by one person, approved by another, both in a journal (PBL-03)."""

import hashlib
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.facts import Fact, event_of, fact
from tradeworthy.kernel.ids import digest_of
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.performance_baseline.decision_latency import (
    REFERENCE,
    LatencyBaseline,
    LatencyGuardPolicy,
)
from tradeworthy.operations.performance_baseline.model import SCHEMA

SOURCE = "performance_baseline"
PROPOSAL_LIFE_NS = 3_600 * NANOS_PER_SECOND
"""How long a proposal may wait for its approval (APR-02)."""


@fact("performance.baseline_proposed")
class BaselineProposed(Fact, frozen=True):
    """Somebody wants this machine judged by these figures, nanoseconds, measured in the report of that SHA-256.

    before  id of the proposal whose baseline is in force, empty for none;  expires_at  nanoseconds UTC
    """

    proposal_id: str
    machine: str
    p50_ns: int
    p99_ns: int
    samples: int
    report_sha256: str
    before: str
    person: str
    reason: str
    expires_at: int


@fact("performance.baseline_approved")
class BaselineApproved(Fact, frozen=True):
    """Another person lets a proposal be the baseline of its machine."""

    proposal_id: str
    person: str


class Baselines(msgspec.Struct):
    """The journal folded: what was proposed, and the proposal in force of each machine."""

    proposals: dict[str, BaselineProposed] = {}
    in_force: dict[str, str] = {}

    def baseline_of(self, machine: str) -> LatencyBaseline | None:
        """Return a machine's approved baseline."""
        held = self.in_force.get(machine)
        found = None if held is None else self.proposals[held]
        return None if found is None else LatencyBaseline(found.machine, found.p50_ns, found.p99_ns)


class _Latency(msgspec.Struct, frozen=True):
    samples: int
    p50_ms: float | None
    p99_ms: float | None


class _Report(msgspec.Struct, frozen=True):
    """The parts of a report that a baseline is made of."""

    schema: str
    machine: str
    decision_latency: _Latency


def baselines_of(directory: Path) -> Baselines:
    """Fold the journal of baselines; without one nothing is approved. An approval that does not hold is passed over."""
    found = Baselines()
    if not any(directory.glob("journal-*")):
        return found
    for event in read(directory):
        match event.payload:
            case BaselineProposed() as proposed:
                found.proposals[proposed.proposal_id] = proposed
            case BaselineApproved() as approved:
                proposal = found.proposals.get(approved.proposal_id)
                if proposal is not None and not _faults(proposal, approved.person, found, event.ts_event):
                    found.in_force[proposal.machine] = proposal.proposal_id
    return found


def propose(directory: Path, report: Path, *, person: str, reason: str, clock: Clock) -> BaselineProposed:
    """Journal a wish to take a report's figures as its machine's baseline.

    Raises `UsageError` for a report that cannot be read, and `ConfigurationRefused` for one that is no baseline.
    """
    try:
        data = report.read_bytes()
        told = msgspec.json.decode(data, type=_Report)
    except OSError as problem:
        raise UsageError(f"cannot read the report {report}: {problem.strerror}") from None
    except msgspec.MsgspecError as problem:
        raise UsageError(f"{report}: expected a report of performance-baseline, found {problem}") from None
    if not person.strip() or not reason.strip():
        raise UsageError("a baseline needs a person and a reason")
    latency, least = told.decision_latency, LatencyGuardPolicy().percentile_samples_min
    if latency.p50_ms is None or latency.p99_ms is None or latency.samples < least or latency.p50_ms <= 0:
        raise ConfigurationRefused(f"a baseline rests on at least {least} decisions, found {latency.samples}")
    if told.schema != SCHEMA or told.machine == REFERENCE:
        raise ConfigurationRefused(f"expected {SCHEMA} of a machine that is not {REFERENCE!r}, was {told.schema}")
    held, sha256 = baselines_of(directory), hashlib.sha256(data).hexdigest()
    before, now = held.in_force.get(told.machine, ""), clock.now()
    found = BaselineProposed(
        digest_of(SOURCE, sha256, before, person.strip(), now), told.machine, round(latency.p50_ms * 1e6),
        round(latency.p99_ms * 1e6), latency.samples, sha256, before, person.strip(), str(redact(reason)),
        now + PROPOSAL_LIFE_NS,
    )  # fmt: skip
    _append(directory, found, clock)
    return found


def approve(directory: Path, proposal_id: str, *, person: str, clock: Clock) -> LatencyBaseline:
    """Journal another person's approval and return the baseline in force; raises with every reason against it."""
    held = baselines_of(directory)
    proposal = held.proposals.get(proposal_id)
    if proposal is None:
        raise UsageError(f"no proposal {proposal_id}; there are {sorted(held.proposals)}")
    faults = _faults(proposal, person, held, clock.now())
    if faults:
        raise ConfigurationRefused("; ".join(faults))
    _append(directory, BaselineApproved(proposal_id, person.strip()), clock)
    return LatencyBaseline(proposal.machine, proposal.p50_ns, proposal.p99_ns)


def _faults(proposal: BaselineProposed, person: str, held: Baselines, now: int) -> list[str]:
    """Return what speaks against an approval, all of it."""
    faults = []
    people = {one.strip().casefold() for one in (proposal.person, person)} - {""}
    if len(people) < 2:
        faults.append(f"another person than {proposal.person} must approve, was {person.strip() or 'nobody'}")
    if now >= proposal.expires_at:
        faults.append(f"the proposal expired at {proposal.expires_at}, it is {now}")
    current = held.in_force.get(proposal.machine, "")
    if proposal.proposal_id == current:
        faults.append("the proposal is in force already")
    elif proposal.before != current:
        faults.append("another baseline was approved meanwhile: propose again")
    return faults


def _append(directory: Path, one: Fact, clock: Clock) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    journal = Journal.open(directory, clock=clock)
    try:
        now = clock.now()
        journal.accept(event_of(one, source=SOURCE, key=journal.last_seq + 1, ts_event=now, ts_init=now))
    finally:
        journal.close()
