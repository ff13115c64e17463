"""The desk's side of the watchdog in simulated time: beats, lag, and what others hear of it (WD-01, WD-07, WD-08)."""

import asyncio
import os

import pytest

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.supervision import watched
from tradeworthy.kernel.supervision.beat import Answer, Channel, WatchdogPolicy, pair
from tradeworthy.kernel.supervision.watched import Vitals, WatchdogLink


class Desk:
    """Note holds, releases, service calls and lags."""

    def __init__(self):
        self.holds, self.alive_at, self.lags = [], 0, []

    def hold(self, code, evidence):
        self.holds.append((code, evidence))

    def release(self, code):
        self.holds.append((code, None))

    def alive(self):
        self.alive_at += 1


@pytest.fixture
def link(bench, tmp_path, monkeypatch):
    desk = Desk()
    made = WatchdogLink(
        bench.supervisor, bench.clock, command=["true"], folder=tmp_path, run_id="r", hold=desk,
        vitals=lambda: Vitals("h", "running"), policy=WatchdogPolicy(), service=desk, lag=desk.lags.append,
    )  # fmt: skip
    made.desk = desk
    made.launches = []
    monkeypatch.setattr(made, "launch", lambda: made.launches.append(bench.seconds()))
    return made


def test_without_a_watchdog_the_desk_is_held_once_and_launches_stay_within_their_budget(bench, link):
    async def main():
        task = bench.supervisor.create(link.beats, owner="watchdog")
        await asyncio.sleep(59)
        task.cancel()
        await task.wait()

    bench.run(main())
    assert len(link.launches) == 5
    assert [code for code, _ in link.desk.holds] == ["missing"]
    assert not link.watching


def test_a_beat_each_quarter_second_tells_lag_and_the_process_manager(bench, link):
    async def main():
        task = bench.supervisor.create(link.beats, owner="watchdog")
        await asyncio.sleep(8.1)
        bench.clock.sleep(3_000_000_000)
        await asyncio.sleep(0.1)
        beats = task.pulse.beats
        await bench.supervisor.cancel_all()
        return beats

    assert bench.run(main()) == 34
    assert max(link.desk.lags) == pytest.approx(2.85e9, abs=5e7)
    assert sorted(link.desk.lags)[-2] < 1e6
    assert link.desk.alive_at == 4


class Child:
    """A process that lives."""

    pid, code = 1, None

    def poll(self):
        return self.code


@pytest.mark.parametrize(("silence", "missed"), [(4.9, False), (5.0, True)])
def test_a_watchdog_is_missed_when_its_silence_reaches_the_limit_and_a_desk_that_slept_blames_nobody(
    bench, link, silence, missed
):
    ours, theirs = pair()
    link._child, link._channel = Child(), Channel(ours)
    far = Channel(theirs)
    link.beat()
    bench.clock.sleep(60_000_000_000)
    link.beat()
    assert link.desk.holds == []
    for _ in range(10):
        bench.clock.sleep(round(silence * 1e8))
        link.beat()
    assert bool(link.desk.holds) is missed
    assert len(link.launches) == missed
    far.send(Answer(link.token, 1))
    link.beat()
    assert link.desk.holds[-1:] == ([("missing", None)] if missed else [])
    assert link.watching
    far.close()
    ours.close()


def test_an_answer_of_an_older_watchdog_counts_for_nothing(bench, link):
    ours, theirs = pair()
    link._child, link._channel, link.token = Child(), Channel(ours), 2
    far = Channel(theirs)
    far.send(Answer(1, 1))
    link.beat()
    assert not link.watching
    far.close()
    ours.close()


def test_a_launch_without_proc_is_refused(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(watched, "start_ticks_of", lambda pid: None)
    one = WatchdogLink(
        bench.supervisor, bench.clock, command=["true"], folder=tmp_path, run_id="r", hold=Desk(),
        vitals=lambda: Vitals("h", "running"),
    )  # fmt: skip
    with pytest.raises(HaltTrading, match="/proc"):
        one.launch()
    assert os.listdir(tmp_path) == []
