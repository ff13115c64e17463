"""A venue's process and a desk's process at free ports: the real verbs, and what everybody of them shows and leaves."""

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from ailing_words import EAR, mouth
from desk_process import document
from halt_scene import until as found_until

from tradeworthy.adapters.venue_line import Aids, EmergencyLine
from tradeworthy.app.halting.flatness import public_key, read_all
from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.halting.watchdog_process import CERTIFICATES, KEY, WATCHDOG, watchdog_lives
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.supervision.incident import read_incidents
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.certificate import Flatness

NAME = "small"
ORDERS_MIN = 5
"""A desk trades when the venue has taken more."""
PATIENCE_S = 60.0
"""How long a busy machine may take for what has no limit of its own."""

ANSWER_S = 20.0
"""A desk whose venue does not answer waits for it on its own loop, again and again."""


def until(found, patience_s=PATIENCE_S):
    return found_until(found, patience_s)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def answer_of(port, path, body=None, headers=()):
    """Return status and bytes of one HTTP answer."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {
        "Content-Type": "application/json", **dict(headers),
    })  # fmt: skip
    try:
        with urllib.request.urlopen(asked, timeout=ANSWER_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, problem.read()


def reachable(port, path, headers=()):
    try:
        return answer_of(port, path, headers=headers)
    except OSError:
        return None


class RunScene:
    """One venue, one desk's process at it; `start` begins another life of the desk.

    verbs  starts them, see `AilingWords`;  words  more words of `run`;  rest  more of the document
    environ  more variables of the desk
    """

    def __init__(self, verbs, folder, *words, rest="", desk="speed = 36000", rows=0, environ=(), runs=None):
        self.verbs, self.folder, self.environ = verbs, folder, dict(environ)
        self.runs = runs or folder / "runs"
        self.state = self.runs / "state" / NAME
        self.url, self.ear = f"unix://{folder}/v", folder / "ear"
        self.port, self.metrics_port, self.page_port = free_port(), free_port(), free_port()
        self.config = document(folder, name=NAME, desk=desk, rows=rows, rest=(
            f'[venue]\nconnection = "{self.url}"\nsubmit_ms = 5.0\ncancel_ms = 5.0\n'
            f"[health]\nmetrics_port = {self.metrics_port}\n{rest}"
        ))  # fmt: skip
        self.words, self.lives, self.shown, self.desk = words, 0, 0, None
        self.line = EmergencyLine(self.url, SystemClock(), name="test", scope="view")
        self.venue = verbs.start(
            "venue", "serve", "--config", self.config, "--listen", self.url, "--test-aids", out=folder / "venue.out"
        )
        until(self.view)

    def verb(self, *words, **environ):
        """Run another verb to its end; return its exit code and what it showed."""
        self.shown += 1
        out = self.folder / f"verb-{self.shown}.out"
        code = self.verbs.code(self.verbs.start(*words, out=out, **environ))
        return code, out.read_text()

    def start(self, *words, trading=True):
        """Begin a life of the desk; return when it trades under its watchdog, or at once."""
        self.lives += 1
        before = self.view().orders
        odd = {
            "RUNTIME_HEALTHCHECK_ENABLED": "true", "RUNTIME_HEALTHCHECK_PORT": str(self.port),
            "RUNTIME_WATCHDOG_HTTP": f"127.0.0.1:{self.page_port}", EAR: str(self.ear), **self.environ,
        }  # fmt: skip
        self.ear.unlink(missing_ok=True)
        self.desk = self.verbs.start(
            "run", self.config, "--runs", self.runs, *self.words, *words, out=self.folder / f"desk-{self.lives}.out",
            **odd,
        )  # fmt: skip
        if trading:
            until(lambda: self.watched() and self.view().orders > before + ORDERS_MIN and self.view().open_orders)
        return self

    def said(self):
        """Return what the desk's last life wrote to its terminal."""
        return (self.folder / f"desk-{self.lives}.out").read_text()

    def watched(self):
        assert self.verbs.running(self.desk), self.said()[-3_000:]
        return watchdog_lives(self.state)

    def view(self):
        try:
            return self.line.view()
        except OSError:
            return None

    def ail(self, *words):
        """Make the desk ill and return when it has begun."""
        begun = mouth(self.ear, *words)
        until(begun.exists)
        begun.unlink()

    def fail(self, **aids):
        """Let the venue fail as `Aids` says; nothing given: it works."""
        line = EmergencyLine(self.url, SystemClock(), name="test-aids", scope="view")
        line.aid(Aids(**aids))
        line.close()

    def health(self, path, body=None, headers=()):
        return answer_of(self.port, path, body, headers)

    def incidents(self):
        return read_incidents(self.state / WATCHDOG)

    def incident(self):
        """Return the first incident, once it was paged."""
        return until(lambda: next((
            one for one in self.incidents() if any(act.name == "page" for act in one.acts)
        ), None))  # fmt: skip

    def pages(self):
        path = self.state / WATCHDOG / "pages.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def certificates(self):
        folder = self.state / WATCHDOG
        if not (folder / f"{KEY}.pub").exists():
            return []
        found = read_all(folder / CERTIFICATES, public_key(folder / f"{KEY}.pub"))
        return sorted((one for _, one in found), key=lambda one: one.certificate.made_at)

    def verified(self):
        """Wait for a sound certificate that nothing is open; return it."""

        def last():
            found = self.certificates()
            return found[-1] if found and found[-1].certificate.outcome is Flatness.VERIFIED else None

        judged = until(last)
        assert judged.faults == ()
        return judged.certificate

    def stops(self):
        """Return the reasons that every start reads, as `owner.code`."""
        held = sentinel.restore((), guard_memory(self.state).read(), first_run=False, now=0)
        return {f"{one.owner}.{one.code}" for one in held if one.level.name == "STOPPED"}

    def flat(self):
        return not self.view().open_orders

    def silent(self, seconds=0.7):
        """Tell whether the venue takes no order for a while, and none is open at its end."""
        before = self.view().orders
        time.sleep(seconds)
        view = self.view()
        return view.orders == before and not view.open_orders

    def life(self):
        """Return the folder of the desk's newest life."""
        return max((self.state / "runtime").iterdir())

    def run(self):
        """Return the folder of the newest run."""
        return max((one for one in self.runs.iterdir() if one.name != "state"), key=lambda one: one.stat().st_mtime_ns)

    def end_desk(self, number=signal.SIGKILL):
        """End the desk's life and return its exit code."""
        pid, self.desk = self.desk, None
        if pid is None:
            return None
        for one in (signal.SIGCONT, number):
            with suppress(ProcessLookupError):
                os.kill(pid, one)
        return self.verbs.code(pid)

    def end(self):
        """End both processes; the watchdog ends after the desk."""
        self.end_desk()
        if self.view() is not None:
            self.fail()
        if self.state.exists():
            until(lambda: not watchdog_lives(self.state))
        self.line.close()
        os.kill(self.venue, signal.SIGTERM)
        self.verbs.code(self.venue)


def watchdog_pid(scene):
    """Return the pid of the watchdog that the desk launched last, as its journal tells it."""
    children = Path(f"/proc/{scene.desk}/task/{scene.desk}/children").read_text().split()
    found = [
        int(pid) for pid in children
        if b"tradeworthy.app.halting.watchdog_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]  # fmt: skip
    return found[-1] if found else None
