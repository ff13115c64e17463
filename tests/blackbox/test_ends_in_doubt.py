"""Ends that are not clean at a served venue: orders that stay, a trading loop that obeys nobody (SHD-03, SUP-09)."""

import signal
import time

import pytest
from ailing_words import AilingWords
from desk_process import command, told
from run_scene import RunScene, until

DEADLINE_S = 10.0
"""SHD-01; the exit of the interpreter and of its threads comes on top."""


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


def test_orders_of_which_the_venue_says_nothing_are_in_doubt_and_the_journal_is_sealed(scene):
    one = scene(rest="[runtime]\nwatchdog = false\n").start(trading=False)
    until(lambda: one.view().orders > 5 and one.view().open_orders)
    one.fail(silent="unanswered", scopes=("trade",))
    sent = len(told(one.run(), "command.submit"))
    until(lambda: one.view().open_orders or len(told(one.run(), "command.submit")) > sent)
    assert one.end_desk(signal.SIGTERM) == 2, one.said()[-3_000:]
    (stopped,) = told(one.life(), "runtime.stopped")
    assert (stopped.reason, stopped.exit_code) == ("signal", 2)
    assert stopped.working_orders is None or stopped.working_orders > 0
    assert len(stopped.unknown_orders) == (stopped.working_orders or len(stopped.unknown_orders)) > 0
    submitted = {payload.client_order_id for payload in told(one.run(), "command.submit")}
    assert set(stopped.unknown_orders) <= submitted
    assert stopped.took_ns <= DEADLINE_S * 1e9
    steps = {step.step: step.ok for step in told(one.life(), "runtime.shutdown_step")}
    assert (steps["orders"], steps["seal"]) == (False, True)
    assert command("journal", "verify", one.run()).returncode == 0


def test_a_trading_loop_that_swallows_its_cancellation_is_never_two_and_stops_the_desk(scene):
    one = scene(
        "--fault", "trading_loop:swallow-cancel@3", environ={"RUNTIME_TRADING_LOOP_HANG_TIMEOUT_SECONDS": "1"}
    ).start(trading=False)
    until(lambda: one.view().open_orders)
    until(lambda: "supervision.trading_loop" in one.stops())
    until(one.flat)
    assert one.silent()
    began = time.monotonic()
    code = one.end_desk(signal.SIGTERM)
    assert time.monotonic() - began <= DEADLINE_S + 5
    assert code in (1, 2), one.said()[-3_000:]
    life = one.life()
    (abandoned,) = told(life, "supervision.abandoned")
    assert abandoned.task == "trading_loop"
    assert [payload.task for payload in told(life, "supervision.started")].count("trading_loop") == 1
    assert "trading_loop" not in [payload.task for payload in told(life, "supervision.restarted")]
    (escalated,) = told(life, "supervision.escalated")
    assert (escalated.task, escalated.response.value) == ("trading_loop", "stop")
    assert not one.view().open_orders
