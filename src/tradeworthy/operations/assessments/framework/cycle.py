"""Judge what is due: collect, judge, bring out, remember; one place that a process wires (FW-16, FW-23, FW-24)."""

from collections.abc import Iterable, Mapping, Sequence

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.collect import Collected, Probe, collect
from tradeworthy.operations.assessments.framework.composite import compose
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.pipeline import Emitted, Pipeline
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.registry import Registry
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, take


class Assessor:
    """Judge assessments of one process in their periods.

    policies  effective, by name (`Registry.policies`);  probes  by name of the assessment that they bring facts to
    """

    def __init__(
        self, known: Registry, policies: Mapping[str, AssessmentPolicy], pipeline: Pipeline, history: History,
        clock: Clock, *, probes: Mapping[str, Sequence[Probe]], environment: str, code_version: str,
    ) -> None:  # fmt: skip
        self._known, self._policies, self._pipeline, self._history = known, dict(policies), pipeline, history
        self._clock, self._probes = clock, {name: tuple(some) for name, some in probes.items()}
        self._environment, self._code = environment, code_version
        self._due: dict[str, int] = {}

    def cycle(self, names: Iterable[str] | None = None) -> dict[str, Emitted]:
        """Judge these, or all, children before their composites; raises `HaltTrading` where the journal took none."""
        return self._judge(self._known.in_order(names))

    def cycle_due(self) -> dict[str, Emitted]:
        """Judge those whose period is over, by the monotonic clock."""
        now = self._clock.monotonic()
        due = [one for one in self._known.in_order() if now >= self._due.get(one.name, now)]
        for one in due:
            self._due[one.name] = now + round(self._policies[one.name].period_s * NANOS_PER_SECOND)
        return self._judge(due)

    def _judge(self, chosen: Sequence[Assessment]) -> dict[str, Emitted]:
        """Judge each, make all of them durable by one sync of the disk, and only then let them out."""
        prepared = [(one, self._prepared(one)) for one in chosen]
        if prepared:
            self._pipeline.commit(*prepared[-1])
        return {one.name: self._pipeline.release(one, snapshot, self._policies[one.name]) for one, snapshot in prepared}

    def _prepared(self, one: Assessment) -> Snapshot:
        policy, now = self._policies[one.name], self._clock.now()
        brought = collect(self._probes.get(one.name, ()), now)
        snapshot = judged(
            one, brought, policy, self._clock.now(), self._history, environment=self._environment,
            code_version=self._code,
        )  # fmt: skip
        clean = self._pipeline.prepare(one, snapshot, policy)
        self._history.take(clean)
        return clean


def judged(
    one: Assessment, brought: Collected, policy: AssessmentPolicy, now: int, history: History, *, environment: str,
    code_version: str,
) -> Snapshot:  # fmt: skip
    """Return the next snapshot of an assessment, from its facts or from its children's newest snapshots."""
    last = history.last(one.name)
    if one.children:
        return compose(
            one, history.newest(), policy, now, environment=environment, code_version=code_version, last=last
        )
    return take(
        one, brought.facts, policy, now, environment=environment, code_version=code_version, failed=brought.failed,
        last=last,
    )  # fmt: skip
