"""A desk in good health, as facts; a test changes the one value it is about."""

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.health import facts as known
from tradeworthy.trading.model import GuardLevel

NOW = 1_760_000_000 * NANOS_PER_SECOND


def ago(seconds):
    """Return a time so many seconds before NOW."""
    return NOW - round(seconds * NANOS_PER_SECOND)


def well(**changes):
    """Return the facts of a healthy desk with some checks changed."""
    return msgspec.structs.replace(
        known.RuntimeFacts(
            run_id="run-1", environment="paper",
            fix_connectivity=known.Sessions(at=NOW, open=1, expected=1, last_message_at=ago(1)),
            venue_connectivity=known.Sessions(at=NOW, open=2, expected=2, last_message_at=ago(1)),
            market_data=known.MarketData(at=NOW, ingest_at=ago(1), decision_at=ago(1)),
            telemetry_exporters=known.Exporters(at=NOW, published_at=ago(1), broker_expected=True, publisher=True),
            journal=known.Journal(at=NOW, accepting=True, verified=True, head_seq=17),
            guard=known.GuardView(at=NOW, level=GuardLevel.RUNNING),
            kill_switch=known.KillView(at=NOW, tripped=False, phase="armed"),
            supervisor=known.Tasks(at=NOW, running=5, restarting=0),
            watchdog=known.WatchdogView(at=NOW, watching=True, token=3),
            bus=known.Judged(at=NOW, severity=Severity.OK, summary="quiet", observed=0, limit=100, unit="events"),
            clock=known.ClockView(at=NOW, drift_ns=0, offset_ns=0),
            disk=known.Judged(at=NOW, severity=Severity.OK, summary="disk does not grow"),
            database=known.Dependency(at=NOW, reachable=True), cache=known.Dependency(at=NOW, reachable=True),
            scheduler=known.SchedulerView(at=NOW, running=True),
            agents=known.Members(at=NOW, total=3), providers=known.Members(at=NOW, total=2),
            portfolio=known.Portfolio(at=NOW, balanced=True, breaks=0, unpriced=0),
            controls=known.Members(at=NOW, total=20), permissions=known.Members(at=NOW, total=4),
            alerts=known.Alerts(at=NOW, warnings=0, failures=0, undelivered=0),
        ),
        **changes,
    )  # fmt: skip
