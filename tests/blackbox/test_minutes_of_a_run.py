"""A paper run tells its minutes; what was told is replayed, and market data is watched where the document says so."""

import pytest
from desk_process import command, document, events_of, folder_of, kinds_of

from tradeworthy.app.runs.runner import replay_run
from tradeworthy.trading.ledger.snapshot import AccountingSnapshot
from tradeworthy.trading.minute import DeskMinute

MINUTE_NS = 60 * 10**9
WATCHED = """
[market_data.false_tick]
[market_data.quarantine]
[market_data.clocks."tape.eurusd_quotes"]
[market_data.cadences]
"tape.eurusd_quotes" = "daily"
[unwind]
reducing = "off"
[drawdown_tiers]
[execution]
cancels_minute = 20
[allocation]
"""


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    place = tmp_path_factory.mktemp("paper")
    config = document(place, kind="paper", rows=300, desk="minute_seconds = 60", rest=WATCHED)
    done = command("run", config, "--runs", place / "runs")
    return folder_of(done)


def test_every_minute_has_a_row_and_the_books(paper):
    events = events_of(paper)
    rows = [one.payload for one in events if type(one.payload) is DeskMinute]
    assert len(rows) > 5
    assert {one.ts % MINUTE_NS for one in rows} == {0}
    fills = kinds_of(paper).count("ledger.fill_booked")
    assert sum(type(one.payload) is AccountingSnapshot for one in events) == len(rows) + fills
    assert fills > 0


def test_a_watched_run_judges_its_feed_and_replays_equal(paper):
    assert {"feed.clock", "telemetry.data_feed.health"} <= set(kinds_of(paper))
    result = replay_run(paper)
    assert result.ok, result.first


@pytest.mark.parametrize(
    ("key", "text"),
    [("market_data.judge", "market_data"), ("drawdown_tiers.edgy", "drawdown_tiers"), ("unwind.reducing", "unwind"),
     ("execution.cancels", "execution"), ("allocation.share", "allocation")],
)  # fmt: skip
def test_an_unknown_key_or_value_of_a_policy_is_refused_by_its_section(tmp_path, key, text):
    done = command("backtest", "run", document(tmp_path, kind="backtest", rows=10), "--runs", tmp_path,
                   "--set", f"{key}=sideways")  # fmt: skip
    assert done.returncode in (2, 3)
    assert text in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_source_that_no_tape_feeds_is_refused(tmp_path):
    rest = '[market_data.cadences]\n"tape.nobody" = "daily"\n'
    done = command("backtest", "run", document(tmp_path, kind="backtest", rows=10, rest=rest), "--runs", tmp_path)
    assert done.returncode in (2, 3)
    assert "tape.nobody" in done.stdout + done.stderr
