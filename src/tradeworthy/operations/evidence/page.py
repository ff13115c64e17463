"""Make the one-file page: a fixed template of style, verifier and view, and one block of data (EV-09, EV-10)."""

import base64
import hashlib
from functools import cache
from importlib import resources

import msgspec

from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.canonical import canonical_json, sha256_hex
from tradeworthy.operations.evidence.page_data import CLOSING, OPENING

PAGE_BYTES_MAX = 20_000_000
BASE64_RATIO = 4 / 3


@cache
def template() -> bytes:
    """Return the page without data; the same product gives the same bytes."""
    parts = resources.files(__package__).joinpath("page_parts")
    style = parts.joinpath("page.css").read_text()
    script = verifier_script() + parts.joinpath("view.js").read_text()
    policy = "; ".join((
        "default-src 'none'", f"script-src {_source(script)}", f"style-src {_source(style)}", "connect-src 'none'",
        "img-src 'none'", "base-uri 'none'", "form-action 'none'",
    ))  # fmt: skip
    page = parts.joinpath("page.html").read_text()
    data = (OPENING + CLOSING).decode()
    for mark, text in (("__CSP__", policy), ("__STYLE__", style), ("__DATA__", data), ("__SCRIPT__", script)):
        page = page.replace(mark, text)
    return page.encode()


def template_sha256() -> str:
    """Return the digest that a builder signs."""
    return sha256_hex(template())


def verifier_script() -> str:
    """Return the page's verifier with the tables of the library in it."""
    source = resources.files(__package__).joinpath("page_parts", "verify.js").read_text()
    return source.replace("__CONSTANTS__", msgspec.json.encode(_constants()).decode())


def page_of(files: dict[str, bytes], oversized: list[str]) -> bytes:
    """Return the page over the files of a bundle; the largest objects are left out when it would grow too large.

    oversized  names of objects that are too large for any page
    """
    room = (PAGE_BYTES_MAX - len(template())) / BASE64_RATIO
    omitted = list(oversized)
    total = sum(len(data) for data in files.values())
    for name in sorted(files, key=lambda one: (-len(files[one]), one)):
        if total <= room or len(files[name]) < words.OMITTED_BYTES_MIN:
            break
        omitted.append(name)
        total -= len(files[name])
    kept = {name: base64.b64encode(data).decode() for name, data in files.items() if name not in omitted}
    return page_with(kept, omitted)


def page_with(files: dict[str, str], omitted: list[str]) -> bytes:
    """Return the page that carries these base64 files and names what was left out."""
    block = canonical_json({"files": files, "omitted": sorted(omitted)})
    before, after = template().split(OPENING + CLOSING)
    return before + OPENING + block + CLOSING + after


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _constants() -> dict[str, object]:
    return {
        "shapes": words.SHAPES, "depth_max": words.DEPTH_MAX, "document_bytes_max": words.DOCUMENT_BYTES_MAX,
        "chunk_bytes": words.CHUNK_BYTES, "omitted_bytes_min": words.OMITTED_BYTES_MIN,
        "run_classes": words.RUN_CLASSES, "statuses": words.STATUSES, "environments": words.ENVIRONMENTS,
        "provenances": words.PROVENANCES, "release_kinds": words.RELEASE_KINDS, "class_kinds": words.CLASS_KINDS,
        "relaxed_kinds": words.RELAXED_KINDS,
        "kinds": (*words.REHEARSAL_KINDS, *words.RELEASE_KINDS, *words.OTHER_KINDS), "payload": words.PAYLOAD,
        "statement": words.STATEMENT, "build": words.BUILD, "sign_off": words.SIGN_OFF, "log_head": words.LOG_HEAD,
        "waiver": words.WAIVER, "builder": words.BUILDER, "log_keeper": words.LOG_KEEPER,
        "witness": words.WITNESS, "witness_minute": words.WITNESS_MINUTE,
        "human_roles": words.HUMAN_ROLES, "quorum": words.QUORUM, "live_quorum": words.LIVE_QUORUM,
        "never_waivable": words.NEVER_WAIVABLE, "waiver_days_max": words.WAIVER_DAYS_MAX,
        "waivers_active_max": words.WAIVERS_ACTIVE_MAX, "waiver_signers_min": words.WAIVER_SIGNERS_MIN,
    }  # fmt: skip
