"""Secrets by name: `secret://NAME` is a file in the secrets' folder or a variable, read when it is used (CFG-03)."""

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tradeworthy.app.config import Document
from tradeworthy.app.configuration.changes import flat
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import REFERENCE, Secret, is_reference

FOLDER_VARIABLE = "TRADEWORTHY_SECRETS"
"""Names the folder with one file a secret."""
FOLDER_DEFAULT = Path("/run/secrets")
VARIABLE_PREFIX = "TRADEWORTHY_SECRET_"
UNRESOLVED = "unresolved"
"""Stands for the fingerprint of a secret that is not there."""
ACCOUNT_CREDENTIALS = re.compile(r"^accounts\[.*\]\.credentials$")
KEY_NAME = "fingerprint.key"
KEY_BITS = 256
FINGERPRINT_DIGITS = 16


class SecretStore:
    """Find secrets by their names; nothing is kept between two calls."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder, environ

    def resolve(self, reference: str) -> Secret:
        """Return the secret that `secret://NAME` names: the file's text without its last line end, else the variable.

        Raises `UsageError` for what is no reference, a secret that is nowhere, and one too short to be kept out of
        sinks.
        """
        if not is_reference(reference):
            raise UsageError("expected a reference secret://NAME, found plain text, which is not shown")
        name = reference.removeprefix(REFERENCE)
        path, variable = self._folder / name, variable_of(name)
        try:
            found: str | None = path.read_text().rstrip("\r\n")
        except FileNotFoundError:
            found = self._environ.get(variable)
        except (OSError, UnicodeDecodeError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it is no text"
            raise UsageError(f"{reference}: cannot read {path}: {reason}") from None
        if not found:
            raise UsageError(f"{reference}: expected the file {path} or the variable {variable}, found neither")
        try:
            return Secret(found)
        except ValueError as problem:
            raise UsageError(f"{reference}: {problem}") from None


class Fingerprints:
    """Tell whether a secret changed without keeping anything of it: HMAC-SHA256 under a key that stays on the desk."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def of(self, document: Document, store: SecretStore) -> dict[str, str]:
        """Return the fingerprint of each secret that a start reads, by its field; `unresolved` where there is none."""
        return {field: self._one(store, reference) for field, reference in read_at_start(document).items()}

    def _one(self, store: SecretStore, reference: str) -> str:
        try:
            secret = store.resolve(reference)
        except UsageError:
            return UNRESOLVED
        key, value = bytes.fromhex(self._key.reveal()), secret.reveal().encode()
        return hmac.new(key, value, hashlib.sha256).hexdigest()[:FINGERPRINT_DIGITS]


def store_of(environ: Mapping[str, str]) -> SecretStore:
    """Return the store that the variables describe."""
    return SecretStore(Path(environ.get(FOLDER_VARIABLE) or FOLDER_DEFAULT), environ)


def variable_of(name: str) -> str:
    """Return the variable that may hold a secret: `TRADEWORTHY_SECRET_` and the name in capitals."""
    return VARIABLE_PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())


def references_of(document: Document) -> dict[str, str]:
    """Return every reference to a secret in a document, by its field."""
    return {field: value for field, value in flat(msgspec.json.decode(document.canonical())) if is_reference(value)}


def read_at_start(document: Document) -> dict[str, str]:
    """Return the references that a start reads: a paper desk holds no credentials of its accounts (MOD-01)."""
    found = references_of(document)
    if document.desk.environment != "paper":
        return found
    return {field: value for field, value in found.items() if not ACCOUNT_CREDENTIALS.search(field)}


def ignored_credentials(document: Document) -> tuple[str, ...]:
    """Return the accounts whose credentials a paper desk does not read."""
    if document.desk.environment != "paper":
        return ()
    return tuple(one.id for one in document.accounts if one.credentials)


def fingerprints_in(state: Path) -> Fingerprints:
    """Return the fingerprints under the key in a desk's state folder, which is made at the first call (mode 0600)."""
    path = state / KEY_NAME
    state.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        try:
            return Fingerprints(Secret(path.read_text().strip()))
        except (OSError, ValueError) as problem:
            raise UsageError(f"cannot read the key of the fingerprints {path}: {problem}") from None
    with os.fdopen(handle, "w") as out:
        key = AESGCM.generate_key(KEY_BITS).hex()
        out.write(key + "\n")
        out.flush()
        os.fsync(out.fileno())
    return Fingerprints(Secret(key))
