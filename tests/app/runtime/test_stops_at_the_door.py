"""The door to the guard: a stop raises the flag before the desk hears of it, a pause raises none (SUP-05)."""

import pytest

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.app.runtime.guard_door import GuardDoor
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.supervision import Criticality, Escalated, Response


class Scene:
    """A door, and what it told whom, in which order."""

    def __init__(self, folder):
        self.log, self.memory = [], SentinelFile(folder / "guard.bin")
        self.door = GuardDoor(
            EventClock(5), self.memory, run_id="r", on_stop=lambda asked: self.log.append(("flag", asked.owner))
        )

    def offer(self, fact, *, source, key):
        self.log.append(("desk", f"{fact.owner}.{fact.code}", fact.active))


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def given_up(response):
    return Escalated("loop", "desk", Criticality.CRITICAL, response, "5 restarts in 60.0 s", 5)


def test_a_stop_raises_the_flag_before_the_desk_hears_of_it(scene):
    scene.door.connect(scene)
    scene.door.escalate(given_up(Response.STOP), None)
    assert scene.log == [("flag", "supervision"), ("desk", "supervision.loop", True)]


@pytest.mark.parametrize(("response", "told"), [(Response.PAUSE, [("desk", "supervision.loop", True)]),
                                                (Response.WARN, [])])  # fmt: skip
def test_a_pause_raises_no_flag_and_a_warning_nothing(scene, response, told):
    scene.door.connect(scene)
    scene.door.escalate(given_up(response), None)
    assert scene.log == told
    assert scene.memory.read() is None
