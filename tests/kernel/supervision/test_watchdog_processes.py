"""A watchdog of real processes: a blocked loop, a stopped and a killed desk, a killed watchdog (WD-01 to WD-06)."""

import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.kernel.supervision.beat import WatchdogPolicy
from tradeworthy.kernel.supervision.incident import IncidentCause, Outcome, read_incidents
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.guard import Guard
from tradeworthy.trading.model import GuardLevel

HERE = Path(__file__).parent
FAST = WatchdogPolicy(beat_interval_s=0.1, hang_after_s=0.75, missing_after_s=1.5, kill_after_s=None)
PATIENCE_S = 20.0


class FakeVenue(socketserver.ThreadingTCPServer):
    """Hold orders; cancel them for the newest token only."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), VenueConnection)
        self.orders, self.token, self.gone_at = 3, 0, None

    def answer(self, request):
        if request["act"] == "look":
            return {"open": self.orders}
        if request["token"] < self.token:
            return {"refused": f"token {request['token']} is older than {self.token}"}
        self.token, self.orders = request["token"], 0
        self.gone_at = self.gone_at or time.monotonic()
        return {}


class VenueConnection(socketserver.StreamRequestHandler):
    """Answer one request."""

    def handle(self):
        self.wfile.write(json.dumps(self.server.answer(json.loads(self.rfile.readline()))).encode() + b"\n")


class DeskProcess:
    """A desk under its watchdog, and what both left."""

    def __init__(self, folder, venue, policy, fault):
        self.folder, self.venue = folder, venue
        arguments = [str(folder), str(venue.server_address[1]), msgspec.json.encode(policy).decode(), fault]
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "watched_desk.py"), *arguments], stdout=subprocess.PIPE, text=True
        )
        _, watchdog, token = self.line("watched")
        self.watchdog, self.token = int(watchdog), int(token)

    def line(self, word):
        while line := self.process.stdout.readline():
            if line.split()[0] == word:
                return line.split()
        raise AssertionError(f"expected {word!r}, the desk ended")

    def incident(self, ready=lambda incident: any(act.name == "page" for act in incident.acts)):
        return until(lambda: next((one for one in read_incidents(self.folder / "watchdog") if ready(one)), None))

    def guard(self):
        record = SentinelFile(self.folder / "guard.bin").read()
        return Guard(sentinel.restore((), record, first_run=False, now=0))

    def pages(self):
        return (self.folder / "pages.txt").read_text().split()

    def end(self):
        for pid in (self.watchdog, self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self.process.stdout.close()


def until(found):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.02)
    raise AssertionError("expected it in time")


@pytest.fixture
def venue():
    server = FakeVenue()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk(tmp_path, venue):
    made = []

    def start(policy=FAST, fault="none"):
        made.append(DeskProcess(tmp_path, venue, policy, fault))
        return made[-1]

    yield start
    for one in made:
        one.end()


def test_a_blocked_loop_is_found_within_two_seconds_and_its_orders_are_gone_within_seven(desk, venue):
    one = desk(WatchdogPolicy(kill_after_s=None), "block")
    one.line("blocking")
    began = time.monotonic()
    incident = one.incident()
    assert incident.cause is IncidentCause.LOOP_HUNG
    assert 1.5e9 <= incident.silent_ns <= 2.0e9
    assert venue.gone_at - began <= 7.0
    assert [(act.name, act.outcome) for act in incident.acts] == [
        ("trip", Outcome.DONE), ("stacks", Outcome.DONE), ("cancel", Outcome.VERIFIED), ("page", Outcome.DONE),
    ]  # fmt: skip
    assert (incident.run_id, incident.pid) == ("run-1", one.process.pid)
    assert (incident.head, incident.guard) == ("head-7", "running")
    assert incident.sequence >= 1
    (stacks,) = (one.folder / "watchdog").glob("*.stacks.txt")
    assert "in block_the_loop" in stacks.read_text()
    assert one.guard().level is GuardLevel.STOPPED
    assert [reason.owner for reason in one.guard().reasons()] == ["watchdog"]
    assert one.pages() == ["loop_hung"]


def test_a_stopped_process_is_answered_alike_without_stacks_and_its_return_is_noted(desk, venue):
    one = desk()
    os.kill(one.process.pid, signal.SIGSTOP)
    incident = one.incident()
    assert incident.cause is IncidentCause.PROCESS_STOPPED
    assert [(act.name, act.outcome, act.detail) for act in incident.acts] == [
        ("trip", Outcome.DONE, ""), ("stacks", Outcome.UNAVAILABLE, "unavailable: process stopped"),
        ("cancel", Outcome.VERIFIED, "no open orders"), ("page", Outcome.DONE, ""),
    ]  # fmt: skip
    assert venue.orders == 0
    os.kill(one.process.pid, signal.SIGCONT)
    cleared = one.incident(lambda found: found.cleared_at is not None)
    assert cleared.cleared_at > cleared.detected_at
    assert one.guard().level is GuardLevel.STOPPED


def test_a_desk_that_stays_silent_is_killed_after_its_limit(desk):
    one = desk(msgspec.structs.replace(FAST, kill_after_s=1.5), "block")
    assert one.process.wait(PATIENCE_S) == -signal.SIGKILL
    incident = one.incident(lambda found: any(act.name == "kill" for act in found.acts))
    assert [act.name for act in incident.acts] == ["trip", "stacks", "cancel", "page", "kill"]
    assert one.guard().level is GuardLevel.STOPPED


def test_a_killed_desk_is_answered_at_once(desk, venue):
    one = desk()
    one.process.kill()
    incident = one.incident()
    assert incident.cause is IncidentCause.PROCESS_GONE
    assert incident.silent_ns < 0.75e9
    assert venue.orders == 0
    until(lambda: not Path(f"/proc/{one.watchdog}").exists() or "Z" in Path(f"/proc/{one.watchdog}/stat").read_text())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_watchdog_pauses_the_desk_is_relaunched_and_the_pause_is_cleared_by_its_owner(desk, venue, how):
    one = desk()
    os.kill(one.watchdog, how)
    began = time.monotonic()
    assert one.line("hold") == ["hold", "missing"]
    assert time.monotonic() - began <= 5.0
    assert one.line("release") == ["release", "missing"]
    one.process.terminate()
    assert one.line("ended") == ["ended", str(one.token + 1)]
    assert one.process.wait(PATIENCE_S) == 0
    assert read_incidents(one.folder / "watchdog") == ()
    assert venue.orders == 3


def test_an_orderly_end_is_no_incident(desk, venue):
    one = desk()
    one.process.terminate()
    assert one.process.wait(PATIENCE_S) == 0
    assert read_incidents(one.folder / "watchdog") == ()
    assert (venue.orders, (one.folder / "guard.bin").exists()) == (3, False)
