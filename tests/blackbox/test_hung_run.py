"""The real run hangs, is stopped, dies, or loses its watchdog: what the venue, the evidence and the pages show (WD)."""

import json
import os
import signal
import socket
import time

import pytest
from ailing_words import AilingWords
from desk_process import events_of
from run_scene import RunScene, answer_of, reachable, until, watchdog_pid

from tradeworthy.adapters.venue_line import EmergencyLine
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.supervision.incident import IncidentCause, Outcome
from tradeworthy.trading.model import GuardLevel

DETECTED_S, FLAT_S, MISSED_S = 2.0, 7.0, 5.0
"""WD-01, WD-02 and WD-05."""
SETTLE_S = 1.0
"""A journal is sealed in batches: what was just written can be read a moment later."""


@pytest.fixture(scope="module")
def verbs():
    one = AilingWords()
    yield one
    one.close()


@pytest.fixture
def scene(tmp_path, verbs):
    made = []

    def build(*words, **more):
        made.append(RunScene(verbs, tmp_path, *words, **more))
        return made[-1]

    yield build
    for one in made:
        one.end()


def acts_of(incident):
    return [(act.name, act.outcome) for act in incident.acts]


def test_a_blocked_loop_is_found_shown_and_flat_in_time(scene):
    one = scene("--fault", "loop:block@7").start()
    until(lambda: (reachable(one.page_port, "/live") or (0,))[0] == 200)
    incident = one.incident()
    last_beat = incident.detected_at - incident.silent_ns
    assert incident.cause is IncidentCause.LOOP_HUNG
    assert incident.silent_ns <= DETECTED_S * 1e9
    status, body = answer_of(one.page_port, "/health")
    assert (status, b"loop_hung" in body) == (503, True)
    assert acts_of(incident) == [
        ("trip", Outcome.DONE), ("stacks", Outcome.DONE), ("cancel", Outcome.VERIFIED), ("record", Outcome.DONE),
        ("page", Outcome.DONE),
    ]  # fmt: skip
    assert one.flat()
    assert time.time_ns() - last_beat <= FLAT_S * 1e9
    (stacks,) = (one.state / "watchdog").glob("incident-*.stacks.txt")
    assert "misbehave_beside" in stacks.read_text(), "the stacks name the line that keeps the loop"
    (page,) = one.pages()
    assert "loop_hung" in json.dumps(page)
    assert one.verified().cause == "loop_hung"
    assert one.stops() == {"watchdog.loop_hung"}
    assert one.silent()


def test_a_stopped_process_is_flat_in_time_and_nothing_leaves_it_when_it_goes_on(scene):
    one = scene().start()
    os.kill(one.desk, signal.SIGSTOP)
    began = time.monotonic()
    until(one.flat)
    assert time.monotonic() - began <= FLAT_S
    incident = one.incident()
    assert incident.cause is IncidentCause.PROCESS_STOPPED
    (stacks,) = [act for act in incident.acts if act.name == "stacks"]
    assert (stacks.outcome, stacks.detail) == (Outcome.UNAVAILABLE, "unavailable: process stopped")
    assert (len(one.pages()), one.verified().cause) == (1, "process_stopped")
    os.kill(one.desk, signal.SIGCONT)
    assert one.silent()
    until(lambda: json.loads(one.health("/guard")[1])["level"] == "stopped")


def test_a_killed_desk_comes_back_stopped_and_sends_nothing(scene):
    one = scene().start()
    os.kill(one.desk, signal.SIGKILL)
    until(one.flat)
    assert one.incident().cause is IncidentCause.PROCESS_GONE
    assert one.end_desk() == -signal.SIGKILL
    one.start(trading=False)
    until(lambda: reachable(one.port, "/guard") is not None)
    shown = until(lambda: json.loads(one.health("/guard")[1]).get("level"))
    assert shown == "stopped"
    summary = until(lambda: reachable(one.port, "/summary"))
    assert json.loads(summary[1])["guard"]["level"] == "stopped"
    code, held = one.verb("guard", "small", "--runs", one.runs)
    assert (code, "watchdog.process_gone" in held) == (2, True)
    assert one.silent()
    assert one.end_desk(signal.SIGTERM) == 0
    assert "guard stopped" in one.said()
    told = [event.payload for event in events_of(one.life()) if event.kind == "watchdog.incident"]
    assert [incident.cause for incident in told] == [IncidentCause.PROCESS_GONE], "the journal is back-filled"


def test_a_process_that_hangs_for_longer_than_it_may_is_killed(scene):
    one = scene(rest="[runtime.watch]\nkill_after_s = 3.0\n").start()
    one.ail("block", 20)
    assert one.verbs.code(one.desk) == -signal.SIGKILL
    one.desk = None
    until(lambda: "kill" in dict(acts_of(one.incident())))
    assert one.flat()


def test_a_killed_watchdog_pauses_the_desk_until_its_successor_answers(scene):
    one = scene().start()
    first = watchdog_pid(one)
    stale = EmergencyLine(one.url, SystemClock(), name="watchdog-1", token=1)
    stale.greet()
    os.kill(first, signal.SIGKILL)
    began = time.monotonic()
    second = until(lambda: (found := watchdog_pid(one)) != first and found)
    assert time.monotonic() - began <= MISSED_S
    time.sleep(SETTLE_S)
    until(lambda: json.loads(one.health("/guard")[1])["level"] == "running")
    assert reachable(one.page_port, "/live")[0] == 200
    with pytest.raises(PermissionError, match="older than"):
        stale.take_off(("desk",), token=1)
    stale.close()
    orders = one.view().orders
    until(lambda: one.view().orders > orders)
    assert one.end_desk(signal.SIGTERM) == 0
    told = events_of(one.life())
    launched = [event.payload for event in told if event.kind == "watchdog.launched"]
    assert [payload.pid for payload in launched] == [first, second]
    assert launched[1].token > launched[0].token
    changes = [event.payload for event in events_of(one.run()) if event.kind == "guard.changed"]
    mine = [(change.set, change.reason_level) for change in changes if change.reason.startswith("watchdog.")]
    assert mine == [(True, GuardLevel.PAUSED), (False, GuardLevel.PAUSED)]


def test_the_process_manager_is_told_of_the_run(scene, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        one = scene(environ={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        one.start(trading=False)
        heard = manager.recv(4_096).decode()
        while "WATCHDOG=1" not in heard or "READY=1" not in heard:
            heard += "\n" + manager.recv(4_096).decode()
        one.end_desk(signal.SIGTERM)
        manager.settimeout(1)
        while "STOPPING=1" not in heard:
            heard += "\n" + manager.recv(4_096).decode()
    assert heard.index("READY=1") < heard.index("STOPPING=1")
    assert "STATUS=" in heard
