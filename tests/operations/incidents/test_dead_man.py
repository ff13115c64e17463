"""Silence pages at its edge, repeats, and ends; only a heartbeat that its desk signed is one (AR-15)."""

import hashlib
import hmac

import httpx
import msgspec
import pytest
from alert_scene import SECOND, START

from tradeworthy.adapters.notify.heartbeat_server import HeartbeatServer
from tradeworthy.app.alerts.dead_man_receiver import Watching, receive
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.incidents.dead_man import DeadMan
from tradeworthy.operations.incidents.model import AlertSeverity, Notice, Purpose

KEY = "heartbeat-key-0001"


def man():
    return DeadMan("paper", 0, timeout_s=120.0, repeat_s=3_600.0)


@pytest.mark.parametrize(("seconds", "pages"), [(119.999, 0), (120, 1), (121, 1)])
def test_silence_pages_when_its_seconds_are_reached(seconds, pages):
    one = man()
    one.beat(10 * SECOND)
    found = one.look(10 * SECOND + round(seconds * SECOND), START)
    assert (found is not None) is bool(pages)
    if found:
        assert (found.severity, found.purpose) == (AlertSeverity.CRITICAL, Purpose.ALERT)
        assert "paper is silent" in found.title
        assert "never heard" not in found.title


def test_a_desk_that_was_never_heard_is_silent_from_the_start_on():
    assert "never heard" in man().look(120 * SECOND, START).title


def test_it_pages_again_after_an_hour_and_once_when_the_desk_is_back():
    one, told = man(), []
    for second in range(0, 8_000, 10):
        if second == 7_500:
            one.beat(second * SECOND)
        found = one.look(second * SECOND, START)
        if found is not None:
            told.append((second, found.purpose.value))
    assert told == [(120, "alert"), (3_720, "alert"), (7_320, "alert"), (7_500, "resolved"), (7_620, "alert")]
    assert one.silent


def test_a_page_that_nobody_took_is_due_at_the_next_look():
    one = man()
    assert one.look(120 * SECOND, START) is not None
    assert one.look(121 * SECOND, START) is None
    one.again()
    assert one.look(122 * SECOND, START) is not None


def beat(purpose=Purpose.CANARY, title="heartbeat; page after 120 s of silence"):
    return msgspec.json.encode(Notice(
        id="r:n1", purpose=purpose, severity=AlertSeverity.INFO, title=title, text=title, dedup=title, at=1
    ))  # fmt: skip


def signed(body, stamp, key=KEY):
    found = hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Tradeworthy-Timestamp": str(stamp), "X-Tradeworthy-Signature": f"sha256={found}"}


def test_only_a_heartbeat_that_the_desk_signed_and_that_is_new_counts():
    beats = []
    server = HeartbeatServer("127.0.0.1", 0, lambda: Secret(KEY), lambda: beats.append(1))
    other = beat(Purpose.ALERT, "[CRITICAL] venue.down")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as desk:
            answers = [desk.post("/", content=body, headers=headers).status_code for body, headers in (
                (beat(), {}), (beat(), signed(beat(), 5, "another-key-0001")), (beat(), signed(beat(), 5)),
                (beat(), signed(beat(), 5)), (beat(), signed(beat(), 4)), (other, signed(other, 6)),
                (b"no notice", {}), (beat(), signed(beat(), 7)), (b"x" * (65 << 10), {}),
            )]  # fmt: skip
    finally:
        server.close()
    assert answers == [401, 401, 204, 409, 409, 202, 400, 204, 413]
    assert len(beats) == 2


def received(tmp_path, seconds, command=""):
    """Return the pages of a receiver that nobody ever sends to, and whether it ended hearing the desk."""
    clock = EventClock(START)
    until = clock.monotonic() + seconds * SECOND
    asked = Watching("paper", "127.0.0.1", 0, tmp_path / "pages.jsonl", command)
    heard = receive(asked, clock, stopped=lambda: clock.monotonic() >= until, listening=lambda port: None)
    path = tmp_path / "pages.jsonl"
    return (path.read_bytes().splitlines() if path.exists() else []), heard


@pytest.mark.parametrize(("seconds", "count"), [(119, 0), (121, 1)])
def test_a_receiver_writes_its_page_and_says_at_its_end_that_nobody_was_heard(tmp_path, seconds, count):
    pages, heard = received(tmp_path, seconds)
    assert (len(pages), heard) == (count, not count)


def test_a_page_that_the_command_does_not_take_is_offered_again(tmp_path):
    assert len(received(tmp_path, 121, "false")[0]) > 1
