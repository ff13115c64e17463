"""A recovery waits for its services as long as it may, names what is broken, and asks only when all answer."""

import pytest

from tradeworthy.app.gates import recovery
from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.app.gates.producers import CyclePolicy, Material
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.operations.gates.model import HASHES, Binding
from tradeworthy.operations.gates.store import GateStore

START = 1_772_582_400 * NANOS_PER_SECOND
FOUR = tuple(recovery.Service(name=name, url=f"http://{name}", command=f"run {name}") for name in "abcd")
BINDING = Binding(release="1.0", environment="paper", tier="paper", hashes={name: name[0] * 64 for name in HASHES})


@pytest.fixture
def gates(tmp_path):
    clock = EventClock(START)
    return Gates(GateStore(tmp_path, clock), BINDING, clock), clock


def recovered(gates, tmp_path, *, up, services=FOUR, start=lambda command: None):
    """Recover services that answer once the clock reaches the second that `up` says."""
    wired, clock = gates

    def answers(url):
        due = up.get(url.removeprefix("http://"))
        return "" if due is not None and clock.now() >= START + due * NANOS_PER_SECOND else "refused"

    given = Material(configuration=tmp_path / "none.toml", docs=tmp_path)
    return recovery.recover(services, wired, "live", given, clock, policy=CyclePolicy(), answers=answers, start=start)


def test_all_up_are_asked_in_a_strict_cycle(gates, tmp_path):
    began = []
    found = recovered(gates, tmp_path, up={"a": 0, "b": 10, "c": 175, "d": 180}, start=began.append)
    assert (found.broken, began) == ((), [one.command for one in FOUR])
    assert (found.asked.verdict.gate, found.asked.verdict.exit_code) == ("live", 2)
    assert found.asked.cycle.began_at - START == 180 * NANOS_PER_SECOND


@pytest.mark.parametrize("broken", "abcd")
def test_the_one_that_does_not_come_up_is_named_and_nothing_is_asked(gates, tmp_path, broken):
    up = {name: 0 for name in "abcd" if name != broken}
    found = recovered(gates, tmp_path, up=up)
    assert (found.broken, found.asked) == ((broken,), None)
    assert gates[1].now() - START == 180 * NANOS_PER_SECOND
    late = recovered((gates[0], EventClock(START)), tmp_path, up={**up, broken: 181})
    assert late.broken == (broken,)


def test_a_command_that_cannot_be_started_is_told_and_no_service_is_no_recovery(gates, tmp_path):
    def start(command):
        if command == "run c":
            raise FileNotFoundError("no such file")

    found = recovered(gates, tmp_path, up=dict.fromkeys("abcd", 0), start=start)
    assert found.services["c"].startswith("it cannot be started")
    assert recovered(gates, tmp_path, up={}, services=()).broken == ("services",)


def test_an_address_that_nobody_listens_at_is_wrong():
    assert recovery.answer_of("http://127.0.0.1:1/")
    assert recovery.answer_of("nonsense")
