"""Every stored history must re-derive its digest; a wanted change has a new digest and a line in the changelog."""

from pathlib import Path

import msgspec
import pytest
import zstandard

from tradeworthy.app.runner import replay_run
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.journal.reader import segment_paths
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.trading import desk as desk_module
from tradeworthy.trading.execution.planner import PlanPolicy
from tradeworthy.trading.model import FillBooked

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
    assert unannounced(DIGESTS | {"depth_quotes": "f" * 64}, CHANGELOG.read_text()) == ["depth_quotes"]


@pytest.mark.parametrize("name", NAMES)
def test_an_unannounced_change_of_behaviour_is_found(name, monkeypatch):
    monkeypatch.setattr(desk_module, "PLAN", PlanPolicy(intent_ttl_ns=61 * 10**9))
    assert not replay_run(HISTORIES / name).ok
