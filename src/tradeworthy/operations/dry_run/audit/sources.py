"""Open a log, plain or compressed, as a stream of bytes; the kind is told by its first bytes, not by its name."""

import bz2
import lzma
import queue
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from tradeworthy.kernel.errors import InvalidInput

COMPRESSED_READ_BYTES = 131_072
BLOCKS_AHEAD_MAX = 4
"""Blocks that the decompressor may be ahead of the reader."""
_MAGIC = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zst"))
_GZIP_WINDOW = 31


class Unreadable(InvalidInput):
    """A named input is absent, or its bytes are not what they say they are."""


def kind_of(path: Path) -> str:
    """Return plain, gz, bz2, xz or zst; raises `Unreadable` when the file cannot be opened."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as problem:
        raise Unreadable(f"cannot read {path.name}: {problem.strerror or problem}") from None
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    return "xz" if path.suffix == ".lzma" else "plain"


class Decompressed:
    """The text of a compressed file, decompressed by a thread of its own; `truncated` is known at the end."""

    def __init__(self, path: Path, kind: str) -> None:
        self.truncated = False
        self._path = path
        self._kind = kind
        self._blocks: queue.Queue[bytes | BaseException | None] = queue.Queue(BLOCKS_AHEAD_MAX)
        self._given_up = threading.Event()

    def blocks(self) -> Iterator[bytes]:
        """Yield pieces of text in order; raises `Unreadable` where the stream is damaged."""
        worker = threading.Thread(target=self._work, name=f"decompress {self._path.name}", daemon=True)
        worker.start()
        try:
            while (block := self._blocks.get()) is not None:
                if isinstance(block, BaseException):
                    raise block
                yield block
        finally:
            self._given_up.set()
            while worker.is_alive():
                with suppress(queue.Empty):
                    self._blocks.get(timeout=0.01)

    def _work(self) -> None:
        try:
            with self._path.open("rb") as file:
                for block in self._pieces(file):
                    self._blocks.put(block)
                    if self._given_up.is_set():
                        return
            self._blocks.put(None)
        except Unreadable as problem:
            self._blocks.put(problem)
        except (OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError, ValueError, EOFError) as problem:
            self._blocks.put(Unreadable(f"{self._path.name} is damaged: {problem}"))
        except BaseException as problem:
            self._blocks.put(problem)

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        make, damage = _decompressor(self._kind)
        current: Any = None
        while data := file.read(COMPRESSED_READ_BYTES):
            while data:
                if current is None:
                    current = make()
                try:
                    block = current.decompress(data)
                except damage as problem:
                    raise Unreadable(f"{self._path.name} is damaged: {problem}") from None
                if block:
                    yield block
                data = b""
                if current.eof:
                    data = current.unused_data.lstrip(b"\0")
                    current = None
        self.truncated = current is not None


def _decompressor(kind: str) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
    """Return how to make a decompressor and what it raises; isal for gzip where it is installed, else zlib."""
    match kind:
        case "bz2":
            return bz2.BZ2Decompressor, (OSError, ValueError, EOFError)
        case "xz":
            return lzma.LZMADecompressor, (lzma.LZMAError, EOFError)
        case "zst":
            return lambda: zstandard.ZstdDecompressor().decompressobj(), (zstandard.ZstdError,)
        case _:
            try:
                isal = import_module("isal.isal_zlib")
            except ImportError:
                return lambda: zlib.decompressobj(_GZIP_WINDOW), (zlib.error,)
            return lambda: isal.decompressobj(_GZIP_WINDOW), (isal.error,)


def lines_of(path: Path, *, line_bytes_max: int) -> Iterator[tuple[int, bytes | None, bool]]:
    """Yield (offset, line without its end, whether it ended) of a text, plain or compressed; None for an overlong line.

    Raises `Unreadable`. A cut stream shows as a last line that did not end.
    """
    kind = kind_of(path)
    source = None if kind == "plain" else Decompressed(path, kind)
    held, offset, skipping = b"", 0, False
    try:
        for block in _plain_blocks(path) if source is None else source.blocks():
            *whole, rest = (held + block).split(b"\n")
            for line in whole:
                yield offset, None if skipping else line, True
                offset += len(line) + 1
                skipping = False
            held = rest
            if len(held) > line_bytes_max:
                offset += len(held)
                held, skipping = b"", True
    except OSError as problem:
        raise Unreadable(f"cannot read {path.name}: {problem.strerror or problem}") from None
    if skipping or held or (source is not None and source.truncated):
        yield offset, None if skipping else held, False


def _plain_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(COMPRESSED_READ_BYTES):
            yield block
