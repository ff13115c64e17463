"""`tradeworthy config propose|approve`: a changed document takes effect when people stand for it."""

import os
from datetime import datetime
from pathlib import Path

from rich.console import Console

from tradeworthy.app import config
from tradeworthy.app.bootstrap import people_policy
from tradeworthy.app.configuration.change_control import (
    CHANGES,
    ChangeApproved,
    act_of,
    approve_signed,
    pack_of,
    proposal_of,
)
from tradeworthy.app.configuration.change_control import approve as approve_change
from tradeworthy.app.configuration.change_control import propose as propose_change
from tradeworthy.app.configuration.secret_references import fingerprints_in, references_of, store_of
from tradeworthy.app.people.approvals import read_signed, signed
from tradeworthy.app.people.desk_people import DeskPeople
from tradeworthy.app.runs.folder import state_of
from tradeworthy.cli.evidence import private_key
from tradeworthy.cli.run import DEFAULT_RUNS
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.trading.control.approvals import REQUIRED, Act, SignedPack


def propose(
    configuration: Path, /, *, person: str, reason: str, key: Path | None = None, write: Path | None = None,
    environment: str | None = None, runs: Path = DEFAULT_RUNS, window: str = "", emergency: str = "",
) -> int:  # fmt: skip
    """Propose a document: the diff is journaled; exit 1 while others must approve it.

    A change of severity FAIL is approved by keys: `--key` and `--write` leave the pack that others sign with
    `tradeworthy approve`.

    Parameters
    ----------
    configuration
        A TOML document.
    person
        Who asks.
    reason
        Why.
    key
        The proposer's private key; who proposes approves nothing of it.
    write
        Where the pack goes.
    environment
        Lay this environment over the document: backtest, replay, paper or live.
    runs
        Where the desk's state is kept.
    window
        When it shall be done, e.g. 2026-01-31T10:00Z/2026-01-31T12:00Z; who approves signs it too.
    emergency
        Why it cannot wait for the week's window.
    """
    if (key is None) != (write is None):
        raise UsageError("expected --key and --write together, found one of them")
    document, clock = config.load(configuration, environment=environment), SystemClock()
    private = None if key is None else private_key(key)
    state = state_of(runs, document.desk.name)
    prints = fingerprints_in(state).of(document, store_of(os.environ)) if references_of(document) else {}
    found = propose_change(
        state / CHANGES, document, person=person, reason=reason, fingerprints=prints, clock=clock,
        window=_window(window) if window else (0, 0), emergency=emergency,
    )  # fmt: skip
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"proposed {found.config_hash}: {len(found.diff)} changes")
    for path in found.widens:
        console.print(f"widens live risk: {path}", style="yellow")
    for path in found.fails:
        console.print(f"needs keys: {path}", style="yellow")
    act = act_of(found)
    if act is not None:
        console.print(f"approved by a pack for {act.value}, signed by {' and '.join(REQUIRED[act])}")
    if private is not None and write is not None:
        pack = pack_of(
            found, desk=document.desk.name, proposer=key_id_of(private.public_key().public_bytes_raw()),
            now=clock.now(), policy=people_policy(document).approvals,
        )  # fmt: skip
        write_durably(write, signed(SignedPack(pack), private).encoded())
        console.print(f"pack {write}")
    return ExitCode.WARN if found.widens or found.fails else ExitCode.PASS


def approve(
    desk: str, config_hash: str, /, *, gate_run: Path, person: str | None = None, pack: Path | None = None,
    runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Approve a proposed document, with the report of a new gate run: by a signed pack, or as the second person.

    Parameters
    ----------
    desk
        The desk's name.
    config_hash
        What `config propose` printed.
    gate_run
        The report of the gate run.
    person
        Who approves; not the one who proposed. Enough for a change below severity FAIL only.
    pack
        The pack that `config propose` wrote and others signed; it is used up.
    runs
        Where the desk's state is kept.
    """
    if (person is None) == (pack is None):
        raise UsageError("expected --person or --pack, found both or neither")
    directory, clock = state_of(runs, desk) / CHANGES, SystemClock()
    found: ChangeApproved
    if person is not None:
        found = approve_change(directory, config_hash, person=person, gate_run=gate_run, clock=clock)
    else:
        assert pack is not None
        act = act_of(proposal_of(directory, config_hash)) or Act.CONFIGURATION
        if not gate_run.is_file():
            raise UsageError(f"cannot read the gate run {gate_run}: there is no such file")
        used = DeskPeople(runs, desk, clock=clock).book.require(read_signed(pack), act, subject=config_hash)
        found = approve_signed(directory, used, gate_run=gate_run, clock=clock)
    Console(highlight=False, soft_wrap=True).print(f"approved {found.config_hash} by {' and '.join(found.people)}")
    return ExitCode.PASS


def _window(text: str) -> tuple[int, int]:
    """Return the two ends of FROM/UNTIL in nanoseconds UTC; raises `UsageError` for anything else."""
    try:
        start, end = (datetime.fromisoformat(one) for one in text.split("/"))
    except ValueError:
        raise UsageError(f"--window must be two ISO times FROM/UNTIL, was {text!r}") from None
    if start.tzinfo is None or end.tzinfo is None:
        raise UsageError(f"--window needs time zones, e.g. 2026-01-31T10:00Z/2026-01-31T12:00Z, was {text!r}")
    return round(start.timestamp()) * NANOS_PER_SECOND, round(end.timestamp()) * NANOS_PER_SECOND
