"""State of periodic workloads: a store that is down is logged and tried again, and costs nothing else (APP-13)."""

import asyncio
import logging
import sqlite3
from random import Random

import pytest

from tradeworthy.adapters.workload_state_sqlite import StateRow, WorkloadStateFile
from tradeworthy.app.runtime.state_writes import StateWritePolicy, StateWrites

POLICY = StateWritePolicy(attempts=3, backoff_base_s=0.01, backoff_cap_s=0.02, pending_max=4)


def row(number, key=None):
    return StateRow("reflection", key or f"k{number}", number, "{}")


class Store:
    """A store that is down for so many writes."""

    def __init__(self, down=0, error=None):
        self.down, self.rows, self.tries = down, [], 0
        self.error = error or sqlite3.OperationalError("disk I/O error")

    def put(self, rows):
        self.tries += 1
        if self.tries <= self.down:
            raise self.error
        self.rows += rows


def run(main):
    return asyncio.run(main)


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), PermissionError("no")])
def test_a_store_that_is_down_is_logged_and_tried_again(caplog, error):
    store, told = Store(down=2, error=error), []
    writes = StateWrites(store.put, Random(1), told.append, policy=POLICY)
    with caplog.at_level(logging.WARNING):
        assert run(writes.write(row(1)))
    assert (store.rows, store.tries, told, writes.pending) == ([row(1)], 3, [], 0)
    assert [one.attempt for one in caplog.records if one.message == "state_write_failed"] == [1, 2]


def test_what_was_not_written_waits_for_the_next_write_and_is_journaled(caplog):
    store, told = Store(down=3), []
    writes = StateWrites(store.put, Random(1), told.append, policy=POLICY)
    assert run(writes.write(row(1))) is False
    (one,) = told
    assert (one.workload, one.attempts, one.pending) == ("reflection", 3, 1)
    assert "disk I/O error" in one.problem
    assert run(writes.write(row(2)))
    assert store.rows == [row(1), row(2)]


def test_what_waits_is_bounded_and_the_oldest_gives_way(caplog):
    writes = StateWrites(Store(down=1_000).put, Random(1), policy=POLICY)
    for number in range(6):
        run(writes.write(row(number)))
    assert writes.pending == 4


def test_a_fault_of_the_program_is_no_store_that_is_down():
    writes = StateWrites(Store(down=1, error=TypeError("bug")).put, Random(1), policy=POLICY)
    with pytest.raises(TypeError):
        run(writes.write(row(1)))


def test_a_row_put_twice_is_one_and_the_newer_stays(tmp_path):
    store = WorkloadStateFile(tmp_path / "deep" / "s.sqlite")
    assert store.rows("reflection") == ()
    store.put([row(2, "k"), row(1, "k"), row(3, "other")])
    store.put([row(2, "k")])
    assert store.rows("reflection") == (row(2, "k"), row(3, "other"))
    assert store.rows("drift_monitor") == ()


def test_a_folder_in_place_of_the_file_is_a_store_that_is_down(tmp_path):
    (tmp_path / "s.sqlite").mkdir()
    with pytest.raises(sqlite3.Error):
        WorkloadStateFile(tmp_path / "s.sqlite").put([row(1)])
