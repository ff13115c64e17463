"""A projection that is killed between its effect and its commit repeats the effect and counts nothing twice."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from tradeworthy.kernel.journal import Cursor

PROJECTION = """
import os, signal, sqlite3, sys
from pathlib import Path
import tradeworthy.trading.model
from tradeworthy.kernel.journal import Cursor, tail
place, die_at = Path(sys.argv[1]), int(sys.argv[2])
rows = sqlite3.connect(place / "rows.db")
rows.execute("create table if not exists quote (event_id text primary key, lots integer)")
cursor = Cursor(place, "rows")
for event in tail(place, cursor):
    with rows:
        rows.execute("insert or replace into quote values (?, ?)", (event.event_id, event.payload.bid_lots))
    if event.seq == die_at:
        os.kill(os.getpid(), signal.SIGKILL)
    cursor.commit(event.seq)
"""


def _project(place, die_at):
    command = [sys.executable, "-c", PROJECTION, str(place), str(die_at)]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": "src"}, check=False).returncode


def _rows(place):
    return sqlite3.connect(place / "rows.db").execute("select count(*), sum(lots) from quote").fetchone()


@pytest.mark.parametrize("kills", [(1,), (50, 51, 52), (100,)])
def test_rows_are_right_after_kills_between_effect_and_commit(filled, kills):
    place = filled(100, 7)
    for at in kills:
        assert _project(place, at) == -signal.SIGKILL
        assert _rows(place)[0] == at
        assert Cursor(place, "rows").seq == at - 1
    assert _project(place, 0) == 0
    assert _rows(place) == (100, 5_050)
    assert Cursor(place, "rows").seq == 100


def test_each_consumer_starts_at_the_first_event_and_keeps_its_own_place(filled):
    place = filled(20, 5)
    Cursor(place, "one").commit(12)
    assert Cursor(place, "two").seq == 0
    with pytest.raises(ValueError, match="never goes back"):
        Cursor(place, "one").commit(11)
