"""Old majors stay readable while the stored bytes stay as they are."""

import pytest

from tradeworthy.kernel import facts
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import Fact, event_of, fact
from tradeworthy.kernel.journal import Journal, codec, decode_event, read, read_raw, upcast
from tradeworthy.kernel.journal.integrity import integrity
from tradeworthy.kernel.journal.verify import verify


@pytest.fixture
def registry(monkeypatch):
    """Kinds and upcasters that vanish after the test."""
    monkeypatch.setattr(upcast, "_STEPS", {})
    monkeypatch.setattr(upcast, "_MARKS", {})
    known = dict(facts.KINDS)
    codec._line_decoder.cache_clear()
    yield
    facts.KINDS.clear()
    facts.KINDS.update(known)
    codec._line_decoder.cache_clear()


def _first():
    @fact("test.weight")
    class Weight(Fact, frozen=True):
        pounds: int

    return Weight


def _current():
    facts.KINDS.pop("test.weight")

    @fact("test.weight", "3.0")
    class Weight(Fact, frozen=True):
        grams: int
        by: str

    return Weight


def _written(directory, kind, *values):
    journal = Journal.open(directory, clock=EventClock(1))
    for n, value in enumerate(values, journal.last_seq + 1):
        journal.append(event_of(kind(*value), source="scale", key=n, source_seq=n, ts_event=n, ts_init=n))
    journal.close()


def _steps():
    @upcast.upcaster("test.weight@1")
    def in_grams(payload):
        return {"grams": payload["pounds"] * 454}

    @upcast.upcaster("test.weight@2")
    def with_person(payload):
        return payload | {"by": "unknown"}


def test_an_old_major_is_lifted_step_by_step_and_its_bytes_stay(tmp_path, registry):
    _written(tmp_path, _first(), (1,), (2,))
    [segment] = tmp_path.glob("journal-*.jsonl")
    before = segment.read_bytes()
    current = _current()
    _steps()
    _written(tmp_path, current, (5, "ann"))
    assert [event.payload for event in read(tmp_path)] == [
        current(454, "unknown"), current(908, "unknown"), current(5, "ann"),
    ]  # fmt: skip
    assert {event.schema for event in read(tmp_path)} == {"test.weight@3.0"}
    assert [event.seq for event in read(tmp_path)] == [1, 2, 3]
    assert segment.read_bytes().startswith(before)
    assert [b"@1.0" in line for line in read_raw(tmp_path)] == [True, True, False]
    assert verify(tmp_path).ok
    assert integrity(read(tmp_path), {}, now=1).unknown_schema == 0


def test_without_a_step_the_major_that_cannot_be_read_is_named(tmp_path, registry):
    _written(tmp_path, _first(), (1,))
    _current()

    @upcast.upcaster("test.weight@1")
    def in_grams(payload):
        return {"grams": payload["pounds"] * 454}

    with pytest.raises(InvalidInput, match=r"expected an upcaster from test\.weight@2 to 3, found none"):
        list(read(tmp_path))


def test_the_door_takes_the_current_major_only(tmp_path, registry):
    _written(tmp_path, _first(), (1,))
    _current()
    _steps()
    [line] = read_raw(tmp_path)
    with pytest.raises(InvalidInput, match=r"must be test\.weight@3 of any minor version, was 'test\.weight@1\.0'"):
        decode_event(line)


@pytest.mark.parametrize("name", ["test.weight", "test.weight@", "@1", "test.weight@one"])
def test_an_upcaster_needs_kind_and_major(name, registry):
    with pytest.raises(ValueError, match="kind@major"):
        upcast.upcaster(name)


def test_one_upcaster_a_major(registry):
    _steps()
    with pytest.raises(ValueError, match="has an upcaster already"):
        upcast.upcaster("test.weight@1")(dict)
