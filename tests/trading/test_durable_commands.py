"""No command without a durable outcome, whatever the disk does; and a row the journal refuses stops nobody."""

import errno
import os
from decimal import Decimal

import pytest
from small_desk import ID, SECOND, START, Scripted, SilentVenue, build, row, simulated, target

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import HaltTrading, InvalidInput
from tradeworthy.kernel.journal import Journal, JournalPolicy, read
from tradeworthy.kernel.journal.files import OsFiles
from tradeworthy.trading.environment import Environment, Timers
from tradeworthy.trading.model import Funding, Quote, SubmitOrder


class DyingDisk(OsFiles):
    """Fail one kind of call from the `after`-th time on."""

    def __init__(self, call, code, after):
        self.call, self.code, self.left = call, code, after

    def _may_fail(self, call):
        if call == self.call:
            self.left -= 1
            if self.left < 0:
                raise OSError(self.code, os.strerror(self.code))

    def write(self, handle, data):
        self._may_fail("write")
        super().write(handle, data)

    def sync(self, handle):
        self._may_fail("sync")
        super().sync(handle)


class Recording:
    """The simulated venue, and all that reached it."""

    def __init__(self):
        self._venue, self.sent = simulated(), []

    def __getattr__(self, name):
        return getattr(self._venue, name)

    def send(self, command, ts):
        self.sent.append(command)
        self._venue.send(command, ts)


def play_until_it_dies(environment):
    rows = (row(n, START + n * SECOND, Quote(ID, 99_990, 100_010, 1_000, 1_000)) for n in range(1, 400))
    environment.run(rows)


def journaled(place, venue, files=None, answers=20, **odd):
    policy = JournalPolicy(batch_events_max=50, commit_interval_ns=None)
    journal = Journal.open(place, clock=EventClock(1), policy=policy, files=files)
    wishes = [target(100 * (n % 5 + 1)) for n in range(answers)]
    environment = Environment(
        build(Scripted(wishes)), journal, venue, Timers(()), durable_commands=True, clock=EventClock(), **odd
    )
    return environment, journal


@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize(("call", "code"), [("sync", errno.EIO), ("write", errno.ENOSPC), ("write", errno.EIO)])
def test_every_command_that_left_is_in_the_journal_when_the_disk_dies(tmp_path, call, code, after):
    venue = Recording()
    environment, journal = journaled(tmp_path, venue, DyingDisk(call, code, after))
    with pytest.raises(HaltTrading, match="cannot go on"):
        play_until_it_dies(environment)
    journal.close()
    Journal.open(tmp_path, clock=EventClock(1)).close()
    stored = [event.payload for event in read(tmp_path)]
    sent = [command for command in venue.sent if isinstance(command, SubmitOrder)]
    assert [one for one in stored if isinstance(one, SubmitOrder)][: len(sent)] == sent
    assert (0 < len(sent) <= after) or after == 0


def test_a_row_that_is_not_finite_is_refused_and_the_next_one_is_played(tmp_path):
    refused = []
    environment, journal = journaled(
        tmp_path, SilentVenue(), answers=0, on_refused=lambda event, reason: refused.append((event.event_id, reason))
    )
    rows = [row(1, START), row(2, START + 1, Funding(ID, Decimal("NaN"))), row(3, START + 2)]
    assert environment.run(rows) == "completed"
    journal.close()
    assert [event.source_seq for event in read(tmp_path) if event.source == "tape.test"] == [1, 3]
    assert refused == [("tape.test:2", "payload.rate must be finite, was NaN")]
    environment, journal = journaled(tmp_path / "strict", SilentVenue(), answers=0)
    with pytest.raises(InvalidInput, match="must be finite"):
        environment.run(rows)
    journal.close()
