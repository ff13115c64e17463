"""The door, secrets, cursors, the witness, and the reports made from a journal."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel import redaction
from tradeworthy.kernel.clock import NANOS_PER_DAY, EventClock, SystemClock
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Cursor, Journal, JournalPolicy, Quarantine, WitnessSigner, decode_event, tail
from tradeworthy.kernel.journal.codec import ENCODER
from tradeworthy.kernel.journal.compare import compare
from tradeworthy.kernel.journal.integrity import SLOT_NANOS, ExpectedSource, continuity, integrity
from tradeworthy.kernel.journal.records import Heartbeat, LossAcknowledged
from tradeworthy.kernel.journal.snapshot import Snapshot, newest_snapshot, write_snapshot
from tradeworthy.kernel.journal.trace import trace
from tradeworthy.kernel.journal.verify import read_checkpoint, verify
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.model.market import Funding

LINE = (
    b'{"seq":0,"event_id":"v:1","ts_event":5,"ts_init":6,"kind":"market.funding","schema":"market.funding@1.0",'
    b'"source":"v","source_seq":1,"correlation_id":"v:1","causation_id":null,'
    b'"payload":{"instrument":"ABC.SIM","rate":"0.0001"}}'
)
BAD = {
    "unknown kind": (b'"kind":"market.funding"', b'"kind":"market.nothing"'),
    "unknown key": (b'"rate":', b'"other":1,"rate":'),
    "missing key": (b'"instrument":"ABC.SIM",', b""),
    "bad timestamp": (b'"ts_event":5', b'"ts_event":0'),
    "nan": (b'"0.0001"', b'"NaN"'),
    "infinity": (b'"0.0001"', b'"Infinity"'),
    "bare nan": (b'"0.0001"', b"NaN"),
    "float for a decimal": (b'"0.0001"', b"0.0001"),
    "major version": (b"funding@1.0", b"funding@2.0"),
    "not json": (b"{", b"["),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_quarantined_and_leaves_no_journal_line(tmp_path, name):
    quarantine = Quarantine(tmp_path)
    journal = Journal.open(tmp_path / "j", clock=EventClock(1), quarantine=quarantine)
    assert journal.admit(LINE.replace(*BAD[name])) is None
    assert (quarantine.count, journal.last_seq) == (1, 0)
    assert journal.admit(LINE) is not None
    journal.close()
    assert len((tmp_path / "quarantine.jsonl").read_bytes().splitlines()) == 1


def test_a_good_line_is_typed():
    event = decode_event(LINE)
    assert isinstance(event.payload, Funding)
    assert ENCODER.encode(event) == LINE
    with pytest.raises(InvalidInput, match="ts_init must be above zero, was -6"):
        decode_event(LINE.replace(b'"ts_init":6', b'"ts_init":-6'))


def test_a_canary_secret_reaches_neither_journal_nor_quarantine(tmp_path, monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    canary = redaction.Secret("canary-7f3a9d")
    journal = Journal.open(tmp_path, clock=EventClock(1), quarantine=Quarantine(tmp_path))
    event = event_of(Funding(instrument=canary.reveal(), rate=None), source="v", key=1, ts_event=1, ts_init=1)
    assert journal.accept(event) == 1
    journal.commit()
    assert journal.accept(event) == -1
    journal.admit(b"password=" + canary.reveal().encode())
    journal.close()
    assert verify(tmp_path).ok
    assert not [path for path in tmp_path.iterdir() if canary.reveal().encode() in path.read_bytes()]
    assert "canary" not in repr(canary)
    assert redaction.redact({"api_key": "x", "text": f"at {canary.reveal()}"}) == {
        "api_key": "[redacted]", "text": "at [redacted]",
    }  # fmt: skip
    with pytest.raises(TypeError):
        msgspec.json.encode(canary)


def test_a_cursor_repeats_what_was_not_committed_and_loses_nothing(filled):
    directory = filled(100, 10)
    for event in tail(directory, Cursor(directory, "ledger")):
        if event.seq == 40:
            Cursor(directory, "ledger").commit(39)
            break
    seqs = [event.seq for event in tail(directory, Cursor(directory, "ledger"))]
    assert seqs == list(range(40, 101))


def test_another_process_follows_the_writer(tmp_path, opened, quote_event):
    program = (
        "import sys; from pathlib import Path; from tradeworthy.kernel.clock import SystemClock\n"
        "from tradeworthy.kernel.journal import Cursor, tail; import tradeworthy.trading.model\n"
        "place = Path(sys.argv[1])\n"
        "for event in tail(place, Cursor(place, 'other'), follow=True, clock=SystemClock()):\n"
        "    print(event.seq, flush=True)\n"
        "    if event.seq == 300: break\n"
    )
    journal = opened(tmp_path, segment_bytes_max=20_000, batch_events_max=10)
    environment = os.environ | {"PYTHONPATH": "src"}
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, env=environment)
    journal.append_many([quote_event(n) for n in range(1, 301)])
    journal.close()
    out, _ = child.communicate(timeout=30)
    assert list(map(int, out.split())) == list(range(1, 301))


def test_the_witness_signs_what_it_read_and_nothing_else(tmp_path, quote_event):
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    (tmp_path / "key").write_text(bytes(range(32)).hex())
    address = tmp_path / "s"
    command = [sys.executable, "-m", "tradeworthy.kernel.journal.witness", str(tmp_path / "key"), str(address)]
    witness = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "src"})
    assert witness.stdout is not None
    try:
        assert witness.stdout.readline() == b"ready\n"
        policy = JournalPolicy(checkpoint_events=100, batch_events_max=50, checkpoint_copies=(str(tmp_path / "copy"),))
        place = tmp_path / "j"
        journal = Journal.open(place, clock=SystemClock(), policy=policy, signer=WitnessSigner(address))
        journal.append_many([quote_event(n) for n in range(1, 301)])
        journal._head = "1" * 64  # a desk that lies about its head
        journal.append_many([quote_event(n) for n in range(301, 401)])
        journal.close()
        assert "not intact" in journal.checkpoint_problem
    finally:
        witness.kill()
        witness.wait()
    signed = sorted((tmp_path / "copy").glob("checkpoint-*"))
    public = key.public_key().public_bytes_raw()
    statements = [read_checkpoint(path, public) for path in signed]
    assert [(s["count"], s["provenance"]) for s in statements] == [(n, "measured") for n in (100, 200, 300)]


def test_integrity_names_the_missing_numbers(quote_event):
    events = [quote_event(n) for n in range(1, 50) if n not in (7, 8, 20, 21, 22, 40)]
    report = integrity(events, {"feed": ExpectedSource(period_ns=10)}, now=events[-1].ts_init + 1)
    assert report.gaps == (("feed", 7, 8), ("feed", 20, 22), ("feed", 40, 40))
    assert report.severity is Severity.FAIL


def test_ten_hours_without_a_heartbeat_fail_and_a_recorded_loss_stays():
    def beat(slot: int):
        return event_of(Heartbeat(slot=slot), source="desk", key=slot, ts_event=1, ts_init=slot * SLOT_NANOS)

    report = continuity([beat(n) for n in range(8_640) if n < 5_040], end=NANOS_PER_DAY)
    assert (round(report.coverage, 3), report.severity) == (0.583, Severity.FAIL)
    loss = LossAcknowledged(source="feed", first=7, last=8, reason="disk", people=("ann", "bob"))
    event = event_of(loss, source="people", key=1, ts_event=1, ts_init=4_320 * SLOT_NANOS)
    assert continuity([*(beat(n) for n in range(8_640)), event], end=NANOS_PER_DAY).coverage == 0.5
    assert integrity([event], {}, now=1).losses == (loss,)
    with pytest.raises(ValueError, match="two different people"):
        LossAcknowledged(source="feed", first=7, last=8, reason="disk", people=("ann", "Ann"))


def test_a_trace_goes_both_ways_and_names_a_missing_link(quote_event):
    first = quote_event(1)
    chain = [first]
    for n in (2, 3):
        fact = Funding(instrument="ABC.SIM", rate=None)
        chain.append(event_of(fact, source="desk", key=n, ts_event=n, ts_init=n, cause=chain[-1]))
    assert trace([*chain, quote_event(9)], "desk:3").events == tuple(chain)
    broken = trace([chain[0], chain[2]], "desk:3")
    assert broken.breaks == ("desk:3 (market.funding) names the cause desk:2, which is missing",)


def test_a_damaged_snapshot_is_skipped_with_one_warning(tmp_path):
    write_snapshot(tmp_path, Snapshot(10, "a", b"old"))
    newest = write_snapshot(tmp_path, Snapshot(20, "b", b"new"))
    heads = {10: "a", 20: "b"}
    assert newest_snapshot(tmp_path, head_at=heads.get)[0] == Snapshot(20, "b", b"new")
    newest.write_bytes(newest.read_bytes()[:-1] + b"x")
    found, warnings = newest_snapshot(tmp_path, head_at=heads.get)
    assert (found, len(warnings)) == (Snapshot(10, "a", b"old"), 1)


def test_a_restart_that_lost_signed_events_fails_and_names_them(tmp_path, filled):
    from tradeworthy.kernel.journal import LocalSigner

    directory = filled(100, 10)
    signer = LocalSigner(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    journal = Journal.open(directory, clock=EventClock(1), signer=signer)
    journal.checkpoint()
    journal.close()
    [checkpoint] = directory.glob("checkpoint-*")

    def judge(serving_at: int):
        return compare(directory, checkpoint, public_key=None, stopped_at=0, serving_at=serving_at, now=1)

    assert judge(180 * 10**9).failures == ()
    assert "back within 180 s" in judge(180 * 10**9 + 1).failures[0]
    [segment] = directory.glob("journal-*.jsonl")
    data = segment.read_bytes()
    segment.write_bytes(data[: data.rindex(b'{"seq":91,')])
    assert (judge(1).exit_code, judge(1).first_bad_seq) == (2, 91)


def test_every_stored_line_is_standard_json(filled):
    import json

    directory: Path = filled(30, 7)
    for path in directory.glob("journal-*.jsonl"):
        assert all(json.loads(line) for line in path.read_text().splitlines())
