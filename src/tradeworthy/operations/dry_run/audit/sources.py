"""Open a log, plain or compressed, as a stream of bytes; the kind is told by its first bytes, not by its name."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import zstandard

from tradeworthy.kernel.errors import InvalidInput

READ_BYTES = 32_768
"""Read at a time: it becomes about a block of text at once, and of zstandard what comes out cannot be limited."""
BLOCK_BYTES_MAX = 262_144
"""Text that is inflated at a time, which is read while the processor's cache holds it."""
AHEAD_BYTES = 2_097_152
"""Text that is made at least, if there is so much, before a thread hands it over."""
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
    """The text of a compressed file; `truncated` is known at the end."""

    def __init__(self, path: Path, kind: str) -> None:
        self.truncated = False
        self._path = path
        self._kind = kind

    def blocks(self) -> Iterator[bytes]:
        """Yield pieces of text in order, each made when it is asked for; raises `Unreadable` where it is damaged."""
        make, damage = _decompressor(self._kind)
        try:
            with self._path.open("rb") as file:
                yield from self._pieces(file, make)
        except damage as problem:
            raise Unreadable(f"{self._path.name} is damaged: {problem}") from None

    def _pieces(self, file: BinaryIO, make: "Callable[[], Decompressor]") -> Iterator[bytes]:
        current: Decompressor | None = None
        while data := file.read(READ_BYTES):
            while data or (current is not None and not current.needs_input):
                if current is None:
                    current = make()
                if block := current.decompress(data, BLOCK_BYTES_MAX):
                    yield block
                data = b""
                if current.eof:
                    data = current.unused_data.lstrip(b"\0")
                    current = None
        self.truncated = current is not None


def made_ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same blocks, and raise the same, while a thread of its own makes the next ones."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="decompress") as pool:
        job = pool.submit(_batch, blocks)
        while True:
            batch, problem = job.result()
            job = pool.submit(_batch, blocks)  # of blocks that have ended, nothing
            yield from batch
            if problem is not None:
                raise problem
            if not batch:
                return


def _batch(blocks: Iterator[bytes]) -> tuple[list[bytes], Unreadable | None]:
    """Return the next blocks, many because each handing over wakes a thread, and what ended them."""
    batch: list[bytes] = []
    size = 0
    try:
        while size < AHEAD_BYTES and (block := next(blocks, None)) is not None:
            batch.append(block)
            size += len(block)
    except Unreadable as problem:
        return batch, problem
    return batch, None


class Decompressor(Protocol):
    """One stream; it gives at most `max_length` bytes and asks for input when it has used what it was given."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """A gzip member by zlib, which keeps what it did not use in a tail."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_WINDOW)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        tail = self._stream.unconsumed_tail
        block = self._stream.decompress(tail + data if tail else data, max_length)
        self.needs_input = not self._stream.unconsumed_tail and len(block) < max_length
        return block


class _Zstandard:
    """A zstd frame; the library offers no limit of what comes out."""

    needs_input = True

    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor().decompressobj()

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._stream.decompress(data)


def _decompressor(kind: str) -> tuple[Callable[[], Decompressor], tuple[type[Exception], ...]]:
    """Return how to make a decompressor, and what it and its file raise."""
    match kind:
        case "bz2":
            return bz2.BZ2Decompressor, (OSError, ValueError, EOFError)
        case "xz":
            return lzma.LZMADecompressor, (OSError, lzma.LZMAError, EOFError)
        case "zst":
            return _Zstandard, (OSError, zstandard.ZstdError)
        case _ if find_spec("isal") is not None:
            isal: Any = import_module("isal.igzip_lib")
            return partial(isal.IgzipDecompressor, flag=isal.DECOMP_GZIP), (OSError, isal.error)
        case _:
            return _Gzip, (OSError, zlib.error)


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
        while block := file.read(READ_BYTES):
            yield block
