"""Start from what is on disk: check every seal, cut a torn tail, refuse other damage (JR-07)."""

import os
from pathlib import Path

import msgspec

from tradeworthy.kernel.errors import HaltTrading
from tradeworthy.kernel.journal.files import sync_directory, write_durably
from tradeworthy.kernel.journal.identity import Identity
from tradeworthy.kernel.journal.reader import open_segment, segment_paths
from tradeworthy.kernel.journal.records import TornTail
from tradeworthy.kernel.journal.verify import HEADER_PREFIX, LINE_BYTES_MAX, SEAL_PREFIX, Broken, Chain, Merkle, unframe


class Recovered(msgspec.Struct, frozen=True):
    """Where the writer goes on; `path` is None when the next batch begins a segment. `checks` since a checkpoint."""

    head: str
    count: int
    day: str
    merkle: Merkle
    checks: bytes
    path: Path | None
    size: int
    torn: TornTail | None


class _Known(msgspec.Struct, frozen=True, gc=False):
    seq: int
    event_id: str
    source: str
    source_seq: int | None


def recover(directory: Path, identity: Identity, checks_after: int) -> Recovered:
    """Walk all segments, fill `identity`, and cut the last one behind its last seal; the tail becomes `torn-*.bin`."""
    decoder = msgspec.json.Decoder(_Known)
    checks = bytearray()
    lines: list[bytes] = []

    def on_seal(_chain: Chain, first: int, last: int, found: bytes) -> None:
        if last > checks_after:
            checks.extend(found[max(0, checks_after + 1 - first) * 4 :])
        for known in decoder.decode_lines(b"".join(lines)):
            identity.learn(known.seq, known.event_id, known.source, known.source_seq)
        lines.clear()

    chain = Chain(on_seal)
    paths = segment_paths(directory)
    size, torn, day, merkle = 0, None, chain.day, chain.merkle
    for path in paths:
        size, day, merkle = 0, chain.day, chain.merkle
        problem = ""
        try:
            chain.open_segment()
            identity.begin(path)
            with open_segment(path) as file:
                offset = 0
                while line := file.readline(LINE_BYTES_MAX):
                    offset += len(line)
                    if not line.startswith((SEAL_PREFIX, HEADER_PREFIX)):
                        lines.append(line)
                    chain.feed(line)
                    if line.startswith(SEAL_PREFIX):
                        size = offset
                        identity.mark(chain.count + 1, offset)
        except Broken as broken:
            problem = str(broken)
        if problem and (path != paths[-1] or _has_seal(path, size)):
            raise HaltTrading(f"{path.name} is damaged before its last seal, at {problem}")
    if paths and paths[-1].suffix == ".jsonl":
        path = paths[-1]
        torn = _cut(path, size, chain.count)
        if size:
            return Recovered(chain.head, chain.count, chain.day, chain.merkle, bytes(checks), path, size, torn)
        chain.day, chain.merkle = day, merkle
    return Recovered(chain.head, chain.count, chain.day, chain.merkle, bytes(checks), None, 0, torn)


def _has_seal(path: Path, offset: int) -> bool:
    """Tell whether a whole seal stands behind `offset`; one that misses its line end was cut while it was written."""
    with path.open("rb") as file:
        file.seek(offset)
        while line := file.readline(LINE_BYTES_MAX):
            at = line.find(SEAL_PREFIX)
            if at >= 0 and line.endswith(b"\n") and unframe(line[at:], "seal") is not None:
                return True
    return False


def _cut(path: Path, size: int, count: int) -> TornTail | None:
    """Keep what lies behind `size` as a file of its own, then cut; a segment without any seal goes away whole."""
    with path.open("rb") as file:
        file.seek(size)
        tail = file.read()
    torn = None
    if tail:
        name = f"torn-{count:020d}-{len(list(path.parent.glob(f'torn-{count:020d}-*.bin')))}.bin"
        write_durably(path.with_name(name), tail)
        torn = TornTail(name, len(tail), count)
        with path.open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())
    if size == 0:
        path.unlink()
        sync_directory(path.parent)
    return torn
