"""`tradeworthy config identity`: whether every node of a desk runs the same code, document, limits and models."""

from pathlib import Path

from rich.console import Console

from tradeworthy.app.node_identity import identity_of_node
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.report import write
from tradeworthy.operations.gates.release_checks import fleet_report


def identity(*nodes: Path, report: Path | None = None) -> int:
    """Compare the identities that the processes of several nodes wrote at their last start.

    Exit 0 where every digest is known and equal, 2 where one differs and is named, 3 with fewer than two nodes.

    Parameters
    ----------
    nodes
        A desk's folder of state (its newest process counts), the folder of one process's life, or an `identity.json`.
    report
        The folder that keeps the report, which `tradeworthy gate record` takes.
    """
    if not nodes:
        raise UsageError("expected the state of at least two nodes, found none")
    found = {str(one): identity_of_node(one) for one in nodes}
    made = fleet_report(found)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for check in made.checks:
        console.print(f"{check.severity.name:<8} {check.code:<14} {check.observed}")
    if report is not None:
        console.print(f"report {write(made, report).evidence}")
    return made.exit_code
