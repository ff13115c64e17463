"""`tradeworthy replay RUN`: re-derive every outcome from the journal and compare."""

from pathlib import Path

import msgspec
from rich.console import Console

from tradeworthy.app.runs.runner import replay_run
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.facts import Fact


def replay(run: Path, /, *, until: int | None = None) -> int:
    """Replay a run and compare each outcome; exit 0 when all are equal, 2 at the first difference.

    A run that was cut off before its first outcome has nothing to compare: exit 3.

    Parameters
    ----------
    run
        A run folder, also one that a crash left behind.
    until
        The last seq to replay, e.g. that of a difference; the whole journal if absent.
    """
    console = Console()
    result = replay_run(run, until=until)
    compared = f"{result.equal / result.outcomes:.2%} equal" if result.outcomes else "nothing to compare"
    console.print(
        f"{result.inputs:,} inputs, {result.outcomes:,} recorded outcomes, {compared}\n"
        f"digest {result.digest}", highlight=False, soft_wrap=True,
    )
    if result.recorded_digest is None:
        console.print("the run has no end: it was cut off, and is compared up to its last sealed event", style="yellow")
    if result.unrecorded:
        console.print(f"{result.unrecorded} facts of the last input were cut off; they had no effect", style="yellow")
    if result.first is not None:
        first = result.first
        console.print(f"first difference at seq {first.seq}, caused by {first.cause}", style="red", markup=False)
        console.print(f"  recorded  {_shown(first.recorded)}", markup=False, soft_wrap=True)
        console.print(f"  derived   {_shown(first.derived)}", markup=False, soft_wrap=True)
    elif not result.ok:
        console.print(f"digest differs from the recorded {result.recorded_digest}", style="red")
    if not result.ok:
        return ExitCode.FAIL
    return ExitCode.PASS if result.outcomes else ExitCode.COULD_NOT_JUDGE


def _shown(fact: Fact | None) -> str:
    return "nothing" if fact is None else f"{fact.kind} {msgspec.json.encode(fact).decode()}"
