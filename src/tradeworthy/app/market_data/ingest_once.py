"""One cycle of embedded ingest in a process of its own, with its start and its end; no desk is built (CLI-03)."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tradeworthy.app.bootstrap import policy_of
from tradeworthy.app.config import Document
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runtime.application import Application
from tradeworthy.app.runtime.ingesting import Ingesting, ingest_of
from tradeworthy.app.runtime.life import begin_life
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import ExitCode
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import Escalated, TaskSupervisor
from tradeworthy.kernel.supervision.notify import ServiceNotify
from tradeworthy.operations.ingest.facts import IngestCycle

CODES = {
    Severity.OK: ExitCode.PASS, Severity.WARN: ExitCode.WARN, Severity.UNKNOWN: ExitCode.COULD_NOT_JUDGE,
    Severity.FAIL: ExitCode.FAIL,
}  # fmt: skip
"""By the worst source of the cycle; one without a row is not judged."""


class OneCycle(NamedTuple):
    """What came of it: the cycle's fact where one ran, the exit code, and why nothing ran or what went wrong."""

    cycle: IngestCycle | None
    exit_code: ExitCode
    detail: str = ""


async def ingest_once(
    document: Document, *, root: Path, clock: Clock, environ: Mapping[str, str], store: Path,
    symbols: Sequence[str] = (), skip: bool = False,
) -> OneCycle:  # fmt: skip
    """Run one cycle and end; the life of this process lies beside those of the desk.

    Raises `UsageError` for a section `runtime.ingest` that is wrong; nothing is written then.
    """
    found = ingest_of(document, store=store, environ=environ, symbols=symbols)
    policy = policy_of(RuntimePolicy, "runtime", document.runtime)
    life = begin_life(state_of(root, document.desk.name), clock)
    supervisor = TaskSupervisor(
        clock, random.Random(document.desk.seed), _Nobody(), run_id=life.run_id, sink=life.accept,
        policy=policy.supervision,
    )  # fmt: skip
    application = Application(
        clock=clock, life=life, supervisor=supervisor, orders=None, seal=lambda reason: True, policy=policy.shutdown,
        service=ServiceNotify.of_environment({}), environ=environ,
    )  # fmt: skip
    ingesting = Ingesting(found, clock, run_id=life.run_id, tell=life.tell, skip=skip, once=True)
    ingesting.declare(application)
    workloads = ingesting.workloads()
    for one in workloads:
        application.add(one)
    if not workloads:
        application.request_stop("completed", "no workload")
    ended = await application.run()
    cycle = None if ingesting.work is None else ingesting.work.last
    if not workloads:
        why = "; ".join(f"{name}: {reason}" for name, reason in application.services.skipped.items())
        return OneCycle(None, max(ExitCode.WARN, ended.exit_code), why)
    if cycle is None:
        return OneCycle(None, max(ExitCode.FAIL, ended.exit_code), ended.detail or ended.reason)
    return OneCycle(cycle, max(CODES[cycle.severity], ended.exit_code), ended.detail)


class _Nobody:
    """Nothing trades in this process, so an escalation stops nothing: the end says what failed."""

    def escalate(self, escalated: Escalated, cause: Event) -> None:
        """Leave it to the end of the process."""
