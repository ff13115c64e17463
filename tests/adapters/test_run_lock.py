"""One runner at a time: a second is refused, a dead or silent one loses the lock, a stranger frees nothing (RF-02)."""

import os
import subprocess
import sys

import msgspec
import pytest

from tradeworthy.adapters.run_lock import Holder, RunLock
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock

TTL_S = 7_200.0


@pytest.fixture
def clock():
    return EventClock(10_000 * NANOS_PER_SECOND)


def lock(tmp_path, clock, owner="one"):
    return RunLock(tmp_path / "x.lock", clock, ttl_s=TTL_S, owner=owner)


def written(tmp_path, clock, **odd):
    """Write a lock that another process holds, alive by default."""
    held = Holder(os.getppid(), odd.pop("host", os.uname().nodename), odd.pop("start_ticks", None), 1, clock.now(), "o")
    (tmp_path / "x.lock").write_bytes(msgspec.json.encode(msgspec.structs.replace(held, **odd)))


def test_a_second_runner_is_refused_until_the_first_gives_it_back(tmp_path, clock):
    one, two = lock(tmp_path, clock), lock(tmp_path, clock, "two")
    assert one.take() is None
    held = two.take()
    assert (held.pid, held.owner) == (os.getpid(), "one")
    assert two.release() is False
    assert one.release() is True
    assert two.take() is None


def test_a_holder_takes_its_own_lock_again(tmp_path, clock):
    one = lock(tmp_path, clock)
    assert (one.take(), one.take()) == (None, None)


def test_a_killed_holder_loses_it_at_once(tmp_path, clock):
    code = (
        "import sys, os; from pathlib import Path; from tradeworthy.adapters.run_lock import RunLock; "
        "from tradeworthy.kernel.clock import EventClock; "
        "RunLock(Path(sys.argv[1]), EventClock(int(sys.argv[2])), ttl_s=7200, owner='dead').take(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.lock"), str(clock.now())], check=False,
                   env={**os.environ, "PYTHONPATH": "src"})  # fmt: skip
    mine = lock(tmp_path, clock)
    assert mine.holder().owner == "dead"
    assert mine.take() is None
    assert mine.holder().pid == os.getpid()


def test_a_holder_on_another_machine_loses_it_when_it_was_silent_for_the_ttl(tmp_path, clock):
    written(tmp_path, clock, host="elsewhere")
    one = lock(tmp_path, clock)
    clock.advance_to(clock.now() + round(TTL_S * NANOS_PER_SECOND) - 1)
    assert one.take() is not None
    clock.advance_to(clock.now() + 1)
    assert one.take() is None


def test_a_beat_keeps_it(tmp_path, clock):
    one, two = lock(tmp_path, clock), lock(tmp_path, clock, "two")
    one.take()
    clock.advance_to(clock.now() + round(TTL_S * NANOS_PER_SECOND) - 1)
    one.beat()
    two.beat()
    clock.advance_to(clock.now() + 1)
    assert two.take() is not None


def test_a_file_that_names_nobody_is_nobodys(tmp_path, clock):
    (tmp_path / "x.lock").write_bytes(b"{half")
    assert lock(tmp_path, clock).take() is None
