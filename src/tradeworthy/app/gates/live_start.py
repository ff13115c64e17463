"""Who may go live: everything that must be there is looked at, and all that is missing is told at once (CLI-09)."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tradeworthy.app import identity
from tradeworthy.app.bootstrap import control_section, policy_of
from tradeworthy.app.config import Document, InstanceSection
from tradeworthy.app.configuration.change_control import CHANGES, require_approved
from tradeworthy.app.configuration.instances import venue_of
from tradeworthy.app.configuration.secret_references import fingerprints_in, references_of, store_of
from tradeworthy.app.gates.desk_gates import verdicts_for
from tradeworthy.app.gates.verdicts import GateVerdicts, ask_of
from tradeworthy.app.halting.watchdog_process import KEY, WATCHDOG
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.facts import Fact, event_of, fact
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.operations.gates.named import Act

LIVE_VENUES: frozenset[str] = frozenset()
"""Venues that this release can trade at with real money."""
LIVE_STARTS = "live_starts"
"""Where a desk's state keeps the journal of live starts that were refused; no life of a process begins for them."""
SOURCE = "live_start"
RUNBOOK = "runbooks/gate.md"


class Missing(msgspec.Struct, frozen=True):
    """One thing without which no desk goes live."""

    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, found {self.found}"


@fact("runtime.live_refused")
class LiveRefused(Fact, frozen=True):
    """A live start was refused, with everything that was missing."""

    desk: str
    release: str
    tier: str
    config_hash: str
    missing: tuple[Missing, ...]


def require_live(
    document: Document, *, state: Path, clock: Clock, environ: Mapping[str, str] = os.environ,
    verdicts: GateVerdicts | None = None, venues: frozenset[str] = LIVE_VENUES,
) -> None:  # fmt: skip
    """Refuse a live document with all that is missing, journaled in the desk's state; any other one passes.

    state     the desk's folder of what outlives a run;  environ  where secrets that are no files stand
    verdicts  of the gate; None = those kept beside the runs, and the evidence that the section `health` names
    venues    that can be traded at with real money
    """
    if document.desk.environment != "live":
        return
    code = identity.code_hash()
    tier = policy_of(RuntimePolicy, "runtime", document.runtime).tier
    ask = ask_of(document, tier=tier, code=code)
    known = verdicts or verdicts_for(document, state.parents[1], clock, act=Act.GO_LIVE)
    answer = known.answer(ask)
    missing = [
        *_confirmed(document), *_kill_switch(state, clock), *_watchdog(document),
        *([] if answer.go else [
            Missing("gate_verdict", f"GO for release {ask.release}, {tier}, live, with these hashes", answer.why)
        ]),
        *_credentials(document, environ), *_caps(document), *_approved(document, state, environ),
        *_adapters(document, venues),
    ]  # fmt: skip
    if not missing:
        return
    refused = LiveRefused(document.desk.name, ask.release, tier, document.hash(), tuple(missing))
    _journal(refused, state / LIVE_STARTS, clock)
    told = "; ".join(str(one) for one in missing)
    raise ConfigurationRefused(f"no live start, {len(missing)} missing: {told} (see {RUNBOOK})")


def refusals(state: Path) -> tuple[LiveRefused, ...]:
    """Return the live starts that were refused, oldest first."""
    directory = state / LIVE_STARTS
    if not any(directory.glob("journal-*")):
        return ()
    return tuple(event.payload for event in read(directory) if isinstance(event.payload, LiveRefused))


def _confirmed(document: Document) -> list[Missing]:
    if control_section(document).confirm_live:
        return []
    return [Missing("confirm_live", "control.confirm_live = true in the document", "false")]


def _kill_switch(state: Path, clock: Clock) -> list[Missing]:
    found = []
    try:
        flag = halt_flag(state, clock)
        halts = ", ".join(one.name for one in flag.halts())
        up = flag.halted()
        flag.close()
        if up:
            found.append(Missing("kill_switch", "the halt flag down", f"it is up: {halts}"))
    except (OSError, ValueError) as problem:
        found.append(Missing("kill_switch", "a halt flag that can be read", str(problem)))
    key = state / WATCHDOG / f"{KEY}.pub"
    if not key.is_file():
        found.append(Missing("kill_switch", f"the watchdog's key, its public half at {key}", "none"))
    return found


def _watchdog(document: Document) -> list[Missing]:
    if policy_of(RuntimePolicy, "runtime", document.runtime).watchdog:
        return []
    return [Missing("watchdog", "runtime.watchdog = true", "false")]


def _credentials(document: Document, environ: Mapping[str, str]) -> list[Missing]:
    store, found = store_of(environ), []
    known = {one.id: one for one in document.accounts}
    for name in dict.fromkeys(one.account for one in _enabled(document)):
        account = known.get(name)
        if account is None:
            found.append(Missing("credentials", "an account for each enabled instance", repr(name)))
            continue
        try:
            store.resolve(account.credentials)
        except UsageError as problem:
            found.append(Missing("credentials", f"a secret that opens account {name}", str(problem)))
    return found


def _caps(document: Document) -> list[Missing]:
    enabled = _enabled(document)
    if not enabled:
        return [Missing("caps", "at least one enabled instance, with a cap", "none")]
    return [Missing("caps", f"a cap on instance {one.id}", "none") for one in enabled if one.cap is None]


def _approved(document: Document, state: Path, environ: Mapping[str, str]) -> list[Missing]:
    prints = fingerprints_in(state).of(document, store_of(environ)) if references_of(document) else {}
    try:
        require_approved(document, state / CHANGES, fingerprints=prints)
    except ConfigurationRefused as problem:
        return [Missing("approved_configuration", "this configuration approved by people", str(problem))]
    return []


def _adapters(document: Document, venues: frozenset[str]) -> list[Missing]:
    wanted = sorted({venue_of(one) for one in _enabled(document)} - venues)
    return [Missing("venue_adapter", f"an adapter that trades at {one}", "none in this release") for one in wanted]


def _enabled(document: Document) -> list[InstanceSection]:
    return [one for one in document.instances if one.enabled]


def _journal(refused: LiveRefused, directory: Path, clock: Clock) -> None:
    journal = Journal.open(directory, clock=clock)
    try:
        count = len(refusals(directory.parent))
        now = clock.now()
        journal.accept(event_of(refused, source=SOURCE, key=count + 1, ts_event=now, ts_init=now))
    finally:
        journal.close()
