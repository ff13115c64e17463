"""`tradeworthy gate build-alert`: tell a failed build's job to people, and take it back when it is green."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradeworthy.app.alerts.build_alert import Wires, tell_build
from tradeworthy.app.configuration.secret_references import store_of
from tradeworthy.cli.gate_duties import GATES_FOLDER, Folder
from tradeworthy.cli.gate_looks import console_of
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.gates.build_alerts import (
    FAILED,
    GREEN,
    RESULTS,
    BuildAlerted,
    failures_of,
    mean_repair_s,
)
from tradeworthy.operations.gates.store import GateStore


def build_alert(
    job: str, /, *, result: str, repository: str, token: str, api: str = "", chat: str = "", where: str = "",
    drill: Annotated[bool, Parameter(negative="")] = False, gates: Folder = GATES_FOLDER,
) -> int:  # fmt: skip
    """Open the issue of a failing job once, close it when the job is green: 0 told, 2 a channel did not take it.

    Parameters
    ----------
    job
        The job's name.
    result
        success or failure; cancelled and skipped tell nothing.
    repository
        Where the issue is kept: owner/name.
    token
        The reference of the token, secret://NAME.
    api
        Where the repository's host is asked; the public one if absent.
    chat
        The reference of an incoming webhook's URL, for a mirror in the chat.
    where
        The build, as people find it.
    drill
        Raise an alert of its own and take it back, whatever the result.
    gates
        The gates' folder, where it is journaled.
    """
    if result not in RESULTS:
        raise UsageError(f"--result: expected one of {', '.join(RESULTS)}, found {result!r}")
    console = console_of()
    if result not in (GREEN, FAILED) and not drill:
        console.print(f"{job} was {result}: nothing to tell")
        return ExitCode.WARN
    clock, wires = SystemClock(), Wires(repository=repository, token=token, api=api, chat=chat, where=where)
    store = GateStore(Path(gates), clock)
    told = tell_build(
        store, wires, store_of(os.environ).resolve, clock, job=job, failed=result == FAILED, drill=drill
    )  # fmt: skip
    for one in told:
        console.print(f"{'raised' if one.failed else 'taken back':<11} {job}  {', '.join(one.sent)}")
        for fault in one.faults:
            console.print(f"not told    {fault}", style="red")
    mean = mean_repair_s(failures_of(one for _, one in store.read().notes if isinstance(one, BuildAlerted)))
    console.print("mean time to repair: unknown" if mean is None else f"mean time to repair: {mean:,.0f} s")
    return ExitCode.FAIL if any(one.faults for one in told) else ExitCode.PASS
