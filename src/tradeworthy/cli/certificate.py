"""`tradeworthy certificate show|verify|history|watch`: may this release trade, until when, what ends that first."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from tradeworthy.kernel.clock import NANOS_PER_MILLI, NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.evidence.canonical import Malformed, stamp_of
from tradeworthy.operations.evidence.certificate import Certificate, Verdict, ends_before_close, notice_of
from tradeworthy.operations.evidence.certificate_store import Store, nanos_of_stamp, read_store
from tradeworthy.operations.evidence.living import LivingCertificate
from tradeworthy.operations.evidence.requirements import STANDARD
from tradeworthy.operations.evidence.trust import read_trust

app = App(name="certificate", help="Say GO or NO-GO, until when, and what ends it first.")


@app.command
def show(
    store: Path, /, *, trust: Path, at: str | None = None, json: Annotated[bool, Parameter(negative="")] = False
) -> int:
    """Evaluate the certificate: 0 GO, 1 GO with waivers or warnings or ending before the next close, 2 NO-GO.

    Parameters
    ----------
    store
        The evidence store.
    trust
        The trust file.
    at
        The time to judge for; now when not given.
    json
        Print JSON, which `certificate verify` checks later.
    """
    now = _time(at)
    known = read_store(store, read_trust(trust), STANDARD, at=now)
    certificate = known.at(now)
    console = _console()
    if json:
        console.print(msgspec.json.format(msgspec.json.encode(certificate), indent=1).decode())
    else:
        _print(console, certificate, known)
    return _code(certificate, known)


@app.command
def verify(certificate: Path, /, *, store: Path, trust: Path) -> int:
    """Evaluate a kept certificate again for its own time; 2 when the answer is another one.

    Parameters
    ----------
    certificate
        What `certificate show --json` printed.
    store
        The evidence store.
    trust
        The trust file.
    """
    try:
        kept = msgspec.json.decode(certificate.read_bytes(), type=Certificate)
    except (OSError, msgspec.MsgspecError) as problem:
        raise UsageError(f"expected a certificate in {certificate}, found {problem}") from None
    known = read_store(store, read_trust(trust), STANDARD, at=kept.evaluated_at)
    again = known.at(kept.evaluated_at)
    if again == kept:
        _console().print(f"the same answer: {kept.verdict} at {stamp_of(kept.evaluated_at)}")
        return _code(again, known)
    _console().print(f"another answer: kept {kept.verdict}, evaluated {again.verdict}", style="red")
    return ExitCode.FAIL


@app.command
def history(store: Path, /, *, trust: Path, at: str | None = None) -> int:
    """Print every turn of the answer up to a time; leaves with the code of the last.

    Parameters
    ----------
    store
        The evidence store.
    trust
        The trust file.
    at
        The time up to which; now when not given.
    """
    now = _time(at)
    known = read_store(store, read_trust(trust), STANDARD, at=now)
    console = _console()
    before: Verdict | None = None
    for moment in known.turning_points(now):
        certificate = known.at(moment)
        if certificate.verdict is not before:
            why = ", ".join(f"{row.id} {row.status}" for row in certificate.requirements if row.status not in _FINE)
            console.print(f"{stamp_of(moment)}  {certificate.verdict:<6} {why}")
            before = certificate.verdict
    return _code(known.at(now), known)


@app.command
def watch(store: Path, /, *, trust: Path, until_turn: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Follow the answer: each turn, each louder notice of its end, at most five seconds after new evidence.

    Leaves with 130 at Ctrl-C, and at the first turn with the code of the answer where asked to.

    Parameters
    ----------
    store
        The evidence store.
    trust
        The trust file.
    until_turn
        Leave when the answer is another one than at first: 0 GO, 2 NO-GO, 3 nobody knows.
    """
    clock = SystemClock()
    living, console = LivingCertificate(store, trust, clock), _console()
    turns = 0
    while True:
        told = living.follow()
        if told is not None:
            console.print(f"{stamp_of(told.evaluated_at)}  {told.notice:<6} {told.in_words()}")
            turns += told.turned
        if told is not None and until_turn and turns > 1:
            return _CODES.get(told.verdict, ExitCode.COULD_NOT_JUDGE)
        clock.sleep(max(round(living.pause() * NANOS_PER_SECOND), NANOS_PER_MILLI))


_CODES = {str(Verdict.GO): ExitCode.PASS, str(Verdict.NO_GO): ExitCode.FAIL}
_FINE = frozenset({"met", "warned", "waived"})


def _print(console: Console, certificate: Certificate, known: Store) -> None:
    console.print(f"{certificate.verdict}  release {certificate.release}, tier {certificate.tier}, "
                  f"{certificate.environment}, at {stamp_of(certificate.evaluated_at)}")  # fmt: skip
    for waiver in certificate.waivers:
        console.print(f"waiver  {waiver}")
    if certificate.ends_first is not None:
        ends = certificate.ends_first
        console.print(f"ends    {stamp_of(ends.at)} in {ends.seconds:,.0f} s: {ends.requirement}, {ends.reason}")
        console.print(f"do      {ends.remedy} (tell: {notice_of(certificate, known.policy, known.context)})")
    for row in certificate.requirements:
        until = "-" if row.expires_at is None else stamp_of(row.expires_at)
        console.print(f"{row.status:<18} {row.id:<20} until {until:<20} {row.reason}")


def _code(certificate: Certificate, known: Store) -> int:
    if certificate.exit_code == ExitCode.PASS and ends_before_close(certificate, known.context):
        return ExitCode.WARN
    return certificate.exit_code


def _time(at: str | None) -> int:
    try:
        return SystemClock().now() if at is None else nanos_of_stamp(at)
    except Malformed as problem:
        raise UsageError(f"--at: {problem}") from None


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
