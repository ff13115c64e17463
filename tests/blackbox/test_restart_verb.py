"""`tradeworthy restart`: nothing is left over, or the cycle that left it fails and names it (CLI-04)."""

import os
import subprocess
import sys
import threading

import pytest
from desk_process import command, document

from tradeworthy.cli.restart import MEMORY_MAX, Belongings, belongings, left_over

NOTHING = Belongings((), (), (), 0)


def cycles(place, *words, **odd):
    return command("restart", document(place, rows=300, desk="speed = 2000"), "--runs", place / "runs", *words, **odd)


def test_two_cycles_leave_nothing(tmp_path):
    done = cycles(tmp_path, "--cycles", "2", "--timeout", "1.5")
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("cycle ")]
    assert told == [f"cycle {number} of 2: timeout, exit 0, clean" for number in (1, 2)]


def test_a_leak_fails_the_first_cycle_and_is_named(tmp_path):
    done = cycles(tmp_path, "--cycles", "3", "--timeout", "2.5", "--fault", "desk:leak")
    assert done.returncode == 2, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("cycle ")]
    assert len(told) == 1
    assert "descriptor /dev/null left over" in told[0]


def test_a_cycle_that_fails_ends_the_row(tmp_path):
    done = cycles(tmp_path, "--cycles", "3", "--timeout", "20", "--fault", "trading_loop:crash@0.1",
                  RUNTIME_TRADING_LOOP_MAX_RESTARTS="0")  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("cycle ")]
    assert len(told) == 1
    assert "trading_loop failed" in told[0]


@pytest.mark.parametrize("words", [("--cycles", "0"), ("--timeout=-1",), ("--timeout", "0")])
def test_wrong_words_are_usage(tmp_path, words):
    assert cycles(tmp_path, *words).returncode == 3


def test_a_thread_a_child_and_a_descriptor_are_each_named():
    before = belongings()
    release, (reader, writer) = threading.Event(), os.pipe()
    thread = threading.Thread(target=release.wait, name="forgotten")
    thread.start()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        found = left_over(before, belongings())
    finally:
        release.set()
        child.communicate()
        thread.join()
        for one in (reader, writer):
            os.close(one)
    assert "thread forgotten left over" in found
    assert f"child process {child.pid} left over" in found
    assert found.count("descriptor pipe left over") >= 2
    assert not [one for one in left_over(before, belongings()) if "forgotten" in one or "child" in one]


@pytest.mark.parametrize(("grown", "named"), [(MEMORY_MAX - 1, False), (MEMORY_MAX, True)])
def test_memory_that_reaches_its_bound_is_named(grown, named):
    assert bool(left_over(NOTHING, NOTHING._replace(rss_bytes=grown))) is named


def test_a_second_thread_of_the_same_name_counts():
    assert left_over(NOTHING._replace(threads=("a",)), NOTHING._replace(threads=("a", "a"))) == ["thread a left over"]
