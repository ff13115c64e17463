"""Ingest beside a desk: the workload, its skips, the service that is not there, and an end in the middle of a cycle."""

import asyncio
import socket
import threading
from pathlib import Path

import msgspec
import pytest
from held_market import Feed, HeldMarket, quotes
from ingesting_scene import BARS, EURUSD, csv_source, demo_source, document, process, run, told

from tradeworthy.app.runtime.facts import BackboneDegraded
from tradeworthy.app.runtime.feeding import newest_of
from tradeworthy.app.runtime.ingesting import EmbeddedIngest, Ingest, TapeFeed, ingest_of, service_fault, shown
from tradeworthy.app.runtime.workload import KINDS
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.ingest.policy import IngestPolicy, IngestSource

pytest.importorskip("duckdb", reason="the data extra is not installed")
pytest.importorskip("polars", reason="the data extra is not installed")


def test_a_desk_takes_data_in_while_it_trades_and_both_end(tmp_path):
    one = process(tmp_path, document(sources=[csv_source(tmp_path)]))
    ended = run(one)
    assert (ended.reason, ended.exit_code) == ("completed", 0)
    (cycle,) = told(one, "ingest.cycle")
    assert (cycle.inserted, cycle.severity) == (BARS, Severity.OK)
    started = [fact.name for fact in told(one, "runtime.workload_started")]
    assert started[:2] == ["embedded_ingest", "trading_loop"]
    assert one.ingesting.last_at is not None
    again = process(tmp_path, document(sources=[csv_source(tmp_path)]))
    run(again)
    assert [fact.inserted for fact in told(again, "ingest.cycle")] == [0]


def test_ingest_that_crashes_is_started_again_and_trading_does_not_notice(tmp_path):
    from tradeworthy.app.runtime.faults import parsed_fault

    made = document(sources=[csv_source(tmp_path)])
    one = process(tmp_path, made, faults=(parsed_fault("embedded_ingest:crash"),), environ={
        "RUNTIME_EMBEDDED_INGEST_RESTART_BACKOFF_SECONDS": "0.01",
    })  # fmt: skip
    run(one)
    ends = {fact.name: fact for fact in told(one, "runtime.workload_ended")}
    assert ends["embedded_ingest"].restarts >= 1
    assert (ends["trading_loop"].state, ends["trading_loop"].restarts) == ("finished", 0)


def test_the_workload_is_important_with_the_back_off_and_silence_of_its_table(tmp_path):
    one = process(tmp_path, document(sources=[demo_source()]), declared_in=tmp_path / "declared")
    (workload,) = one.ingesting.workloads()
    policy = one.application.services.policy_of("embedded_ingest")
    assert (policy.backoff_base_s, policy.hang_timeout_s) == (2.0, 600.0)
    assert workload.criticality.value == "important"
    assert KINDS["data_backbone"].backoff_base_s == 5.0
    one.discard()


def test_skipped_ingest_is_a_placeholder_and_counts_as_no_running_data(tmp_path):
    one = process(tmp_path, document(sources=[demo_source()]), skip_ingest=True)
    assert one.application.services.skipped["skip-ingest"] == "--skip-ingest"
    assert run(one).exit_code == 0
    assert told(one, "ingest.cycle") == []
    seen = one.board.facts().market_data
    assert seen is None or not seen.ingest_expected
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("skip", "expected"), [(True, False), (False, True)])
def test_the_board_expects_ingest_unless_it_was_left_out(tmp_path, skip, expected):
    one = process(tmp_path, document(rows=4_000), skip_ingest=skip)
    run(one, timeout=1.5)
    assert one.board.facts().market_data.ingest_expected is expected


def test_a_desk_without_sources_says_that_its_tapes_are_the_feed(tmp_path):
    one = process(tmp_path, document(), declared_in=tmp_path / "declared")
    assert "tapes are the feed" in one.application.services.skipped["skip-ingest"]
    assert one.ingesting.workloads() == []
    one.discard()


@pytest.mark.parametrize(
    ("tape", "cycle", "newest"), [(None, None, None), (5, None, 5), (None, 7, 7), (5, 7, 7), (9, 7, 9)]
)
def test_data_came_in_when_a_tape_or_a_cycle_last_brought_some(tape, cycle, newest):
    assert newest_of(tape, cycle) == newest


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://db.example.org/market", "no adapter"), ("postgres://db:5432/market", "no adapter"),
        ("postgresql://db.example.org", "another form"), ("mysql://db/market", "another form"),
        ("postgresql://db:notaport/market", "another form"), ("postgresql://[::1/market", "another form"),
        ("nonsense", "another form"),
    ],
)  # fmt: skip
def test_a_service_that_cannot_be_used_says_why(url, why):
    assert why in service_fault(url)


def test_where_no_service_is_wanted_nothing_is_degraded(tmp_path):
    assert service_fault("") is None
    assert ingest_of(document(), store=tmp_path, environ={}).degraded is None


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://ann:canary-77@db.eu.example.org:5432/market?x=canary-77", "postgresql://example.org/market"),
        ("postgresql://db/market", "postgresql://db/market"), ("canary-77", "no address of a service"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_what_opens_it(url, seen):
    assert shown(url) == seen


def test_an_unusable_service_is_told_once_embedded_ingest_stands_in_and_nobody_is_called(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    calls = []
    threading.Thread(target=lambda: calls.append(listener.accept()), daemon=True).start()
    url = f"postgresql://ann:canary-77aa@127.0.0.1:{listener.getsockname()[1]}/market"
    made = document(sources=[csv_source(tmp_path)], runtime={"backbone": {"url": url}})
    one = process(tmp_path, made)
    assert run(one).exit_code == 0
    (degraded,) = told(one, "runtime.backbone_degraded")
    assert degraded == BackboneDegraded(
        "postgresql://0.1/market", str(tmp_path / "data" / "tier0.duckdb"),
        "this release has no adapter for postgresql",
    )  # fmt: skip
    assert [fact.inserted for fact in told(one, "ingest.cycle")] == [BARS]
    skipped = {fact.name: fact.reason for fact in told(one, "runtime.workload_skipped")}
    assert skipped["data_backbone"] == "this release has no adapter for postgresql"
    assert "data_backbone" not in [fact.name for fact in told(one, "runtime.workload_started")]
    assert calls == []
    assert b"canary-77aa" not in b"".join(path.read_bytes() for path in one.life.directory.glob("*"))
    listener.close()


def test_a_service_that_is_left_out_with_ingest_is_not_told(tmp_path):
    made = document(sources=[demo_source()], runtime={"backbone": {"url": "nonsense"}})
    one = process(tmp_path, made, skip_ingest=True)
    run(one)
    assert told(one, "runtime.backbone_degraded") == []


def test_only_the_wanted_instruments_are_taken_in(tmp_path):
    btc = {"name": "btc", "format": "csv_bars", "instrument": "BTCUSDT.BINANCE_SPOT", "path": "x.csv"}
    made = document(sources=[demo_source(), btc])
    found = ingest_of(made, store=tmp_path, environ={}, symbols=("eurusd",))
    assert [feed.name for feed in found.feeds] == ["eurusd_hourly"]
    assert len(ingest_of(made, store=tmp_path, environ={}).feeds) == 2
    assert ingest_of(made, store=tmp_path, environ={}, symbols=("XAUUSD",)).feeds == ()


@pytest.mark.parametrize(
    ("odd", "told_of"),
    [
        ({"format": "journal"}, "format"), ({"format": "synthetic"}, "format"), ({"instrument": "X.Y"}, "instrument"),
        ({"path": "$TRADEWORTHY_DATA/x"}, "market data"),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_read_is_a_usage_error_before_anything_is_written(tmp_path, odd, told_of):
    made = document(sources=[{**demo_source(), **odd}])
    with pytest.raises(UsageError, match=told_of):
        process(tmp_path, made, environ={"TRADEWORTHY_DATA": str(tmp_path / "none")})
    assert not (tmp_path / "runs").exists()


def test_a_feed_read_another_way_has_another_digest(tmp_path):
    (tmp_path / "x.csv").write_text("")

    def digest(**odd):
        usual = {"name": "a", "format": "csv_bars", "instrument": EURUSD, "path": str(tmp_path / "x.csv"),
                 "interval_seconds": 60}  # fmt: skip
        return TapeFeed(msgspec.convert(usual | odd, IngestSource), {}).digest()

    first = digest()
    assert digest(interval_seconds=300) != first
    assert digest(instrument="BTCUSDT.BINANCE_SPOT") != first
    assert digest(name="b") == first
    (tmp_path / "x.csv").write_text("1")
    assert digest() != first


def work(feeds, store, **policy):
    far = 10.0**9  # the rows of the scene are dated later than this machine's clock
    ingest = Ingest(IngestPolicy(future_seconds=far, **policy), tuple(feeds), Path("/nowhere/x.duckdb"))
    facts = []
    made = EmbeddedIngest(ingest, SystemClock(), run_id="r", tell=facts.append, open_store=lambda path: store)
    return made, facts


def test_one_cycle_is_told_and_the_store_is_let_go(tmp_path):
    store = HeldMarket()
    made, facts = work([Feed("a", quotes(3))], store, interval_seconds=0)
    asyncio.run(made.work(Pulse(EventClock(0), False)))
    assert [(fact.number, fact.inserted) for fact in facts] == [(1, 3)]
    assert made.last is facts[0]
    assert store.closed


def test_a_workload_with_an_interval_beats_and_waits_for_the_next_cycle():
    made, facts = work([Feed("a", quotes(3))], HeldMarket(), interval_seconds=600)
    pulse = Pulse(SystemClock(), False)

    async def look():
        task = asyncio.ensure_future(made.work(pulse))
        while not facts:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)
        assert not task.done()
        assert pulse.beats >= 2
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(look())
    assert len(facts) == 1


def test_a_process_that_ends_in_the_middle_of_a_cycle_is_not_held_up():
    reading = threading.Event()

    class Endless(Feed):
        def rows(self, on_bad):
            while True:
                reading.set()
                yield quotes(1)[0]

    store = HeldMarket()
    made, facts = work([Endless("a", [])], store, interval_seconds=0)

    async def cut():
        task = asyncio.ensure_future(made.work(Pulse(SystemClock(), False)))
        while not reading.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cut())  # returns when the thread has ended
    assert (facts, store.count("quote"), store.closed) == ([], 0, True)
