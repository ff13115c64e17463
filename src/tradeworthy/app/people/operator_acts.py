"""The one place where people's acts reach a running desk: stops, wishes, and what lies in its control folder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tradeworthy.app.halting.forensic import Forensics, newest, stops_of
from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.people.approvals import ApprovalBook
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.approvals import Act, Approval, ApprovalRefused, SignedPack, read_pack, used_of
from tradeworthy.trading.control.asked import GuardAsked
from tradeworthy.trading.control.break_glass import (
    BreakGlassActivated,
    BreakGlassCarried,
    BreakGlassEnded,
    BreakGlassRefused,
    BreakGlassRequest,
    BreakGlassReview,
    BreakGlassReviewed,
    BreakGlassRevoke,
    BreakGlassUsed,
)
from tradeworthy.trading.control.guard import Guard, HeldReason
from tradeworthy.trading.control.halt import HaltPort
from tradeworthy.trading.control.kill import (
    KillRequest,
    PauseRequest,
    Rearmed,
    RearmRefused,
    RearmRequest,
    ResumeRequest,
)
from tradeworthy.trading.control.owners import OWNERS
from tradeworthy.trading.control.policy import PeoplePolicy
from tradeworthy.trading.control.repair import LedgerRepaired, LedgerRepairRefused, repair_of
from tradeworthy.trading.execution.intake import Cause, DeadLetter, OutsideWish
from tradeworthy.trading.model import GuardChanged, GuardLevel

INBOX = "inbox"
"""Where a desk's state takes wishes, one JSON file each; written aside and renamed, so that none is read half."""
CONTROL, DONE, ANSWERS = "control", "done", "answers"
"""Where it takes signed packs and people's acts, where they go once journaled, and where the desk answers."""
FILE_BYTES_MAX = 65_536
GLASS_ID_DIGITS = 12
"""A break-glass is named by the first digits of its pack's digest, and so is an answer."""
_GLASS = (BreakGlassActivated, BreakGlassUsed, BreakGlassEnded, BreakGlassReviewed, BreakGlassRefused)
_HEARD = frozenset({GuardChanged, Rearmed, RearmRefused, LedgerRepaired, LedgerRepairRefused, *_GLASS})
Key = tuple[str, str, str]


class PersonAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one person alone may ask: a pause, the end of the operator's own pauses, the end of a break-glass."""

    act: Literal["pause", "resume", "revoke_break_glass"]
    author: str
    scope: str = "desk"
    reason: str = ""
    expires_at: int | None = None
    glass_id: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What became of an act: `ok`, or every reason why not."""

    ok: bool
    faults: tuple[str, ...] = ()


class OperatorActs:
    """Bring each act to the desk once, write the sentinel, and answer.

    state      the desk's folder of what outlives a run;  desk  its name
    forensics  takes the snapshot of a stop, None where nobody does;  halts  the flag before each send, if any
    safe_at    tells when the kill switch was SAFE, wall clock ns; without it the cool-off counts from the stop
    halting    tells whether a trip is in force that was not seen through: nobody re-arms meanwhile (KS-04)
    gate       says what the gate has against a re-arm of a scope, empty for nothing (GE-09)
    alert      is told of what people should hear of at once: a code and a sentence

    Call `begin` before the first event, `look` between two events, `heed` with each journaled event, `close` at the
    end. A bad file becomes a dead letter; a file stays where it is until its act is journaled.
    """

    def __init__(
        self, state: Path, *, desk: str, guard: Guard, clock: Clock, policy: PeoplePolicy,
        forensics: Forensics | None = None, halts: HaltPort | None = None,
        safe_at: Callable[[], int | None] = lambda: None, alert: Callable[[str, str], None] = lambda code, text: None,
        halting: Callable[[], bool] = lambda: False, gate: Callable[[str], str] = lambda scope: "",
    ) -> None:  # fmt: skip
        self._state, self._guard, self._clock, self._policy = state, guard, clock, policy
        self._forensics, self._halts, self._safe_at, self._alert = forensics, halts, safe_at, alert
        self._halting, self._gate = halting, gate
        self._book = ApprovalBook(state, desk=desk, clock=clock, policy=policy)
        self._sentinel = guard_memory(state)
        self._since: dict[Key, int] = {_key(one): one.since for one in guard.reasons()}
        self._heard = {(_key(one), one.since) for one in guard.reasons()}
        self._wished: set[str] = set()
        self._seen: set[str] = set()
        self._journaled: list[Path] = []
        self._snapshot_due = bool(stops_of(guard.reasons()))
        self._begun = self._looked = False

    def begin(self) -> None:
        """Write the sentinel, so that from now on a missing one means stopped (GRD-05)."""
        recorded = self._recorded()
        self._begun = True
        self._write(recorded)

    def look(self) -> list[tuple[str, Fact]]:
        """Return what people did since the last look, each act once, with a key that names it."""
        if not self._begun:
            self.begin()
        self._put_away()
        return [*self._carried(), *self._snapshot(), *self._stops(), *self._wishes(), *self._controls()]

    def heed(self, event: Event) -> None:
        """Remember what the desk did about its guard and its people, and answer those who asked."""
        if event.payload.__class__ in _HEARD:
            self._take(event.payload)

    def stop_for_good(self, code: str, evidence: str) -> None:
        """Latch a stop because of the journal itself, so that no restart trades on (JR-03)."""
        stop = HeldReason("journal", code, GuardLevel.STOPPED, "desk", self._clock.now(), None, evidence)
        self._sentinel.write(sentinel.encode((*self._recorded(), stop)))

    def close(self) -> None:
        """Put away what was journaled, and keep how desk and venue compare for those who re-arm a desk at rest."""
        self._put_away()
        if self._forensics is not None and stops_of(self._guard.reasons()):
            self._forensics.note(self._forensics.reconciliation())

    # what people did

    def _stops(self) -> list[tuple[str, Fact]]:
        found: list[tuple[str, Fact]] = []
        for one in self._recorded():
            key = _key(one)
            if one.level is not GuardLevel.STOPPED or (key, one.since) in self._heard:
                continue
            self._heard.add((key, one.since))
            self._since[key] = max(one.since or self._clock.now(), self._since.get(key, 0))
            if self._in_flag(key, one.since):
                continue
            owner = OWNERS.get(one.owner)
            if one.owner == "operator" or owner is None or owner.worst is not GuardLevel.STOPPED:
                asked: Fact = KillRequest(one.evidence, "sentinel", one.scope)
            else:
                asked = GuardAsked(one.owner, one.code, GuardLevel.STOPPED, one.scope, evidence=one.evidence)
            found.append((f"kill:{one.owner}.{one.code}:{one.scope}:{one.since}", asked))
        return found

    def _in_flag(self, key: Key, since: int) -> bool:
        """Tell whether the flag holds this very trip: it tells the desk, and alone knows of a wish to flatten.

        Whoever kills writes the flag first, so a look may find the trip there and, a look later, here.
        """
        if self._halts is None or not self._halts.halted():
            return False
        return any(((one.owner, one.code, one.scope), one.at) == (key, since) for one in self._halts.halts())

    def _wishes(self) -> list[tuple[str, Fact]]:
        """Return what lies new in the inbox; a file stays until its sender takes it away, the desk applies it once."""
        found: list[tuple[str, Fact]] = []
        for path in sorted((self._state / INBOX).glob("*.json")):
            if path.name not in self._wished:
                self._wished.add(path.name)
                found.append((f"wish:{path.name}", OutsideWish("operator", _read(path).decode(errors="replace"))))
        return found

    def _controls(self) -> list[tuple[str, Fact]]:
        found: list[tuple[str, Fact]] = []
        for path in sorted((self._state / CONTROL).glob("*.json")):
            if path.name in self._seen:
                continue
            self._seen.add(path.name)
            self._journaled.append(path)
            data = _read(path)
            try:
                found += self._act(path.name, data)
            except InvalidInput as problem:
                text = data[:FILE_BYTES_MAX].decode(errors="backslashreplace")
                found.append((f"dead:{path.name}", DeadLetter("operator", Cause.SCHEMA, str(problem), text)))
                self._answer(path.stem, Answer(False, (str(problem),)))
        return found

    def _act(self, name: str, data: bytes) -> list[tuple[str, Fact]]:
        if len(data) > FILE_BYTES_MAX:
            raise InvalidInput(f"an act has at most {FILE_BYTES_MAX} bytes, found more")
        try:
            fields = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
            if "pack" not in fields:
                act = msgspec.json.decode(data, type=PersonAct)
                return [(f"act:{name}:{self._clock.now()}", self._alone(act))]
        except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
            raise InvalidInput(f"expected a signed pack or a person's act, found {problem}") from None
        held = read_pack(data)
        if held.pack.act not in (Act.RESUME, Act.BREAK_GLASS, Act.BREAK_GLASS_REVIEW, Act.LEDGER_REPAIR):
            raise InvalidInput(f"{held.pack.act.value} is no act of a running desk: give the pack to its own verb")
        fault = self._gate(held.pack.subject) if held.pack.act is Act.RESUME else ""
        if fault:
            used: Approval | ApprovalRefused = ApprovalRefused(
                held.pack.digest(), held.pack.act.value, held.pack.subject, (fault,)
            )
        else:
            used = self._book.use(held, held.pack.act)
        if isinstance(used, ApprovalRefused):
            self._answer(used.digest, Answer(False, used.faults))
            return [(f"refused:{used.digest}:{self._clock.now()}", used)]
        return [(f"used:{used.pack.nonce}", used_of(used)), (f"pack:{used.digest}", self._asked(held, used))]

    def _alone(self, act: PersonAct) -> Fact:
        if act.act == "pause":
            return PauseRequest(act.reason, act.author, act.scope, act.expires_at)
        if act.act == "resume":
            return ResumeRequest(act.author, act.scope)
        return BreakGlassRevoke(act.glass_id, act.author)

    def _asked(self, held: SignedPack, used: Approval) -> Fact:
        if held.pack.act is Act.RESUME:
            reconciliation = "unknown: no venue view" if self._forensics is None else self._forensics.reconciliation()
            author = None if (taken := newest(self._state)) is None else taken.author
            since = [at for key, at in self._since.items() if key[2] == held.pack.subject]
            stopped_at = max([*since, self._safe_at() or 0], default=0)
            return rearm_of(
                held, used, reconciliation=reconciliation, author=author, asked_at=self._clock.now(),
                stopped_at=stopped_at, halting=self._halting(),
            )  # fmt: skip
        if held.pack.act is Act.LEDGER_REPAIR:
            return repair_of(used)
        if held.pack.act is Act.BREAK_GLASS:
            self._alert("break_glass.requested", f"{held.pack.subject} by {' and '.join(used.holders)}")
        return glass_of(used)

    # what the desk did

    def _take(self, payload: Fact) -> None:
        if isinstance(payload, GuardChanged):
            self._remember(payload)
        elif isinstance(payload, Rearmed):
            self._answer(payload.request.pack, Answer(True))
            self._alert("guard.rearmed", f"{payload.request.scope} by {' and '.join(payload.request.people)}")
        elif isinstance(payload, RearmRefused):
            self._answer(payload.request.pack, Answer(False, payload.faults))
        elif isinstance(payload, LedgerRepaired):
            self._answer(payload.pack, Answer(True))
            self._alert("ledger.repaired", f"{payload.trade_id}: {payload.before} lots before, {payload.after} after")
        elif isinstance(payload, LedgerRepairRefused):
            self._answer(payload.pack, Answer(False, payload.faults))
        elif isinstance(payload, BreakGlassRefused):
            self._answer(payload.glass_id, Answer(False, payload.faults))
            self._book.append((payload,))
        elif isinstance(payload, _GLASS):
            self._book.append((payload,))
            self._alert(payload.kind, f"break-glass {payload.glass_id}")
            if not isinstance(payload, BreakGlassUsed):
                self._answer(payload.glass_id, Answer(True))

    def _remember(self, changed: GuardChanged) -> None:
        owner, _, code = changed.reason.partition(".")
        key = (owner, code, changed.scope)
        stop = changed.reason_level is GuardLevel.STOPPED
        if not changed.set:
            self._since.pop(key, None)
        elif stop:
            self._snapshot_due = True
        self._write(self._recorded())
        if stop and not changed.set and self._halts is not None:  # the sentinel is the longer memory, so it goes first
            self._halts.release(owner, code, changed.scope)

    def _write(self, recorded: Sequence[HeldReason]) -> None:
        """Write what the guard holds, by the wall clock; a stop that the desk has not heard of yet stays."""
        unread = {
            _key(one): one for one in recorded
            if one.level is GuardLevel.STOPPED and (_key(one), one.since) not in self._heard
        }  # fmt: skip
        held = []
        for one in self._guard.reasons():
            since = self._since.setdefault(_key(one), self._clock.now())
            self._heard.add((_key(one), since))
            held.append(msgspec.structs.replace(one, since=since))
        kept = [one for one in held if _key(one) not in unread]
        self._sentinel.write(sentinel.encode((*kept, *unread.values())))

    def _snapshot(self) -> list[tuple[str, Fact]]:
        """Take the snapshot of a new stop; one that was taken of the same stops before a restart still stands."""
        if not self._snapshot_due or self._forensics is None:
            return []
        self._snapshot_due = False
        stops = stops_of(self._guard.reasons())
        taken = newest(self._state)
        known = {key for key in self._since if f"{key[0]}.{key[1]}@{key[2]}" in stops}
        since = max((self._since[key] for key in known), default=0)
        if taken is None or taken.reasons != stops or taken.taken_at < since:
            taken = self._forensics.take()
            self._alert("forensic.snapshot", f"{taken.incident}: {taken.snapshot}")
        return [(f"snapshot:{taken.snapshot}", taken)]

    def _carried(self) -> list[tuple[str, Fact]]:
        """Return, at the first look, what break-glass an earlier run left."""
        if self._looked:
            return []
        self._looked = True
        carried = carried_of(self._book)
        if not carried.active and not carried.owed:
            return []
        return [(f"break_glass:{self._clock.now()}", carried)]

    def _recorded(self) -> tuple[HeldReason, ...]:
        """Return the sentinel's reasons; an unreadable one says stop."""
        return sentinel.restore((), self._sentinel.read(), first_run=not self._begun, now=0)

    def _put_away(self) -> None:
        """Move the files whose acts the journal has; a crash before that offers them once more."""
        if not self._journaled:
            return
        done = self._state / CONTROL / DONE
        done.mkdir(exist_ok=True)
        for path in self._journaled:
            path.rename(done / f"{self._clock.now()}-{path.name}")
            self._seen.discard(path.name)
        self._journaled.clear()

    def _answer(self, name: str, answer: Answer) -> None:
        folder = self._state / CONTROL / ANSWERS
        folder.mkdir(parents=True, exist_ok=True)
        write_durably(folder / f"{name[:GLASS_ID_DIGITS]}.json", msgspec.json.encode(answer))


def rearm_of(
    held: SignedPack, used: Approval, *, reconciliation: str, author: str | None, asked_at: int, stopped_at: int,
    halting: bool = False,
) -> RearmRequest:
    """Return the request that a re-arm's pack stands for; its people are the holders of the keys."""
    pack, details = held.pack, held.pack.details
    return RearmRequest(
        used.holders, details.get("snapshot", ""), details.get("incident", ""), pack.reason, pack.subject,
        details.get("author_of_change") or author, used.digest, reconciliation, asked_at, stopped_at, halting,
    )


def glass_of(used: Approval) -> BreakGlassRequest | BreakGlassReview:
    """Return the request that a break-glass pack stands for; raises `InvalidInput` for counts that are none."""
    pack, details = used.pack, used.pack.details
    if pack.act is Act.BREAK_GLASS_REVIEW:
        return BreakGlassReview(pack.subject, used.holders[0], pack.reason, used.digest)
    try:
        uses, ttl = int(details.get("max_uses", "")), int(details.get("ttl_seconds", ""))
    except ValueError:
        raise InvalidInput(f"max_uses and ttl_seconds must be whole numbers, were {details}") from None
    return BreakGlassRequest(
        used.digest[:GLASS_ID_DIGITS], pack.subject, details.get("instrument", ""), uses, ttl, pack.reason,
        used.holders, used.digest,
    )


def carried_of(book: ApprovalBook) -> BreakGlassCarried:
    """Fold the approvals' journal to the break-glasses in force, with their uses, and the reviews that are owed."""
    active: dict[str, tuple[BreakGlassActivated, int]] = {}
    owed: dict[str, BreakGlassEnded] = {}
    for event in book.events():
        match event.payload:
            case BreakGlassActivated() as told:
                active[told.glass_id] = (told, 0)
            case BreakGlassUsed() as used if used.glass_id in active:
                active[used.glass_id] = (active[used.glass_id][0], used.uses)
            case BreakGlassEnded() as ended:
                active.pop(ended.glass_id, None)
                owed[ended.glass_id] = ended
            case BreakGlassReviewed() as reviewed:
                owed.pop(reviewed.glass_id, None)
    return BreakGlassCarried(tuple(active.values()), tuple(owed.values()))


def _key(reason: HeldReason) -> Key:
    return reason.owner, reason.code, reason.scope


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)
