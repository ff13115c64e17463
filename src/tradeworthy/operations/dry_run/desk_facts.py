"""Our own desk as the command under observation: where it left its journal, and what that says (DR-30)."""

import msgspec

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
    """

    environment: str
    live_feed: bool = False
    folders: tuple[str, ...] = ()
    journals: tuple[str, ...] = ()
    decisions: int = 0
    last_decision_seq: int | None = None

    @property
    def evidence_environment(self) -> str:
        """Return the environment as evidence ranks it: a backtest or a replay proves no more than a simulation."""
        return self.environment if self.environment in ("paper", "live") else "simulated"
