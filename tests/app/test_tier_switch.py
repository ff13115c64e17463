"""Books that change their store while the desk runs, and go back: nothing lost, nothing twice (MOD-03)."""


import pytest
from postgres_server import serving
from soak_runs import document

from tradeworthy.adapters.postgres_store import SCHEMA, PostgresStore
from tradeworthy.app.runs.folder import journal_of, state_of
from tradeworthy.app.runs.open_run import Company
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.app.tier_switch import SWITCHES, counts_of, in_force, open_store, switch, tier_of
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.journal import read
from tradeworthy.trading.ledger.projection import TABLES, project

CLOCK = EventClock(5)


@pytest.fixture(scope="module")
def server():
    with serving() as url:
        yield url


@pytest.fixture
def service(server):
    with PostgresStore(server) as one:
        one._db.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    return server


class Running:
    """A paper desk that is played piece by piece."""

    def __init__(self, root):
        session = RunSession(document(environment="paper", steps=4_000), root=root, clock=EventClock())
        self.run = session.open(Company())
        self.folder, self.state = session.folder, state_of(root, "made")
        self.steps = self.run.steps()

    def play(self, inputs):
        until = self.run.environment.inputs + inputs
        while self.run.environment.inputs < until and next(self.steps, None) is not None:
            pass
        self.run.journal.commit()

    def end(self):
        for _ in self.steps:
            pass
        self.run.end()
        self.run.close()


@pytest.fixture
def desk(tmp_path):
    one = Running(tmp_path)
    yield one
    one.run.close()


def rows_of(url):
    with open_store(url) as store:
        return {table: store.rows(table) for table in TABLES}


def folded(folder, path):
    """Return the rows of a fresh fold of the whole journal: what must be there, no more and no less."""
    with open_store(f"sqlite:{path}") as store:
        project(read(journal_of(folder)), store, variant="paper")
        return counts_of(store), {table: store.rows(table) for table in TABLES}


def test_a_switch_in_mid_run_and_the_way_back_lose_and_double_nothing(tmp_path, desk, service):
    embedded = f"sqlite:{tmp_path}/books.db"
    desk.play(600)
    up = switch(desk.folder, desk.state, embedded, service, clock=CLOCK)
    assert (up.before, up.after, up.rollback) == ("tier_0", "tier_1", False)
    assert rows_of(embedded) == rows_of(service)
    assert up.rows["fills"] > 0
    assert in_force(desk.state).tier == "tier_1"
    desk.play(900)
    with open_store(service) as store:  # the books go on in the service while the embedded ones stand still
        project(read(journal_of(desk.folder)), store, variant="paper")
        ahead = counts_of(store)
    down = switch(desk.folder, desk.state, service, embedded, clock=CLOCK)
    assert (down.after, down.rollback) == ("tier_0", True)
    assert down.rows == ahead
    assert down.rows["fills"] > up.rows["fills"]
    assert rows_of(embedded) == rows_of(service)
    desk.end()
    again = switch(desk.folder, desk.state, embedded, service, clock=CLOCK)
    counts, rows = folded(desk.folder, tmp_path / "fresh.db")
    assert again.rows == counts
    assert rows_of(service) == rows == rows_of(embedded)
    kept = [event.payload for event in read(desk.state / SWITCHES)]
    assert [one.after for one in kept] == ["tier_1", "tier_0", "tier_1"]
    assert [one.seq for one in kept] == sorted(one.seq for one in kept)


def test_a_store_that_lost_a_row_is_not_put_in_force(tmp_path, desk, service):
    embedded = f"sqlite:{tmp_path}/books.db"
    desk.play(600)
    switch(desk.folder, desk.state, embedded, service, clock=CLOCK)
    with PostgresStore(service) as store:
        store._db.execute(f"DELETE FROM {SCHEMA}.fills WHERE ctid = (SELECT min(ctid) FROM {SCHEMA}.fills)")
    with pytest.raises(ConfigurationRefused, match=r"expected equal rows at seq \d+, found fills \d+ and \d+"):
        switch(desk.folder, desk.state, embedded, service, clock=CLOCK)
    assert len(list(read(desk.state / SWITCHES))) == 1


def test_up_needs_the_gate_and_down_needs_none(tmp_path, desk, service, capsys):
    embedded = f"sqlite:{tmp_path}/books.db"
    desk.play(300)
    words = ["tier", "switch", str(desk.folder)]
    assert call([*words, "--source", embedded, "--target", service]) == 2
    assert "expected GO of the gate" in " ".join(capsys.readouterr().err.split())
    assert in_force(desk.state) is None
    assert call([*words, "--source", service, "--target", embedded]) == 0
    assert call(["tier", "show", "made", "--runs", str(tmp_path)]) == 0
    assert "tier_0" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["mysql://x/y", "books.db", ""])
def test_what_is_no_store_is_usage(url):
    with pytest.raises(UsageError, match="expected sqlite:PATH or postgresql"):
        tier_of(url)


def test_embedded_to_embedded_is_the_same_way(tmp_path, desk):
    desk.play(300)
    one, two = (f"sqlite:{tmp_path}/{name}.db" for name in "ab")
    assert switch(desk.folder, desk.state, one, two, clock=CLOCK).rows
    assert rows_of(one) == rows_of(two)
