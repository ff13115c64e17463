"""A process that spools events for ever and says of each that it is kept; a test kills it at some moment."""

import sys
from pathlib import Path

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.telemetry import Spool, SpoolPolicy, message_of


def main() -> None:
    clock = SystemClock()
    spool = Spool(Path(sys.argv[1]), clock, policy=SpoolPolicy(segment_bytes=2_000))
    number = 0
    while True:
        number += 1
        event_id, ts = f"writer:{number}", clock.now()
        spool.append(message_of("telemetry.runtime.tasks", {"n": number}, event_id=event_id, source="writer", ts=ts))
        print(number, flush=True)


if __name__ == "__main__":
    main()
