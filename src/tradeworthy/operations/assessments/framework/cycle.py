"""Judge what is due: collect, judge, bring out, remember; one place that a process wires (FW-16, FW-23, FW-24)."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.collect import Collected, Probe, collect
from tradeworthy.operations.assessments.framework.composite import compose
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.pipeline import Emitted, Pipeline
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy
from tradeworthy.operations.assessments.framework.registry import Registry
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, take

SETTLING_PERIOD_S = 30.0


class Assessor:
    """Judge in their periods the assessments that one process brings facts to, and the composites over them.

    policies  effective, by name (`Registry.policies`);  probes  by name of the assessment that they bring facts to
    renew_s   a snapshot that says the same as the one before is brought out again after so long; 0 = each time
    settle_s  so long after the start no period is longer than half a minute: little is known at first
    """

    def __init__(
        self, known: Registry, policies: Mapping[str, AssessmentPolicy], pipeline: Pipeline, history: History,
        clock: Clock, *, probes: Mapping[str, Sequence[Probe]], environment: str, code_version: str,
        settle_s: float = 0.0, renew_s: float = 0.0,
    ) -> None:  # fmt: skip
        self._known, self._policies, self._pipeline, self._history = known, dict(policies), pipeline, history
        self._clock, self._probes = clock, {name: tuple(some) for name, some in probes.items()}
        self._environment, self._code = environment, code_version
        self._due: dict[str, int] = {}
        self._renew = round(renew_s * NANOS_PER_SECOND)
        self._settled = clock.monotonic() + round(settle_s * NANOS_PER_SECOND)

    def cycle(self, names: Iterable[str] | None = None) -> dict[str, Emitted]:
        """Judge these, or all, children before their composites; raises `HaltTrading` where the journal took none."""
        return self._judge(self.judged if names is None else self._known.in_order(names))

    @property
    def judged(self) -> list[Assessment]:
        """What this process judges by itself, children first: nobody waits here for facts that others bring."""
        seen = self._probes.keys()
        return [
            one for one in self._known.in_order()
            if one.name in seen or any(child.name in seen for child in one.children)
        ]  # fmt: skip

    def cycle_due(self) -> dict[str, Emitted]:
        """Judge those whose period is over, by the monotonic clock."""
        now = self._clock.monotonic()
        due = [one for one in self.judged if now >= self._due.get(one.name, now)]
        often = SETTLING_PERIOD_S if now < self._settled else inf
        for one in due:
            self._due[one.name] = now + round(min(often, self._policies[one.name].period_s) * NANOS_PER_SECOND)
        return self._judge(due)

    def _judge(self, chosen: Sequence[Assessment]) -> dict[str, Emitted]:
        """Judge each, make all of them durable by one sync of the disk, and only then let them out."""
        found = [(one, self._prepared(one)) for one in chosen]
        prepared = [(one, snapshot) for one, snapshot in found if snapshot is not None]
        if prepared:
            self._pipeline.commit(*prepared[-1])
        return {one.name: self._pipeline.release(one, snapshot, self._policies[one.name]) for one, snapshot in prepared}

    def _prepared(self, one: Assessment) -> Snapshot | None:
        """Judge one; None where it says the same as before and is not due to be renewed."""
        policy, now = self._policies[one.name], self._clock.now()
        brought = collect(self._probes.get(one.name, ()), now)
        snapshot = judged(
            one, brought, policy, self._clock.now(), self._history, environment=self._environment,
            code_version=self._code,
        )  # fmt: skip
        last = self._history.last(one.name)
        if last is not None and now - last.generated_at < self._renew and _says(last) == _says(snapshot):
            return None
        clean = self._pipeline.prepare(one, snapshot, policy)
        self._history.take(clean)
        return clean


def _says(snapshot: Snapshot) -> tuple[object, ...]:
    found = tuple((*one.key, one.severity) for one in snapshot.findings)
    return snapshot.status, snapshot.policy_hash, snapshot.code_version, snapshot.failed, found


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
