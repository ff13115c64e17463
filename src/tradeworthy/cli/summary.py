"""`tradeworthy summary`: what a desk's process is made of, and how it stands."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from tradeworthy.app.runtime import summary as documents
from tradeworthy.app.runtime.desk_process import DeskProcess
from tradeworthy.cli.start_switches import Start
from tradeworthy.cli.supervised import http_address
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode

USUAL = Start()
SWITCH = Parameter(negative="")


def summary(
    configuration: Path | None = None, /, *, json: Annotated[bool, SWITCH] = False,
    schema: Annotated[bool, SWITCH] = False, no_trading: Annotated[bool, SWITCH] = False, start: Start = USUAL,
) -> int:
    """Show what a desk's process would run, how each part is restarted, and the guard it would start with.

    A running desk answers the same document at `GET /summary`.

    Parameters
    ----------
    configuration
        A TOML document, e.g. config/paper.toml.
    json
        Print the document as JSON; it validates against the schema.
    schema
        Print the JSON schema of the document and nothing else.
    no_trading
        As `run --no-trading` would.
    """
    if schema:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(documents.schema()), indent=2).decode() + "\n")
        return ExitCode.PASS
    document = start.document(configuration)
    with TemporaryDirectory() as place:
        switches = start.switches(no_trading=no_trading, declared_in=Path(place))
        process = DeskProcess(
            document, root=start.runs, clock=SystemClock(), environ=start.environ(dict(os.environ)), switches=switches,
            address=http_address,
        )
        try:
            data = process.summary(running=False)
        finally:
            process.discard()
    if json:
        sys.stdout.write(msgspec.json.format(data, indent=2).decode() + "\n")
    else:
        _print(msgspec.json.decode(data), Console())
    return ExitCode.PASS


def _print(found: dict[str, Any], console: Console) -> None:
    console.print(f"[bold]{found['desk']}[/]  {found['environment']}  configuration {found['config_hash'][:12]}")
    reasons = ", ".join(f"{one['owner']}.{one['code']}" for one in found["guard"]["reasons"]) or "no reason in force"
    console.print(f"guard {found['guard']['level']}: {reasons}\n", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("workload", "class", "criticality", "restarts", "back-off s", "hang s", "what"):
        table.add_column(name, overflow="fold", no_wrap=name == "workload")
    for one in found["workloads"]:
        policy = one["restart_policy"]
        limit = policy["max_restarts"]
        table.add_row(
            one["name"], one["workload_class"], one["criticality"], "unlimited" if limit is None else str(limit),
            f"{policy['backoff_base_s']:g}", "-" if one["hang_timeout_seconds"] is None
            else f"{one['hang_timeout_seconds']:g}", one["description"],
        )  # fmt: skip
    console.print(table)
    for name, reason in found["skipped"].items():
        console.print(f"skipped {name}: {reason}", style="dim", highlight=False, markup=False)
