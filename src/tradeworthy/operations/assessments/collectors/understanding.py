"""How fast a run understands, and whether what was recorded is decided alike again (AS-44, BL-08)."""

from tradeworthy.kernel.clock import NANOS_PER_MILLI
from tradeworthy.kernel.facts import Event
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.values import Observation
from tradeworthy.trading.replay import ReplayResult
from tradeworthy.trading.restoring import DeskRestored
from tradeworthy.trading.timing import IO_WAIT, P95_SAMPLES_MIN, STEP, DeskTiming, StageTiming

STAGES = {"signal": STEP, "order": IO_WAIT}
"""From an event to what the desk decides; from there until the order may leave, which waits for the disk."""
TAKEN = frozenset({DeskTiming, DeskRestored})
NOT_REPLAYED = "no earlier run was replayed: this desk began without a memory"


class UnderstandingFold:
    """Take a run's events in order: the newest period of each stage, and whether it goes on from a replayed run."""

    def __init__(self) -> None:
        self._stages: dict[str, StageTiming] = {}
        self._restored = False

    def on_event(self, event: Event) -> None:
        """Take the next event."""
        payload = event.payload
        if payload.__class__ not in TAKEN:
            return
        if isinstance(payload, DeskTiming):
            for one in payload.stages:
                self._stages[one.stage.partition(":")[0]] = one
        elif isinstance(payload, DeskRestored):
            self._restored = True

    def latency_facts(self, tell: Teller) -> list[Observation]:
        """Return the facts of both ways, of the newest period that had any."""
        found: list[Observation] = []
        for name, stage in STAGES.items():
            one = self._stages.get(stage)
            why = f"no {stage} was timed" if one is None else f"{one.samples} samples, {P95_SAMPLES_MIN} are needed"
            p95 = None if one is None or one.p95_ns is None else one.p95_ns / NANOS_PER_MILLI
            found += [
                tell(f"{name}_p95", p95, why=why),
                tell(f"{name}_max", None if one is None else one.max_ns / NANOS_PER_MILLI, why=why),
            ]
        return found

    def restored_facts(self, tell: Teller) -> list[Observation]:
        """Return the facts of replay of a running desk: it takes over only the memory of a run that replays alike."""
        alike = self._restored
        return [
            tell("replay_equal", True if alike else None, why=NOT_REPLAYED),
            tell("replay_differing", 0 if alike else None, why=NOT_REPLAYED),
            tell("replay_drift", 0.0 if alike else None, why=NOT_REPLAYED),
        ]  # fmt: skip


def replay_facts(found: ReplayResult, recorded: int, tell: Teller) -> list[Observation]:
    """Return the facts of one replay; `recorded` is how many outcomes the journal has of these events."""
    why = "the run has no outcome to compare"
    return [
        tell("replay_equal", found.ok if recorded else None, why=why),
        tell("replay_differing", int(found.first is not None) if recorded else None, why=why),
        tell("replay_drift", 1 - found.equal / recorded if recorded else None, why=why),
    ]  # fmt: skip
