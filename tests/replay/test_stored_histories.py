"""Every stored history must re-derive its digest; a wanted change has a new digest and a line in the changelog."""

from pathlib import Path

import msgspec
import pytest
import zstandard

from tradeworthy.app.research.regression import open_recording
from tradeworthy.app.runs.runner import replay_run
from tradeworthy.cli.main import call
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.reader import segment_paths
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.research.regression.windows import inputs_of
from tradeworthy.trading import desk as desk_module
from tradeworthy.trading.digest import OutcomeDigest
from tradeworthy.trading.execution.planner import PlanPolicy
from tradeworthy.trading.model import ApprovedIntent, FillBooked, Quote, Side, Targets
from tradeworthy.trading.strategies.touch_quoter import TouchQuoter

HISTORIES = Path(__file__).parent / "histories"
CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"
DIGESTS = msgspec.json.decode((HISTORIES / "digests.json").read_bytes(), type=dict[str, str])
NAMES = sorted(path.parent.name for path in HISTORIES.glob("*/desk.toml"))
SHOWN = 12
SIZE_MAX = 200_000
REMEDY = "is the change wanted? then run tools/regenerate_histories.py and tell it in CHANGELOG.md"


def unannounced(digests, changelog):
    """Return the histories whose digest the changelog does not name."""
    return sorted(name for name, digest in digests.items() if digest[:SHOWN] not in changelog)


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_history_re_derives_its_digest(name):
    result = replay_run(HISTORIES / name)
    assert result.ok, f"{name} differs at {result.first}: {REMEDY}"
    assert result.digest == DIGESTS[name], REMEDY


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_history_is_sound_small_and_trades(name, tmp_path):
    for path in segment_paths(HISTORIES / name):
        assert path.stat().st_size < SIZE_MAX
        data = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
        (tmp_path / path.stem).write_bytes(data)
    assert verify(tmp_path).ok
    assert any(type(event.payload) is FillBooked for event in read(HISTORIES / name))


def test_every_history_has_a_digest_and_every_digest_a_line_in_the_changelog():
    assert sorted(DIGESTS) == NAMES
    assert unannounced(DIGESTS, CHANGELOG.read_text()) == [], REMEDY


def test_a_new_digest_without_a_line_is_found():
    told = " ".join(digest[:SHOWN] for digest in DIGESTS.values())
    assert unannounced(DIGESTS, told) == []
    assert unannounced(DIGESTS | {"depth_quotes": "f" * 64}, told) == ["depth_quotes"]


@pytest.mark.parametrize("name", NAMES)
def test_an_unannounced_change_of_behaviour_is_found(name, monkeypatch):
    monkeypatch.setattr(desk_module, "PLAN", PlanPolicy(intent_ttl_ns=61 * 10**9))
    assert not replay_run(HISTORIES / name).ok


def derived_digest(name, change=lambda number, event: event):
    """Fold a history's inputs, each as `change` gives it, into a fresh desk and digest what it says."""
    recording = open_recording(HISTORIES / name)
    desk, digest = recording.build(), OutcomeDigest()
    for number, event in enumerate(inputs_of(read(HISTORIES / name)), 1):
        facts = desk.step(change(number, event)).facts
        if facts:
            digest.add(event.event_id, facts)
    return digest.hexdigest()


def test_a_flipped_price_past_event_500_changes_the_digest():
    name = "trend_and_quotes"
    acted_on = {event.causation_id for event in read(HISTORIES / name) if type(event.payload) is ApprovedIntent}
    quotes = enumerate(inputs_of(read(HISTORIES / name)), 1)
    target = next(n for n, event in quotes if n >= 500 and type(event.payload) is Quote and event.event_id in acted_on)

    def flip(number, event):
        if number != target:
            return event
        moved = msgspec.structs.replace(event.payload, bid=event.payload.bid + 1)
        return msgspec.structs.replace(event, payload=moved)

    assert derived_digest(name) == DIGESTS[name]
    assert derived_digest(name, flip) != DIGESTS[name]


def test_one_changed_line_of_strategy_code_exits_2_at_the_first_changed_decision(monkeypatch, capsys):
    decide = TouchQuoter.decide

    def narrower(self, view):
        answer = decide(self, view)
        if isinstance(answer, Targets) and answer.quotes:
            return msgspec.structs.replace(answer, quotes=answer.quotes[:1])
        return answer

    monkeypatch.setattr(TouchQuoter, "decide", narrower)
    first = next(
        event for event in read(HISTORIES / "trend_and_quotes")
        if type(event.payload) is ApprovedIntent and event.payload.intent.side is Side.SELL
        and event.payload.intent.instance == "quoter"
    )  # fmt: skip
    assert call(["replay", str(HISTORIES / "trend_and_quotes")]) == 2
    told = " ".join(capsys.readouterr().out.split())
    assert f"first difference at seq {first.seq}" in told
    assert "recorded" in told
    assert "derived" in told


def test_a_replay_may_end_at_a_seq():
    whole = replay_run(HISTORIES / "depth_quotes")
    part = replay_run(HISTORIES / "depth_quotes", until=500)
    assert part.ok
    assert part.recorded_digest is None
    assert 0 < part.inputs + part.outcomes < 500 < whole.inputs + whole.outcomes
    assert call(["replay", str(HISTORIES / "depth_quotes"), "--until", "500"]) == 0
    assert call(["replay", str(HISTORIES / "depth_quotes"), "--until", "0"]) == 3


def test_a_replay_that_compared_nothing_says_so(capsys):
    assert call(["replay", str(HISTORIES / "depth_quotes"), "--until", "2"]) == 3
    assert "0 recorded outcomes, nothing to compare" in capsys.readouterr().out
