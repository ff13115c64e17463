"""What people ask of a desk by its name, whether a process runs it or not: re-arm, resume, break-glass."""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.alerts.journal import ALERTS, severe_faults
from tradeworthy.app.bootstrap import people_policy
from tradeworthy.app.gates.acts import gate_fault
from tradeworthy.app.gates.verdicts import GateVerdicts
from tradeworthy.app.halting import forensic
from tradeworthy.app.halting.guard_memory import EndedBetweenRuns, guard_memory, held_at_start, last_folder
from tradeworthy.app.people.approvals import ApprovalBook, signed
from tradeworthy.app.people.operator_acts import (
    ANSWERS,
    CONTROL,
    GLASS_ID_DIGITS,
    Answer,
    PersonAct,
    carried_of,
    glass_of,
    rearm_of,
)
from tradeworthy.app.runs.folder import document_of, journal_of, started_of, state_of
from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, Clock
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.files import write_durably, writer_lives
from tradeworthy.kernel.journal.reader import first_seq_of, segment_paths
from tradeworthy.operations.gates.named import Act as GateAct
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.approvals import (
    Act,
    Approval,
    ApprovalProposed,
    ApprovalRefused,
    ApprovalSigned,
    Pack,
    SignedPack,
    draft,
)
from tradeworthy.trading.control.break_glass import BreakGlass, BreakGlassRefused, BreakGlassReview, BreakGlassRevoke
from tradeworthy.trading.control.forensic import CLEAN, SnapshotTaken
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.halt import HaltPort
from tradeworthy.trading.control.kill import RearmRequest, rearm_faults, stops_of
from tradeworthy.trading.control.policy import PeoplePolicy
from tradeworthy.trading.control.repair import repair_of
from tradeworthy.trading.model import GuardChanged, GuardLevel

ANSWER_WAIT_NS, ANSWER_STEP_NS = 5 * NANOS_PER_SECOND, 50 * NANOS_PER_MILLI
"""How long a verb waits for a running desk; it looks each 0.2 s at the latest."""
HISTORY_SEGMENTS = 4
"""How far back the shown history looks, so that a long run's guard is shown at once."""


class Outcome(NamedTuple):
    """What became of an act: `ok`, or every reason why not; `handed` where a running desk has not answered yet."""

    ok: bool
    faults: tuple[str, ...] = ()
    handed: bool = False


class DeskPeople:
    """A desk seen from outside its process.

    root   where run folders are;  name  the desk's
    halts  opens the flag before each send, in the desk's state, whose halts a re-arm releases; None: there is none
    verdicts  of the gate that a re-arm with money asks; None = those kept beside the runs

    Raises `UsageError` where nothing is known of a desk of this name.
    """

    def __init__(
        self, root: Path, name: str, *, clock: Clock, halts: Callable[[Path], HaltPort] | None = None,
        verdicts: GateVerdicts | None = None,
    ) -> None:  # fmt: skip
        self._root, self.name, self._clock, self._halts, self._verdicts = root, name, clock, halts, verdicts
        self.state = state_of(root, name)
        if not self.state.is_dir():
            raise UsageError(f"expected a desk that ran or was stopped, found none named {name!r} in {root}")
        self.folder = last_folder(root, self.state)
        document = None if self.folder is None else document_of(self.folder, started_of(self.folder))
        self._document = document
        self.policy = PeoplePolicy() if document is None else people_policy(document)
        self._outside = document is not None and bool(document.venue.connection)
        self.book = ApprovalBook(self.state, desk=name, clock=clock, policy=self.policy)

    @property
    def running(self) -> bool:
        """Tell whether a process runs the desk now."""
        return self.folder is not None and writer_lives(journal_of(self.folder))

    @property
    def snapshot(self) -> SnapshotTaken | None:
        """Return the newest forensic snapshot."""
        return forensic.newest(self.state)

    def held(self) -> tuple[HeldReason, ...]:
        """Return the guard's reasons: the sentinel's, of a desk at rest the worse of sentinel and journal."""
        if self.running:
            return sentinel.restore((), guard_memory(self.state).read(), first_run=False, now=self._clock.now())
        return held_at_start(self._root, self.state, now=self._clock.now())

    def history(self, last: int) -> list[Event]:
        """Return the newest changes of the guard in the last run, oldest first, of its newest segments."""
        if self.folder is None:
            return []
        directory = journal_of(self.folder)
        newest_segments = segment_paths(directory)[-HISTORY_SEGMENTS:]
        if not newest_segments:
            return []
        events = read(directory, start=first_seq_of(newest_segments[0]))
        return list(deque((event for event in events if isinstance(event.payload, GuardChanged)), maxlen=max(0, last)))

    # packs

    def rearm_pack(
        self, *, scope: str, incident: str, snapshot: str, reason: str, author_of_change: str | None = None
    ) -> Pack:
        """Return the pack of a re-arm, for two people to sign."""
        details = {"incident": incident, "snapshot": snapshot}
        if author_of_change:
            details["author_of_change"] = author_of_change
        return self._draft(Act.RESUME, scope, details, reason)

    def glass_pack(self, *, control: str, instrument: str, max_uses: int, ttl: int | None, reason: str) -> Pack:
        """Return the pack of a break-glass, for two people to sign."""
        seconds = self.policy.glass_ttl_seconds if ttl is None else ttl
        details = {"instrument": instrument, "max_uses": str(max_uses), "ttl_seconds": str(seconds)}
        return self._draft(Act.BREAK_GLASS, control, details, reason)

    def review_pack(self, *, glass_id: str, text: str) -> Pack:
        """Return the pack of a break-glass's review, for one person to sign."""
        return self._draft(Act.BREAK_GLASS_REVIEW, glass_id, {}, text)

    def repair_pack(self, *, instance: str, details: dict[str, str], reason: str, key: Ed25519PrivateKey) -> SignedPack:
        """Return the pack of one trade that is to be booked, signed by who proposes it: that one does not count."""
        if not reason.strip():
            raise UsageError("a repair needs a reason")
        proposer = key_id_of(key.public_key().public_bytes_raw())
        pack = draft(
            desk=self.name, act=Act.LEDGER_REPAIR, subject=instance, details=details, reason=reason,
            now=self._clock.now(), proposer=proposer, policy=self.policy.approvals,
        )  # fmt: skip
        self.book.append((ApprovalProposed(pack.digest(), pack.act.value, instance, proposer, pack.expires_at),))
        return self.sign(SignedPack(pack), key)

    def repair(self, held: SignedPack) -> Outcome:
        """Have a running desk book a trade, by a signed pack; refused with every reason, then nothing is used up."""
        if not self.running:
            raise UsageError(f"{self.name} is not running: start it, it is paused while desk and venue differ")
        found = self.book.judge(held, Act.LEDGER_REPAIR)
        if isinstance(found, ApprovalRefused):
            self.book.append((found,))
            return Outcome(False, found.faults)
        repair_of(found)
        return self._hand(held.encoded(), held.pack.digest())

    def sign(self, held: SignedPack, *keys: Ed25519PrivateKey) -> SignedPack:
        """Sign a pack with each key, and journal whose they are; a key of nobody signs too, and counts for nothing."""
        told = []
        for key in keys:
            key_id = key_id_of(key.public_key().public_bytes_raw())
            person = self.book.person_of(key_id)
            if person is not None and all(one.keyid != key_id for one in held.signatures):
                told.append(ApprovalSigned(held.pack.digest(), key_id, person.holder))
            held = signed(held, key)
        self.book.append(told)
        return held

    def rearm(self, held: SignedPack) -> Outcome:
        """Leave `stopped` by a signed pack; refused with every reason that is known, then nothing is used up."""
        found = self.book.judge(held, Act.RESUME)
        request = self._request(held, found)
        reasons = self.held()
        taken = None if self.snapshot is None else self.snapshot.snapshot
        if self.running:
            request = msgspec.structs.replace(request, reconciliation=CLEAN)  # the desk compares for itself
        faults = list(found.faults) if isinstance(found, ApprovalRefused) else []
        known = rearm_faults(
            request, reasons, snapshot=taken, cool_off=self.policy.cool_off, now=self._clock.now()
        )
        faults += [one for one in known if not (isinstance(found, ApprovalRefused) and one.startswith(_SIGNED))]
        stops = stops_of(reasons, request.scope)
        if not self.running:
            faults += [
                f"{one.owner}.{one.code} has a value that only a running desk can measure: start it, it starts stopped"
                for one in stops if one.owner in ("risk", "ledger")
            ]  # fmt: skip
        faults += severe_faults(self.state / ALERTS, IncidentPolicy(), request.incident)
        faults += self._gate_faults(request.scope)
        if faults:
            self.book.append((ApprovalRefused(held.pack.digest(), Act.RESUME.value, request.scope, tuple(faults)),))
            return Outcome(False, tuple(faults))
        if self.running:
            return self._hand(held.encoded(), held.pack.digest())
        return self._rearm_at_rest(held, stops, request)

    def end_pause(self, scope: str, author: str) -> Outcome:
        """End the operator's own pauses of a scope; it needs no second person and ends nothing else."""
        own = [one for one in self.held() if one.owner == "operator" and one.scope == scope]
        pauses = [one for one in own if one.level is not GuardLevel.STOPPED]
        if not pauses:
            stopped = f"{scope} is stopped: that takes --incident, --snapshot and two people's keys"
            return Outcome(False, (stopped if own else f"no pause of an operator is in force for {scope}",))
        if self.running:
            act = PersonAct("resume", author, scope)
            name = f"resume-{self._clock.now()}"
            self._drop(name, msgspec.json.encode(act))
            gone = {_key(one) for one in pauses}
            return self._until(lambda: gone.isdisjoint(_key(one) for one in self.held()))
        self._end(pauses, author)
        return Outcome(True)

    def glass(self, held: SignedPack) -> Outcome:
        """Activate a break-glass at a running desk, by a signed pack."""
        if not self.running:
            raise UsageError(f"{self.name} is not running: a break-glass is for the session in hand")
        found = self.book.judge(held, Act.BREAK_GLASS)
        if isinstance(found, ApprovalRefused):
            self.book.append((found,))
            return Outcome(False, found.faults)
        glass_of(found)
        return self._hand(held.encoded(), held.pack.digest())

    def revoke_glass(self, glass_id: str, author: str) -> Outcome:
        """End a break-glass before its time; anyone may."""
        if self.running:
            self._forget_answer(glass_id)
            act = PersonAct("revoke_break_glass", author, glass_id=glass_id)
            self._drop(f"revoke-{self._clock.now()}", msgspec.json.encode(act))
            return self._answered(glass_id)
        return self._at_rest(lambda glass: glass.revoke(BreakGlassRevoke(glass_id, author), self._clock.now()))

    def review_glass(self, held: SignedPack) -> Outcome:
        """Record the review of a break-glass, by a pack that one person signed who did not activate it."""
        found = self.book.judge(held, Act.BREAK_GLASS_REVIEW)
        if isinstance(found, ApprovalRefused):
            self.book.append((found,))
            return Outcome(False, found.faults)
        if self.running:
            self._forget_answer(held.pack.subject)
            self._drop(held.pack.digest(), held.encoded())
            return self._answered(held.pack.subject)
        asked = glass_of(found)
        assert isinstance(asked, BreakGlassReview)
        used = self.book.use(held, Act.BREAK_GLASS_REVIEW)
        if isinstance(used, ApprovalRefused):
            return Outcome(False, used.faults)
        return self._at_rest(lambda glass: glass.review(asked))

    # how

    def _draft(self, act: Act, subject: str, details: dict[str, str], reason: str) -> Pack:
        pack = draft(
            desk=self.name, act=act, subject=subject, details=details, reason=reason, now=self._clock.now(),
            policy=self.policy.approvals,
        )  # fmt: skip
        self.book.append((ApprovalProposed(pack.digest(), act.value, subject, pack.proposer, pack.expires_at),))
        return pack

    def _request(self, held: SignedPack, found: Approval | ApprovalRefused) -> RearmRequest:
        taken = self.snapshot
        used = Approval(held.pack, held.pack.digest(), ()) if isinstance(found, ApprovalRefused) else found
        asked = "unknown: the venue outlives the desk, start the desk so that it compares"
        reconciliation = asked if self._outside else forensic.noted_agreement(self.state)
        return rearm_of(
            held, used, reconciliation=reconciliation, author=None if taken is None else taken.author,
            asked_at=self._clock.now(), stopped_at=0,
        )  # fmt: skip

    def _gate_faults(self, scope: str) -> list[str]:
        """Return what the gate says against leaving `stopped`; a desk that never ran has no document to ask for."""
        if self._document is None:
            return []
        fault = gate_fault(
            self._document, GateAct.CLEAR_STOPPED, f"re-arm of {scope}", runs=self._root, clock=self._clock,
            verdicts=self._verdicts,
        )  # fmt: skip
        return [fault] if fault else []

    def _rearm_at_rest(self, held: SignedPack, stops: Sequence[HeldReason], request: RearmRequest) -> Outcome:
        used = self.book.use(held, Act.RESUME)
        if isinstance(used, ApprovalRefused):
            return Outcome(False, used.faults)
        self.book.append((request,))
        self._end(stops, " and ".join(used.holders))
        if self._halts is not None:
            flag = self._halts(self.state)
            for one in stops:
                flag.release(one.owner, one.code, one.scope)
        return Outcome(True)

    def _end(self, gone: Sequence[HeldReason], author: str) -> None:
        """Take reasons out of both memories of a desk at rest: first told in the journal, then off the sentinel."""
        keys = {_key(one) for one in gone}
        names = tuple(f"{one.owner}.{one.code}" for one in gone)
        run = "" if self.folder is None else self.folder.name
        left = tuple(one for one in self.held() if _key(one) not in keys)
        self.book.append((EndedBetweenRuns(run, gone[0].scope, names, author),))
        guard_memory(self.state).write(sentinel.encode(left))

    def _at_rest(self, act: Callable[[BreakGlass], object]) -> Outcome:
        told: list[Fact] = []
        glass = BreakGlass(self.policy, controls=(), instruments=(), tell=told.append)
        glass.carry(carried_of(self.book))
        act(glass)
        self.book.append(told)
        faults = [fault for one in told if isinstance(one, BreakGlassRefused) for fault in one.faults]
        return Outcome(not faults, tuple(faults))

    def _hand(self, data: bytes, digest: str) -> Outcome:
        self._forget_answer(digest)
        self._drop(digest, data)
        return self._answered(digest)

    def _drop(self, name: str, data: bytes) -> None:
        folder = self.state / CONTROL
        folder.mkdir(exist_ok=True)
        write_durably(folder / f"{name}.json", data)

    def _place(self, name: str) -> Path:
        return self.state / CONTROL / ANSWERS / f"{name[:GLASS_ID_DIGITS]}.json"

    def _forget_answer(self, name: str) -> None:
        self._place(name).unlink(missing_ok=True)

    def _answered(self, name: str) -> Outcome:
        place = self._place(name)
        if not self._until(place.exists).ok:
            return Outcome(False, ("the running desk has not answered yet",), handed=True)
        answer = msgspec.json.decode(place.read_bytes(), type=Answer)
        return Outcome(answer.ok, answer.faults)

    def _until(self, holds: Callable[[], bool]) -> Outcome:
        waited = 0
        while not holds():
            if waited >= ANSWER_WAIT_NS:
                return Outcome(False, ("the running desk has not answered yet",), handed=True)
            self._clock.sleep(ANSWER_STEP_NS)
            waited += ANSWER_STEP_NS
        return Outcome(True)


_SIGNED = "two distinct people"
"""What the judgement of the pack says already, and better."""


def _key(reason: HeldReason) -> tuple[str, str, str]:
    return reason.owner, reason.code, reason.scope
