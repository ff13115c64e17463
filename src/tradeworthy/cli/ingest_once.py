"""`tradeworthy ingest-once`: take recorded data into the embedded store, once."""

import asyncio
import dataclasses
import os
from pathlib import Path

from rich.console import Console

from tradeworthy.app.market_data.ingest_once import ingest_once as one_cycle
from tradeworthy.cli.start_switches import Start
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import register_environment
from tradeworthy.operations.ingest.facts import IngestCycle, SourceTaken

USUAL = Start()


def ingest_once(configuration: Path | None = None, /, *, start: Start = USUAL) -> int:
    """Run one cycle of what the document's section runtime.ingest names; what is stored already is not added again.

    Exit 0 when every source came in whole; 1 when lines were refused, or when there is nothing to take in; 2 when a
    source or the store failed; 3 for a wrong word, or a source without a row.

    Parameters
    ----------
    configuration
        A TOML document, e.g. config/paper.toml.
    """
    if start.fault:
        raise UsageError("--fault breaks a desk's process: expected `tradeworthy run`, found ingest-once")
    document = dataclasses.replace(start, symbols="").document(configuration)
    environ = start.environ(dict(os.environ))
    register_environment(environ)
    done = asyncio.run(one_cycle(
        document, root=start.runs, clock=SystemClock(), environ=environ, store=start.duckdb_path,
        symbols=start.only(), skip=start.skip_ingest,
    ))  # fmt: skip
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if done.cycle is None:
        console.print(f"nothing was taken in: {done.detail}", style="yellow")
    else:
        _print(done.cycle, console)
    return done.exit_code


def _print(cycle: IngestCycle, console: Console) -> None:
    for one in cycle.sources:
        console.print(f"{one.severity.name:<7} {one.source} ({one.instrument}): {_told(one)}")
    console.print(f"{cycle.store}: {cycle.inserted:,} rows added, {cycle.unchanged:,} were there, "
                  f"{cycle.rejected:,} refused, {cycle.took_ns / NANOS_PER_SECOND:.1f} s")  # fmt: skip


def _told(one: SourceTaken) -> str:
    if one.problem:
        return one.problem
    age = "no row" if one.age_ns is None else f"newest {one.age_ns / NANOS_PER_SECOND:,.0f} s old"
    again = ", read before" if one.reused else ""
    left = f", {one.left_out:,} of a kind without a table" if one.left_out else ""
    return f"{one.inserted:,} of {one.fetched:,} rows added, {one.rejected:,} refused{left}, {age}{again}"
