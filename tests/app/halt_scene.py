"""A venue, a desk's process, its watchdog, and what all of them left: for proofs from outside."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec

from tradeworthy.adapters.venue_line import Aids, EmergencyLine, VenueServer
from tradeworthy.adapters.venue_line.protocol import listening
from tradeworthy.app.bootstrap import build_venue
from tradeworthy.app.config import parse
from tradeworthy.app.halting.flatness import public_key, read_all
from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.halting.kill import await_certificate, kill_desk
from tradeworthy.app.halting.watchdog_process import CERTIFICATES, KEY, WATCHDOG
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.supervision.beat import WatchdogPolicy
from tradeworthy.kernel.supervision.incident import read_incidents
from tradeworthy.trading.control import sentinel

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FAST = WatchdogPolicy(kill_after_s=None, repeat_s=1.0)
PATIENCE_S = 20.0
SECOND = 1_000_000_000


def document():
    return parse(
        {
            "schema": "desk@1", "desk": {"name": "small", "environment": "paper"},
            "tapes": [{"name": "t", "format": "demo", "instrument": "EURUSD.DEMO", "label": "derived"}],
            "instances": [{"id": "touch", "strategy": "touch_quoter", "instrument": "EURUSD.DEMO", "role": "maker"}],
            "venue": {"submit_ms": 5.0, "cancel_ms": 5.0},
        },
        origin="test",
    )  # fmt: skip


class ServedVenue:
    """The simulated venue behind a socket, outside every desk."""

    def __init__(self, folder):
        self.url, self.clock = f"unix://{folder}/venue.sock", SystemClock()
        self.server = VenueServer(build_venue(document()), listening(self.url), self.clock, aids=True)
        threading.Thread(target=self.server.serve, daemon=True).start()
        self.watcher = EmergencyLine(self.url, self.clock, name="test", scope="view")

    def view(self):
        return self.watcher.view()

    def fail(self, **aids):
        self.watcher.aid(Aids(**aids))

    def end(self):
        self.watcher.close()
        self.server.stop()


class DeskProcess:
    """The small desk in a process of its own, trading; `tradeworthy run` fits in its place by another `command`."""

    command = (sys.executable, str(HERE / "halting_desk.py"))

    def __init__(self, root, venue, policy=FAST, **options):
        self.root, self.venue, self.clock = root, venue, SystemClock()
        self.state = root / "state" / "small"
        given = json.dumps({"policy": msgspec.to_builtins(policy), **options})
        self.process = subprocess.Popen(
            [*self.command, str(root), venue.url, given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        self.watchdog = int(self.line("watched")[1])
        until(self.trading)

    def line(self, word):
        while line := self.process.stdout.readline():
            if line.split()[0] == word:
                return line.split()
        raise AssertionError(f"expected {word!r}, the desk ended")

    def tell(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def trading(self):
        return len(self.venue.view().open_orders) >= 3

    def kill_switch(self, **given):
        asked = {"reason": "drill", "scope": "desk", "flatten": False} | given
        return kill_desk(self.state, **asked, clock=self.clock)

    def certificate(self, halt, within_s=PATIENCE_S):
        found = await_certificate(self.state, halt, self.clock, within_ns=int(within_s * SECOND))
        assert found is not None
        return found[1]

    def halts(self):
        flag = halt_flag(self.state, self.clock)
        found = flag.halts()
        flag.close()
        return found

    def certificates_written(self):
        return sorted(self.certificates(), key=lambda one: one.certificate.made_at)

    def certificates(self):
        folder = self.state / WATCHDOG
        return [one for _, one in read_all(folder / CERTIFICATES, public_key(folder / f"{KEY}.pub"))]

    def incident(self, ready=lambda incident: any(act.name == "page" for act in incident.acts)):
        return until(lambda: next((one for one in reversed(self.incidents()) if ready(one)), None))

    def incidents(self):
        return read_incidents(self.state / WATCHDOG)

    def stops(self):
        held = sentinel.restore((), guard_memory(self.state).read(), first_run=False, now=0)
        return {f"{one.owner}.{one.code}" for one in held}

    def pages(self):
        path = self.state / WATCHDOG / "pages.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def rearm(self):
        """Take every halt away, as two people would, and wait until the desk trades again."""
        guard_memory(self.state).write(sentinel.encode(()))
        flag = halt_flag(self.state, self.clock)
        for halt in flag.halts():
            flag.release(halt.owner, halt.code, halt.scope)
        assert not flag.halted()
        flag.close()
        until(self.trading)

    def end(self):
        for pid in (self.watchdog, self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            return


def until(found, patience_s=PATIENCE_S):
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.01)
    raise AssertionError("expected it in time")
