"""The approved latency baselines: proposed and signed as packs, used once, kept in a journal of their own (APR-04)."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.people.approvals import ApprovalBook, signed
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.errors import ConfigurationRefused, InvalidInput, UsageError
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.operations.performance_baseline.approved import (
    BaselineApproved,
    baseline_in,
    figures_in,
    figures_of,
    in_force,
)
from tradeworthy.operations.performance_baseline.decision_latency import LatencyBaseline
from tradeworthy.trading.control.approvals import Act, SignedPack, draft
from tradeworthy.trading.control.policy import PeoplePolicy

NAME = "performance-baseline"
"""Whose act a baseline's pack is, and the folder below `state` with trust file and journal."""


class LatencyBaselines:
    """Baselines by machine; `root` is where run folders are."""

    def __init__(self, root: Path, *, clock: Clock, policy: PeoplePolicy | None = None) -> None:
        self._clock, self._policy = clock, policy or PeoplePolicy()
        self._book = ApprovalBook(root / "state" / NAME, desk=NAME, clock=clock, policy=self._policy)

    @property
    def directory(self) -> Path:
        """Where their journal is, from the first approval on."""
        return self._book.directory

    def of(self, machine: str) -> LatencyBaseline | None:
        """Return a machine's approved baseline; raises `InvalidInput` where the journal does not verify."""
        found = in_force(self._events()).get(machine)
        return None if found is None else baseline_in(found)

    def propose(self, report: Path, *, reason: str, key: Ed25519PrivateKey) -> SignedPack:
        """Return the pack that makes a report's figures its machine's baseline, signed by who proposes it."""
        try:
            data = report.read_bytes()
        except OSError as problem:
            raise UsageError(f"cannot read the report {report}: {problem.strerror}") from None
        if not reason.strip():
            raise UsageError("a baseline needs a reason")
        figures = figures_of(data)
        figures = figures_of(data, before=self._digest_of(figures.machine))
        pack = draft(
            desk=NAME, act=Act.BASELINE, subject=figures.machine, details=figures.details(), reason=reason,
            now=self._clock.now(), proposer=key_id_of(key.public_key().public_bytes_raw()),
            policy=self._policy.approvals,
        )  # fmt: skip
        return signed(SignedPack(pack), key)

    def accept(self, held: SignedPack) -> BaselineApproved:
        """Use a pack up and hold its machine to it; raises `ConfigurationRefused` with every reason against it."""
        pack = held.pack
        figures = figures_in(pack.subject, pack.details)
        current = self._digest_of(figures.machine)
        if figures.before != current:
            raise ConfigurationRefused(
                f"another baseline was approved meanwhile: the pack stands on {figures.before or 'none'}, in force is "
                f"{current or 'none'}; propose again"
            )
        used = self._book.require(held, Act.BASELINE, subject=figures.machine)
        approved = BaselineApproved(figures, used.digest, used.holders)
        self._book.append((approved,))
        return approved

    def _digest_of(self, machine: str) -> str:
        found = in_force(self._events()).get(machine)
        return "" if found is None else found.digest

    def _events(self) -> list[Event]:
        """Return the journal's events, none where nobody approved anything; a damaged journal is no evidence."""
        directory = self._book.directory
        if not any(directory.glob("journal-*")):
            return []
        judged = verify(directory)
        if not judged.ok:
            raise InvalidInput(f"{directory} is damaged at seq {judged.first_bad_seq}: {judged.problem}")
        return self._book.events()


class BaselineWatch:
    """One machine's baseline for whoever looks again and again: two `stat` a look, and read anew when something moved.

    A journal is appended to in its newest segment alone; files that come and go move the folder's own time. Bytes of an
    older segment that somebody changes in place are found at the next start, or when the journal goes on.
    """

    def __init__(self, baselines: LatencyBaselines, machine: str) -> None:
        self._baselines, self._machine = baselines, machine
        self._newest: Path | None = None
        self._seen: tuple[int, tuple[int, int]] | None = None
        self._known: LatencyBaseline | None = None

    def look(self) -> LatencyBaseline | None:
        """Return the baseline in force; raises `InvalidInput` where the journal does not verify."""
        moved = self._moved()
        if moved != self._seen or moved is None:
            self._newest = max(self._baselines.directory.glob("journal-*"), default=None)
            self._seen = None  # until it was read: what does not verify is read again at the next look
            seen = self._moved()
            self._known = self._baselines.of(self._machine)
            self._seen = seen
        return self._known

    def _moved(self) -> tuple[int, tuple[int, int]] | None:
        """Return the time of the folder and the size and time of its newest segment; None where one is not there."""
        try:
            folder = self._baselines.directory.stat().st_mtime_ns
            newest = None if self._newest is None else self._newest.stat()
        except FileNotFoundError:
            return None
        return folder, (0, 0) if newest is None else (newest.st_size, newest.st_mtime_ns)
