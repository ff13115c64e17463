"""`tradeworthy parity`: the simulated venue against recorded answers of other engines, fill by fill."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from tradeworthy.app.research.parity import open_material
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.research.parity import RUNGS, RungResult, run_rung

GOLDEN = Path("tests/parity/golden")
SHOWN_MAX = 10
"""Unexplained differences printed for one comparison; the count is that of all."""


def parity(
    *, rung: Annotated[tuple[str, ...], Parameter(negative="")] = (), golden: Path = GOLDEN, data: Path | None = None
) -> int:
    """Compare fills with other engines; exit 2 at one unexplained difference, 3 when data is absent.

    Parameters
    ----------
    rung
        T0 to T7; may be given several times, without it the whole ladder runs.
    golden
        The folder with the engines' answers; their intent tapes lie beside it in `tapes`.
    data
        The folder with market data; by default the one that TRADEWORTHY_DATA names.
    """
    unknown = [one for one in rung if one not in RUNGS]
    if unknown:
        raise UsageError(f"--rung must be one of {', '.join(RUNGS)}, was {', '.join(unknown)}")
    material = open_material(golden, data)
    console = Console()
    results = []
    for one in rung or tuple(RUNGS):
        with console.status(f"rung {one}"):
            results.append(run_rung(one, material))
    console.print(_table(results))
    for comparison in (one for result in results for one in result.comparisons):
        for line in comparison.unexplained[:SHOWN_MAX]:
            console.print(f"{comparison.name}: {line}", style="red", markup=False, highlight=False, soft_wrap=True)
    return ExitCode.PASS if all(result.passed for result in results) else ExitCode.FAIL


def _table(results: list[RungResult]) -> Table:
    """Return one row a comparison, named after its rung and counted in orders (T6: in figures)."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("comparison", "against"):
        table.add_column(name)
    for name in ("equal", "classed", "unexplained"):
        table.add_column(name, justify="right", no_wrap=True)
    for result in results:
        for one in result.comparisons:
            classed = ", ".join(f"{name} {count}" for name, count in one.classed.items()) or "0"
            table.add_row(one.name, one.oracle, f"{one.equal:,}", classed, f"{len(one.unexplained):,}")
    return table
