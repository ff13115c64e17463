"""A ladder that climbs goes on after `kill -9`, at its own moments; duties of a roster are told by the running path."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from alert_life import climbing
from test_alerting import CLOCK, Running, document

from tradeworthy.app.alerts.alerting import alert_facts
from tradeworthy.app.alerts.desk import AlertDesk
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.incidents.escalation import Escalated
from tradeworthy.operations.incidents.model import Alert
from tradeworthy.trading.model import GuardLevel

HERE = Path(__file__).parent


def test_a_ladder_goes_on_where_a_killed_process_left_it(tmp_path):
    state = tmp_path / "state" / "paper"
    path = os.pathsep.join([str(HERE), str(HERE.parents[2] / "src")])
    with subprocess.Popen(
        [sys.executable, str(HERE / "alert_life.py"), str(state)], stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    ) as first:  # fmt: skip
        assert first.stdout.readline() == b"told\n"
        os.kill(first.pid, signal.SIGKILL)
    running = Running(climbing(), state, run_id="life-2")

    async def play():
        await running.until(lambda: running.asked, within_s=8)
        assert (running.asked[0].owner, running.asked[0].level) == ("escalation", GuardLevel.REDUCING)

    running.run(play)
    told = [one.payload for one in alert_facts(state / "alerts")]
    alert = next(one for one in told if isinstance(one, Alert) and one.code == "kill.now")
    steps = [(one.tier, (one.at - alert.since) / NANOS_PER_SECOND) for one in told
             if isinstance(one, Escalated) and one.alert == alert.id]  # fmt: skip
    assert [tier for tier, _ in steps] == [1, 2, 3, 0]
    late = [seen - due for (_, seen), due in zip(steps, (0, 2.5, 3.5, 4.5), strict=True)]
    assert all(0 <= one < 0.7 for one in late), late
    rows = AlertDesk(tmp_path, "paper", clock=CLOCK).rows()
    assert [row.standing for row in rows if row.alert.id == alert.id] == [True]


def test_a_gap_in_the_roster_is_told_by_the_running_path(tmp_path):
    found = document()
    telemetry = {**found.telemetry, "escalation": {**found.telemetry["escalation"], "roster": "roster.json"}}
    now = datetime.now(UTC)
    shift = {
        "begin": (now - timedelta(hours=1)).isoformat(), "end": (now + timedelta(hours=10)).isoformat(),
        "primary": ["ada"], "secondary": ["bob"],
    }  # fmt: skip
    people = [{"name": name, "zone": "UTC", "contacts": []} for name in ("ada", "bob")]
    state = tmp_path / "state" / "paper"
    (state / "alerts").mkdir(parents=True)
    (state / "alerts" / "roster.json").write_text(
        json.dumps({"as_of": now.isoformat(), "people": people, "shifts": [shift]})
    )
    running = Running(msgspec.structs.replace(found, telemetry=telemetry), state)

    async def play():
        path = running.alerting.path
        await asyncio.sleep(0)
        await running.until(lambda: path.book.firing, within_s=8)
        codes = {one.code: one.severity.value for one in path.book.firing}
        assert codes["incident_response.roster.primary"] == "error"
        assert 9.9 < running.alerting.roster_facts().primary_gap_hours < 10

    running.run(play)
