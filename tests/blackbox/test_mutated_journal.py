"""A journal that was touched is found out, and a desk that decides otherwise is told where."""

import shutil

import msgspec
import pytest
from desk_process import command, document, folder_of

from tradeworthy.app.bootstrap import build_desk
from tradeworthy.app.config import parse
from tradeworthy.kernel.journal import read
from tradeworthy.trading import desk as desk_module
from tradeworthy.trading.execution.planner import PlanPolicy
from tradeworthy.trading.model import ApprovedIntent
from tradeworthy.trading.replay import replay


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    place = tmp_path_factory.mktemp("original")
    done = command("backtest", "run", document(place, kind="backtest", rows=400), "--runs", place / "runs")
    return folder_of(done)


@pytest.fixture
def copy(original, tmp_path):
    return shutil.copytree(original, tmp_path / "run")


def segments(run):
    return sorted((run / "journal").glob("journal-*.jsonl"))


def altered(run, old, new, which=3):
    """Change the first line that holds `old` in one segment; return its seq."""
    path = segments(run)[which]
    lines = path.read_bytes().splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if old in line and line.startswith(b'{"seq"'))
    lines[place] = lines[place].replace(old, new, 1)
    path.write_bytes(b"".join(lines))
    return msgspec.json.decode(lines[place])["seq"]


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"bid":1', b'"bid":2'), (b'"kind":"market.quote"', b'"kind":"market.quotf"'), (b'"lots":1000', b'"lots":1001')],
)
def test_a_changed_event_is_named(copy, old, new):
    seq = altered(copy, old, new)
    done = command("journal", "verify", copy)
    assert done.returncode == 2
    assert f"damaged at seq {seq}" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_missing_segment_is_named(copy):
    gone = segments(copy)[2]
    first = int(gone.stem.removeprefix("journal-"))
    gone.unlink()
    done = command("journal", "verify", copy)
    assert done.returncode == 2
    assert f"damaged at seq {first}" in done.stdout


def test_two_swapped_events_are_found(copy):
    path = segments(copy)[3]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1], lines[2] = lines[2], lines[1]
    path.write_bytes(b"".join(lines))
    assert command("journal", "verify", copy).returncode == 2


def test_an_untouched_copy_is_sound(copy):
    assert command("journal", "verify", copy).returncode == 0


def test_a_replay_of_a_changed_journal_is_no_pass_and_no_traceback(copy):
    altered(copy, b'"bid":1', b'"bid":2')
    done = command("replay", copy)
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr


def document_of(run):
    return parse(msgspec.json.decode(next(read(run / "journal")).payload.document), origin="test")


def first_approval(run):
    return next(event for event in read(run / "journal") if event.kind == "intent.approved")


def test_the_unchanged_desk_has_no_difference(original):
    result = replay(read(original / "journal"), build_desk(document_of(original)))
    assert result.ok
    assert result.equal == result.outcomes > 100
    assert result.digest == result.recorded_digest


def test_a_changed_constant_shows_at_the_first_decision_it_touches(original, monkeypatch):
    monkeypatch.setattr(desk_module, "PLAN", PlanPolicy(intent_ttl_ns=61 * 10**9))
    result = replay(read(original / "journal"), build_desk(document_of(original)))
    expected = first_approval(original)
    assert not result.ok
    assert result.first.seq == expected.seq
    assert result.first.cause == expected.causation_id
    assert result.first.derived.intent.expires_at - result.first.recorded.intent.expires_at == 10**9


def test_a_changed_policy_shows_both_decisions(original):
    document = document_of(original)
    (instance,) = document.instances
    larger = msgspec.structs.replace(instance, policy=instance.policy | {"lots": 2000})
    result = replay(read(original / "journal"), build_desk(msgspec.structs.replace(document, instances=(larger,))))
    assert isinstance(result.first.recorded, ApprovedIntent)
    assert (result.first.recorded.intent.lots, result.first.derived.intent.lots) == (1000, 2000)


def test_a_desk_that_falls_silent_differs_too(original):
    document = document_of(original)
    (instance,) = document.instances
    absent = msgspec.structs.replace(instance, enabled=False)
    result = replay(read(original / "journal"), build_desk(msgspec.structs.replace(document, instances=(absent,))))
    assert not result.ok
    assert result.first.derived is None
