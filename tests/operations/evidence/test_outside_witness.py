"""The witness: signs what it saw, minute by minute; a pause, a forged or a doctored minute shows."""

import http.server
import json
import threading
from pathlib import Path

import pytest
from bundle_maker import VALID_FROM, VALID_TO, journal_in, key_of, public_of

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.outside import agree
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, with_key
from tradeworthy.operations.evidence.witness import (
    MINUTE,
    HealthProbe,
    JournalProbe,
    Look,
    WitnessMinutes,
    WitnessPolicy,
    WitnessWatch,
    probe_of,
)

START = 1_772_582_400 * NANOS_PER_SECOND  # 2026-03-04T00:00:00Z
SECOND = NANOS_PER_SECOND


class Scripted:
    """A target that is down in the seconds it is told."""

    name = "health"

    def __init__(self, clock, down=()):
        self._clock, self._down = clock, down

    def look(self, now):
        second = (now - START) // SECOND
        return Look(not any(first <= second < last for first, last in self._down), "scripted")


def trust():
    key = trusted_key(
        public_of("witness"), holder="witness", roles=("witness",), valid_from=VALID_FROM, valid_to=VALID_TO
    )
    desk = trusted_key(
        public_of("desk-account"), holder="desk", roles=("builder",), valid_from=VALID_FROM, valid_to=VALID_TO
    )
    return with_key(with_key(TrustFile(), key), desk)


def watch(path, *, seconds, down=(), start=START, signer="witness", run_id="run-1"):
    clock = EventClock(start)
    one = WitnessWatch(run_id, (Scripted(clock, down),), key_of(signer), path, clock=clock, policy=WitnessPolicy())
    one.run(lambda: clock.now() >= start + seconds * SECOND)
    return path


def reading(path, *, seconds=600, run_id="run-1"):
    return WitnessMinutes(path, trust(), run_id=run_id).reading(started=START, ended=START + seconds * SECOND)


def test_every_minute_of_a_healthy_run_is_signed_and_chained(tmp_path):
    path = watch(tmp_path / "witness.jsonl", seconds=600)
    seen = reading(path)
    assert (seen.ratio, seen.minutes, seen.minutes_missing, seen.problems) == (1.0, 10, 0, ())
    assert len(path.read_bytes().splitlines()) == 10


def test_looks_that_found_the_desk_down_lower_the_uptime(tmp_path):
    seen = reading(watch(tmp_path / "w.jsonl", seconds=600, down=[(60, 120), (300, 330)]))
    assert seen.ratio == pytest.approx(1 - 90 / 600)


def test_a_paused_witness_leaves_minutes_that_count_as_down_and_disagree_with_the_runtime(tmp_path):
    path = watch(tmp_path / "w.jsonl", seconds=120)
    watch(path, seconds=240, start=START + 360 * SECOND)
    seen = reading(path)
    assert (seen.minutes_missing, seen.ratio, seen.problems) == (4, pytest.approx(0.6), ())
    agreement = agree(1.0, seen)
    assert (agreement.severity, agreement.ratio) == (Severity.FAIL, pytest.approx(0.6))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda lines: lines[:3] + lines[4:], "does not continue"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "does not continue"),
        (lambda lines: [*lines, lines[-1]], "not later"),
        (lambda lines: [lines[0].replace(b"A", b"B", 1), *lines[1:]], "line 1"),
    ],
)  # fmt: skip
def test_minutes_that_were_taken_moved_repeated_or_changed_are_found(tmp_path, damage, told):
    path = watch(tmp_path / "w.jsonl", seconds=600)
    path.write_bytes(b"\n".join(damage(path.read_bytes().splitlines())) + b"\n")
    seen = reading(path)
    assert any(told in one for one in seen.problems)
    assert agree(1.0, seen).severity is Severity.FAIL


def test_code_inside_the_desk_cannot_forge_a_minute(tmp_path):
    for signer in ("desk-account", "stranger"):
        seen = reading(watch(tmp_path / f"{signer}.jsonl", seconds=120, signer=signer))
        assert (seen.ratio, len(seen.problems)) == (0.0, 2)


def test_minutes_of_another_run_are_refused(tmp_path):
    assert reading(watch(tmp_path / "w.jsonl", seconds=120, run_id="run-2")).problems


def test_a_witness_that_died_in_the_middle_of_a_line_goes_on_after_the_last_whole_one(tmp_path):
    path = watch(tmp_path / "w.jsonl", seconds=180)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    watch(path, seconds=60, start=START + 180 * SECOND)
    seen = reading(path, seconds=240)
    assert (seen.minutes_missing, seen.problems) == (1, ())


def test_a_journal_must_grow_and_chain(tmp_path):
    journal = journal_in(tmp_path / "journal")
    probe = JournalProbe("journal", journal, WitnessPolicy(journal_still_seconds_max=60.0))
    assert probe.look(0).ok
    assert probe.look(60 * SECOND - 1).ok
    assert not probe.look(60 * SECOND).ok
    assert probe.chain.count == 4
    damaged = JournalProbe("journal", journal, WitnessPolicy())
    segment = next(journal.glob("journal-*.jsonl"))
    segment.write_bytes(segment.read_bytes().replace(b'"rss_bytes":1', b'"rss_bytes":7'))
    assert not damaged.look(0).ok
    assert not damaged.look(1).ok
    assert not JournalProbe("journal", tmp_path / "none", WitnessPolicy()).look(0).ok


@pytest.fixture
def server():
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(503 if "bad" in self.path else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    one = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{one.server_port}"
    one.shutdown()


def test_health_is_what_the_desk_answers(server):
    policy = WitnessPolicy(timeout_seconds=2.0)
    assert HealthProbe("health", f"{server}/health", policy).look(0) == Look(True, "200")
    assert HealthProbe("health", f"{server}/bad", policy).look(0) == Look(False, "503")
    assert not HealthProbe("health", "http://127.0.0.1:1/health", policy).look(0).ok


def test_targets_are_told_apart_and_named():
    policy = WitnessPolicy()
    assert probe_of("venue=http://127.0.0.1/venue", policy).name == "venue"
    assert isinstance(probe_of("http://127.0.0.1/a=b", policy), HealthProbe)
    assert isinstance(probe_of("runs/journal", policy), JournalProbe)


def test_a_minute_tells_what_each_probe_saw(tmp_path):
    import base64

    line = json.loads(watch(tmp_path / "w.jsonl", seconds=60, down=[(50, 60)]).read_bytes())
    minute = json.loads(base64.b64decode(line["payload"]))
    assert (minute["due"], minute["ups"], minute["told"]) == (6, 5, {"health": "down scripted"})
    assert minute["minute"] == START - START % MINUTE
    assert Path(tmp_path / "w.jsonl").stat().st_mode & 0o777 == 0o640
