"""`tradeworthy kill` with a watchdog: it waits for the certificate and tells by its exit code what was seen (KS-04)."""

import re

import msgspec
import pytest
from desk_process import command, document, started
from halt_scene import FAST, DeskProcess, ServedVenue, until

from tradeworthy.adapters.venue_line import EmergencyLine
from tradeworthy.kernel.clock import SystemClock


@pytest.fixture
def venue(tmp_path):
    one = ServedVenue(tmp_path)
    yield one
    one.end()


@pytest.fixture
def desk(tmp_path, venue):
    slow = msgspec.structs.replace(FAST, hang_after_s=30.0, repeat_s=30.0, verify_within_s=2.0)
    one = DeskProcess(tmp_path, venue, slow)
    yield one
    one.end()


def kill(root, *words):
    return command("kill", "small", "--reason", "drill", "--runs", root, *words)


def test_a_verified_kill_prints_each_steps_time_and_its_certificate_verifies_offline(tmp_path, desk, venue):
    done = kill(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "outcome verified (tripped)" in done.stdout
    for step in ("no_new_order", "cancels_dispatched", "venue_acknowledged", "no_open_orders"):
        assert re.search(rf"step    {step} +\d+\.\d ms  limit \d+ ms$", done.stdout, re.MULTILINE), done.stdout
    path = re.search(r"^file +(.+)$", done.stdout, re.MULTILINE).group(1)
    key = tmp_path / "state" / "small" / "watchdog" / "watchdog.key.pub"
    assert command("flatness", path, "--key", key).returncode == 0
    assert not venue.view().open_orders


@pytest.mark.parametrize(("aids", "code", "word"), [
    ({"refuse_cancels": 1_000}, 1, "partial"),
    ({"silent": "lost", "scopes": ("cancel_only", "trade")}, 2, "unverified"),
])  # fmt: skip
def test_a_kill_that_was_not_seen_through_is_never_told_as_done(tmp_path, desk, venue, aids, code, word):
    desk.tell("block", "20")
    desk.line("blocking")
    venue.fail(**aids)
    done = kill(tmp_path)
    assert (done.returncode, f"outcome {word}" in done.stdout) == (code, True), done.stdout


def test_a_kill_that_does_not_wait_says_so(tmp_path, desk):
    done = kill(tmp_path, "--no-wait")
    assert (done.returncode, "outcome" in done.stdout) == (0, False)


def test_a_kill_that_waits_where_nobody_watches_is_unverified(tmp_path):
    done = kill(tmp_path, "--wait")
    assert (done.returncode, "unverified" in done.stdout) == (2, True)


def test_the_venue_is_served_until_it_is_told_to_stop(tmp_path):
    url = f"unix://{tmp_path}/venue.sock"
    process = started("venue", "serve", "--config", document(tmp_path), "--listen", url)
    line = EmergencyLine(url, SystemClock(), name="test", scope="view")

    def shown():
        assert process.poll() is None, process.stderr.read()
        try:
            return line.view()
        except OSError:
            return None

    assert until(shown).open_orders == ()
    line.close()
    process.terminate()
    assert process.wait(10) == 0


def test_the_venue_listens_on_this_machine_only(tmp_path):
    done = command("venue", "serve", "--config", document(tmp_path), "--listen", "tcp://0.0.0.0:9")
    assert (done.returncode, "127.0.0.1" in done.stderr) == (3, True)
