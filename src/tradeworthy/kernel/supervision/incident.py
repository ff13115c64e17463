"""What a watchdog found and did, as a fact and as files that outlive the desk (WD-02)."""

import hashlib
from pathlib import Path

import msgspec

from tradeworthy.kernel.facts import Fact, fact
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.words import Word


class IncidentCause(Word):
    """What the silence was: a loop that does not turn, a process that is stopped, or one that is gone.

    `tripped` is no silence: somebody else stopped the desk, and the watchdog sees its orders gone.
    """

    LOOP_HUNG = "loop_hung"
    PROCESS_STOPPED = "process_stopped"
    PROCESS_GONE = "process_gone"
    TRIPPED = "tripped"


class Outcome(Word):
    """How one act ended. Of cancels: `verified` none open, `partial` some left, `unverified` no view of the venue."""

    DONE = "done"
    VERIFIED = "verified"
    PARTIAL = "partial"
    UNVERIFIED = "unverified"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"
    FENCED = "fenced"


class Act(msgspec.Struct, frozen=True):
    """One act of an incident; it ended `after_ns` after the detection."""

    name: str
    outcome: Outcome
    after_ns: int
    detail: str = ""


@fact("watchdog.incident")
class Incident(Fact, frozen=True):
    """A watchdog's own account. `detected_at` is nanoseconds UTC; sequence, lag, head and guard are the last beat's."""

    run_id: str
    pid: int
    token: int
    number: int
    cause: IncidentCause
    silent_ns: int
    detected_at: int
    sequence: int
    lag_ns: int
    head: str
    guard: str
    acts: tuple[Act, ...] = ()
    stacks_sha256: str = ""
    cleared_at: int | None = None

    @property
    def orders_gone(self) -> bool:
        """Whether the last cancel was verified."""
        return next((a.outcome is Outcome.VERIFIED for a in reversed(self.acts) if a.name == "cancel"), False)


def incident_files(folder: Path, token: int, number: int) -> tuple[Path, Path]:
    """Return where an incident and its stacks lie."""
    stem = f"incident-{token:06d}-{number:03d}"
    return folder / f"{stem}.json", folder / f"{stem}.stacks.txt"


def write_stacks(folder: Path, incident: Incident, stacks: bytes) -> str:
    """Keep the stacks without secrets and return the SHA-256 of the file."""
    clean: bytes = redact(stacks)
    write_durably(incident_files(folder, incident.token, incident.number)[1], clean)
    return hashlib.sha256(clean).hexdigest()


def write_incident(folder: Path, incident: Incident) -> None:
    """Keep the account as far as it goes, whole or not at all."""
    path = incident_files(folder, incident.token, incident.number)[0]
    write_durably(path, msgspec.json.format(msgspec.json.encode(redact_acts(incident)), indent=1) + b"\n")


def redact_acts(incident: Incident) -> Incident:
    """Return the account with the details of its acts without secrets: what a port raised may hold one."""
    acts = tuple(msgspec.structs.replace(act, detail=str(redact(act.detail))) for act in incident.acts)
    return msgspec.structs.replace(incident, acts=acts)


def read_incidents(folder: Path) -> tuple[Incident, ...]:
    """Return every account of a folder by token and number, as the next start journals them."""
    paths = sorted(folder.glob("incident-*.json"))
    return tuple(msgspec.json.decode(path.read_bytes(), type=Incident) for path in paths)
