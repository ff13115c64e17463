"""Freeze the small desks' results anew, knowingly: print what changes, and write it only with `--write`.

    python tests/golden/regenerate.py [--write] [NAME ...]
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from small_desks import DESKS, play

RESULTS = Path(__file__).parent / "results"


def frozen(name: str) -> dict[str, Any] | None:
    """Return the frozen result of a desk, None where there is none yet."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def plain(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result as its file holds it."""
    return json.loads(text_of(result))


def text_of(result: dict[str, Any]) -> str:
    """Return a result's file."""
    return json.dumps(result, indent=1, sort_keys=True) + "\n"


def differences(before: Any, after: Any, at: str = "") -> Iterator[str]:
    """Yield one line for each value that differs, `a.b[2]: before -> after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            yield from differences(before.get(name), after.get(name), f"{at}.{name}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{at}[{number}]")
    elif before != after:
        yield f"{at}: {before} -> {after}"


def main(words: list[str]) -> int:
    write, names = "--write" in words, [word for word in words if word != "--write"]
    known = [desk.name for desk in DESKS]
    if unknown := sorted(set(names) - set(known)):
        print(f"no desk {', '.join(unknown)}; there are {', '.join(known)}")
        return 3
    changed = 0
    for desk in DESKS:
        if names and desk.name not in names:
            continue
        after = plain(play(desk))
        lines = list(differences(frozen(desk.name), after))
        changed += bool(lines)
        print(f"{desk.name}: {len(lines)} changed" if lines else f"{desk.name}: as frozen")
        for line in lines:
            print(f"  {line}")
        if lines and write:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{desk.name}.json").write_text(text_of(after))
    if changed and not write:
        print("nothing was written; add --write when every change above is wanted")
    return 0 if write or not changed else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
