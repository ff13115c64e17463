"""Who may trip the real run: nothing leaves it, all is cancelled, certified and latched (KS-01, KS-02)."""

import json
import os
import resource
import signal
import time

import pytest
from ailing_words import AilingWords
from run_scene import RunScene, reachable, until

from tradeworthy.app.halting.flatness import public_key, verify
from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.certificate import LIMITS_NS, NO_NEW_ORDER
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.model import GuardLevel

BLOCK_S = 4
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def verbs():
    one = AilingWords()
    yield one
    one.close()


@pytest.fixture
def one(tmp_path, verbs):
    made = RunScene(verbs, tmp_path, desk="speed = 9000").start()
    yield made
    made.end()


def by_verb(one):
    code, said = one.verb("kill", "small", "--reason", "drill", "--runs", one.runs)
    assert (code, "outcome verified" in said) == (0, True), said
    return "operator.kill"


def by_http(one):
    until(lambda: reachable(one.port, "/live"))
    status, body = one.health("/kill", {"reason": "drill", "scope": "desk"})
    assert status == 202, body
    return "operator.kill"


def by_sentinel(one):
    stop = HeldReason("operator", "kill", GuardLevel.STOPPED, "desk", CLOCK.now(), None, "drill")
    guard_memory(one.state).write(sentinel.encode((stop,)))
    until(lambda: json.loads(one.health("/guard")[1]).get("level") == "stopped")
    return "operator.kill"


def by_flag(one):
    flag = halt_flag(one.state, CLOCK)
    flag.trip(Halt("risk", "drill", "desk", CLOCK.now(), CLOCK.monotonic(), "drill"))
    flag.close()
    return "risk.drill"


def by_watchdog(one):
    one.ail("block", BLOCK_S)
    until(one.incidents)
    return "watchdog.loop_hung"


SURFACES = {"verb": by_verb, "http": by_http, "sentinel": by_sentinel, "flag": by_flag, "watchdog": by_watchdog}


@pytest.mark.parametrize("trip", SURFACES.values(), ids=SURFACES)
def test_a_trip_takes_every_order_off_and_outlives_the_process(one, trip):
    until(lambda: one.view().open_orders)
    reason = trip(one)
    tripped = time.time_ns()
    until(one.flat)
    made = one.verified()
    assert one.view().last_order_at <= min(tripped, made.tripped_at) + LIMITS_NS[NO_NEW_ORDER]
    assert {step.name for step in made.steps if not step.in_time} == set()
    require_that_a_changed_byte_is_found(one)
    assert one.silent()
    until(lambda: reason in one.stops())
    one.end_desk()
    one.start(trading=False)
    until(lambda: (reachable(one.port, "/guard") or (0,))[0] == 200)
    assert json.loads(one.health("/guard")[1])["level"] == "stopped"
    code, said = one.verb("guard", "small", "--runs", one.runs)
    assert (code, reason in said) == (2, True)
    assert one.silent()


def require_that_a_changed_byte_is_found(one):
    folder = one.state / "watchdog"
    key = public_key(folder / "watchdog.key.pub")
    data = max((folder / "certificates").iterdir()).read_bytes()
    assert verify(data, key).faults == ()
    at = data.index(b"payload") + len(b'payload":"') + 40
    changed = data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :]
    assert verify(changed, key).faults


def fill_the_disk(one):
    """Let no file of the desk's process grow any more, as a full disk does."""
    resource.prlimit(one.desk, resource.RLIMIT_FSIZE, (0, 0))


DEAD = {
    "journal": (fill_the_disk,),
    "bus": (lambda one: one.ail("bus"),),
    "loop": (lambda one: one.ail("block", BLOCK_S),),
    "all": (lambda one: one.ail("bus"), fill_the_disk, lambda one: one.ail("block", BLOCK_S)),
}  # fmt: skip


@pytest.mark.parametrize("kills", DEAD.values(), ids=DEAD)
def test_a_kill_needs_neither_journal_nor_bus_nor_loop(one, kills):
    for kill in kills:
        kill(one)
    reason = by_verb(one)
    made = one.verified()
    assert any(halt.owner == "operator" for halt in made.halts)
    assert one.view().last_order_at <= made.tripped_at + LIMITS_NS[NO_NEW_ORDER]
    assert one.silent()
    assert reason in one.stops()


def test_a_kill_over_http_of_a_desk_whose_disk_is_full_stands(one):
    until(lambda: reachable(one.port, "/live"))
    fill_the_disk(one)
    status, body = one.health("/kill", {"reason": "drill", "scope": "desk"})
    assert status in (202, 504), body
    until(one.flat)
    one.verified()
    until(lambda: "operator.kill" in one.stops())
    assert one.silent()


def test_a_stopped_process_whose_disk_is_full_is_killed_all_the_same(one):
    fill_the_disk(one)
    os.kill(one.desk, signal.SIGSTOP)
    by_verb(one)
    os.kill(one.desk, signal.SIGCONT)
    assert one.silent()
