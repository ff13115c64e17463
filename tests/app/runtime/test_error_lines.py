"""An ERROR line that no route takes is journaled by its process and becomes an alert, without secrets (LOG-05)."""

import asyncio
import logging

import msgspec
from soak_runs import document

from tradeworthy.app.alerts.alerting import JOURNAL
from tradeworthy.app.runtime.desk_process import DeskProcess
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.incidents.model import Alert
from tradeworthy.operations.incidents.unrouted import UNROUTED

TELL = Teller("test", 0, environment="paper")
ALONE = {"RUNTIME_HEALTHCHECK_ENABLED": "false", "RUNTIME_WATCHDOG_HTTP": ""}


def test_an_error_line_of_a_process_is_journaled_once_and_a_warning_is_not(tmp_path):
    made = msgspec.structs.replace(
        document(environment="paper", steps=100_000, speed=100), runtime={"watchdog": False}
    )
    process = DeskProcess(made, root=tmp_path, clock=SystemClock(), environ=ALONE)
    secret = Secret("canary-of-an-error-line")

    def say():
        log = logging.getLogger("tradeworthy.a_room")
        log.warning("only a warning")
        for _ in range(3):
            log.error("nobody_routes_this", extra={"token": secret.reveal()})

    async def main():
        asyncio.get_running_loop().call_later(0.5, say)
        return await process.run(1.5)

    assert asyncio.run(main()).reason == "timeout"
    events = list(read(process.life.directory))
    told = [one.payload for one in events if type(one.payload).__name__ == "ErrorUnrouted"]
    assert [(one.logger, one.event) for one in told] == [("tradeworthy.a_room", "nobody_routes_this")]
    alerts = [one.payload for one in read(process.alerting.folder / JOURNAL) if isinstance(one.payload, Alert)]
    unrouted = [one for one in alerts if one.code == UNROUTED]
    assert process.judging._source.unrouted.facts(TELL, process.clock.now())[0].value == 1
    assert len(unrouted) == 1, "three lines of one event are one incident"
    assert "nobody_routes_this" in repr(unrouted)
    assert "canary-of" not in repr(events) + repr(alerts)
    assert b"canary-of" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
