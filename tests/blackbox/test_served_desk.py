"""`tradeworthy run` at a venue of another process: its hang, death and kill leave no order there (WD-02, KS-02)."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from desk_process import command, document, environment, started
from halt_scene import until

from tradeworthy.adapters.venue_line import EmergencyLine
from tradeworthy.app.halting.watchdog_process import watchdog_lives
from tradeworthy.kernel.clock import SystemClock

FLAT_WITHIN_S = 7.0
QUIET = {"RUNTIME_WATCHDOG_HTTP": "", "RUNTIME_HEALTHCHECK_ENABLED": "false"}


class Served:
    """A venue's process, a desk's process, and a look at the venue."""

    def __init__(self, folder, *words):
        self.runs, self.url = folder / "runs", f"unix://{folder}/venue.sock"
        config = document(folder, desk="speed = 2000", rows=0, rest=(
            f'[venue]\nconnection = "{self.url}"\n'
            "[unwind.twap]\nunwind_notional = 100000000\n"  # one order: slices end before the next row
        ))  # fmt: skip
        self.line = EmergencyLine(self.url, SystemClock(), name="test", scope="view")
        self.venue = started("venue", "serve", "--config", config, "--listen", self.url)
        until(self.view)
        self.command = [sys.executable, "-m", "tradeworthy", "run", str(config), "--runs", str(self.runs), *words]
        self.start()
        until(self.working)

    def start(self):
        self.desk = subprocess.Popen(
            self.command, env=environment(**QUIET), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def view(self):
        try:
            return self.line.view()
        except OSError:
            return None

    def working(self):
        assert self.desk.poll() is None, self.desk.stderr.read()
        view = self.view()
        return view is not None and view.orders > 5 and view.open_orders and watchdog_lives(self.state)

    @property
    def state(self):
        return self.runs / "state" / "small"

    def flat_for_good(self, seconds=1.0):
        before = self.view().orders
        time.sleep(seconds)
        view = self.view()
        return view.orders == before and not view.open_orders

    def end(self):
        self.line.close()
        for process in (self.desk, self.venue):
            process.kill()
            process.wait()
            process.stderr.close()


@pytest.fixture
def served(tmp_path):
    made = []

    def start(*words):
        made.append(Served(tmp_path, *words))
        return made[-1]

    yield start
    for one in made:
        one.end()


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_desk_that_stops_or_dies_leaves_no_order_at_its_venue(served, how):
    one = served()
    os.kill(one.desk.pid, how)
    began = time.monotonic()
    until(lambda: not one.view().open_orders)
    assert time.monotonic() - began <= FLAT_WITHIN_S
    assert one.flat_for_good()


def test_a_killed_desk_is_verified_flat_and_its_certificate_verifies_offline(served):
    one = served()
    done = command("kill", "small", "--reason", "drill", "--runs", one.runs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "outcome verified (tripped)" in done.stdout
    assert one.flat_for_good()
    path = re.search(r"^file +(.+)$", done.stdout, re.MULTILINE).group(1)
    assert command("flatness", path, "--key", one.state / "watchdog" / "watchdog.key.pub").returncode == 0


def test_a_kill_with_flatten_closes_the_positions_at_the_venue(served):
    one = served()
    until(lambda: one.view().positions)
    done = command("kill", "small", "--reason", "drill", "--flatten", "--runs", one.runs)
    assert done.returncode == 0, done.stdout + done.stderr
    until(lambda: not one.view().positions)
    assert one.flat_for_good()


def test_a_kill_survives_the_end_of_the_process(served):
    one = served()
    assert command("kill", "small", "--reason", "drill", "--runs", one.runs).returncode == 0
    one.desk.kill()
    one.desk.wait()
    one.desk.stderr.close()
    until(lambda: not watchdog_lives(one.state))
    one.start()
    until(lambda: watchdog_lives(one.state))
    assert one.flat_for_good(3.0)
    assert one.desk.poll() is None


def test_a_desk_whose_loop_is_blocked_is_flat_within_seven_seconds(served):
    one = served("--fault", "loop:block@8")
    until(lambda: list((one.state / "watchdog").glob("incident-*.json")))
    until(lambda: not one.view().open_orders, FLAT_WITHIN_S)
    assert one.flat_for_good()
