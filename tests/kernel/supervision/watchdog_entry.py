"""Run a watchdog with a fake venue over loopback: VENUE_PORT SENTINEL PAGES JOB."""

import json
import socket
import sys
from pathlib import Path

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.adapters.sentinel_trip import SentinelTrip
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.supervision.watchdog import watch


class Venue:
    """Cancel and look, over one connection a call."""

    def __init__(self, port):
        self._port = port

    def _ask(self, **request):
        with socket.create_connection(("127.0.0.1", self._port), timeout=2) as line, line.makefile("rw") as stream:
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
        if "refused" in answer:
            raise PermissionError(answer["refused"])
        return answer

    def cancel_all(self, token):
        self._ask(act="cancel", token=token)

    def open_orders(self):
        return self._ask(act="look")["open"]


class Pages:
    """Write pages to a file."""

    def __init__(self, path):
        self._path = path

    def page(self, incident):
        with self._path.open("a") as file:
            file.write(incident.cause.value + "\n")


if __name__ == "__main__":
    port, guard, pages, job = sys.argv[1:]
    trip = SentinelTrip(SentinelFile(Path(guard)))
    sys.exit(watch(Path(job), SystemClock(), trip=trip, cancel=Venue(int(port)), page=Pages(Path(pages))))
