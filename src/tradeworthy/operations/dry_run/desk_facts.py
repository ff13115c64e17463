"""Our own desk as the command under observation: where it left its journal, and what that says (DR-30)."""

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND

FEED_AGE_NS_MAX = 60 * NANOS_PER_SECOND
"""How much older than its arrival the price of a live feed may be."""
FEED_SILENCE_NS_MAX = 900 * NANOS_PER_SECOND
"""How long a live feed may be silent at either end of a run: as long as a release's gap alert."""
STARTS_NAME = "desks.jsonl"
"""In the evidence folder: one line a start of a desk, written by the desk."""


class DeskStart(msgspec.Struct, frozen=True, kw_only=True):
    """Where a desk that a harness started keeps its run."""

    run_id: str
    folder: str


class DeskFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk's verified journals say, over all its starts in this run.

    environment  as the desk names it: backtest, replay, paper or live;  live_feed  whether its prices were live
    decisions    how many it took, and the seq of the last one, which its diary must agree with
    market_first_ns, market_last_ns  times at the source (ns UTC) of the first and the last market event, None for none
    """

    environment: str
    live_feed: bool = False
    folders: tuple[str, ...] = ()
    journals: tuple[str, ...] = ()
    decisions: int = 0
    last_decision_seq: int | None = None
    market_first_ns: int | None = None
    market_last_ns: int | None = None

    def paper_on_live_feed(self, *, started: int, ended: int) -> bool:
        """Tell whether this was paper on prices that came into being while the run went on, from its begin to its end.

        started, ended  the run's own window, ns UTC;  no recorded tape can have prices from before its own time
        """
        first, last = self.market_first_ns, self.market_last_ns
        if self.environment != "paper" or not self.live_feed or first is None or last is None:
            return False
        inside = started - FEED_AGE_NS_MAX <= first and last <= ended + FEED_AGE_NS_MAX
        return inside and first - started <= FEED_SILENCE_NS_MAX and ended - last <= FEED_SILENCE_NS_MAX

    @property
    def evidence_environment(self) -> str:
        """Return the environment as evidence ranks it: a backtest or a replay proves no more than a simulation."""
        return self.environment if self.environment in ("paper", "live") else "simulated"
