"""Who may hold the guard: one table of owners, the worst level each may set, and how it ends (GRD-02)."""

from typing import NamedTuple

from tradeworthy.trading.model import GuardLevel

PAUSED, REDUCING, STOPPED = GuardLevel.PAUSED, GuardLevel.REDUCING, GuardLevel.STOPPED


class Owner(NamedTuple):
    """The worst level an owner may set, when it clears its reason, and the runbook for people."""

    worst: GuardLevel
    clears: str
    runbook: str


OWNERS: dict[str, Owner] = {
    "operator": Owner(STOPPED, "the person resumes; stopped by re-arm", "runbooks/operator.md"),
    "risk": Owner(STOPPED, "the control that set it finds its value inside the limit", "runbooks/risk.md"),
    "compliance": Owner(STOPPED, "a remedial record by another person", "runbooks/compliance.md"),
    "reconciliation": Owner(STOPPED, "a clean comparison with the venue", "runbooks/reconciliation.md"),
    "supervision": Owner(STOPPED, "the task runs again within its budget", "runbooks/supervision.md"),
    "watchdog": Owner(STOPPED, "heartbeats return; stopped by re-arm", "runbooks/watchdog.md"),
    "journal": Owner(STOPPED, "the journal accepts and verifies", "runbooks/journal.md"),
    "ledger": Owner(STOPPED, "the ledger balances and margin is above its floor", "runbooks/ledger.md"),
    "md": Owner(REDUCING, "market data is fresh and uncrossed", "runbooks/market_data.md"),
    "market_data": Owner(PAUSED, "the stream is fresh, agreed and stamped in time", "runbooks/market_data.md"),
    "feed": Owner(PAUSED, "the feed delivers in sequence", "runbooks/feed.md"),
    "venue": Owner(STOPPED, "the venue answers and is open", "runbooks/venue.md"),
    "bus": Owner(PAUSED, "the outside stream returns", "runbooks/bus.md"),
    "clock": Owner(PAUSED, "the offset is inside its limit", "runbooks/clock.md"),
    "config": Owner(PAUSED, "hash equals the approved one", "runbooks/config.md"),
    "allocation": Owner(REDUCING, "a budget is in force and kept", "runbooks/allocation.md"),
    "strategy": Owner(STOPPED, "the strategy's own condition ends", "runbooks/strategy.md"),
    "execution": Owner(STOPPED, "orders are resolved with evidence", "runbooks/execution.md"),
    "gate": Owner(STOPPED, "a valid verdict", "runbooks/gate.md"),
    "alert_path": Owner(PAUSED, "a test alert is acknowledged", "runbooks/alert-path.md"),
    "escalation": Owner(STOPPED, "a person takes the incident", "runbooks/escalation.md"),
    "catalogue": Owner(PAUSED, "the bundle is approved", "runbooks/catalogue.md"),
    "ml": Owner(PAUSED, "model inputs and outputs are inside their limits", "runbooks/ml.md"),
    "shutdown": Owner(STOPPED, "the next start", "runbooks/shutdown.md"),
    "drill": Owner(STOPPED, "the drill ends", "runbooks/drill.md"),
}
