"""What may travel: canonical, finite, bounded, without secrets, and no fact that the journal has not accepted."""

from decimal import Decimal

import msgspec
import pytest

from tradeworthy.kernel import redaction
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.telemetry import DeadLettered, Flow, UnknownTopic, message_of
from tradeworthy.kernel.telemetry.message import PAYLOAD_BYTES_MAX, line_of, read_line

TOPIC = "telemetry.runtime.tasks"
CANARY = "canary-secret-4711"


@pytest.fixture
def canary(monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    redaction.register(CANARY)
    return CANARY


def made(payload, topic=TOPIC, **given):
    return message_of(topic, payload, **{"event_id": "test:1", "source": "test", "ts": 7, **given})


def test_a_payload_is_canonical_json_with_exact_decimals():
    assert bytes(made({"b": Decimal("1.10"), "a": None}).payload) == b'{"a":null,"b":"1.10"}'


def test_a_message_survives_its_line():
    message = made({"n": 1, "deep": [{"x": 1.5}]})
    line = line_of(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read_line(line) == message
    assert read_line(line).read(dict) == {"n": 1, "deep": [{"x": 1.5}]}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), {"x": [float("-inf")]}, {"x": Decimal("NaN")}])
def test_a_number_that_is_none_does_not_travel(bad):
    with pytest.raises(InvalidInput):
        made(bad)


def test_what_json_cannot_say_does_not_travel():
    with pytest.raises(InvalidInput, match="JSON"):
        made({"x": object()})


def test_a_payload_may_have_its_bound_and_no_byte_more():
    assert len(made("x" * (PAYLOAD_BYTES_MAX - 2)).payload) == PAYLOAD_BYTES_MAX
    with pytest.raises(InvalidInput, match="bytes"):
        made("x" * (PAYLOAD_BYTES_MAX - 1))


@pytest.mark.parametrize("given", [{"event_id": ""}, {"source": ""}])
def test_a_message_without_id_or_source_is_refused(given):
    with pytest.raises(InvalidInput, match="must not be empty"):
        made({}, **given)


def test_an_unknown_topic_is_refused_at_the_door_and_in_a_line():
    with pytest.raises(UnknownTopic):
        made({}, topic="telemetry.nobody.knows")
    with pytest.raises(UnknownTopic):
        read_line(line_of(made({})).replace(b"runtime.tasks", b"runtime.tasky"))


@pytest.mark.parametrize("line", [b"", b"\n", b"{}\n", b"[1]\n", b'{"event_id":"a"}\n', b"\xff\xfe\n", b'{"event_id":'])
def test_a_line_that_is_no_message_is_refused(line):
    with pytest.raises(InvalidInput):
        read_line(line)


def test_a_fact_travels_only_as_the_event_that_the_journal_accepted():
    fact = DeadLettered(TOPIC, "a:1", "someone", Flow.RISK, 3, "KeyError", "x")
    event = event_of(fact, source="bus", key=1, ts_event=7, ts_init=7)
    for early in (fact, event):
        with pytest.raises(InvalidInput, match="journal accepted"):
            made(early)
    assert made(msgspec.structs.replace(event, seq=1)).read(dict)["seq"] == 1


def test_a_secret_is_in_neither_the_message_nor_the_line(canary):
    message = made({"note": f"used {canary} here", "password": "hunter2hunter2", "token": 123_456_789})
    for data in (bytes(message.payload), line_of(message)):
        assert canary.encode() not in data
        assert b"hunter2" not in data
        assert b"123456789" not in data
    assert message.read(dict)["token"] == redaction.REDACTED


def test_a_secret_that_became_known_later_does_not_reach_the_line(monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    message = made({"note": f'quoted "{CANARY}" ünïcode'})
    redaction.register(CANARY)
    assert CANARY.encode() not in line_of(message)
    assert read_line(line_of(message)).read(dict)["note"] == f'quoted "{redaction.REDACTED}" ünïcode'
