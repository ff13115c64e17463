"""The one place where secrets are taken out of what is stored or shown."""

import re
import traceback
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"
REFERENCE = "secret://"
"""Begins the name of a secret that lies elsewhere (CFG-03); a name is no secret and stays readable."""
SECRET_BYTES_MIN = 6
_SECRET_NAME = re.compile(
    r"(?i)(passw(or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|authorization|signature|credential|cookie)$"
)
_IN_TEXT = re.compile(
    r"(?i)\b(?!secret://)"
    r"([\w-]*(?:password|passphrase|secret|token|api[_-]?key|private[_-]?key|authorization|signature))"
    r"(\"?\s*[=:]\s*\"?)(?!secret://)(?:bearer\s+)?[^\s\"&,;}]+"
)
_IN_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@\"]*:)(?!\[redacted\])[^\s/@\"]+(?=@)")
"""The password of an address, as a store's or a broker's URL has it."""
_REFERENCE = re.compile(r"secret://[A-Za-z0-9][A-Za-z0-9_.-]*")
_HINT = re.compile(  # first letters apart: the scan skips most bytes, five times sooner than one search a word
    rb"[pstac\\](?:assw|assphrase|ecret|oken|pi[_-]?key|rivate[_-]?key|uthorization|ignature|redential|ookie|(?<=\\)u)"
)
_known: dict[bytes, None] = {}


class Secret:
    """A value that cannot be printed; making one registers it, `reveal` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        register(value)

    def reveal(self) -> str:
        """Return the value, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({REDACTED})"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a secret is never serialised")


def register(value: str) -> None:
    """Remember a secret value, plain, as JSON and as `repr` write it; below 6 bytes it is refused as too common."""
    raw = value.encode()
    if len(raw) < SECRET_BYTES_MIN:
        raise ValueError(f"a secret must have at least {SECRET_BYTES_MIN} bytes, had {len(raw)}")
    shown = raw.replace(b"\\", b"\\\\")
    escaped = shown.replace(b'"', b'\\"')
    for form in sorted({raw, shown, escaped}, key=len, reverse=True):
        _known[form] = None


def is_reference(value: object) -> bool:
    """Tell whether a value is the name of a secret, `secret://NAME`, and not a secret."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def names_secret(key: str) -> bool:
    """Tell whether a key's name says that its value is secret."""
    return _SECRET_NAME.search(key) is not None


def registered() -> bool:
    """Tell whether any secret is known."""
    return bool(_known)


def known_secrets() -> int:
    """Return how many forms of secrets are known; it changes when one is added."""
    return len(_known)


def scrub(data: bytes) -> bytes:
    """Return `data` with every registered secret replaced; the journal's cheap path."""
    for secret in sorted(_known, key=len, reverse=True):
        if secret in data:
            data = data.replace(secret, REDACTED.encode())
    return data


def may_hold_secret(data: bytes) -> bool:
    """Tell cheaply whether `redact` could find anything in `data`; False is a promise, True only costs time."""
    if _HINT.search(data.lower()) is not None or (b"://" in data and b"@" in data):
        return True
    return any(secret in data for secret in _known) if _known else False


def register_environment(environment: Mapping[str, str]) -> None:
    """Register the values of environment variables whose names say that they are secret."""
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and len(value.encode("utf-8", "surrogateescape")) >= SECRET_BYTES_MIN:
            register(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def trace_of(error: BaseException) -> str:
    """Return an exception with its trace as text without secrets: what is shown of a crash is a sink too."""
    return str(redact("".join(traceback.format_exception(error))))


def redact(value: Any) -> Any:
    """Return a copy of text, bytes, mappings and sequences without secrets, by value and by key name."""
    match value:
        case Secret():
            return REDACTED
        case str():
            clean = scrub(value.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
            clean = _IN_TEXT.sub(rf"\1\2{REDACTED}", clean)
            return _IN_URL.sub(rf"\1{REDACTED}", clean) if "://" in clean else clean
        case bytes() | bytearray():
            return redact(bytes(value).decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        case Mapping():
            return {
                key: REDACTED
                if isinstance(key, str) and _SECRET_NAME.search(key) and not is_reference(item)
                else redact(item)
                for key, item in value.items()
            }
        case list() | tuple():
            return type(value)(redact(item) for item in value) if type(value) in (list, tuple) else value
        case BaseException():
            return f"{type(value).__name__}: {redact(str(value))}"
        case _:
            return value
