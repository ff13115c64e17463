"""A recorded run as feed of another: the speed is chosen, gaps, ages and outcomes stay."""

import msgspec
import pytest
from soak_runs import START, document, played

from tradeworthy.app import config
from tradeworthy.app.market_data import tapes
from tradeworthy.app.runs.runner import RunSession, replay_run
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.trading.model import Quote

SECOND = 1_000_000_000
READ_NS = 20_000
"""What one look at the slow clock costs."""
OVERSLEEP_NS = 200_000


class BusyClock(EventClock):
    """A clock of a machine that works: each look takes time and each sleep is a little too long."""

    def monotonic(self):
        super().sleep(READ_NS)
        return super().monotonic()

    def sleep(self, nanos):
        super().sleep(nanos + OVERSLEEP_NS)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return played(tmp_path_factory.mktemp("recorded"), steps=61).folder


def feed(recorded, speed):
    made = document(environment="paper", speed=speed)
    tape = config.TapeSection(
        name="again", format="journal", instrument="EURUSD.DEMO", path=str(recorded), label="synthetic"
    )
    return msgspec.structs.replace(made, tapes=(tape,))


def replayed_at(recorded, speed, root):
    clock = BusyClock(START)
    result = RunSession(feed(recorded, speed), root=root, clock=clock).play()
    return result, (clock.now() - START) / SECOND


@pytest.mark.parametrize(("speed", "seconds"), [(10, 6.0), (1, 60.0), (0.1, 600.0)])
def test_a_minute_of_tape_takes_its_share_of_a_minute(recorded, tmp_path, speed, seconds):
    _, took = replayed_at(recorded, speed, tmp_path)
    assert took == pytest.approx(seconds, rel=0.05)


def test_full_speed_waits_for_nothing(recorded, tmp_path):
    assert replayed_at(recorded, 0, tmp_path)[1] < 0.5


def test_every_speed_gives_the_same_outcomes(recorded, tmp_path):
    results = [replayed_at(recorded, speed, tmp_path / str(speed))[0] for speed in (0, 0.1, 1, 10)]
    assert len({result.digest for result in results}) == 1
    assert results[0].outcomes > 0
    assert replay_run(results[-1].folder).ok


def test_gaps_and_ages_are_those_of_the_recording(recorded, tmp_path):
    again = replayed_at(recorded, 10, tmp_path)[0].folder
    stamps = [
        [(event.ts_event, event.ts_init, event.payload) for event in read(run / "journal") if event.kind == Quote.kind]
        for run in (recorded, again)
    ]
    assert stamps[0] == stamps[1]
    assert len(stamps[0]) == 61


def test_another_recording_is_another_run(recorded, tmp_path):
    other = played(tmp_path, steps=62).folder
    names = [RunSession(feed(one, 1), root=tmp_path).run_id for one in (recorded, other)]
    assert names[0] != names[1]


def test_a_feed_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match="found neither"):
        tapes.manifests(feed(tmp_path, 1).tapes[0])


@pytest.mark.parametrize("speed", [0.09, -1, float("inf"), float("nan")])
def test_a_speed_outside_its_bounds_does_not_start(speed):
    with pytest.raises(ConfigurationRefused, match=r"desk\.speed"):
        document(speed=speed)
