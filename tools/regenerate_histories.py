"""Record the stored histories of `tests/replay/histories` anew, after a wanted change of behaviour.

    python tools/regenerate_histories.py [NAME ...]

Each history is a document and its journal, compressed. The new digests go to `digests.json`; a digest that moved must
be named in CHANGELOG.md, with what a user sees of the change, or the replay tests fail.
"""

import sys
import tempfile
from pathlib import Path

import msgspec
import zstandard

from tradeworthy.app import config
from tradeworthy.app.runner import RunSession
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.journal.reader import segment_paths

HISTORIES = Path(__file__).resolve().parents[1] / "tests" / "replay" / "histories"
DIGESTS = HISTORIES / "digests.json"
SHOWN = 12
"""Characters of a digest that the changelog names."""


def record(history: Path) -> str:
    """Play the history's document, store its journal compressed and return the digest of its outcomes."""
    document = config.load(history / "desk.toml", environ={})
    with tempfile.TemporaryDirectory() as root:
        result = RunSession(document, root=Path(root), clock=EventClock()).play()
        segments = {path.name: path.read_bytes() for path in segment_paths(result.folder / "journal")}
    for old in segment_paths(history):
        old.unlink()
    for name, data in segments.items():
        (history / f"{name}.zst").write_bytes(zstandard.ZstdCompressor(level=19).compress(data))
    return result.digest


def main(names: list[str]) -> None:
    before = msgspec.json.decode(DIGESTS.read_bytes(), type=dict[str, str]) if DIGESTS.exists() else {}
    after = dict(before)
    for history in sorted(path.parent for path in HISTORIES.glob("*/desk.toml")):
        if not names or history.name in names:
            after[history.name] = record(history)
            moved = after[history.name] != before.get(history.name)
            print(f"{history.name}  {after[history.name]}  {'moved' if moved else 'as before'}")
    DIGESTS.write_bytes(msgspec.json.format(msgspec.json.encode(after, order="sorted"), indent=1) + b"\n")
    moved = sorted(name for name, digest in after.items() if digest != before.get(name))
    if moved:
        told = ", ".join(f"`{name}` {after[name][:SHOWN]}" for name in moved)
        print(f"\nCHANGELOG.md needs a line that says what changed and names: {told}")


if __name__ == "__main__":
    main(sys.argv[1:])
