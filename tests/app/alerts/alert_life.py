"""A process whose alert path sees one critical alert and then waits to be killed: `alert_life.py STATE`."""

import asyncio
import sys
from pathlib import Path

import msgspec
from test_alerting import Running, document, killed


def main(state):
    running = Running(climbing(), Path(state), run_id="life-1")

    async def play():
        running.alerting.tell(killed("kill.now"))
        await asyncio.sleep(0.2)
        print("told", flush=True)
        await asyncio.sleep(60)

    running.run(play)


def climbing():
    """Return a document whose ladder climbs in seconds."""
    found = document()
    telemetry = {**found.telemetry, "escalation": {
        **found.telemetry["escalation"], "tier_2_after_s": 2.5, "tier_3_after_s": 3.5, "no_answer_reducing_s": 4.5,
    }}  # fmt: skip
    return msgspec.structs.replace(found, telemetry=telemetry)


if __name__ == "__main__":
    main(sys.argv[1])
