"""Bytes and trees: canonical JSON, shapes, proofs after RFC 6962. Part of the standalone verifier.

Unsigned documents are accepted only in their one canonical form, so no edit of them goes unseen: printable ASCII,
sorted keys, no spaces, integers below 2^53, one line feed at the end.
"""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.journal.verify import leaf_of, node_of
from tradeworthy.operations.evidence.vocabulary import DEPTH_MAX, DOCUMENT_BYTES_MAX, INTEGER_MAX, SHAPES

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_PATTERNS = {
    "hex": re.compile(r"[0-9a-f]{64}"),
    "id": re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}"),
    "time": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"),
}


class Malformed(Exception):
    """A document is not in its canonical form or not of its shape."""


def canonical_json(value: Any) -> bytes:
    """Return the one accepted form of a document; raises `Malformed` for what JSON or the rules do not hold."""
    _bounded(value, 0)
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    if not data.isascii() or b"\x7f" in data:
        raise Malformed("expected printable ASCII, found other text")
    return data + b"\n"


def parse_canonical(data: bytes, shape: str) -> Any:
    """Return the document of these bytes; raises `Malformed` unless they are its canonical form and of this shape."""
    if len(data) > DOCUMENT_BYTES_MAX:
        raise Malformed(f"expected at most {DOCUMENT_BYTES_MAX} bytes, found {len(data)}")
    try:
        value = json.loads(data.decode("ascii"), parse_float=_no_number, parse_constant=_no_number)
        if canonical_json(value) != data:
            raise Malformed("expected the canonical form, found another")
    except (ValueError, RecursionError) as problem:
        raise Malformed(f"expected canonical JSON, found {type(problem).__name__}") from None
    require_shape(value, SHAPES[shape])
    return value


def require_shape(value: Any, shape: Any) -> None:
    """Raise `Malformed` unless `value` has this shape."""
    if isinstance(shape, str) and shape.startswith("?"):
        if value is None:
            return
        shape = shape[1:]
    if isinstance(shape, str) and shape in SHAPES:
        shape = SHAPES[shape]
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise Malformed("expected a list")
        for one in value:
            require_shape(one, shape[0])
    elif isinstance(shape, dict):
        if not isinstance(value, dict) or value.keys() != shape.keys():
            raise Malformed(f"expected exactly {', '.join(sorted(shape))}")
        for name, part in shape.items():
            require_shape(value[name], part)
    elif shape == "int":
        if type(value) is not int or value < 0:
            raise Malformed("expected an integer of at least 0")
    elif not isinstance(value, str):
        raise Malformed("expected text")
    elif shape.startswith("="):
        if value != shape[1:]:
            raise Malformed(f"expected {shape[1:]}")
    elif shape in _PATTERNS and not _PATTERNS[shape].fullmatch(value):
        raise Malformed(f"expected {shape}")
    elif shape == "time":
        time_of(value)


def stamp_of(nanos: int) -> str:
    """Return nanoseconds UTC as a stamp to the second."""
    return datetime.fromtimestamp(nanos // NANOS_PER_SECOND, UTC).strftime(TIME_FORMAT)


def time_of(text: str) -> datetime:
    """Return a stamp as UTC time; raises `Malformed` for a day that is not in the calendar."""
    try:
        return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise Malformed(f"expected a time like 2026-01-31T00:00:00Z, found {text}") from None


def later(text: str, *, days: int) -> str:
    """Return the stamp `days` after this one."""
    return (time_of(text) + timedelta(days=days)).strftime(TIME_FORMAT)


def unbase64(text: str) -> bytes:
    """Return the bytes; raises `Malformed` unless the text is exactly what encoding them gives."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Malformed("expected base64") from None
    if base64.b64encode(data).decode() != text:
        raise Malformed("expected canonical base64")
    return data


def sha256_hex(data: bytes | memoryview) -> str:
    """Return the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def root_by_inclusion(digest_hex: str, index: int, size: int, audit_path: list[str]) -> str | None:
    """Return the root that an audit path leads to, None when path and index do not fit (RFC 9162, 2.1.3.2)."""
    if index >= size:
        return None
    at, last, node = index, size - 1, leaf_of(digest_hex)
    for text in audit_path:
        if last == 0:
            return None
        other = bytes.fromhex(text)
        if at & 1 or at == last:
            node = node_of(other, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_of(node, other)
        at, last = at >> 1, last >> 1
    return node.hex() if last == 0 else None


def consistent(first: int, second: int, first_root: str, second_root: str, proof: list[str]) -> bool:
    """Tell whether the tree of `second` leaves begins with the tree of `first` (RFC 9162, 2.1.4.2)."""
    if first == 0 or first > second:
        return first == 0 and not proof
    if first == second:
        return not proof and first_root == second_root
    path = [bytes.fromhex(one) for one in proof]
    if first & (first - 1) == 0:
        path.insert(0, bytes.fromhex(first_root))
    if not path:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_of(other, old), node_of(other, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_of(new, other)
        at, last = at >> 1, last >> 1
    return last == 0 and old.hex() == first_root and new.hex() == second_root


def _no_number(text: str) -> Any:
    raise Malformed(f"expected an integer, found {text}")


def _bounded(value: Any, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise Malformed(f"expected at most {DEPTH_MAX} levels")
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            _bounded(one, depth + 1)
    elif type(value) is int and abs(value) > INTEGER_MAX:
        raise Malformed(f"expected integers up to {INTEGER_MAX}")
