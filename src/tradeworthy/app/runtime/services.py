"""Which workload each task belongs to, and what is told of it (APP-03)."""

from collections.abc import Iterable

import msgspec

from tradeworthy.app.runtime.workload import Workload
from tradeworthy.kernel.supervision import Metadata, TaskPolicy, TaskSnapshot
from tradeworthy.kernel.supervision.task import SupervisedTask

RUNTIME = "runtime"
"""The service of what belongs to no workload: the process's own tasks."""


class ServiceSnapshot(msgspec.Struct, frozen=True):
    """One workload with its tasks. `state` is declared, skipped, or that of its task."""

    name: str
    kind: str
    description: str
    state: str
    criticality: str
    restart_policy: TaskPolicy | None
    hang_timeout_seconds: float | None
    supervised_components: tuple[str, ...]
    metadata: Metadata
    tasks: tuple[TaskSnapshot, ...]


class ServiceRegistry:
    """Keep the workloads of one process, those that were skipped among them."""

    def __init__(self) -> None:
        self._workloads: dict[str, tuple[Workload, TaskPolicy]] = {}
        self._tasks: dict[str, SupervisedTask] = {}
        self._skipped: dict[str, str] = {}

    def declare(self, workload: Workload, policy: TaskPolicy) -> None:
        """Add a workload; raises `ValueError` for a name that stands twice."""
        if workload.name in self._workloads or workload.name in self._skipped:
            raise ValueError(f"workload {workload.name!r} is declared already")
        self._workloads[workload.name] = workload, policy

    def skip(self, name: str, reason: str) -> None:
        """Note a workload that does not run."""
        self._skipped[name] = reason

    def began(self, name: str, task: SupervisedTask) -> None:
        """Note the task of a workload."""
        self._tasks[name] = task

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """The declared workloads, in order of declaration."""
        return tuple(workload for workload, _ in self._workloads.values())

    def policy_of(self, name: str) -> TaskPolicy:
        """Return how a workload is restarted and watched."""
        return self._workloads[name][1]

    def task_of(self, name: str) -> SupervisedTask | None:
        """Return a workload's task, None before it began."""
        return self._tasks.get(name)

    @property
    def skipped(self) -> dict[str, str]:
        """Names and reasons of what does not run."""
        return dict(self._skipped)

    def snapshot(self, living: Iterable[TaskSnapshot]) -> dict[str, list[ServiceSnapshot]]:
        """Return services by kind; every task stands under exactly one of them."""
        owned: dict[str, list[TaskSnapshot]] = {name: [] for name in (*self._workloads, RUNTIME)}
        for task in living:
            owned[task.owner if task.owner in owned else RUNTIME].append(task)
        found: dict[str, list[ServiceSnapshot]] = {}
        for workload, policy in self._workloads.values():
            started = self._tasks.get(workload.name)
            state = "declared" if started is None else started.state.value
            found.setdefault(workload.kind, []).append(
                _service(workload, policy, state, tuple(owned[workload.name]))
            )
        for name, reason in self._skipped.items():
            found.setdefault("skipped", []).append(
                ServiceSnapshot(name, "skipped", reason, "skipped", "optional", None, None, (), {"reason": reason}, ())
            )
        if owned[RUNTIME]:
            text, tasks = "the process's own tasks", tuple(owned[RUNTIME])
            found[RUNTIME] = [
                ServiceSnapshot(RUNTIME, RUNTIME, text, "running", "optional", None, None, (), {}, tasks)
            ]
        return found


def _service(
    workload: Workload, policy: TaskPolicy, state: str, tasks: tuple[TaskSnapshot, ...]
) -> ServiceSnapshot:
    return ServiceSnapshot(
        workload.name, workload.kind, workload.description, state, workload.criticality.value, policy,
        policy.hang_timeout_s, workload.supervised_components, workload.metadata, tasks,
    )  # fmt: skip
