"""A whole run over the line to a venue in another process decides the same as with the venue in its own (DL-01)."""

import threading

import msgspec
import pytest
from soak_runs import document

from tradeworthy.app.runner import RunSession, journal_of, replay_run
from tradeworthy.app.venues import serve_venue
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.journal import read
from tradeworthy.trading.model import SubmitOrder


@pytest.fixture
def served(tmp_path):
    ends = []

    def serve(wanted):
        url = f"unix://{tmp_path}/venue.sock"
        server = serve_venue(wanted, url, SystemClock())
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        ends.append((server, thread))
        return msgspec.structs.replace(wanted, venue=msgspec.structs.replace(wanted.venue, connection=url))

    yield serve
    for server, thread in ends:
        server.stop()
        thread.join()


def played(wanted, root):
    return RunSession(wanted, root=root, clock=EventClock()).play()


@pytest.mark.parametrize("environment", ["paper", "backtest"])
def test_the_outcome_digest_is_the_same_in_process_and_over_the_line(tmp_path, served, environment):
    wanted = document(environment=environment, steps=1_200)
    here = played(wanted, tmp_path / "here")
    there = played(served(wanted), tmp_path / "there")
    assert any(isinstance(event.payload, SubmitOrder) for event in read(journal_of(here.folder)))
    assert (there.digest, there.inputs, there.outcomes) == (here.digest, here.inputs, here.outcomes)
    assert replay_run(there.folder).ok
