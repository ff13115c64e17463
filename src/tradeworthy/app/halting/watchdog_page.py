"""What the watchdog answers over HTTP when the desk cannot: `/health` and `/live` from the last beat (HLT-01)."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision.watchdog import Watchdog
from tradeworthy.operations.health.report import HealthCheck, HealthReport, Verdict, encode

LOOP_HUNG, NO_BEAT = "loop_hung", "no_beat"
_GUARDS = {
    "running": Severity.OK, "paused": Severity.WARN, "reducing": Severity.WARN, "stopped": Severity.FAIL,
}  # fmt: skip


def judge(watchdog: Watchdog, *, environment: str, run_id: str, hang_after_s: float, now: int) -> HealthReport:
    """Return what the watchdog knows of the desk: whether its loop turns, and its guard as the last beat told it."""
    beat = watchdog.last
    silent = watchdog.silent_ns / NANOS_PER_SECOND
    if beat is None:
        loop = Verdict(Severity.UNKNOWN, f"{NO_BEAT}: no beat was heard yet", None, hang_after_s, "s")
    elif silent >= hang_after_s:
        loop = Verdict(Severity.FAIL, f"{LOOP_HUNG}: no beat for {silent:.3f} s", round(silent, 3), hang_after_s, "s")
    else:
        loop = Verdict(Severity.OK, "the loop beats", round(silent, 3), hang_after_s, "s")
    checks = [HealthCheck(name="loop", status=loop.severity, verdict=loop, runbook="runbooks/watchdog.md")]
    guard = "" if beat is None else beat.guard
    severity = _GUARDS.get(guard, Severity.UNKNOWN)
    told = Verdict(severity, f"the guard was {guard or 'not told'} at the last beat", guard or None)
    checks.append(HealthCheck(name="guard", status=severity, verdict=told, runbook="runbooks/operator.md"))
    return HealthReport(generated_at=now, run_id=run_id, environment=environment, checks=tuple(checks))


def serve_page(address: str, report: Callable[[], HealthReport]) -> ThreadingHTTPServer:
    """Answer at `HOST:PORT` in a thread until `shutdown`; raises `OSError` where the port is taken."""
    host, _, port = address.rpartition(":")
    if host not in ("127.0.0.1", "localhost") or not port.isdigit():
        raise UsageError(f"expected 127.0.0.1:PORT for the watchdog's page, found {address!r}")

    class Handler(BaseHTTPRequestHandler):
        """Answer two paths; anything else is not found."""

        def do_GET(self) -> None:
            found = report()
            if self.path.partition("?")[0] == "/live":
                loop = HealthReport(
                    generated_at=found.generated_at, run_id=found.run_id, environment=found.environment,
                    checks=found.checks[:1],
                )  # fmt: skip
                self._answer(loop.http_status, encode(loop))
            elif self.path.partition("?")[0] == "/health":
                self._answer(found.http_status, encode(found))
            else:
                self._answer(404, b'{"error":"expected /health or /live"}')

        def log_message(self, format: str, *given: object) -> None:
            return

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def page_of(
    watchdog: Watchdog, clock: Clock, *, environment: str, run_id: str, hang_after_s: float
) -> Callable[[], HealthReport]:
    """Return what `serve_page` asks for each answer."""
    return lambda: judge(
        watchdog, environment=environment, run_id=run_id, hang_after_s=hang_after_s, now=clock.now()
    )
