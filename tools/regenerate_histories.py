"""Record the stored histories of `tests/replay/histories` anew, after a wanted change of behaviour.

    python tools/regenerate_histories.py --because "what a user sees of the change" [NAME ...]

Each history is a document and its journal, compressed. The new digests go to `digests.json`; a digest that moved must
be named in CHANGELOG.md, or the replay tests fail: the reason is written there with the digests.
"""

import argparse
import tempfile
import textwrap
from pathlib import Path

import msgspec
import zstandard

from tradeworthy.app import config
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.journal.reader import segment_paths

HISTORIES = Path(__file__).resolve().parents[1] / "tests" / "replay" / "histories"
DIGESTS = HISTORIES / "digests.json"
CHANGELOG = HISTORIES.parents[2] / "CHANGELOG.md"
UNRELEASED = "## Unreleased\n"
WIDTH = 132
"""Columns of the changelog's lines."""
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


def announce(reason: str, moved: dict[str, str]) -> None:
    """Put a line with the reason and the moved digests at the end of the unreleased changes."""
    told = ", ".join(f"`{name}` {digest[:SHOWN]}" for name, digest in sorted(moved.items()))
    line = textwrap.fill(
        f"- {reason.rstrip('.')}. Histories: {told}.", WIDTH, subsequent_indent="  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    head, mark, rest = CHANGELOG.read_text().partition(UNRELEASED)
    if not mark:
        raise SystemExit(f"expected {UNRELEASED.strip()!r} in {CHANGELOG}, found none")
    body, following, older = rest.partition("\n## ")
    CHANGELOG.write_text(f"{head}{mark}{body.rstrip()}\n{line}\n{following}{older}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--because", required=True, help="the changelog's sentence")
    parser.add_argument("names", nargs="*", help="histories; all if absent")
    words = parser.parse_args()
    before = msgspec.json.decode(DIGESTS.read_bytes(), type=dict[str, str]) if DIGESTS.exists() else {}
    after = dict(before)
    for history in sorted(path.parent for path in HISTORIES.glob("*/desk.toml")):
        if not words.names or history.name in words.names:
            after[history.name] = record(history)
            moved = after[history.name] != before.get(history.name)
            print(f"{history.name}  {after[history.name]}  {'moved' if moved else 'as before'}")
    DIGESTS.write_bytes(msgspec.json.format(msgspec.json.encode(after, order="sorted"), indent=1) + b"\n")
    changed = {name: digest for name, digest in after.items() if digest != before.get(name)}
    if changed:
        announce(words.because, changed)


if __name__ == "__main__":
    main()
