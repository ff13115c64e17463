"""SIGTERM at random moments of a run at an outside venue: nothing is left there and nothing is lost (SHD-04)."""

import json
import os
import random
import signal
import time
from collections import Counter

import pytest
from desk_process import LONG, document, events_of
from forked_words import ForkedWords

from tradeworthy.adapters.venue_line import EmergencyLine
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.trading.model import RunEnded

MOMENTS_S = 2.5
"""The signal comes in the first so many seconds: before the handlers stand, while orders go out, and after the end."""
RUNS = 1_000
SAMPLE = 5
BEFORE_HANDLERS = -signal.SIGTERM


@pytest.fixture(scope="module")
def words():
    one = ForkedWords()
    yield one
    one.close()


def view_of(url):
    line = EmergencyLine(url, SystemClock(), name="test", scope="view")
    try:
        return line.view()
    finally:
        line.close()


def until_it_listens(url, path):
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        if path.exists():
            try:
                return view_of(url)
            except OSError:
                pass
        time.sleep(0.01)
    raise AssertionError("the venue did not listen in time")


def ended_at_random(place, words, seed):
    """Run a desk, send SIGTERM at a random moment; return its exit code and what the venue shows then."""
    url, socket = f"unix://{place}/v", place / "v"
    config = document(
        place, rows=1_500, rest=f'[venue]\nconnection = "{url}"\nsubmit_ms = 5.0\n[runtime]\nwatchdog = false\n'
    )
    venue = words.start("venue", "serve", "--config", config, "--listen", url, out=place / "venue.txt")
    try:
        until_it_listens(url, socket)
        desk = words.start("run", config, "--runs", place / "runs", out=place / "out.txt")
        time.sleep(random.Random(seed).uniform(0.0, MOMENTS_S))
        if words.running(desk):
            os.kill(desk, signal.SIGTERM)
        return words.code(desk), view_of(url)
    finally:
        os.kill(venue, signal.SIGTERM)
        words.code(venue)


def require_nothing_left_and_nothing_lost(place, words, seed):
    """Return what became of the run, for the count."""
    code, view = ended_at_random(place, words, seed)
    assert view.open_orders == ()
    lives = list((place / "runs").glob("state/*/runtime/*"))
    if code == BEFORE_HANDLERS:
        assert not lives, "a desk that has begun hears its signals"
        assert view.orders == 0
        return "before its handlers"
    assert code == 0, (place / "out.txt").read_text()[-3_000:]
    (life,) = lives
    assert verify(life / "journal").ok
    *_, last = events_of(life)
    assert (last.kind, last.payload.exit_code, last.payload.working_orders) == ("runtime.stopped", 0, 0)
    for file in [*life.glob("logs/*"), place / "out.txt"]:
        require_whole_lines(file)
    runs = [one for one in (place / "runs").iterdir() if one.name != "state"]
    if not runs:
        assert view.orders == 0
        return "before its run"
    (run,) = runs
    assert verify(run / "journal").ok
    events = events_of(run)
    assert isinstance(events[-1].payload, RunEnded)
    sent = [one.payload.client_order_id for one in events if one.kind == "command.submit"]
    assert view.orders == len(sent) == len(set(sent)), "an order that the venue has is an order of the journal"
    booked = Counter()
    for one in events:
        if one.kind == "ledger.fill_booked":
            booked[one.payload.instrument] += one.payload.side * one.payload.lots
    assert {name: lots for name, lots in booked.items() if lots} == view.positions, "a fill there is a fill here"
    return last.payload.reason


def require_whole_lines(file):
    """Every line of logs is one JSON object, the last one too; others are of the summary for people."""
    text = file.read_text()
    assert text == "" or text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("{"):
            json.loads(line)


@pytest.mark.parametrize("seed", range(SAMPLE))
def test_a_run_ended_at_random_leaves_no_order_and_no_record_behind(tmp_path, words, seed):
    require_nothing_left_and_nothing_lost(tmp_path, words, seed)


@pytest.mark.proof
def test_a_thousand_runs_ended_at_random_leave_no_order_and_no_record_behind(tmp_path_factory, words):
    runs, first = int(os.environ.get("SIGTERM_RUNS", RUNS)), int(os.environ.get("SIGTERM_FIRST", "1000"))
    found = Counter()
    for seed in range(first, first + runs):
        place = tmp_path_factory.mktemp("run")
        found[require_nothing_left_and_nothing_lost(place, words, seed)] += 1
    print(f"{runs} runs: {dict(found)}")
    assert found.total() == runs
    assert found["signal"] > runs // 4, "a proof that mostly signals idle processes proves little"
