"""Verify an evidence bundle with nothing but the standard library: `python verify_bundle.py BUNDLE --key TRUST`.

BUNDLE is a bundle folder or a `bundle.html`. TRUST is a trust file, or the fingerprint (64 hex digits) of the one in
the bundle. Exit codes: 0 verified; 1 verified with waivers; 2 invalid; 3 no trusted key, or nothing to judge.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.journal.verify import ed25519_valid
from tradeworthy.operations.evidence.canonical import Malformed, sha256_hex, stamp_of, time_of
from tradeworthy.operations.evidence.judge import Ask, FileMap, Valid, Verdict
from tradeworthy.operations.evidence.page_data import contents_of
from tradeworthy.operations.evidence.signatures import judge
from tradeworthy.operations.evidence.vocabulary import CHUNK_BYTES, DOCUMENT_BYTES_MAX, ENVIRONMENTS


class Folder:
    """The files of a bundle on disk; large objects are read in chunks."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> Iterable[str]:
        return [one.relative_to(self._root).as_posix() for one in sorted(self._root.rglob("*")) if not one.is_dir()]

    def read(self, name: str) -> bytes:
        """Return a document; one that is too large to be one is cut, which no check accepts."""
        with (self._root / name).open("rb") as file:
            return file.read(DOCUMENT_BYTES_MAX + 1)

    def digests(self, name: str) -> tuple[int, str, list[str]]:
        """Hash the whole and each chunk beside each other, each reading for itself: hashing lets other threads run."""
        path = self._root / name
        with path.open("rb") as file:
            first = file.read(CHUNK_BYTES)
        if len(first) < CHUNK_BYTES:  # one chunk is the whole
            digest = sha256_hex(first)
            return len(first), digest, [digest] if first else []
        with ThreadPoolExecutor(1) as beside:
            whole = beside.submit(_whole, path)
            size, chunks = _chunks_of(path)
        return size, whole.result(), chunks


def _whole(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _chunks_of(path: Path) -> tuple[int, list[str]]:
    """Return length and the digest of each chunk, read into one buffer: a new one for each costs a fifth of hashing."""
    buffer, size, chunks = memoryview(bytearray(CHUNK_BYTES)), 0, []
    with path.open("rb") as file:
        while count := file.readinto(buffer):
            size += count
            chunks.append(sha256_hex(buffer[:count]))
    return size, chunks


def verify_at(place: Path, ask: Ask, valid: Valid = ed25519_valid) -> Verdict:
    """Judge a bundle folder or page; raises `OSError` or `Malformed` when there is nothing to judge."""
    if place.is_dir():
        return judge(Folder(place), ask, valid)
    page = contents_of(place.read_bytes())
    with_page = ask._replace(template_sha256=page.template_sha256, omitted=page.omitted)
    return judge(FileMap(page.files), with_page, valid)


def as_text(verdict: Verdict) -> str:
    """Return a verdict for people."""
    lines = [f"{verdict.verdict.replace('_', ' ')}: run {verdict.run_id or '?'}, class {verdict.run_class or '?'}"]
    lines += [f"bundle {verdict.bundle_id or '?'}", f"root   {verdict.merkle_root or '?'}"]
    lines += [f"{one.severity:<7} {one.code} {one.where}: {one.message}" for one in verdict.findings]
    return "\n".join(lines)


def as_json(verdict: Verdict) -> str:
    """Return a verdict for programs."""
    plain = verdict._asdict() | {"findings": [one._asdict() for one in verdict.findings]}
    return json.dumps(plain | {"exit_code": verdict.exit_code}, indent=1)


def ask_of(
    at: str, key: str | None, *, run_id: str | None = None, environment: str | None = None, log_head: str | None = None
) -> Ask:
    """Return the question in words; raises `ValueError`, `OSError` or `Malformed` for words that are none.

    key       a trust file's name or a fingerprint;  log_head  SIZE:ROOT
    """
    time_of(at)
    if environment is not None and environment not in ENVIRONMENTS:
        raise ValueError(f"expected an environment of {', '.join(ENVIRONMENTS)}, found {environment}")
    pinned = key if key is not None and re.fullmatch("[0-9a-f]{64}", key) else None
    trust = None if key is None or pinned is not None else Path(key).read_bytes()
    head = None
    if log_head is not None:
        size, _, root = log_head.partition(":")
        head = int(size), root
    return Ask(at, trust, pinned, run_id, environment, head)


def main(arguments: list[str] | None = None) -> int:
    """Verify the named bundle; print the findings, return the exit code."""
    parser = argparse.ArgumentParser(description="Verify an evidence bundle.", exit_on_error=False)
    parser.add_argument("bundle", help="a bundle folder or a bundle.html")
    parser.add_argument("--key", help="the trust file you hold, or the fingerprint of the one in the bundle")
    parser.add_argument("--at", help="the time to judge for, like 2026-01-31T00:00:00Z; now when not given")
    parser.add_argument("--run-id", help="the run it must be of")
    parser.add_argument("--environment", help="the lowest environment that is enough")
    parser.add_argument("--log-head", help="SIZE:ROOT of the evidence log as last seen")
    parser.add_argument("--json", action="store_true", help="print JSON")
    try:
        given = parser.parse_args(arguments)
        at = given.at or stamp_of(SystemClock().now())
        ask = ask_of(at, given.key, run_id=given.run_id, environment=given.environment, log_head=given.log_head)
        verdict = verify_at(Path(given.bundle), ask)
    except (OSError, ValueError, Malformed, argparse.ArgumentError) as error:
        print(f"could not judge: {error}", file=sys.stderr)
        return 3
    except SystemExit as stop:
        return 0 if stop.code == 0 else 3
    print(as_json(verdict) if given.json else as_text(verdict))
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main())
