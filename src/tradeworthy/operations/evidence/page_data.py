"""Take a one-file page apart: its fixed template and the files it carries. Part of the standalone verifier."""

import json
from typing import Any, NamedTuple

from tradeworthy.operations.evidence.canonical import Malformed, canonical_json, sha256_hex, unbase64

OPENING, CLOSING = b'<script id="bundle" type="application/json">', b"</script>"


class PageContents(NamedTuple):
    """What a page carries: the digest of its template, its files, and the names of the objects it left out."""

    template_sha256: str
    files: dict[str, bytes]
    omitted: frozenset[str]


def contents_of(page: bytes) -> PageContents:
    """Return the parts of a page; raises `Malformed` when it is none."""
    before, opening, rest = page.partition(OPENING)
    data, closing, after = rest.partition(CLOSING)
    if not opening or not closing or OPENING in after:
        raise Malformed("expected a page with one block of data")
    try:
        value: Any = json.loads(data.decode("ascii"))
        if value.keys() != {"files", "omitted"} or canonical_json(value) != data:
            raise Malformed("expected the canonical block of data")
        files = {name: unbase64(text) for name, text in value["files"].items()}
        omitted = frozenset(str(one) for one in value["omitted"])
    except (ValueError, RecursionError, AttributeError, TypeError) as problem:
        raise Malformed(f"expected a block of data, found {type(problem).__name__}") from None
    return PageContents(sha256_hex(before + OPENING + CLOSING + after), files, omitted)
