"""How long an alert takes from its event to the webhook that hears of it (AR-14), beside a bare `httpx` post.

The path journals the alert durably, routes it, groups it and hands it to its channel's own task; the canary runs
meanwhile. The peer posts the same words to the same server and neither journals nor keeps a receipt.

Run: `PYTHONPATH=src python benchmarks/alert_path.py [--json FILE] [--size small]`.
"""

import asyncio
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import httpx
import msgspec
from measure import CLOCK, Report, arguments, folder, percentile

from tradeworthy.adapters.notify.local import LinesFile
from tradeworthy.adapters.notify.webhook import Webhook
from tradeworthy.app.alerts.alerting import AlertJournal
from tradeworthy.kernel.facts import Event
from tradeworthy.kernel.supervision import Escalated, TaskSupervisor
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy, TierPolicy
from tradeworthy.operations.incidents.lifecycle import IncidentBook
from tradeworthy.operations.incidents.model import AlertSeverity, Notice, Purpose, Signal
from tradeworthy.operations.incidents.path import AlertPath, PathPolicy
from tradeworthy.operations.incidents.people import Guards
from tradeworthy.operations.incidents.policy import AlertPolicy, ChannelPolicy, IncidentPolicy, RulePolicy

ALERTS = {"full": 200, "small": 10}
SPACING_S = 0.05
CANARY_S = 1.0
WITHIN_NANOS = 1_000_000_000
ROLES = ("head", "risk", "legal")


class Nobody:
    """Nothing fails here, so nobody is asked."""

    def escalate(self, escalated: Escalated, cause: Event) -> None:
        """Refuse: a benchmark whose tasks fail measures something else."""
        raise AssertionError(f"expected no escalation, found {escalated.task}")


class Hook:
    """A webhook on loopback that notes when each request was whole."""

    def __init__(self) -> None:
        self.heard: dict[str, int] = {}
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                heard[self.headers["Idempotency-Key"]] = CLOCK.monotonic()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"


def _policy(count: int) -> PathPolicy:
    hook = ChannelPolicy(name="hook", transport="webhook", destination="loopback")
    return PathPolicy(
        alerts=AlertPolicy(
            channels=(hook,), rules=(RulePolicy(name="all", categories=("bench.",), channels=("hook",)),),
            default_channels=("hook",), storm_pages_max=count + 100, canary_period_s=CANARY_S,
        ),
        escalation=EscalationPolicy(tiers=tuple(TierPolicy(roles=(one,), channels=("hook",)) for one in ROLES)),
        incidents=IncidentPolicy(kept_max=count + 1),
    )  # fmt: skip


async def _ours(hook: Hook, count: int, place: Path) -> list[int]:
    supervisor, policy = TaskSupervisor(CLOCK, Random(1), Nobody()), _policy(count)
    journal = AlertJournal(place / "journal", CLOCK, run_id=place.name)
    path = AlertPath(
        CLOCK, supervisor, Random(2), policy, transports={"hook": Webhook(lambda: hook.url)},
        canary=LinesFile(place / "canaries.jsonl"), record=journal, incidents=IncidentBook(policy.incidents),
        guards=Guards(), run_id=place.name,
    )  # fmt: skip
    supervisor.create(path.work, owner="alerts", name="alerts")
    for n in range(count):
        path.tell(Signal(
            code="bench.event", category="bench.event", message="an event of the benchmark", subject=f"s{n}",
            severity=AlertSeverity.CRITICAL, accepted_at=CLOCK.monotonic(),
        ))  # fmt: skip
        await asyncio.sleep(SPACING_S)
    while path.outbox.flights.sent < count:
        await asyncio.sleep(SPACING_S)
    facts = path.facts()
    rows = [one.received_ns for one in path.outbox.ledger.rows if one.purpose == "alert"]
    await supervisor.cancel_all(5.0)
    path.close()
    journal.close()
    if len(rows) != count or facts.undelivered or facts.canary_missing:
        raise AssertionError(f"expected {count} receipts and every canary, found {len(rows)} and {facts}")
    return rows


async def _bare(hook: Hook, count: int) -> list[int]:
    notice = Notice(
        id="bare", purpose=Purpose.ALERT, severity=AlertSeverity.CRITICAL, title="bench", text="bench", dedup="bench",
        at=0,
    )  # fmt: skip
    found = []
    async with httpx.AsyncClient(trust_env=False) as client:
        for n in range(count):
            begin = CLOCK.monotonic()
            body = msgspec.json.encode(notice)
            answer = await client.post(hook.url, content=body, headers={"Idempotency-Key": f"bare-{n}"})
            answer.raise_for_status()
            found.append(CLOCK.monotonic() - begin)
            await asyncio.sleep(SPACING_S)
    return found


def main() -> int:
    """Print the time from an event to the webhook's receipt: median, 99th percentile and worst, peers in turns."""
    words = arguments(__doc__ or "", rounds=3)
    report = Report("alert_path", words)
    count = ALERTS[words.size]
    report.note(f"{count} critical alerts, one each {SPACING_S * 1e3:g} ms, a canary each {CANARY_S:g} s; "
                f"{words.rounds} rounds in turns")  # fmt: skip
    hook, ours, bare = Hook(), [], []
    with folder(words.folder) as place:
        for turn in range(words.rounds):
            ours.append(asyncio.run(_ours(hook, count, place / f"turn-{turn}")))
            bare.append(asyncio.run(_bare(hook, count)))
    hook.server.shutdown()
    _report(report, ours, bare)
    report.close()
    return 0


def _report(report: Report, ours: Sequence[list[int]], bare: Sequence[list[int]]) -> None:
    name = "event to the webhook's receipt"
    mine, theirs = [percentile(run, 50) for run in ours], [percentile(run, 50) for run in bare]
    report.nanos(name, mine)
    report.nanos(name, theirs, peer="bare httpx post")
    report.ratio(name, "bare httpx post", mine, theirs)
    report.nanos(f"{name}, p99", [percentile(run, 99) for run in ours], aim=WITHIN_NANOS)
    report.nanos(f"{name}, worst", [max(run) for run in ours])


if __name__ == "__main__":
    sys.exit(main())
