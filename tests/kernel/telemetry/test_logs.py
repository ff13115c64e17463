"""The desk's log: one JSON object a line, without secrets, without waiting, and nothing left behind it."""

import contextlib
import io
import json
import logging
import threading
from decimal import Decimal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel import redaction
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.telemetry.log_lines import Chain, LogLine
from tradeworthy.kernel.telemetry.log_outlets import words_of
from tradeworthy.kernel.telemetry.log_policy import RESERVED, LogPolicy, with_variables
from tradeworthy.kernel.telemetry.log_queue import LogQueue
from tradeworthy.kernel.telemetry.logs import open_logs

START = 1_700_000_000 * NANOS_PER_SECOND + 123_456_789
LOG = logging.getLogger("tradeworthy.some.room")
CANARY = 'canary-9c"4b\\1e'


class Place:
    """A sink that keeps lines, refuses them while `broken`, and waits while `gate` is closed."""

    def __init__(self):
        self.lines, self.fault, self.broken, self.closed = [], None, False, False
        self.gate, self.waiting = threading.Event(), False
        self.gate.set()

    def write(self, lines):
        self.waiting = True
        assert self.gate.wait(20)
        self.fault = OSError(28, "No space left on device") if self.broken else None
        if self.broken:
            return 0
        self.lines += lines
        return len(lines)

    def close(self):
        self.closed = True


@pytest.fixture
def canary(monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    return redaction.Secret(CANARY)


def opened(policy=None, *, clock=None, **more):
    return open_logs(
        policy or LogPolicy(), run_id="run-1", environment="paper", clock=clock or EventClock(START), **more
    )


def parsed(logs):
    return [json.loads(line) for line in logs.lines()]


def test_a_line_is_one_json_object_with_every_field_on_stream_and_in_the_file(tmp_path):
    stream = io.BytesIO()
    with opened(
        folder=tmp_path, stream=stream, tier="tier_0", release="1.2.3", trace_ids=lambda: ("a" * 32, "b" * 16)
    ) as logs:
        logs.logger("tradeworthy.risk").info("order_refused", code="risk.max", observed=Decimal("1.5"), limit=3)
        LOG.warning("attempt %d failed", 2, extra={"task": "ingest"})
    shown, kept = stream.getvalue(), (tmp_path / "tradeworthy.jsonl").read_bytes()
    assert shown == kept
    first, second = map(json.loads, kept.splitlines())
    assert first == {
        "timestamp": "2023-11-14T22:13:20.123456Z", "level": "info", "event": "order_refused",
        "message": "order_refused", "logger": "tradeworthy.risk", "run_id": "run-1", "environment": "paper",
        "tier": "tier_0", "release": "1.2.3", "trace_id": "a" * 32, "span_id": "b" * 16, "correlation_id": None,
        "code": "risk.max", "observed": "1.5", "limit": 3,
    }  # fmt: skip
    assert (second["event"], second["message"], second["task"]) == ("attempt %d failed", "attempt 2 failed", "ingest")
    assert all(list(one)[: len(RESERVED)] == list(RESERVED) for one in (first, second))


def test_levels_below_the_policy_make_no_line_and_foreign_loggers_begin_at_warning():
    with opened() as logs:
        LOG.debug("quiet")
        logs.logger().debug("quiet too")
        logging.getLogger("asyncio").info("not ours")
        logging.getLogger("asyncio").error("Task exception was never retrieved")
        logging.getLogger("opentelemetry.exporter").error("endpoint is down")
        assert [(one["level"], one["event"]) for one in parsed(logs)] == [
            ("error", "Task exception was never retrieved"), ("warning", "endpoint is down"),
        ]  # fmt: skip


def test_a_bound_correlation_id_is_on_each_line_of_its_context():
    with opened() as logs:
        with structlog.contextvars.bound_contextvars(correlation_id="tape:7", instance="mm-1"):
            LOG.info("inside")
        LOG.info("outside")
        LOG.info("told", extra={"correlation_id": "venue:3"})
        inside, outside, told = parsed(logs)
    assert (inside["correlation_id"], inside["instance"]) == ("tape:7", "mm-1")
    assert outside["correlation_id"] is None
    assert "instance" not in outside
    assert told["correlation_id"] == "venue:3"


def test_an_exception_keeps_its_trace_without_secrets(canary):
    with opened() as logs:
        try:
            raise RuntimeError(f"login with {CANARY}")
        except RuntimeError:
            LOG.exception("login_failed")
            logs.logger().exception("login_failed_too")
        for line in parsed(logs):
            assert "RuntimeError: login with [redacted]" in line["exception"]


class Leaky:
    def __str__(self):
        return f"handle of {CANARY}"


class Broken:
    def __str__(self):
        raise ValueError("no text")


def leaks():
    yield "plain", f"x {CANARY} y"
    yield "bytes", b"x " + CANARY.encode()
    yield "array", bytearray(CANARY.encode())
    yield "nested", {"a": [{"b": (f"z{CANARY}",)}]}
    yield "object", Leaky()
    yield "error", ValueError(CANARY)
    yield "secret", redaction.Secret("another-secret")
    yield "struct", LogLine(20, 1, "x", CANARY, CANARY.encode())
    yield "members", {CANARY, "b"}
    yield "long", "a" * (LogPolicy().text_characters_max - 6) + CANARY + "b" * 100
    yield "key", {f"key {CANARY}": 1}
    yield "surrogate", f"\udc80 {CANARY}"
    yield "deep", [[[[[[[[[[CANARY]]]]]]]]]]


def test_the_canary_is_in_no_line_whatever_carries_it(tmp_path, canary):
    stream = io.BytesIO()
    with opened(folder=tmp_path, stream=stream, policy=LogPolicy(context={"site": f"at {CANARY}"})) as logs:
        for name, value in leaks():
            LOG.info("carried_%s", name, extra={"value": value, "password": "hunter-2-long"})
            logs.logger().info("carried", value=value, api_key="hunter-2-long")
        LOG.error(f"as the event {CANARY}")
        LOG.error("as an argument %s", CANARY)
        LOG.error("in a mapping %s", {"value": CANARY})
        count = len(logs.lines())
        kept = b"\n".join(logs.lines())
    everything = kept + b"\n" + stream.getvalue() + (tmp_path / "tradeworthy.jsonl").read_bytes()
    assert count == 2 * len(list(leaks())) + 3
    assert logs.malformed == 0
    for form in (CANARY.encode(), json.dumps(CANARY)[1:-1].encode(), CANARY[:9].encode(), b"hunter-2", b"another-s"):
        assert form not in everything
    assert all(json.loads(line) for line in everything.splitlines())


def test_a_secret_that_is_a_number_leaves_lines_that_parse(monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    redaction.register("123456")
    with opened() as logs:
        LOG.info("pin", extra={"exact": 123456, "inside": [91234567], "text": "a 123456 b", "other": 3, "yes": True})
        (line,) = parsed(logs)
    assert (line["exact"], line["inside"], line["text"]) == ("[redacted]", ["[redacted]"], "a [redacted] b")
    assert (line["other"], line["yes"]) == (3, True)
    assert line["timestamp"] == "2023-11-14T22:13:20.123456Z", "a time is no secret"


def test_a_secret_of_several_lines_is_found_though_json_writes_its_breaks(monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    key = "-----BEGIN KEY-----\nMIGkAgEBBDB\n-----END KEY-----"
    redaction.register(key)
    with opened() as logs:
        LOG.info("loaded", extra={"value": f"<{key}>"})
        assert parsed(logs)[0]["value"] == "<[redacted]>"


def test_a_text_that_was_clean_is_looked_at_again_when_a_secret_is_added(monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    with opened(LogPolicy(context={"site": "rotterdam"})) as logs:
        LOG.info("rotterdam calls")
        redaction.register("rotterdam")
        LOG.info("rotterdam calls")
        before, after = parsed(logs)
    assert (before["event"], before["site"]) == ("rotterdam calls", "rotterdam")
    assert (after["event"], after["site"]) == ("[redacted] calls", "[redacted]")


def test_what_json_cannot_write_is_told_in_words():
    with opened() as logs:
        endless = []
        endless.append(endless)
        LOG.info("odd", extra={
            "big": 1 << 80, "nan": float("nan"), "broken": Broken(), "endless": endless, "many": range(3),
            "long_list": list(range(1_500)), "enum": threading, "wide": {str(n): n for n in range(1_200)},
        })  # fmt: skip
        LOG.info("wrong %d", "words")
        odd, wrong = parsed(logs)
    assert odd["big"] == 1 << 80
    assert odd["nan"] is None
    assert odd["broken"] == "<Broken, unprintable: ValueError>"
    assert odd["long_list"][-1] == "… 500 more"
    assert odd["wide"]["…"] == "200 more"
    assert wrong["message"].startswith("wrong %d ('words',) (TypeError")
    assert logs.malformed == 0


def test_a_caller_never_overrides_a_reserved_field():
    with opened(LogPolicy(context={"desk": "one"})) as logs:
        LOG.info("x", extra={"run_id": "forged", "level": "debug", "timestamp": 0, "desk": "two"})
        logs.logger().info("y", environment="live", logger="other")
        first, second = parsed(logs)
    assert (first["run_id"], first["level"], first["field_run_id"], first["desk"]) == ("run-1", "info", "forged", "two")
    assert (second["environment"], second["field_environment"]) == ("paper", "live")
    assert (second["logger"], second["field_logger"]) == ("tradeworthy", "other")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"RUNTIME_LOG_CONTEXT": "[1]"}, "RUNTIME_LOG_CONTEXT must be a JSON object, was list; ignored"),
        ({"RUNTIME_LOG_CONTEXT": "{"}, "RUNTIME_LOG_CONTEXT must be a JSON object, was no JSON; ignored"),
        ({"RUNTIME_LOG_CONTEXT": '{"run_id":"x"}'}, "reserved field 'run_id'"),
        ({"RUNTIME_LOG_CONTEXT": '{"a":[1]}'}, "RUNTIME_LOG_CONTEXT.a must be a plain value, was list"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be one of debug, info, warning, error, critical, was 'loud'"),
        ({"RUNTIME_LOG_STRUCTURED": "maybe"}, "RUNTIME_LOG_STRUCTURED must be true or false"),
        ({"LOG_RETENTION_DAYS": "0"}, "LOG_RETENTION_DAYS must be a whole number from 1"),
        ({"LOG_RETENTION_DAYS": "-1"}, "LOG_RETENTION_DAYS must be a whole number from 1"),
    ],
)
def test_a_bad_variable_gives_one_warning_and_is_ignored(variables, expected):
    with opened(variables=variables) as logs:
        assert logs.policy == LogPolicy()
        (line,) = parsed(logs)
    assert (line["level"], line["event"]) == ("warning", "log_variable_ignored")
    assert expected in line["problem"]


def test_variables_change_level_form_context_and_place(tmp_path):
    policy, problems = with_variables(LogPolicy(), {
        "LOG_LEVEL": "ERROR", "RUNTIME_LOG_LEVEL": "warn", "RUNTIME_LOG_STRUCTURED": "off", "LOG_DIR": str(tmp_path),
        "RUNTIME_LOG_CONTEXT": '{"site":"ams","rack":3}', "LOG_RETENTION_DAYS": "3",
    })  # fmt: skip
    assert problems == ()
    assert policy == LogPolicy(
        level="warning", structured=False, directory=str(tmp_path), context={"site": "ams", "rack": 3}, retention_days=3
    )


def test_unstructured_shows_words_on_the_stream_and_json_in_the_file(tmp_path):
    stream = io.BytesIO()
    with opened(LogPolicy(structured=False), folder=tmp_path, stream=stream):
        LOG.warning("late by %s", "3 s\nmore", extra={"task": "ingest", "correlation_id": "tape:1"})
    assert stream.getvalue() == (
        b"2023-11-14T22:13:20.123456Z WARNING tradeworthy.some.room late by %s: late by 3 s\\nmore task=ingest"
        b" correlation_id=tape:1\n"
    )
    assert json.loads((tmp_path / "tradeworthy.jsonl").read_bytes())["task"] == "ingest"


def test_words_leave_out_a_message_that_says_the_event_again():
    line = Chain({}, {}, lambda: None, 100).line(20, START, "x", {"event": "e", "message": "e"})
    assert words_of(line).endswith(b"INFO x e")


@pytest.mark.parametrize(
    "bad", [{"level": "loud"}, {"retention_days": 0}, {"queue_lines": 0}, {"file_name": "a/b.jsonl"}]
)
def test_a_policy_that_cannot_work_is_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        LogPolicy(**bad)


def test_closing_gives_the_loggers_back_and_can_be_repeated():
    before = [(n, logging.getLogger(n).level, logging.getLogger(n).propagate, list(logging.getLogger(n).handlers))
              for n in LogPolicy().capture]  # fmt: skip
    threads = threading.active_count()
    for _ in range(20):
        logs = opened()
        LOG.info("x")
        logs.close()
        logs.close()
    assert before == [
        (n, logging.getLogger(n).level, logging.getLogger(n).propagate, list(logging.getLogger(n).handlers))
        for n in LogPolicy().capture
    ]
    assert threading.active_count() == threads
    assert not structlog.is_configured()


def test_only_the_last_lines_are_kept_in_memory():
    with opened(LogPolicy(kept_lines=1_000)) as logs:
        for n in range(1_005):
            LOG.info("n", extra={"n": n})
        kept = parsed(logs)
    assert [one["n"] for one in kept] == list(range(5, 1_005))


def test_a_stuck_writer_never_blocks_the_caller_and_debug_gives_way_first():
    place = Place()
    place.gate.clear()
    logs = opened(LogPolicy(level="debug", queue_lines=100), sinks={"place": place})
    LOG.debug("in hand")
    while logs.backlog or not place.waiting:
        pass
    for _ in range(60):
        LOG.debug("noise")
    for _ in range(40):
        LOG.info("said")
    assert logs.dropped == 0
    for _ in range(50):
        LOG.info("more")
    assert logs.dropped_by_cause["queue_debug"] == 50
    for _ in range(200):
        LOG.error("broken")
    LOG.info("too late")
    assert logs.dropped_by_cause["queue_debug"] == 60
    assert logs.dropped_by_cause["queue_error"] == 0
    place.gate.set()
    assert logs.flush(20)
    logs.close()
    events = [line.event for line in place.lines]
    assert events.count("broken") == 200
    assert logs.dropped + len(events) == 1 + 60 + 40 + 50 + 200 + 1
    assert place.closed


@given(st.lists(st.sampled_from((10, 20, 30, 40, 50)), max_size=60), st.integers(1, 8))
def test_a_queue_keeps_order_bound_and_every_error(levels, capacity):
    queue = LogQueue(capacity, 1_000, batch=7)
    for number, level in enumerate(levels):
        queue.put(LogLine(level, number, "", "", b""))
    queue.close()
    taken = []
    while batch := queue.take():
        taken += batch
    errors = sum(level >= 40 for level in levels)
    assert [line.at for line in taken] == sorted(line.at for line in taken)
    assert sum(line.level >= 40 for line in taken) == errors
    assert sum(queue.dropped.values()) + len(taken) == len(levels)
    assert len(taken) == min(len(levels), max(capacity, errors))
    kept = [line.level for line in taken if line.level < 40]
    gone = sorted(level for level in levels if level < 40)[: len(levels) - errors - len(kept)]
    assert sorted(kept + gone) == sorted(level for level in levels if level < 40), "the lowest levels went first"


def test_an_error_is_written_at_once_and_other_lines_wait_for_company():
    place = Place()
    with opened(LogPolicy(linger_s=60.0), sinks={"place": place}) as logs:
        LOG.info("waits")
        assert place.lines == []
        LOG.error("hurries")
        while len(place.lines) < 2:
            pass
        assert [line.event for line in place.lines] == ["waits", "hurries"]
        LOG.info("waits again")
        assert logs.flush(20), "a flush waits for nothing"
    assert len(place.lines) == 3


def test_errors_past_their_reserve_are_counted_as_lost():
    queue = LogQueue(2, 3)
    assert [queue.put(LogLine(40, n, "", "", b"")) for n in range(4)] == [True, True, True, False]
    assert queue.errors_lost == 1


def test_a_full_disk_leaves_the_caller_alone_and_the_counter_grows(tmp_path):
    (tmp_path / "tradeworthy.jsonl").symlink_to("/dev/full")
    stream = io.BytesIO()
    with opened(folder=tmp_path, stream=stream) as logs:
        for _ in range(10):
            LOG.info("said")
        assert logs.flush(20)
        first = logs.dropped_by_cause["file"]
        LOG.info("again")
        assert logs.flush(20)
        assert first >= 10
        assert logs.dropped_by_cause["file"] > first
        assert logs.dropped_by_cause["stream"] == 0
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events.count("said") == 10
    assert events.count("log_outlet_failed") == 1


def test_errors_wait_for_the_disk_and_arrive_when_it_takes_lines_again():
    place = Place()
    place.broken = True
    with opened(sinks={"place": place}) as logs:
        LOG.info("lost")
        LOG.error("waits")
        assert logs.flush(20)
        LOG.error("waits too")
        assert logs.flush(20)
        assert place.lines == []
        place.broken = False
        LOG.info("works")
        assert logs.flush(20)
    assert [line.event for line in place.lines if line.logger == LOG.name] == ["waits", "waits too", "works"]
    assert "log_outlet_recovered" in [line.event for line in place.lines]
    assert logs.dropped_by_cause["place"] == 2, "the INFO line and the notice of the failure"


def test_errors_that_never_found_a_place_are_counted_at_the_end():
    place = Place()
    place.broken = True
    logs = opened(sinks={"place": place})
    LOG.error("lost in the end")
    logs.close()
    assert logs.dropped_by_cause["place"] == 2


def test_a_sink_that_raises_harms_itself_alone():
    class Raises(Place):
        def write(self, lines):
            raise RuntimeError("a sink's own fault")

        def close(self):
            raise RuntimeError("again")

    place = Place()
    with opened(sinks={"raises": Raises(), "place": place}) as logs:
        LOG.info("one")
        assert logs.flush(20)
        LOG.error("two")
        assert logs.flush(20)
    assert [line.event for line in place.lines] == ["one", "log_outlet_failed", "two"]
    assert json.loads(place.lines[1].data)["error"] == "RuntimeError: a sink's own fault"
    assert logs.dropped_by_cause["raises"] == 3
    assert place.closed


def test_a_closed_stream_is_an_outlet_that_fails():
    stream = io.BytesIO()
    stream.close()
    with opened(stream=stream) as logs:
        LOG.info("x")
        assert logs.flush(20)
        assert logs.dropped_by_cause["stream"] >= 1


def test_an_error_without_a_route_is_handed_on_once_in_a_while(canary):
    clock, opened_for = EventClock(START), []
    with opened(clock=clock, on_unrouted=opened_for.append, routed=lambda line: line.event == "routed") as logs:
        LOG.warning("not an error")
        LOG.error("routed")
        LOG.error("unrouted", extra={"value": CANARY})
        LOG.error("unrouted")
        clock.advance_to(START + 60 * NANOS_PER_SECOND - 1)
        LOG.error("unrouted")
        assert logs.flush(20)
        assert [line.event for line in opened_for] == ["unrouted"]
        clock.advance_to(START + 60 * NANOS_PER_SECOND)
        LOG.critical("unrouted")
        assert logs.flush(20)
    assert [(line.event, line.level) for line in opened_for] == [("unrouted", 40), ("unrouted", 50)]
    assert CANARY.encode() not in opened_for[0].data


def test_opening_an_incident_that_logs_an_error_opens_no_other():
    def open_incident(line):
        LOG.error("while opening")
        raise RuntimeError("nobody there")

    with opened(on_unrouted=open_incident) as logs:
        LOG.error("unrouted")
        assert logs.flush(20)
        assert logs.unanswered == 1
        assert [one["event"] for one in parsed(logs)] == ["unrouted", "while opening", "log_incident_failed"]


def test_a_chain_that_fails_costs_the_caller_nothing():
    def no_ids():
        raise RuntimeError("no tracer")

    with opened(trace_ids=no_ids) as logs:
        LOG.info("x")
        (line,) = parsed(logs)
    assert logs.malformed == 1
    assert line["event"] == "log_line_malformed"


def test_many_threads_log_whole_lines_in_the_order_of_each(tmp_path):
    with opened(folder=tmp_path) as logs:
        def talk(who):
            for n in range(200):
                LOG.info("said", extra={"who": who, "n": n})

        threads = [threading.Thread(target=talk, args=(who,)) for who in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert logs.flush(20)
    said = [json.loads(line) for line in (tmp_path / "tradeworthy.jsonl").read_bytes().splitlines()]
    assert all([one["n"] for one in said if one["who"] == who] == list(range(200)) for who in range(4))


def test_nine_simulated_days_leave_seven_files_and_the_current_one(tmp_path):
    clock = EventClock(START)
    with opened(clock=clock, folder=tmp_path) as logs:
        for day in range(9):
            clock.advance_to(START + day * NANOS_PER_DAY)
            LOG.info("day", extra={"day": day})
        assert logs.flush(20)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted([*(f"tradeworthy.2023-11-{day}.jsonl" for day in range(15, 22)), "tradeworthy.jsonl"])
    days = {name: json.loads((tmp_path / name).read_bytes())["day"] for name in names}
    assert days["tradeworthy.2023-11-15.jsonl"] == 1
    assert days["tradeworthy.jsonl"] == 8


@contextlib.contextmanager
def _logged_to(folder, ts, **more):
    with opened(clock=EventClock(ts), folder=folder, **more) as logs:
        yield logs


def test_a_day_ends_at_midnight_utc_to_the_nanosecond(tmp_path):
    midnight = (START // NANOS_PER_DAY + 1) * NANOS_PER_DAY
    clock = EventClock(midnight - 1)
    with opened(clock=clock, folder=tmp_path):
        LOG.info("before")
        clock.advance_to(midnight)
        LOG.info("after")
    assert json.loads((tmp_path / "tradeworthy.2023-11-14.jsonl").read_bytes())["event"] == "before"
    assert json.loads((tmp_path / "tradeworthy.jsonl").read_bytes())["event"] == "after"


def test_a_file_that_a_live_bundle_cites_is_never_deleted(tmp_path):
    def cited(path):
        if path.name.endswith("15.jsonl"):
            raise OSError("the register cannot be read")
        return path.name.endswith("14.jsonl")

    for day in range(5):
        with _logged_to(tmp_path, START + day * NANOS_PER_DAY, policy=LogPolicy(retention_days=1), cited=cited):
            LOG.info("day")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "tradeworthy.2023-11-14.jsonl", "tradeworthy.2023-11-15.jsonl", "tradeworthy.2023-11-17.jsonl",
        "tradeworthy.jsonl",
    ]  # fmt: skip


def test_a_restart_goes_on_in_the_days_file_and_mends_a_torn_end(tmp_path):
    with _logged_to(tmp_path, START):
        LOG.info("first")
    path = tmp_path / "tradeworthy.jsonl"
    path.write_bytes(path.read_bytes() + b'{"timestamp":"2023-11-14T22:13:2')
    with _logged_to(tmp_path, START + 1):
        LOG.info("second")
    lines = path.read_bytes().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2])["event"] == "second"
    with _logged_to(tmp_path, START + NANOS_PER_DAY):
        LOG.info("third")
    assert json.loads(path.read_bytes())["event"] == "third"
    with _logged_to(tmp_path, START):
        LOG.info("a clock that went back")
    assert [json.loads(line)["event"] for line in path.read_bytes().splitlines()] == ["third", "a clock that went back"]


def test_a_day_that_was_rotated_already_gets_a_number(tmp_path):
    (tmp_path / "tradeworthy.2023-11-14.jsonl").write_bytes(b"{}\n")
    with _logged_to(tmp_path, START):
        LOG.info("first")
    with _logged_to(tmp_path, START + NANOS_PER_DAY):
        LOG.info("next")
    assert (tmp_path / "tradeworthy.2023-11-14.2.jsonl").exists()
