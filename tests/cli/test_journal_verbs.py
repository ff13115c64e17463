"""Every verb of `journal` says what it found by its exit code and names what is wrong."""

import json
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND, EventClock, SystemClock
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy, LocalSigner, read
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.trading.model import Quote

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERBS = [
    "verify", "show", "tail", "trace", "integrity", "continuity", "acknowledge-loss", "compare", "retention", "recover",
]  # fmt: skip
START = 1_700_000_000 * NANOS_PER_SECOND


def quote(number):
    fact = Quote(instrument="A", bid=number, ask=number + 1)
    ts = START + number
    return event_of(fact, source="feed", key=number, source_seq=number, ts_event=ts, ts_init=ts)


def written(directory, numbers, **policy):
    bounds = JournalPolicy(commit_interval_ns=None, batch_events_max=10, **policy)
    journal = Journal.open(directory, clock=EventClock(START), policy=bounds, signer=LocalSigner(KEY))
    journal.append_many([quote(n) for n in numbers])
    journal.close()


@pytest.fixture
def run(tmp_path):
    """A run folder whose journal lacks numbers 7 and 8 of its feed; the witness's key lies beside it."""
    written(tmp_path / "run" / "journal", [n for n in range(1, 51) if n not in (7, 8)])
    (tmp_path / "key").write_text(KEY.public_key().public_bytes_raw().hex())
    return tmp_path / "run"


def told(capsys, *words):
    code = call(["journal", *map(str, words)])
    out, error = capsys.readouterr()
    return int(code), (out + error).replace("\n", " ")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_prints_its_help_and_needs_a_run(verb, capsys):
    code, text = told(capsys, verb, "--help")
    assert code == 0
    assert "RUN" in text
    assert told(capsys, verb)[0] == 3
    odd = {"trace": ["x"], "compare": ["--stopped-at", "2026-01-01"], "acknowledge-loss": [
        "--source", "s", "--first", "1", "--last", "1", "--reason", "r", "--by", "a", "--by", "b"]}  # fmt: skip
    assert told(capsys, verb, "absent", *odd.get(verb, ()))[0] == 3


def test_verify_checks_signatures_where_it_has_the_key(run, tmp_path, capsys):
    code, text = told(capsys, "verify", run, "--key", tmp_path / "key")
    assert code == 0
    assert "attested, signature checked; clock offset unknown" in text
    (tmp_path / "other").write_text(bytes(32).hex())
    assert told(capsys, "verify", run, "--key", tmp_path / "other")[0] == 3
    (tmp_path / "other").write_text("nonsense")
    assert told(capsys, "verify", run, "--key", tmp_path / "other")[0] == 3
    [segment] = (run / "journal").glob("journal-*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b'"bid":30', b'"bid":31'))
    code, text = told(capsys, "verify", run)
    assert code == 2
    assert "damaged at seq 28" in text


def test_integrity_names_gaps_silence_and_losses_and_writes_its_file(run, tmp_path, capsys):
    manifest = tmp_path / "sources.toml"
    manifest.write_text("[sources.feed]\nzero_loss = false\n")
    code, text = told(capsys, "integrity", run, "--sources", manifest)
    assert code == 1
    assert "feed: 7 to 8" in text
    assert json.loads((run / "integrity-2023-11-14.json").read_text())["severity"] == "WARN"
    assert told(capsys, "integrity", run)[0] == 2
    manifest.write_text("[sources.feed]\nzero_loss = false\nperiod_seconds = 1\n[sources.bus]\n")
    code, text = told(capsys, "integrity", run, "--sources", manifest, "--live")
    assert code == 2
    assert "silent           bus" in text
    assert "silent           feed" in text
    assert told(capsys, "integrity", run, "--sources", tmp_path / "absent")[0] == 3
    assert told(capsys, "integrity", run, "--day", "2001-01-01")[0] == 3


def test_continuity_writes_its_file_and_fails_without_heartbeats(run, capsys):
    code, text = told(capsys, "continuity", run, "--until", "2023-11-15T00:00:00")
    assert code == 2
    assert "0 of 8,640 slots" in text
    assert json.loads((run / "continuity.json").read_text())["severity"] == "FAIL"
    code, text = told(capsys, "continuity", run, "--recorded")
    assert code == 2
    assert "proves nothing of uptime" in text
    assert told(capsys, "continuity", run, "--until", "soon")[0] == 3


def loss(run, *people, reason="disk"):
    names = [word for name in people for word in ("--by", name)]
    return ["acknowledge-loss", run, "--source", "feed", "--first", 7, "--last", 8, "--reason", reason, *names]


def test_a_loss_needs_two_people_and_a_reason_and_stays_in_every_report(run, capsys):
    before = verify(run / "journal").events
    for people in (("ann",), ("ann", "Ann "), ("ann", "bob", "cyd")):
        assert told(capsys, *loss(run, *people))[0] == 3
    assert told(capsys, *loss(run, "ann", "bob", reason=" "))[0] == 3
    assert verify(run / "journal").events == before
    assert told(capsys, *loss(run, "ann", "bob"))[0] == 0
    assert verify(run / "journal").events == before + 1
    for _ in range(2):
        code, text = told(capsys, "integrity", run)
        assert code == 2
        assert "feed: 7 to 8, disk (ann, bob)" in text


def test_a_loss_is_not_recorded_while_a_desk_writes(run, capsys):
    journal = Journal.open(run / "journal", clock=EventClock(START))
    code, text = told(capsys, *loss(run, "ann", "bob"))
    journal.close()
    assert code == 2
    assert "only writer" in text


def test_a_torn_tail_that_is_cut_on_the_way_is_journaled(run, capsys):
    [segment] = (run / "journal").glob("journal-*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"seq":49,"event_id":"feed:99"')
    assert told(capsys, *loss(run, "ann", "bob"))[0] == 0
    [torn] = [event.payload for event in read(run / "journal") if event.kind == "journal.torn_tail"]
    assert (torn.size, torn.after) == (30, 48)
    assert (run / "journal" / torn.file).stat().st_size == 30


def test_compare_passes_when_all_is_back_and_names_what_is_not(run, tmp_path, capsys):
    words = ["compare", run, "--key", tmp_path / "key", "--stopped-at", "2026-01-01T00:00:00",
             "--serving-at", "2026-01-01T00:03:00"]  # fmt: skip
    code, text = told(capsys, *words)
    assert code == 0
    assert "valid until" in text
    code, text = told(capsys, *words[:-1], "2026-01-01T00:03:01", "--down", "venue")
    assert code == 2
    assert "component: venue is not back" in text
    assert "service: back within 180 s expected, 181 s passed" in text
    ids = tmp_path / "ids"
    ids.write_text("feed:50\nfeed:51\n")
    code, text = told(capsys, *words, "--acknowledged", ids)
    assert code == 2
    assert "feed:51 is missing" in text
    [segment] = (run / "journal").glob("journal-*.jsonl")
    data = segment.read_bytes()
    segment.write_bytes(data[: data.rindex(b'{"seq":41,')])
    code, text = told(capsys, *words)
    assert code == 2
    assert "48 events were signed, 40 are sealed" in text
    for path in (run / "journal").glob("checkpoint-*"):
        path.unlink()
    assert told(capsys, *words)[0] == 3
    assert told(capsys, "compare", run, "--stopped-at", "then")[0] == 3


def test_compare_waits_for_a_writer(run, capsys):
    journal = Journal.open(run / "journal", clock=EventClock(START))
    now = SystemClock().now() // NANOS_PER_SECOND
    from datetime import UTC, datetime

    stopped = datetime.fromtimestamp(now - 5, UTC).isoformat()
    assert told(capsys, "compare", run, "--stopped-at", stopped, "--wait")[0] == 0
    journal.close()
    assert told(capsys, "compare", run, "--stopped-at", stopped)[0] == 2


def test_retention_lists_first_then_journals_each_deletion(tmp_path, capsys):
    run, cold = tmp_path / "run", tmp_path / "cold"
    place = run / "journal"
    written(place, range(1, 201), segment_bytes_max=10_000)
    segments = sorted(place.glob("journal-*.jsonl"))
    old = SystemClock().now() - 366 * NANOS_PER_DAY
    for path in segments:
        os.utime(path, ns=(old, old))
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    (bundles / "b.json").write_text(json.dumps({"cites": [segments[2].name]}))
    words = ["retention", run, "--cold", cold, "--bundles", bundles]
    before = sorted(path.name for path in place.iterdir())
    code, text = told(capsys, *words)
    assert code == 0
    assert "none carried out" in text
    assert sorted(path.name for path in place.iterdir()) == before
    for _ in range(3):  # compressed, released, archived
        assert told(capsys, *words, "--apply")[0] == 0
    assert [path.name for path in sorted(cold.iterdir())] == [f"{path.name}.zst" for path in segments[:2]]
    assert segments[2].exists()
    told_of = [event.payload.name for event in read(place) if event.kind == "retention.deleted"]
    assert told_of == [*(path.name for path in segments[:2]), *(f"{path.name}.zst" for path in segments[:2])]
    assert verify(place).ok
    assert told(capsys, "retention", run, "--bundles", tmp_path / "absent")[0] == 3


def test_a_cold_store_with_other_bytes_fails(tmp_path, capsys):
    run, cold = tmp_path / "run", tmp_path / "cold"
    written(run / "journal", range(1, 101), segment_bytes_max=10_000)
    old = SystemClock().now() - 366 * NANOS_PER_DAY
    for path in (run / "journal").glob("journal-*.jsonl"):
        os.utime(path, ns=(old, old))
    for _ in range(2):
        assert told(capsys, "retention", run, "--cold", cold, "--apply")[0] == 0
    cold.mkdir()
    (cold / f"journal-{1:020d}.jsonl.zst").write_bytes(b"else")
    code, text = told(capsys, "retention", run, "--cold", cold, "--apply")
    assert code == 2
    assert "the warm copy stays" in text


def test_trace_of_nobody_and_show_of_nothing_could_not_be_judged(run, capsys):
    assert told(capsys, "trace", run, "nobody")[0] == 3
    assert told(capsys, "show", run, "--kind", "nothing")[0] == 3
    assert told(capsys, "show", run, "--start", 3, "--stop", 5)[0] == 0
    assert told(capsys, "tail", run)[0] == 0


@pytest.mark.parametrize("verb", [["show"], ["trace"], ["integrity"], ["tail"]])
def test_a_batch_that_is_gone_is_told_and_is_no_traceback(run, capsys, verb):
    [segment] = (run / "journal").glob("journal-*.jsonl")
    gone = tuple(b'{"seq":%d,' % seq for seq in range(11, 21))
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(line for line in lines if not line.startswith(gone)))
    code, text = told(capsys, *verb, run, *(["feed:1"] if verb == ["trace"] else []))
    assert code == 2
    assert "expected an event behind a seal" in text


@pytest.mark.parametrize("kept", [1, 40, 200])
def test_what_a_killed_writer_left_is_named_put_aside_and_then_sound(run, capsys, kept):
    [segment] = (run / "journal").glob("journal-*.jsonl")
    whole = segment.read_bytes()
    segment.write_bytes(whole + whole.splitlines(keepends=True)[1][:kept])
    code, text = told(capsys, "verify", run)
    assert (code, "tradeworthy journal recover" in text) == (2, True)
    code, text = told(capsys, "recover", run)
    assert (code, "48 events stand" in text, f"{kept} bytes" in text) == (1, True, True)
    assert told(capsys, "verify", run)[0] == 0
    assert told(capsys, "recover", run) == (0, "nothing to recover: 48 events, sealed to the last ")


def test_recovering_refuses_damage_before_the_last_seal(run, capsys):
    [segment] = (run / "journal").glob("journal-*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b'"bid":5', b'"bid":6', 1))
    assert told(capsys, "recover", run)[0] == 2
