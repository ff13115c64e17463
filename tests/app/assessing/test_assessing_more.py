"""Facts of trades, streams, documents, folders and the store: what was recorded is told, each fault where it lies."""

import os
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from soak_runs import played
from test_live_assessing import Process

from tradeworthy.app import config
from tradeworthy.app.assessing.desk_probes import RunFolds, catalogue_facts, folder_probes, life_probes, policy_facts
from tradeworthy.app.assessing.live_folds import LiveFolds
from tradeworthy.app.assessing.run_probes import LifeSource, RunSource
from tradeworthy.app.runtime.facts import ErrorUnrouted, ShutdownStep
from tradeworthy.app.runtime.life import Life
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.redaction import Secret
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.dead_letters import DeadLettered
from tradeworthy.kernel.telemetry.topics import Flow
from tradeworthy.operations.assessments.collectors import folders
from tradeworthy.operations.assessments.collectors.retention import retention_facts
from tradeworthy.operations.assessments.collectors.streams import StreamsFold
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.trades import FILLS_KEPT_NS, TradesFold
from tradeworthy.operations.assessments.framework.collect import collect
from tradeworthy.operations.assessments.framework.cycle import judged
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.trading.market_data.calendar import AlwaysOpen, ForexWeek, calendar_of
from tradeworthy.trading.market_data.false_tick import TickSuspect
from tradeworthy.trading.model import Bar, ExecReport, FillBooked, Quote, SubmitOrder
from tradeworthy.trading.model.order import ApprovedIntent, ReportType

CLOCK = EventClock(1)
SECOND = NANOS_PER_SECOND
MONDAY = 1_704_067_200 * SECOND
TELL = Teller("test", MONDAY, environment="backtest")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return played(tmp_path_factory.mktemp("more"), steps=3_000, minute_seconds=60).folder


@pytest.fixture(scope="module")
def events(run):
    return list(read(RunSource(run, CLOCK).directory))


def judge(name, probes, now):
    one = registry().get(name)
    brought = collect(probes.get(name, ()), now)
    return judged(one, brought, one.policy, now, History(), environment="backtest", code_version="1")


def codes(snapshot):
    return {one.code.partition(".")[2]: one.severity for one in snapshot.findings}


def values(facts):
    return {(one.name, one.component): one.value for one in facts}


def folded(events):
    fold = TradesFold({})
    for event in events:
        fold.on_event(event)
    return fold


def test_a_whole_run_is_told_and_judged(run):
    source = RunSource(run, CLOCK)
    source.catch_up()
    probes = RunFolds(source, run).probes()
    for name in ("fill_parity", "attribution_coverage", "cache_health", "instance_policy", "strategy_catalog",
                 "telemetry_completeness"):  # fmt: skip
        assert judge(name, probes, source.now).status is Severity.OK, name
    assert codes(judge("data_feed", probes, source.now)) == {}
    assert codes(judge("portfolio_risk", probes, source.now)) == {"net_exposure": Severity.WARN}
    soak = codes(judge("paper_soak", probes, source.now))
    assert {"not_on_paper", "minutes"} <= soak.keys()
    assert not {"turnover", "drawdown", "rejects", "fills"} & soak.keys()
    assert "no_fills" not in codes(judge("post_trade", probes, source.now))


def test_a_fill_that_is_not_booked_and_one_that_nobody_reported_are_found(events):
    first = next(one for one in events if isinstance(one.payload, FillBooked))
    sound = values(folded(events).fill_facts(TELL))
    assert sound["venue_fills", ""] == sound["booked_fills", ""] > 0
    assert (sound["missing", ""], sound["phantom", ""], sound["quantity_differs", ""]) == (0, 0, 0)
    lost = values(folded([one for one in events if one is not first]).fill_facts(TELL))
    assert (lost["missing", ""], lost["phantom", ""]) == (1, 0)
    trade = first.payload.trade_id
    unheard = [one for one in events if not (isinstance(one.payload, ExecReport) and one.payload.trade_id == trade)]
    assert values(folded(unheard).fill_facts(TELL))["phantom", ""] == 1


def test_other_lots_prices_and_fees_are_told_apart(events):
    first = next(one for one in events if isinstance(one.payload, FillBooked))

    def but(**changes):
        other = msgspec.structs.replace(first, payload=msgspec.structs.replace(first.payload, **changes))
        return values(folded([other if one is first else one for one in events]).fill_facts(TELL))

    assert but(lots=first.payload.lots + 1)["quantity_differs", ""] == 1
    assert but(price=first.payload.price + 1)["price_difference_ticks", ""] == 1
    fee = first.payload.fee
    assert fee is not None
    assert but(fee=fee + Decimal("0.0099"))["fee_differs", ""] == 0
    assert but(fee=fee + Decimal("0.01"))["fee_differs", ""] == 1


def test_a_fill_that_the_venue_took_back_counts_on_neither_side(events):
    first = next(one for one in events if isinstance(one.payload, ExecReport) and one.payload.type is ReportType.FILL)
    bust = msgspec.structs.replace(first, payload=msgspec.structs.replace(first.payload, type=ReportType.BUST))
    before, after = values(folded(events).fill_facts(TELL)), values(folded([*events, bust]).fill_facts(TELL))
    assert after["venue_fills", ""] == after["booked_fills", ""] == before["venue_fills", ""] - 1
    assert (after["missing", ""], after["phantom", ""]) == (0, 0)


def test_fills_that_are_older_than_a_week_take_no_room_and_change_no_fact(events):
    fold = folded(events)
    known = len(fold._booked)
    last = next(one for one in reversed(events) if isinstance(one.payload, FillBooked))
    for after, kept in ((FILLS_KEPT_NS, known + 1), (2 * FILLS_KEPT_NS + 1, 1)):
        payload = msgspec.structs.replace(last.payload, trade_id=f"later-{after}")
        fold.on_event(msgspec.structs.replace(last, ts_init=events[0].ts_init + after, payload=payload))
        assert len(fold._booked) == kept
    assert len(fold._venue) == 0
    assert values(fold.fill_facts(TELL))["phantom", ""] == 1


def test_an_order_without_an_approved_intent_is_not_attributed(events):
    approved = next(one for one in events if isinstance(one.payload, ApprovedIntent))
    sent = sum(isinstance(one.payload, SubmitOrder) for one in events)
    assert values(folded(events).attribution_facts(TELL)) == {("orders", ""): sent, ("attributed", ""): sent}
    intent = approved.payload.intent.intent_id
    own = sum(isinstance(one.payload, SubmitOrder) and one.payload.intent_id == intent for one in events)
    found = values(folded([one for one in events if one is not approved]).attribution_facts(TELL))
    assert found["attributed", ""] == sent - own


def test_exposure_is_that_of_the_rows_and_a_position_without_a_price_is_unknown(run, events):
    fold = RunFolds(RunSource(run, CLOCK), run)
    fold.catch_up()
    found = values(fold.trades.portfolio_facts(TELL))
    row = fold.trades._minutes["quoter"]
    assert found["exposure", "quoter"] == pytest.approx(float(row.position * row.mid))
    assert found["net_exposure", ""] == pytest.approx(abs(float(row.position * row.mid)))
    fold.trades._minutes["quoter"] = msgspec.structs.replace(row, position=Decimal(5), mid=None)
    found = values(fold.trades.portfolio_facts(TELL))
    assert (found["exposure", "quoter"], found["net_exposure", ""]) == (None, None)


def feed(fold, *stamps, interval_s=0):
    for number, at in enumerate(stamps):
        ts = MONDAY + round(at * SECOND)
        if interval_s:
            payload = Bar("EURUSD.DEMO", interval_s * SECOND, 1, 1, 1, 1, 1)
        else:
            payload = Quote("EURUSD.DEMO", 1, 2, 1, 1)
        fold.on_event(event_of(payload, source="tape.a", key=number, ts_event=ts, ts_init=ts))
    return values(fold.feed_facts(TELL))


def test_a_hole_counts_within_a_session_and_beyond_the_interval_of_bars():
    assert feed(StreamsFold({"EURUSD.DEMO": AlwaysOpen()}, {}), 0, 10, 110)["longest_gap", "tape.a"] == 100
    hourly = feed(StreamsFold({"EURUSD.DEMO": AlwaysOpen()}, {}), 0, 3_600, 7_260, interval_s=3_600)
    assert (hourly["longest_gap", "tape.a"], hourly["interval", "tape.a"]) == (60, 3_600)
    weekend = feed(StreamsFold({"EURUSD.DEMO": ForexWeek()}, {}), 4 * 86_400, 7 * 86_400)
    assert weekend["longest_gap", "tape.a"] == 0


def test_suspect_prices_of_the_last_hour_are_counted_by_instrument():
    fold = StreamsFold({"EURUSD.DEMO": AlwaysOpen()}, {})
    for at in (0, 3_000, 3_700):
        ts = MONDAY + at * SECOND
        suspect = TickSuspect("EURUSD.DEMO", 9, 1, 0)
        fold.on_event(event_of(suspect, source="desk", key=at, ts_event=ts, ts_init=ts))
    assert values(fold.feed_facts(TELL))["false_ticks", "EURUSD.DEMO"] == 2


def test_a_source_that_never_spoke_is_as_old_as_the_journal_and_an_unknown_one_is_told():
    fold = StreamsFold({}, {"minute:a": 60.0})
    feed(fold, 0, 30)
    found = values(fold.completeness_facts(TELL))
    assert (found["last_heard", "minute:a"], found["undeclared", ""]) == (MONDAY, 1)


def test_a_secret_in_a_file_of_many_megabytes_is_found_and_never_shown(tmp_path):
    secret = "the-desk-key-0815-4711"
    Secret(secret)
    (tmp_path / "log.txt").write_bytes(b"x" * 6_291_400 + secret.encode() + b"y" * 100)
    assert folders.scan(tmp_path) == (6_291_400 + len(secret) + 100, 1, 0)
    probes = folder_probes("file", scan=(tmp_path, tmp_path / "gone"))
    snapshot = judge("secrets_hygiene", probes, MONDAY)
    assert codes(snapshot)["secret_found"] >= Severity.UNKNOWN
    assert {one.component: one.severity for one in snapshot.findings if one.code.endswith("secret_found")} == {
        tmp_path.name: Severity.FAIL, "gone": Severity.UNKNOWN
    }  # fmt: skip
    assert secret.encode() not in msgspec.json.encode(snapshot, enc_hook=str)


@pytest.mark.parametrize(("text", "hits"), [
    ("password=hunter2hunter2", 1), ("password=secret://desk_key", 0), ("AKIA" + "A" * 16, 1), ("a plain line", 0),
    ("-----BEGIN " + "PRIVATE KEY-----", 1), ("tokens are 5", 0),
    ('"writer_token":1,"lines":"f22c7899a49bd33a"', 0), ('{"api_key": "12345678x"}', 1), ("token=1234567", 0),
    ('"desk_secret": "[redacted]"', 0), (r'{\"api-key\": \"abcdefgh\"}', 1), ("Authorization: Bearer abcdefgh", 1),
    ("password=1234567x", 1), ("password=123456x", 0),
])  # fmt: skip
def test_what_looks_like_a_secret_is_a_hit(tmp_path, text, hits):
    (tmp_path / "a").write_text(text + "\n")
    assert folders.scan(tmp_path)[1] == hits


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)])
def test_a_key_that_others_can_read_is_counted(tmp_path, mode, count):
    (tmp_path / "desk.key").write_bytes(b"-----BEGIN " + b"PRIVATE KEY-----")
    os.chmod(tmp_path / "desk.key", mode)
    assert folders.scan(tmp_path)[1:] == (0, count)


def test_without_a_summary_nobody_knows_of_the_dry_run(tmp_path):
    probes = folder_probes("file", dry_run=tmp_path)
    assert judge("final_dry_run", probes, MONDAY).status is Severity.UNKNOWN
    (tmp_path / "summary.json").write_text("{")
    assert judge("final_dry_run", probes, MONDAY).status is Severity.UNKNOWN


def retained(days, calendar):
    found = values(retention_facts("t", "daily", len(days), days, calendar, TELL))
    return found["days", "t"], found["sessions_expected", "t"], found["sessions_present", "t"]


def test_sessions_are_those_of_the_calendar():
    year = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]
    assert retained(year, AlwaysOpen()) == (366, 366, 366)
    assert retained([year[0], year[-1]], AlwaysOpen()) == (366, 366, 2)
    assert retained(year, ForexWeek()) == (366, 262, 262)
    assert retained([], AlwaysOpen()) == (0, 0, 0)
    pytest.importorskip("exchange_calendars", reason="the data extra is not installed")
    assert retained(year[1:], calendar_of("XNYS")) == (365, 252, 252)


def test_a_life_tells_dead_letters_and_the_drain_and_not_what_waits(tmp_path):
    kept = Life(tmp_path, EventClock(10 * SECOND), run_id="r")
    kept.tell(DeadLettered("telemetry.risk.policy", "e", "s", Flow.RISK, 3, "OSError", "gone"))
    kept.tell(ShutdownStep("tasks", True, 2_100_000_000))
    kept.close()
    source = LifeSource(tmp_path, CLOCK, environment="paper")
    source.catch_up()
    found = codes(judge("runtime_lag", life_probes(source), source.now))
    assert found == {
        "critical_dead_letter": Severity.FAIL, "drain": Severity.FAIL, "backlog": Severity.UNKNOWN
    }  # fmt: skip


def test_a_life_tells_its_lines_without_a_route_and_not_the_machines_mail(tmp_path):
    kept = Life(tmp_path, EventClock(10 * SECOND), run_id="r")
    kept.tell(ErrorUnrouted("tradeworthy.x", "boom", "boom"))
    kept.tell(ErrorUnrouted("tradeworthy.telemetry.bus", "event_dead_lettered", "gone"))
    kept.close()
    source = LifeSource(tmp_path, CLOCK, environment="paper")
    assert codes(judge("unrouted_errors", source.probes(), source.now)) == {
        "error_line": Severity.FAIL, "dead_letter": Severity.FAIL, "system_mail": Severity.UNKNOWN
    }  # fmt: skip


def test_a_running_process_tells_its_lines_without_a_route_and_its_mail(tmp_path):
    process = Process(tmp_path)
    assert codes(judge("unrouted_errors", process.source.probes(), process.clock.now())) == {}
    process.source.unrouted.take("boom", process.clock.now())
    assert codes(judge("unrouted_errors", process.source.probes(), process.clock.now())) == {
        "error_line": Severity.FAIL
    }  # fmt: skip
    (tmp_path / "mail").mkdir()  # what is there and is no mailbox cannot be read
    os.utime(tmp_path / "mail", ns=(process.clock.now(),) * 2)
    assert codes(judge("unrouted_errors", process.source.probes(), process.clock.now())) == {
        "error_line": Severity.FAIL, "system_mail": Severity.UNKNOWN
    }  # fmt: skip


def document(**instance):
    one = {"id": "a", "strategy": "touch_quoter", "instrument": "EURUSD.DEMO", "role": "maker"}
    plain = {
        "schema": "desk@1", "desk": {"name": "made", "environment": "paper"},
        "tapes": [{"name": "made", "format": "demo", "instrument": "EURUSD.DEMO"}],
        "instances": [{**one, **instance}, {**one, "id": "off", "enabled": False}],
    }  # fmt: skip
    return config.parse(plain, origin="test")


def test_an_instance_in_a_mode_without_a_catalogue_is_not_known_to_be_approved():
    paper = {"mode": "paper_smoke", "duty": "paper_validation", "cap": "100"}
    found = values(catalogue_facts(document(**paper), TELL))
    assert (found["approval", "a"], found["real_notional", "a"], found["strategy_known", "a"]) == (None, "0", True)
    assert values(catalogue_facts(document(), TELL))["approval", "a"] == "not_needed"


def test_orders_of_an_instance_that_is_off_are_counted(events):
    fold = TradesFold({})
    order = next(one for one in events if isinstance(one.payload, SubmitOrder))
    fold.on_event(msgspec.structs.replace(order, payload=msgspec.structs.replace(order.payload, instance="off")))
    found = values(policy_facts(document(), fold, TELL))
    assert (found["disabled_orders", ""], found["contradictions", ""]) == (1, 0)


def test_a_running_process_tells_its_trades_and_streams_as_they_come(tmp_path, run, events):
    process = Process(tmp_path)
    source = process.source
    source.follow(LiveFolds(RunSource(run, CLOCK).document, run / "journal", process.clock))
    for event in events:
        process.clock.advance_to(event.ts_init)
        source.on_event(event, event.seq)
    probes = source.probes()
    at = process.clock.now()
    assert codes(judge("fill_parity", probes, at)) == {}
    assert codes(judge("attribution_coverage", probes, at)) == {}
    assert codes(judge("runtime_lag", probes, at)) == {}
    assert probes["fill_parity"][0].read(at)[0].provenance.value == "simulated"
    process.bus = msgspec.structs.replace(process.bus, depth=50, open_dead_letters=1)
    assert codes(judge("runtime_lag", probes, at)) == {
        "backlog": Severity.WARN, "critical_dead_letter": Severity.FAIL
    }  # fmt: skip
    process.journal.close()
    process.loop.close()
