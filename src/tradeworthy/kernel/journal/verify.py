"""Verify a journal with nothing but the standard library: `python verify.py DIRECTORY`.

This one file defines the sealed format (see docs/adr/0001-journal-format.md): the writer uses its functions, and a
copy of it reads any journal anywhere. Memory is constant: one batch and one checkpoint are held at a time.

Exit codes: 0 intact; 2 damaged, with the first bad seq; 3 could not judge.
"""

import argparse
import base64
import hashlib
import json
import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

TAG = b"tw-journal-v1"
GENESIS = "0" * 64
BATCH_EVENTS_MAX = 4_096
LINE_BYTES_MAX = 1 << 24
PAYLOAD_TYPE = "application/vnd.tradeworthy.journal-checkpoint+json"
SEAL_PREFIX = b'{"seal":'
HEADER_PREFIX = b'{"segment":'
_CHECK_LENGTH = len(',"check":"00000000"}}')


UNSEALED_TAIL = "the segment ends without a seal"
"""What a killed writer leaves, or one who cuts a journal in the middle of a batch."""


class VerifyResult(NamedTuple):
    """The judgement; `events` and `head` tell how far the journal is intact, `problem` what comes after."""

    ok: bool
    events: int
    head: str
    first_bad_seq: int | None
    problem: str


class Broken(Exception):
    """The journal is damaged at `seq`."""

    def __init__(self, seq: int, problem: str) -> None:
        super().__init__(f"seq {seq}: {problem}")
        self.seq = seq
        self.problem = problem


class CannotJudge(Exception):
    """An input is missing or unreadable."""


def batch_hash(prev: str, first: int, last: int, body: bytes) -> str:
    """Return SHA-256(tag, previous head as 32 bytes, first and last as big-endian u64, the batch's lines) in hex."""
    digest = hashlib.sha256(TAG + bytes.fromhex(prev) + struct.pack(">QQ", first, last))
    digest.update(body)
    return digest.hexdigest()


def line_checks(body: bytes) -> bytes:
    """Return the CRC-32 of each line of `body` (without its newline), 4 bytes big-endian a line."""
    lines = body.split(b"\n")
    lines.pop()
    checks = array("I", map(zlib.crc32, lines))
    if sys.byteorder == "little":
        checks.byteswap()
    return checks.tobytes()


def seal_line(first: int, last: int, prev: str, digest: str, writer_token: int, checks: bytes) -> bytes:
    """Return the line that seals a batch; `lines` locates damage inside it, `check` guards the seal itself."""
    return _framed(
        b'{"seal":{"first":%d,"last":%d,"prev":"%s","hash":"%s","writer_token":%d,"lines":"%s"'
        % (first, last, prev.encode(), digest.encode(), writer_token, checks.hex().encode())
    )


def header_line(first: int, prev: str, day: str) -> bytes:
    """Return a segment's first line: what comes first, the head and the number of events before it."""
    return _framed(
        b'{"segment":{"version":1,"first":%d,"prev":"%s","count":%d,"day":"%s"'
        % (first, prev.encode(), first - 1, day.encode())
    )


def unframe(line: bytes, name: str) -> dict[str, Any] | None:
    """Return the fields of a seal or a segment header, None when its check does not fit."""
    line = line.rstrip(b"\n")
    cut = len(line) - _CHECK_LENGTH
    if cut <= 0 or line[cut:] != b',"check":"%08x"}}' % zlib.crc32(line[:cut]):
        return None
    try:
        fields = json.loads(line)[name]
    except (ValueError, KeyError, TypeError):
        return None
    return fields if isinstance(fields, dict) else None


def _framed(text: bytes) -> bytes:
    return text + b',"check":"%08x"}}\n' % zlib.crc32(text)


def leaf_of(digest_hex: str) -> bytes:
    """Return the RFC 6962 leaf over a digest."""
    return hashlib.sha256(b"\x00" + bytes.fromhex(digest_hex)).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """Return the RFC 6962 inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Merkle:
    """The RFC 6962 root of a growing list of hashes, in logarithmic memory."""

    def __init__(self) -> None:
        self._stack: list[tuple[int, bytes]] = []

    def add(self, leaf_hex: str) -> None:
        size, node = 1, leaf_of(leaf_hex)
        while self._stack and self._stack[-1][0] == size:
            node = node_of(self._stack.pop()[1], node)
            size *= 2
        self._stack.append((size, node))

    def root(self) -> str:
        if not self._stack:
            return hashlib.sha256(b"").hexdigest()
        node = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            node = node_of(left, node)
        return node.hex()


class Chain:
    """Fold lines into head, count and the day's Merkle root; raises `Broken` at the first line that does not fit.

    on_seal  called after each good batch with (first, last, its line checks)
    """

    def __init__(self, on_seal: Callable[["Chain", int, int, bytes], None] | None = None) -> None:
        self.count = 0
        self.head = GENESIS
        self.day = ""
        self.merkle = Merkle()
        self.writer_token = 0
        self.lines: list[bytes] = []
        self._on_seal = on_seal
        self._started = False

    def feed(self, line: bytes) -> None:
        """Take one line with its newline."""
        if line.startswith(SEAL_PREFIX):
            self._seal(line)
        elif line.startswith(HEADER_PREFIX):
            self._header(line)
        else:
            if not self._started:
                raise Broken(self.count + 1, "the segment has no header")
            self.lines.append(line)
            if len(self.lines) > BATCH_EVENTS_MAX:
                raise Broken(self._first_out_of_place(), f"no seal after {BATCH_EVENTS_MAX} lines")

    def open_segment(self) -> None:
        """Expect a header next; lines left without a seal by the segment before are damage."""
        if self.lines:
            raise Broken(self._first_out_of_place(), UNSEALED_TAIL)
        self._started = False

    def _header(self, line: bytes) -> None:
        expected = self.count + 1
        fields = unframe(line, "segment")
        if fields is None or self._started:
            raise Broken(expected + len(self.lines), "a segment header is damaged or out of place")
        first = int(fields["first"])
        if self.count == 0 and self.head == GENESIS and first > 1:  # older segments are archived elsewhere
            self.count, self.head, expected = first - 1, str(fields["prev"]), first
        if first != expected:
            raise Broken(expected, f"expected a segment that starts at {expected}, found {first}")
        if fields["prev"] != self.head:
            raise Broken(expected, "the segment header names another head than the segment before ends with")
        if fields["day"] != self.day:
            self.day, self.merkle = str(fields["day"]), Merkle()
        self._started = True

    def _seal(self, line: bytes) -> None:
        lines, expected = self.lines, self.count + 1
        fields = unframe(line, "seal") if line.endswith(b"\n") else None
        if fields is None or not self._started:
            raise Broken(self._first_out_of_place() if lines else expected, "a seal is damaged or has no segment")
        first, last, checks = int(fields["first"]), int(fields["last"]), bytes.fromhex(fields["lines"])
        if first != expected:
            raise Broken(self._first_out_of_place(), f"expected a seal from {expected}, found one from {first}")
        body = b"".join(lines)
        found = line_checks(body if body.endswith(b"\n") else body + b"\n") if lines else b""
        if found != checks or len(lines) != last - first + 1:
            bad = first + _first_difference(found, checks)
            raise Broken(min(bad, last + 1), "the event is changed, missing, inserted or out of order")
        if fields["prev"] != self.head:
            raise Broken(first, "the seal does not continue the head before it")
        if batch_hash(self.head, first, last, body) != fields["hash"]:
            raise Broken(self._first_out_of_place(), "the batch does not have the hash its seal states")
        if int(fields["writer_token"]) < self.writer_token:
            raise Broken(first, "the writer token fell: a fenced writer went on writing")
        for index, text in enumerate(lines):
            if not text.startswith(b'{"seq":%d,' % (first + index)):
                raise Broken(first + index, f"expected seq {first + index}, found {text[:24]!r}")
        self.writer_token = int(fields["writer_token"])
        self.head, self.count, self.lines = str(fields["hash"]), last, []
        self.merkle.add(self.head)
        if self._on_seal is not None:
            self._on_seal(self, first, last, checks)

    def _first_out_of_place(self) -> int:
        """Return the seq at the first unsealed line that is no whole event in order, else of the first unsealed."""
        first = self.count + 1
        for index, text in enumerate(self.lines):
            whole = text.endswith(b"}\n") and SEAL_PREFIX not in text
            if not whole or not text.startswith(b'{"seq":%d,' % (first + index)):
                return first + index
        return first


def _first_difference(found: bytes, expected: bytes) -> int:
    for index in range(0, max(len(found), len(expected)), 4):
        if found[index : index + 4] != expected[index : index + 4]:
            return index // 4
    return min(len(found), len(expected)) // 4


class Checkpoints:
    """Signed statements in order of count, read one at a time; compared as the chain reaches them."""

    def __init__(self, paths: list[Path], public_key: bytes | None) -> None:
        self._paths = iter(paths)
        self._key = public_key
        self._current = self._next(0)

    def _next(self, count: int) -> dict[str, Any] | None:
        for path in self._paths:
            statement = read_checkpoint(path, self._key)
            if int(statement["count"]) > count:
                return statement
        return None

    def compare(self, chain: Chain, first: int, last: int, checks: bytes) -> None:
        while (signed := self._current) is not None:
            since, count = int(signed["since"]), int(signed["count"])
            begin, end = max(first, since + 1), min(last, count)
            if begin <= end:
                expected = base64.b64decode(signed["lines"])[(begin - since - 1) * 4 : (end - since) * 4]
                found = checks[(begin - first) * 4 : (end - first + 1) * 4]
                if found != expected:
                    raise Broken(begin + _first_difference(found, expected), "the event is not the one that was signed")
            if count > last:
                return
            if count < last and count >= first:
                raise Broken(first, f"the batch was sealed again: a checkpoint was signed at {count}, inside it")
            if count == last and (signed["head"] != chain.head or signed["day_root"] != chain.merkle.root()):
                raise Broken(since + 1, f"the head at {count} is not the signed one; damage lies at or before this seq")
            self._current = self._next(count)

    def finish(self, chain: Chain) -> None:
        if self._current is not None:
            signed = int(self._current["count"])
            raise Broken(chain.count + 1, f"truncated: {signed} events were signed, {chain.count} are sealed")


def read_checkpoint(path: Path, public_key: bytes | None) -> dict[str, Any]:
    """Return the statement of a DSSE envelope; with a key its Ed25519 signature must hold."""
    try:
        envelope = json.loads(path.read_bytes())
        payload = base64.b64decode(envelope["payload"], validate=True)
        statement = json.loads(payload)
        signatures = [base64.b64decode(entry["sig"]) for entry in envelope["signatures"]]
        missing = {"head", "count", "since", "lines", "day_root"} - set(statement)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotJudge(f"{path.name}: expected a DSSE envelope, found {error!r}") from None
    if missing or envelope.get("payloadType") != PAYLOAD_TYPE:
        raise CannotJudge(f"{path.name}: expected a journal checkpoint, missing {sorted(missing)}")
    message = pre_authentication(payload)
    if public_key is not None and not any(ed25519_valid(public_key, message, signature) for signature in signatures):
        raise CannotJudge(f"{path.name}: no signature fits the public key")
    return dict(statement)


def pre_authentication(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Return the bytes that DSSE v1 signs."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def segments_of(directory: Path) -> list[Path]:
    """Return the plain segments, oldest first."""
    return sorted(directory.glob("journal-*.jsonl"))


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield lines with their newline; the last may have none."""
    with path.open("rb", buffering=1 << 20) as file:
        while line := file.readline(LINE_BYTES_MAX):
            yield line


def verify(
    directory: str | Path, *, checkpoint: str | Path | None = None, public_key: bytes | None = None,
    head: str | None = None, count: int | None = None,
) -> VerifyResult:
    """Judge every event of a journal; `checkpoint` is one envelope or a directory of them.

    head, count  a head known from elsewhere and its number of events; both or none
    Raises `CannotJudge` when there is no journal, or an envelope that cannot be read or trusted.
    """
    directory = Path(directory)
    paths = segments_of(directory)
    if not paths:
        raise CannotJudge(f"expected journal-*.jsonl in {directory}, found none")
    if (head is None) != (count is None):
        raise CannotJudge("expected head and count together")
    signed: Checkpoints | None = None
    if checkpoint is not None:
        place = Path(checkpoint)
        signed = Checkpoints(sorted(place.glob("checkpoint-*.dsse.json")) if place.is_dir() else [place], public_key)

    def on_seal(chain: Chain, first: int, last: int, checks: bytes) -> None:
        if signed is not None:
            signed.compare(chain, first, last, checks)
        if count is not None and first <= count <= last and (count != last or head != chain.head):
            raise Broken(first, f"the head at {count} is not the given one; damage lies at or before this batch")

    chain = Chain(on_seal)
    good = (0, GENESIS)
    try:
        for path in paths:
            chain.open_segment()
            for line in lines_of(path):
                chain.feed(line)
                good = (chain.count, chain.head)
        chain.open_segment()
        if signed is not None:
            signed.finish(chain)
        if count is not None and chain.count < count:
            raise Broken(chain.count + 1, f"truncated: expected {count} events, found {chain.count}")
    except Broken as broken:
        return VerifyResult(False, *good, broken.seq, broken.problem)
    return VerifyResult(True, *good, None, "")


# Ed25519 verification after RFC 8032 section 5.1.7, on extended coordinates.
_P = 2**255 - 19
_Q = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_Point = tuple[int, int, int, int]


def ed25519_valid(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` (64 bytes) of `message` fits the raw 32-byte `public_key`."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = _decompress(public_key), _decompress(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    base = _decompress((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))
    if key is None or commitment is None or base is None or scalar >= _Q:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _Q
    left, right = _multiply(scalar, base), _add(commitment, _multiply(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 and (left[1] * right[2] - right[1] * left[2]) % _P == 0


def _decompress(encoded: bytes) -> _Point | None:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


def _add(a: _Point, b: _Point) -> _Point:
    lower, upper = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    c, d = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = upper - lower, d - c, d + c, upper + lower
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiply(scalar: int, point: _Point) -> _Point:
    result: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def main(arguments: list[str] | None = None) -> int:
    """Verify the named directory; print one line, return the exit code."""
    parser = argparse.ArgumentParser(description="Verify a journal.", exit_on_error=False)
    parser.add_argument("directory")
    parser.add_argument("--checkpoint", help="a signed checkpoint, or a directory of them")
    parser.add_argument("--public-key", help="file with the Ed25519 key: 64 hex digits")
    parser.add_argument("--head")
    parser.add_argument("--count", type=int)
    try:
        given = parser.parse_args(arguments)
        key = bytes.fromhex(Path(given.public_key).read_text().strip()) if given.public_key else None
        result = verify(
            given.directory, checkpoint=given.checkpoint, public_key=key, head=given.head, count=given.count
        )
    except (CannotJudge, OSError, ValueError, argparse.ArgumentError) as error:
        print(f"could not judge: {error}", file=sys.stderr)
        return 3
    except SystemExit as stop:
        return 0 if stop.code == 0 else 3
    if not result.ok:
        print(f"damaged: first bad seq {result.first_bad_seq}: {result.problem}; intact to {result.events}")
        return 2
    trust = "unsigned" if given.checkpoint is None else "signed" if key else "checkpoint signature not checked"
    print(f"intact: {result.events} events, head {result.head}, {trust}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
