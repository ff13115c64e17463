"""Fetch what our own desk's state holds for a release: kill drills, canaries of its alert path, flatness (EV-02).

Only what shows something good may fill a kind: where the newest drill failed or is too old, or the last trip was not
seen flat, nothing of that kind is packed, so that the release is refused by its name; why is told.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tradeworthy.app.alerts.journal import ALERTS, JOURNAL
from tradeworthy.app.evidence.observed_desks import state_of_desk
from tradeworthy.app.halting.flatness import public_key, read_all
from tradeworthy.app.halting.watchdog_process import CERTIFICATES, KEY, WATCHDOG
from tradeworthy.kernel.clock import NANOS_PER_DAY
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import CannotJudge, verify
from tradeworthy.kernel.report import ADDRESSED
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.drills.kill_switch import DRILLS, TRIP, KillDrillPolicy, reports_in, standing
from tradeworthy.operations.dry_run.artefacts import Summary
from tradeworthy.operations.dry_run.desk_facts import DeskFacts
from tradeworthy.operations.dry_run.model import nanos_of
from tradeworthy.operations.evidence.collect import LIFETIME_DAYS, canonical_text
from tradeworthy.operations.incidents.latency import AlertLatency, CanaryLost, quantile
from tradeworthy.operations.incidents.model import Purpose
from tradeworthy.trading.control.certificate import Flatness

CERTIFICATES_MAX = 64
"""The newest certificates that are packed."""
CANARIES = "alert_canary.json"


class Ran(NamedTuple):
    """When the run began and ended, nanoseconds UTC, and the digest of the code that ran."""

    started: int
    ended: int
    code_hash: str

    def lasted_at(self, at: int) -> bool:
        """Tell whether the run was on at this time."""
        return self.started <= at <= self.ended


def ran_of(summary: Summary) -> Ran:
    """Return when a judged run began and ended, and what ran, as its summary says."""
    told = summary.summary
    begun, over = told.metadata.started_at, told.metadata.ended_at
    ended = nanos_of(over or told.generated_at)
    return Ran(ended if begun is None else nanos_of(begun), ended, told.metadata.hashes.code or "")


def keep_desk_evidence(facts: DeskFacts, place: Path, run: Ran) -> tuple[str, ...]:
    """Lay what the state of a run's desks holds into its folder of evidence; what lies there already stays.

    Returns why something is not there, in words. Raises `UsageError` when a journal of alerts is damaged.
    """
    return keep_evidence_of(sorted({state_of_desk(Path(one)) for one in facts.folders}), place, run)


def keep_evidence_of(states: Sequence[Path], place: Path, run: Ran) -> tuple[str, ...]:
    """Lay what these desks' states hold into a folder of evidence, as `keep_desk_evidence` does."""
    missing: list[str] = []
    for state in states:
        _keep(place, _drills(state, run, missing))
        _keep(place, _certificates(state, run, missing))
    canaries = [found for state in states if (found := _canaries(state, run, missing)) is not None]
    if canaries:
        told = {"schema": "alert_canary@1", "from": run.started, "to": run.ended, "desks": canaries}
        _keep(place, [(CANARIES, canonical_text(told))])
    return tuple(missing)


def _keep(place: Path, found: Iterator[tuple[str, bytes]] | Sequence[tuple[str, bytes]]) -> None:
    for name, data in found:
        path = place / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_durably(path, data)


def _drills(state: Path, run: Ran, missing: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the newest trip and the newest proof of the code that ran, as they counted when the run ended."""
    known = [one for one in reports_in(state / DRILLS) if one["figures"]["at"] <= run.ended]
    now = standing(known, now=run.ended, code_hash=run.code_hash, policy=KillDrillPolicy())
    for check in now.checks:
        address = now.evidence.get(check.code)
        if address is not None and check.severity <= Severity.WARN:
            yield f"drills/{check.code}-{address}.json", (state / DRILLS / ADDRESSED / f"{address}.json").read_bytes()
        elif check.code == TRIP or address is not None:  # a proof lies with its release
            missing.append(f"{state.name}: no {check.code} is packed: {check.observed}, expected {check.limit}")


def _certificates(state: Path, run: Ran, missing: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the sound certificates of the last days and the key that they are signed by, once the last is of flat."""
    folder = state / WATCHDOG
    since = run.ended - LIFETIME_DAYS["flatness"] * NANOS_PER_DAY
    try:
        key = public_key(folder / f"{KEY}.pub")
    except InvalidInput as problem:
        missing.append(f"{state.name}: no certificate of flatness is packed: {problem}")
        return
    made = [
        (one.certificate.made_at, path, one) for path, one in read_all(folder / CERTIFICATES, key)
        if one.certificate is not None and since <= one.certificate.made_at <= run.ended
    ]  # fmt: skip
    made.sort(key=lambda found: (found[0], found[1]))
    last = made[-1][2] if made else None
    if last is None or last.certificate is None or last.faults or last.certificate.outcome is not Flatness.VERIFIED:
        said = "none was made" if last is None or last.certificate is None else "the last is not sound, or not of flat"
        missing.append(f"{state.name}: no certificate of flatness is packed: {said}, expected one that is verified")
        return
    for _, path, one in made[-CERTIFICATES_MAX:]:
        if not one.faults:
            yield f"flatness/{state.name}-{path.name}", path.read_bytes()
    yield f"flatness/{state.name}-{KEY}.pub", (folder / f"{KEY}.pub").read_bytes()


def _canaries(state: Path, run: Ran, missing: list[str]) -> dict[str, object] | None:
    """Return how long the canaries of the run took, by the verified journal of the alert path; None without any."""
    directory = state / ALERTS / JOURNAL
    rows: list[AlertLatency] = []
    lost = 0
    if directory.is_dir():
        try:
            result = verify(directory)
        except CannotJudge as problem:
            raise UsageError(f"the journal of alerts in {directory} cannot be judged: {problem}") from None
        if not result.ok:
            found = f"damaged at seq {result.first_bad_seq}: {result.problem}"
            raise UsageError(f"the journal of alerts in {directory} is {found}")
        for event in read(directory):
            match event.payload:
                case AlertLatency() as row if row.purpose == Purpose.CANARY.value and run.lasted_at(row.at):
                    rows.append(row)
                case CanaryLost() as loss if run.lasted_at(loss.at):
                    lost = max(lost, loss.missing)
    if not rows:
        missing.append(f"{state.name}: no canaries are packed: none came back while the run went on")
        return None
    return {
        "desk": state.name, "journal_head": {"seq": result.events, "hash": result.head}, "missing_in_a_row_max": lost,
        "generated": quantile(row.generated_ns for row in rows)._asdict(),
        "sent": quantile(row.sent_ns for row in rows)._asdict(),
        "received": quantile(row.received_ns for row in rows)._asdict(),
    }  # fmt: skip
