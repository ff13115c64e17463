"""Verify a journal while it is written: each look reads what was sealed since the last one, and nothing twice."""

from array import array
from bisect import bisect_left
from pathlib import Path

from tradeworthy.kernel.journal.checkpoint import count_of
from tradeworthy.kernel.journal.verify import (
    HEADER_PREFIX,
    LINE_BYTES_MAX,
    SEAL_PREFIX,
    Broken,
    CannotJudge,
    Chain,
    VerifyResult,
    read_checkpoint,
    segments_of,
)

HEADS_KEPT = 20_000
"""Seals whose head is remembered, so that a checkpoint that is signed later can be compared; 0.8 MB, the older half
goes when they are full."""
HEAD_BYTES = 32


class ChainWatch:
    """The chain of one journal up to its newest seal; damage that was found once stays found.

    Of a checkpoint the head at its count is compared, which binds every line before it; its own line checks are for
    `verify`, which says at which seq damage lies.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._chain = Chain(self._on_seal)
        self._path: Path | None = None
        self._offset = 0
        self._sealed = array("Q")
        self._heads = bytearray()
        self._compared = 0
        self._bad: VerifyResult | None = None

    def look(self) -> VerifyResult:
        """Read on and return how far the journal is intact. Raises `CannotJudge` where there is none."""
        if self._bad is None:
            paths = segments_of(self._directory)
            if not paths:
                raise CannotJudge(f"expected journal-*.jsonl in {self._directory}, found none")
            try:
                for number, path in enumerate(self._ahead(paths)):
                    self._read(path, opens=number > 0 or self._path is None)
                self._checkpoints()
            except Broken as broken:
                self._bad = VerifyResult(False, self._chain.count, self._chain.head, broken.seq, broken.problem)
        return self._bad or VerifyResult(True, self._chain.count, self._chain.head, None, "")

    def _ahead(self, paths: list[Path]) -> list[Path]:
        """Return the segment in hand, or the next one where it was archived since, and all after it."""
        if self._path in paths:
            return paths[paths.index(self._path) :]
        newer = paths if self._path is None else [one for one in paths if one.name > self._path.name]
        self._path = None
        return newer

    def _read(self, path: Path, *, opens: bool) -> None:
        chain = self._chain
        if opens:
            chain.open_segment()
            self._offset = 0
        self._path = path
        chain.lines.clear()  # a tail without its seal is read again
        with path.open("rb", buffering=1 << 20) as file:
            at = file.seek(self._offset)
            while (line := file.readline(LINE_BYTES_MAX)).endswith(b"\n"):
                chain.feed(line)
                at += len(line)
                if line.startswith((SEAL_PREFIX, HEADER_PREFIX)):
                    self._offset = at

    def _on_seal(self, chain: Chain, first: int, last: int, checks: bytes) -> None:
        if len(self._sealed) >= HEADS_KEPT:
            half = HEADS_KEPT // 2
            del self._sealed[:half], self._heads[: half * HEAD_BYTES]
        self._sealed.append(last)
        self._heads += bytes.fromhex(chain.head)

    def _head_at(self, count: int) -> str | None:
        """Return the head that a seal left at this count, None where none is remembered."""
        at = bisect_left(self._sealed, count)
        if at == len(self._sealed) or self._sealed[at] != count:
            return None
        return self._heads[at * HEAD_BYTES : (at + 1) * HEAD_BYTES].hex()

    def _checkpoints(self) -> None:
        chain = self._chain
        for path in sorted(self._directory.glob("checkpoint-*.dsse.json")):
            count = count_of(path)
            if not self._compared < count <= chain.count:
                continue  # one that is ahead of what was read is compared at the next look
            signed = read_checkpoint(path, None)
            head = self._head_at(count)
            if head is not None and head != signed["head"]:
                raise Broken(count, f"the head at {count} is not the signed one; damage lies at or before this seq")
            if head is None and self._sealed and count > self._sealed[0]:
                raise Broken(count, f"the batch was sealed again: a checkpoint was signed at {count}, inside it")
            self._compared = count
