"""`tradeworthy flatness`: read and verify a certificate of flatness, offline."""

from pathlib import Path

from rich.console import Console

from tradeworthy.app.halting.flatness import Verified, public_key, verify
from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.kernel.errors import ExitCode, InvalidInput, UsageError
from tradeworthy.trading.control.certificate import WATCHDOG, Flatness

EXITS = {
    Flatness.VERIFIED: ExitCode.PASS, Flatness.PARTIAL: ExitCode.WARN, Flatness.UNVERIFIED: ExitCode.FAIL,
}  # fmt: skip


def flatness(file: Path, /, *, key: Path) -> int:
    """Verify a certificate of flatness by the watchdog's public key, without the desk, its journal or its venue.

    Exit 0 for a sound certificate of a flat venue, 1 for a partial one, 2 for an unverified or unsound one.

    Parameters
    ----------
    file
        The certificate.
    key
        The watchdog's public key, 64 hex digits.
    """
    try:
        judged = verify(file.read_bytes(), public_key(key))
    except (OSError, InvalidInput) as problem:
        raise UsageError(f"cannot verify {file}: {problem}") from None
    show(Console(highlight=False, markup=False, soft_wrap=True), file, judged)
    if judged.faults or judged.certificate is None:
        return ExitCode.FAIL
    return EXITS[judged.certificate.outcome]


def show(console: Console, path: Path, judged: Verified) -> None:
    """Print what a certificate says, each step's time and limit, and what is wrong with it."""
    for fault in judged.faults:
        console.print(f"fault   {fault}", style="red")
    made = judged.certificate
    if made is None:
        return
    console.print(f"outcome {made.outcome.value} ({made.cause}), {len(made.cancels)} cancels, desk {made.desk}")
    if made.seen_by != WATCHDOG:
        console.print("seen    by the desk's own process, which holds the venue: nobody else can look")
    for step in made.steps:
        took = "not done" if step.after_ns is None else f"{step.after_ns / NANOS_PER_MILLI:.1f} ms"
        late = "" if step.in_time else "  late"
        console.print(f"step    {step.name:<19} {took:>12}  limit {step.limit_ns / NANOS_PER_MILLI:g} ms{late}")
    for order in made.open_orders:
        console.print(f"open    {order.client_order_id} {order.instrument} {order.side * order.leaves:+d} lots")
    for name, lots in made.positions.items():
        console.print(f"position {name} {lots:+d} lots" + (", to be flattened" if made.flatten_left else ""))
    for one in made.disagreements:
        console.print(f"differs {one}")
    if made.problem:
        console.print(f"problem {made.problem}")
    console.print(f"file    {path}")
