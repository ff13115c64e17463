"""A run with signed minutes from outside: they agree, or the run fails and the lower uptime counts (DR-42, DR-43)."""

import functools
import hashlib
import http.server
import json
import threading

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from virtual_run_fixture import codes, played, settings_in

from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.dsse import envelope
from tradeworthy.operations.dry_run.smoke import VIRTUAL_START
from tradeworthy.operations.evidence.canonical import canonical_json, sha256_hex
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, with_key, write_trust
from tradeworthy.operations.evidence.witness import MINUTE, MINUTE_TYPE, NO_MINUTE, Minute
from tradeworthy.operations.evidence.witness_source import WitnessSource

MINUTES = 30
LOOKS = 10


def key_of(holder):
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(holder.encode()).digest())


def trust_of(*roles):
    return with_key(TrustFile(), trusted_key(
        key_of("witness").public_key().public_bytes_raw(), holder="witness", roles=roles or ("witness",),
        valid_from="2020-01-01T00:00:00Z", valid_to="2099-01-01T00:00:00Z",
    ))  # fmt: skip


def minutes_in(path, *, ups=(), missing=(), key="witness", count=MINUTES, run_id="virtual"):
    """Write signed minutes from the virtual start on; `ups` maps a minute's number to its good looks."""
    data, prev = b"", NO_MINUTE
    for number in range(count):
        if number in missing:
            continue
        one = Minute(
            run_id=run_id, minute=VIRTUAL_START + number * MINUTE, interval_ms=6_000, due=LOOKS,
            ups=dict(ups).get(number, LOOKS), told={}, prev=prev,
        )  # fmt: skip
        line = canonical_json(envelope(msgspec.json.encode(one), MINUTE_TYPE, key_of(key)))
        prev = sha256_hex(line.rstrip(b"\n"))
        data += line
    path.write_bytes(data)
    return path


def ran(folder, minutes, *faults, where=None):
    clock = EventClock(VIRTUAL_START)
    source = WitnessSource(where or str(minutes), folder / "witness.jsonl", trust_of(), run_id="virtual", clock=clock)
    result, _ = played(folder, *faults, clock=clock, witness=source)
    return result


def told(result):
    return next(one.message for one in result.summary.incidents if one.code == "witness.disagreement")


def test_minutes_that_agree_pass_are_kept_and_lift_the_witness_from_the_reasons(tmp_path):
    result = ran(tmp_path, minutes_in(tmp_path / "m"))
    assert (result.exit_code, codes(result)) == (0, [])
    assert (tmp_path / "witness.jsonl").read_bytes() == (tmp_path / "m").read_bytes()
    assert "no witness attached" not in result.rehearsal_reasons
    alone, _ = played(tmp_path / "alone")
    assert "no witness attached" in alone.rehearsal_reasons


def test_the_lower_uptime_counts_though_both_agree(tmp_path):
    result = ran(tmp_path, minutes_in(tmp_path / "m", ups={3: LOOKS - 1}.items()))
    assert result.exit_code == 0
    assert result.summary.summary.logs.uptime_ratio == pytest.approx(1 - 1 / (LOOKS * MINUTES))


def test_a_witness_that_paused_a_minute_is_a_minute_down_and_fails(tmp_path):
    result = ran(tmp_path, minutes_in(tmp_path / "m", missing=(7,)))
    assert (result.exit_code, codes(result)) == (2, ["witness.disagreement"])
    assert "1 minutes missing" in told(result)
    assert result.summary.summary.logs.uptime_ratio == pytest.approx(1 - 1 / MINUTES)


def test_a_desk_that_says_more_than_the_witness_saw_fails_and_so_does_one_that_says_less(tmp_path):
    result = ran(tmp_path / "a", minutes_in(tmp_path / "m", ups=dict.fromkeys(range(10, 15), 0).items()))
    assert codes(result) == ["witness.disagreement"]
    assert result.summary.summary.logs.uptime_ratio == pytest.approx(5 / 6)
    silent = ran(tmp_path / "b", minutes_in(tmp_path / "n"), "silent=300@600")
    assert "witness.disagreement" in codes(silent)
    assert silent.summary.summary.logs.uptime_ratio < 0.9


def another_signature(path):
    document = json.loads(path.read_bytes().splitlines()[4])
    signature = document["signatures"][0]
    signature["sig"] = ("B" if signature["sig"][0] == "A" else "A") + signature["sig"][1:]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], canonical_json(document), *lines[5:]]))


def another_order(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], lines[5], lines[4], *lines[6:]]))


@pytest.mark.parametrize(("spoil", "part"), [
    (lambda path: minutes_in(path, key="desk"), "no trusted witness"),
    (lambda path: minutes_in(path, run_id="other"), "expected run virtual, found other"),
    (another_signature, "the signature does not hold"), (another_order, "does not continue"),
    (lambda path: path.write_bytes(path.read_bytes() + b"{}\n"), "line 31"),
])  # fmt: skip
def test_minutes_that_the_witness_did_not_sign_in_that_order_fail(tmp_path, spoil, part):
    path = minutes_in(tmp_path / "m")
    spoil(path)
    result = ran(tmp_path, path)
    assert (result.exit_code, codes(result)) == (2, ["witness.disagreement"])
    assert "do not verify" in told(result)
    assert part in told(result)
    assert "no witness attached" in result.rehearsal_reasons


def test_the_last_minute_is_waited_for_and_no_answer_is_unknown(tmp_path):
    path = minutes_in(tmp_path / "m", count=MINUTES - 1)

    class Late(EventClock):
        def sleep(self, nanos):
            super().sleep(nanos)
            if self.now() >= VIRTUAL_START + MINUTES * MINUTE + 20 * NANOS_PER_SECOND:
                minutes_in(path)

    clock = Late(VIRTUAL_START)
    source = WitnessSource(str(path), tmp_path / "witness.jsonl", trust_of(), run_id="virtual", clock=clock)
    result, _ = played(tmp_path, clock=clock, witness=source)
    assert (result.exit_code, codes(result)) == (0, [])
    assert clock.now() >= VIRTUAL_START + MINUTES * MINUTE + 20 * NANOS_PER_SECOND
    never = ran(tmp_path / "b", minutes_in(tmp_path / "short", count=MINUTES - 1))
    assert codes(never) == ["witness.disagreement"]
    hurry = EventClock(VIRTUAL_START + MINUTES * MINUTE)
    source = WitnessSource(str(tmp_path / "short"), tmp_path / "kept", trust_of(), run_id="virtual", clock=hurry,
                           hurried=lambda: True)  # fmt: skip
    assert source.reading(started=VIRTUAL_START, ended=hurry.now()).minutes_missing == 1
    assert hurry.now() == VIRTUAL_START + MINUTES * MINUTE
    gone = ran(tmp_path / "c", tmp_path / "gone")
    assert (gone.exit_code, codes(gone)) == (2, ["witness.disagreement"])
    assert "could not be read" in told(gone)


def test_minutes_are_fetched_over_http(tmp_path):
    minutes_in(tmp_path / "minutes.jsonl")
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = functools.partial(quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"http://127.0.0.1:{server.server_port}/minutes.jsonl"
        assert ran(tmp_path / "r", None, where=where).exit_code == 0
        server.shutdown()


def test_a_witness_that_nobody_could_believe_starts_nothing(tmp_path, capfd):
    write_trust(tmp_path / "trust.json", trust_of("builder"))
    words = ["final-dry-run", "--log-dir", str(tmp_path / "logs"), "--no-diary-required", "--no-performance-required",
             "--witness", "https://witness"]  # fmt: skip
    assert call([*words, "--", "true"]) == 3
    assert "--witness needs --trust" in capfd.readouterr().err
    assert call([*words, "--trust", str(tmp_path / "trust.json"), "--", "true"]) == 3
    assert "role witness" in capfd.readouterr().err
    assert not (tmp_path / "logs").exists()
    assert settings_in(tmp_path).witness is None
