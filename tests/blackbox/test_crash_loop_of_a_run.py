"""Trading that crashes again and again in the real run: the budget ends it, and nothing stays at the venue (SUP-05)."""

import signal

import pytest
from ailing_words import AilingWords
from desk_process import events_of
from run_scene import RunScene, until

RESTARTS = 5
"""SUP-04: the budget of 60 s."""


@pytest.fixture(scope="module")
def verbs():
    one = AilingWords()
    yield one
    one.close()


@pytest.fixture
def crashing(tmp_path, verbs):
    one = RunScene(
        verbs, tmp_path, "--fault", "trading_loop:crash@0.5", desk="speed = 9000",
        environ={"RUNTIME_TRADING_LOOP_RESTART_BACKOFF_SECONDS": "0.05"},
    )  # fmt: skip
    yield one
    one.end()


def test_a_crash_loop_of_trading_ends_stopped_flat_and_with_exit_2(crashing):
    one = crashing.start(trading=False)
    until(lambda: one.view().orders)
    until(lambda: not one.verbs.running(one.desk))
    assert one.end_desk() == 2, one.said()[-3_000:]
    view = one.view()
    assert view.orders > 0
    assert view.open_orders == ()
    assert one.silent()
    code, said = one.verb("guard", "small", "--runs", one.runs)
    assert (code, "supervision.trading_loop" in said) == (2, True), said
    events = [event.payload for event in events_of(one.life()) if event.kind.startswith(("supervision.", "runtime."))]
    named = [type(payload).__name__ for payload in events]
    assert named.count("Escalated") == 1
    failures = [one for one in events if type(one).__name__ == "TaskFailed" and one.task == "trading_loop"]
    assert len(failures) == RESTARTS + 1


def test_after_a_crash_loop_the_next_start_is_stopped(crashing):
    one = crashing.start(trading=False)
    until(lambda: not one.verbs.running(one.desk))
    one.end_desk()
    orders = one.view().orders
    one.words = ()
    one.start(trading=False)
    until(one.watched)
    until(lambda: one.run().joinpath("journal").exists())
    assert one.silent(1.5)
    assert one.view().orders == orders
    assert one.end_desk(signal.SIGTERM) == 0
    assert "guard stopped" in one.said()
