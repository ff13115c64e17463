"""What a ticket takes down by itself: what the desk held, who commands, the snapshot of a stop (IN-02)."""

from collections.abc import Callable

from tradeworthy.kernel.facts import Fact
from tradeworthy.operations.incidents.lifecycle import (
    Incident,
    IncidentBook,
    IncidentMoved,
    IncidentNoted,
    IncidentOpened,
    Phase,
)
from tradeworthy.operations.incidents.model import Signal
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.regulatory import Brought
from tradeworthy.operations.incidents.reviews import command_signal, unled
from tradeworthy.operations.incidents.scene import IncidentCircumstances
from tradeworthy.trading.control.forensic import SnapshotTaken

Scene = Callable[[str, str, int], IncidentCircumstances]
"""Tells what the desk holds: incident, phase, nanoseconds UTC."""
DESK = "desk"


def scene_of(scene: Scene | None, told: Fact, now: int) -> IncidentCircumstances | None:
    """Return what belongs to the ticket beside a step: with its opening and its resolution what the desk held."""
    if scene is None:
        return None
    if isinstance(told, IncidentOpened):
        return scene(told.incident, Phase.OPEN.value, now)
    if isinstance(told, IncidentMoved) and told.phase is Phase.RESOLVED:
        return scene(told.incident, told.phase.value, now)
    return None


class TicketWatch:
    """Ask for a commander, and write the forensic snapshot of a stop into the SEV-1 that lives.

    newest  returns the newest snapshot of the desk, None where there is none
    """

    def __init__(
        self, incidents: IncidentBook, policy: IncidentPolicy, newest: Callable[[], SnapshotTaken | None]
    ) -> None:
        self._incidents, self._policy, self._newest = incidents, policy, newest
        self._asked: set[str] = set()

    def look(self, now: int) -> Brought:
        """Take one look; the facts are folded here already."""
        alone = {one.id: one for one in unled(self._incidents.all, self._policy, now)}
        signals: list[Signal] = [command_signal(one) for name, one in alone.items() if name not in self._asked]
        kept = {one.id: one for one in self._incidents.all}
        signals += [
            command_signal(kept[name], over=True) for name in sorted(self._asked - alone.keys()) if name in kept
        ]
        self._asked = set(alone)
        severe = [one for one in self._incidents.severe() if not _has_snapshot(one)]
        taken = self._newest() if severe else None
        facts = [] if taken is None else [
            IncidentNoted(
                incident=one.id, person=DESK, at=now, text="forensic snapshot", evidence=(taken.snapshot,),
                request=f"{one.id}:{taken.snapshot}",
            )
            for one in severe if taken.taken_at >= one.opened.detected_at
        ]  # fmt: skip
        for one in facts:
            self._incidents.fold(one)
        return Brought(tuple(facts), tuple(signals))


def snapshots_of(one: Incident) -> tuple[str, ...]:
    """Return the forensic snapshots that a ticket names, oldest first."""
    found = [held.snapshot for held in (one.began, one.ended) if held is not None and held.snapshot]
    noted = [
        digest for step in one.timeline if isinstance(step, IncidentNoted) and step.person == DESK
        for digest in step.evidence
    ]  # fmt: skip
    return tuple(dict.fromkeys((*found, *noted)))


def _has_snapshot(one: Incident) -> bool:
    return any(isinstance(step, IncidentNoted) and step.person == DESK and step.evidence for step in one.timeline)
