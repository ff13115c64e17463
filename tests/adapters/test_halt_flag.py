"""The halt flag: seen by every process at once, cheap to read, and up whenever anybody is in doubt (KS-02a)."""

import fcntl
import os

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.adapters.halt_flag import FLAG_BYTES, HALTS_MAX, UNREADABLE, HaltFlag
from tradeworthy.kernel.clock import EventClock
from tradeworthy.trading.control.halt import Halt


def halt(scope="desk", **odd):
    return Halt(**({"owner": "operator", "code": "kill", "scope": scope, "at": 5, "monotonic": 7} | odd))


@pytest.fixture
def flags(tmp_path):
    made = []

    def build(name="halt.flag"):
        made.append(HaltFlag(tmp_path / "state" / name, EventClock()))
        return made[-1]

    yield build
    for one in made:
        one.close()


def test_a_new_flag_is_down(flags):
    assert (flags().halted(), flags().halts()) == (False, ())


def test_a_trip_is_seen_by_whoever_maps_the_file_before_and_after(flags):
    before, writer = flags(), flags()
    writer.trip(halt(evidence="drill"))
    for reader in (before, flags()):
        assert reader.halted()
        assert reader.halts() == (halt(evidence="drill"),)


def test_a_second_trip_of_a_reason_keeps_the_first_moment_and_each_wish_to_flatten_is_a_new_trip(flags):
    flag = flags()
    flag.trip(halt())
    flag.trip(halt(at=99, monotonic=99))
    assert flag.halts() == (halt(),)
    for at in (99, 100):
        flag.trip(halt(at=at, flatten=True))
        assert flag.halts() == (halt(at=at, flatten=True),)


def test_a_trip_without_a_wish_to_flatten_after_one_with_it_is_a_new_trip(flags):
    flag = flags()
    flag.trip(halt(flatten=True))
    flag.trip(halt(at=99))
    assert flag.halts() == (halt(at=99),)


def test_only_the_last_release_lowers_the_flag(flags):
    flag = flags()
    flag.trip(halt())
    flag.trip(halt("strategy:a"))
    flag.release("operator", "kill", "desk")
    assert flag.halts() == (halt("strategy:a"),)
    flag.release("watchdog", "kill", "strategy:a")
    assert flag.halted()
    before = flag.released()
    flag.release("operator", "kill", "strategy:a")
    assert (flag.halted(), flag.halts()) == (False, ())
    assert flags().released() == before + 1


@pytest.mark.parametrize("body", [b"rubbish\0", b"\0", b'[{"owner":1}]\0', b"\xff" * 64])
def test_a_flag_that_is_up_and_cannot_be_read_halts_the_desk(flags, tmp_path, body):
    flag = flags()
    flag.trip(halt("strategy:a"))
    with (tmp_path / "state" / "halt.flag").open("r+b") as file:
        file.seek(16)
        file.write(body)
    (found,) = flag.halts()
    assert (found.owner, found.code, found.scope) == ("watchdog", UNREADABLE, "desk")


@pytest.mark.parametrize("scope", ["desk", "strategy:a"])
def test_a_writer_that_gets_no_lock_halts_the_whole_desk(flags, tmp_path, scope):
    flag = flags()
    other = os.open(tmp_path / "state" / "halt.flag", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    flag.trip(halt(scope))
    os.close(other)
    assert flag.halted()
    assert "desk" in {one.scope for one in flag.halts()}
    flag.release("operator", "kill", scope)
    assert flag.halted(), "what nobody could write down is released by its own name only"
    flag.release("watchdog", UNREADABLE, "desk")
    assert not flag.halted()


def test_more_halts_than_fit_halt_the_whole_desk(flags):
    flag = flags()
    for number in range(HALTS_MAX):
        flag.trip(halt(f"strategy:{number}"))
    assert "desk" not in {one.scope for one in flag.halts()}
    flag.trip(halt("strategy:more"))
    assert "desk" in {one.scope for one in flag.halts()}
    assert len(msgspec.json.encode(flag.halts())) < FLAG_BYTES


acts = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["desk", "strategy:a", "venue:b"]), st.sampled_from(["kill", "hang"])),
    max_size=20,
)


@given(acts)
@settings(max_examples=60, deadline=None)
def test_the_flag_is_up_exactly_while_something_is_halted(tmp_path_factory, acts):
    flag = HaltFlag(tmp_path_factory.mktemp("flag") / "halt.flag", EventClock())
    held = set()
    for trips, scope, code in acts:
        if trips:
            flag.trip(halt(scope, code=code))
            held.add((code, scope))
        else:
            flag.release("operator", code, scope)
            held.discard((code, scope))
        assert flag.halted() == bool(held)
        assert {(one.code, one.scope) for one in flag.halts()} == held
    flag.close()
