"""The trust file: whose keys count, for which roles, from when to when, and who is revoked (EV-08)."""

from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.canonical import Malformed, canonical_json, parse_canonical, sha256_hex

SCHEMA = "evidence.trust@1"
MACHINE_ROLES = (words.BUILDER, words.LOG_KEEPER, words.WITNESS)


class TrustedKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key; a person holds human roles, a machine the others. Valid from `valid_from` until before `valid_to`."""

    key_id: str
    public_key: str
    holder: str
    kind: str
    roles: tuple[str, ...]
    valid_from: str
    valid_to: str
    revoked_at: str | None = None


class Quorum(msgspec.Struct, frozen=True, kw_only=True):
    """Roles that must sign, beside those that every bundle of the class needs."""

    rehearsal: tuple[str, ...] = ()
    release: tuple[str, ...] = ()


class TrustFile(msgspec.Struct, frozen=True, kw_only=True):
    """All keys and the quorum."""

    keys: tuple[TrustedKey, ...] = ()
    quorum: Quorum = Quorum()
    schema: str = SCHEMA

    def encoded(self) -> bytes:
        """Return the file's bytes; their SHA-256 is the fingerprint that people pin."""
        return canonical_json(msgspec.to_builtins(self))

    def fingerprint(self) -> str:
        """Return what people pin."""
        return sha256_hex(self.encoded())

    def key(self, key_id: str) -> TrustedKey | None:
        """Return the key of this id."""
        return next((one for one in self.keys if one.key_id == key_id), None)

    def may(self, key: TrustedKey, role: str, at: str) -> bool:
        """Tell whether a key may sign as `role` at this time."""
        inside = key.valid_from <= at < key.valid_to and (key.revoked_at is None or at < key.revoked_at)
        return inside and role in key.roles


def trusted_key(
    public: bytes, *, holder: str, roles: tuple[str, ...], valid_from: str, valid_to: str
) -> TrustedKey:
    """Return a key for the trust file; raises `UsageError` for roles that do not go together."""
    unknown = [role for role in roles if role not in (*words.HUMAN_ROLES, *MACHINE_ROLES)]
    if unknown or not roles:
        known = ", ".join((*words.HUMAN_ROLES, *MACHINE_ROLES))
        raise UsageError(f"expected roles of {known}, found {', '.join(unknown) or 'none'}")
    people = {role in words.HUMAN_ROLES for role in roles}
    if len(people) > 1:
        raise UsageError("a key belongs to a person or to a machine; people's roles and machines' do not mix")
    return TrustedKey(
        key_id=key_id_of(public), public_key=public.hex(), holder=holder,
        kind="person" if people == {True} else "machine", roles=roles, valid_from=valid_from, valid_to=valid_to,
    )  # fmt: skip


def read_trust(path: Path) -> TrustFile:
    """Return a trust file; raises `UsageError`."""
    try:
        return decode_trust(path.read_bytes())
    except (OSError, Malformed) as problem:
        raise UsageError(f"expected a trust file at {path}, found {problem}") from None


def decode_trust(data: bytes) -> TrustFile:
    """Return the trust file of these bytes; raises `Malformed`."""
    document: Any = parse_canonical(data, "trust")
    return msgspec.convert(document, TrustFile)


def with_key(trust: TrustFile, key: TrustedKey) -> TrustFile:
    """Return the file with this key; raises `UsageError` when it is there."""
    if trust.key(key.key_id) is not None:
        raise UsageError(f"key {key.key_id} of {key.holder} is in the trust file already")
    return msgspec.structs.replace(trust, keys=(*trust.keys, key))


def revoked(trust: TrustFile, key_id: str, at: str) -> TrustFile:
    """Return the file with a key revoked from `at` on; what it signed before still counts."""
    if trust.key(key_id) is None:
        raise UsageError(f"expected a key of the trust file, found {key_id!r}")
    keys = tuple(msgspec.structs.replace(one, revoked_at=at) if one.key_id == key_id else one for one in trust.keys)
    return msgspec.structs.replace(trust, keys=keys)


def write_trust(path: Path, trust: TrustFile) -> None:
    """Replace the file in one step; raises `UsageError` for what it cannot hold."""
    try:
        data = trust.encoded()
        parse_canonical(data, "trust")
    except Malformed as problem:
        raise UsageError(f"the trust file cannot hold this: {problem}") from None
    write_durably(path, data)
