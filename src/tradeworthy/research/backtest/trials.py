"""The register of trials: every run of a family is a fact, so that the best of many is judged as that."""

from tradeworthy.kernel.facts import Event, Fact, fact


@fact("research.trial")
class Trial(Fact, frozen=True):
    """One run of a family (BT-09).

    sharpe          of one period, in sample; None where the run had too few returns for one
    configuration   the whole document as canonical JSON
    """

    family: str
    run_id: str
    configuration_hash: str
    observations: int
    sharpe: float | None
    configuration: str = ""


@fact("research.out_of_sample_opened")
class OutOfSampleOpened(Fact, frozen=True):
    """Somebody looked at the part kept back; each look counts as a trial (BT-05)."""

    family: str
    run_id: str
    start: int
    end: int


class TrialRegister:
    """Fold the journal's trials by family; the journal's hash chain keeps any from being deleted."""

    __slots__ = ("_openings", "_trials")

    def __init__(self) -> None:
        self._trials: dict[str, dict[str, Trial]] = {}
        self._openings: dict[str, int] = {}

    def on_event(self, event: Event) -> None:
        """Take up a trial or an opening; other facts pass by. A run repeated under its id is the same trial."""
        payload = event.payload
        if isinstance(payload, Trial):
            self._trials.setdefault(payload.family, {})[payload.run_id] = payload
        elif isinstance(payload, OutOfSampleOpened):
            self._openings[payload.family] = self._openings.get(payload.family, 0) + 1

    def openings(self, family: str) -> int:
        """Return how often the out-of-sample part was opened."""
        return self._openings.get(family, 0)

    def count(self, family: str) -> int:
        """Return the trials of `family`, openings included."""
        return len(self._trials.get(family, {})) + self.openings(family)

    def trials(self, family: str) -> tuple[Trial, ...]:
        """Return the recorded runs in order of their first event."""
        return tuple(self._trials.get(family, {}).values())

    def sharpes(self, family: str) -> list[float]:
        """Return one Sharpe a period for every counted trial.

        An opening, and a run without a Sharpe of its own, stands at the family's mean: it raises the number of
        trials and adds no spread.
        """
        known = [t.sharpe for t in self.trials(family) if t.sharpe is not None]
        if not known:
            return []
        return known + [sum(known) / len(known)] * (self.count(family) - len(known))
