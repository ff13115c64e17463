"""What people and the watchdog can do to a run: halt flag, acts, certificates, and the snapshot of a stop."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tradeworthy.adapters.halt_flag import HaltFlag
from tradeworthy.adapters.venue_line import EmergencyLine, LinePolicy
from tradeworthy.app.bootstrap import people_policy
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.change_control import CHANGES, changes_of
from tradeworthy.app.gates.acts import gate_fault
from tradeworthy.app.halting.forensic import Forensics, view_of
from tradeworthy.app.halting.halts import HaltNews
from tradeworthy.app.people.operator_acts import OperatorActs
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Event, Fact
from tradeworthy.kernel.journal import Journal
from tradeworthy.operations.gates.named import Act
from tradeworthy.trading.control.forensic import SnapshotTaken
from tradeworthy.trading.control.venue_view import VenueView
from tradeworthy.trading.desk import Desk
from tradeworthy.trading.model import GuardChanged
from tradeworthy.trading.simulation.venue import SimulatedVenue
from tradeworthy.trading.venue_edge import HeldVenue, VenueEdge

LOOK = LinePolicy(answer_within_s=0.3)
"""A look from the desk's own loop must not be taken for a hang."""


class RunControls:
    """Bring to a desk what was done from outside, each act once, and keep its guard's memory.

    alert      hears of what people should know at once: a code and a sentence
    log_lines, metrics, clock_offset  what a snapshot holds beside the desk, None where nobody keeps it
    """

    def __init__(
        self, document: Document, desk: Desk, journal: Journal, flag: HaltFlag, *, state: Path, run: str, clock: Clock,
        view: Callable[[], VenueView | None], alert: Callable[[str, str], None] = lambda code, text: None,
        log_lines: Callable[[], Sequence[bytes]] | None = None, metrics: Callable[[], str] | None = None,
        clock_offset: Callable[[], float | None] | None = None,
    ) -> None:  # fmt: skip
        self._flag, self._view = flag, view
        self._news = HaltNews(flag, desk.guard, state, clock, view, tells_view=not document.venue.connection)
        forensics = Forensics(
            state, name=document.desk.name, run=run, config_hash=document.hash(), clock=clock, desk=desk,
            journal=lambda: (journal.last_seq, journal.head), venue=view, log_lines=log_lines, metrics=metrics,
            clock_offset=clock_offset, author=author_of(state),
        )  # fmt: skip
        self._acts = OperatorActs(
            state, desk=document.desk.name, guard=desk.guard, clock=clock, policy=people_policy(document),
            forensics=forensics, halts=flag, safe_at=lambda: self._news.halting.safe_at, alert=alert,
            halting=lambda: self._news.halts_unseen, gate=lambda scope: gate_fault(
                document, Act.CLEAR_STOPPED, f"re-arm of {scope} by the desk", runs=state.parents[1], clock=clock,
                again=False,
            ),
        )  # fmt: skip
        self.stop_for_good = self._acts.stop_for_good

    @property
    def view(self) -> VenueView | None:
        """What the venue shows now, None where nobody can be asked."""
        return self._view()

    @property
    def phase(self) -> str:
        """Where the kill switch stands (KS-04)."""
        return self._news.halting.phase.value

    def begin(self) -> None:
        """Write the sentinel; from now on a missing one means stopped."""
        self._acts.begin()

    def look(self) -> list[tuple[str, Fact]]:
        """Return what was done since the last look: people's acts, then trips and certificates.

        A kill stands in sentinel and flag; the flag's word comes last, because it alone knows of a wish to flatten.
        """
        return [*self._acts.look(), *self._news.look()]

    def heed(self, event: Event) -> None:
        """Remember what the desk did about its guard and its people."""
        self._acts.heed(event)
        if isinstance(event.payload, GuardChanged):
            self._news.on_guard(event.payload)
        elif isinstance(event.payload, SnapshotTaken):
            self._news.on_snapshot(event.payload.snapshot)

    def close(self) -> None:
        """Put away what was journaled, and let go of the flag."""
        self._acts.close()
        self._flag.close()


def author_of(state: Path) -> str | None:
    """Return who proposed the configuration that is approved; he signs no re-arm of what it caused (KS-09)."""
    changes = changes_of(state / CHANGES)
    return None if changes.approved is None else changes.proposals[changes.approved.config_hash].person


def view_at(
    document: Document, venue: HeldVenue, clock: Clock, now: Callable[[], int]
) -> Callable[[], VenueView | None]:
    """Return the look at the venue: into this process, or through a line of its own that can only look and cancel."""
    if not document.venue.connection:
        inner = venue.venue if isinstance(venue, VenueEdge) else venue
        return lambda: view_of(inner, clock.now(), now()) if isinstance(inner, SimulatedVenue) else None

    def look() -> VenueView | None:
        name = f"{document.desk.name}-view"
        line = EmergencyLine(document.venue.connection, clock, name=name, scope="view", policy=LOOK)
        try:
            return line.view()
        except (OSError, InvalidInput):  # a venue that is away gives no view, which nobody takes for an empty one
            return None
        finally:
            with suppress(OSError):
                line.close()

    return look
