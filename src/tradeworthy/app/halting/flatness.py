"""Certificates of flatness as files: signed by the watchdog's key, kept beside its incidents, verified by anybody."""

import base64
import binascii
import hashlib
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.kernel import dsse
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.trading.control import certificate as document
from tradeworthy.trading.control.certificate import Certificate

PAYLOAD_TYPE = "application/vnd.tradeworthy.flatness+json"
PATTERN = "certificate-*.json"


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payloadType: str
    payload: str
    signatures: tuple[_Signature, ...]


class Verified(msgspec.Struct, frozen=True):
    """A certificate with what is wrong with it: nothing, when it is signed by the key and holds together."""

    certificate: Certificate | None
    faults: tuple[str, ...]
    digest: str
    key_id: str = ""


def sign(certificate: Certificate, key: Ed25519PrivateKey) -> bytes:
    """Return the signed file of a certificate."""
    return msgspec.json.encode(dsse.envelope(document.encode(certificate), PAYLOAD_TYPE, key), order="sorted") + b"\n"


def verify(data: bytes, public: bytes) -> Verified:
    """Judge a file by the raw public key of the watchdog; it needs nothing else. Any altered byte is a fault."""
    digest = hashlib.sha256(data).hexdigest()
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
        payload = base64.b64decode(envelope.payload, validate=True)
        signatures = [(one.keyid, base64.b64decode(one.sig, validate=True)) for one in envelope.signatures]
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as error:
        return Verified(None, (f"expected a signed certificate, found {error}",), digest)
    faults: list[str] = []
    if msgspec.json.encode(envelope, order="sorted") + b"\n" != data or not _canonical(envelope):
        faults.append("expected the bytes as they were written, found others of the same meaning")
    if envelope.payloadType != PAYLOAD_TYPE:
        faults.append(f"expected {PAYLOAD_TYPE}, found {envelope.payloadType}")
    key_id = dsse.key_id_of(public)
    message = pre_authentication(payload, PAYLOAD_TYPE)
    if len(signatures) != 1 or signatures[0][0] != key_id:
        faults.append(f"expected one signature, by key {key_id}, found {[name for name, _ in signatures]}")
    elif not dsse.signature_valid(public, message, signatures[0][1]):
        faults.append("the signature does not fit")
    try:
        certificate = document.decode(payload)
    except InvalidInput as error:
        return Verified(None, (*faults, str(error)), digest, key_id)
    return Verified(certificate, (*faults, *document.faults_of(certificate)), digest, key_id)


def public_key(path: Path) -> bytes:
    """Return the raw public key in a `.pub` file of 64 hex digits; raises `InvalidInput`."""
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as problem:
        raise InvalidInput(f"expected a public key of 64 hex digits in {path}, found {problem}") from None
    if len(key) != 32:
        raise InvalidInput(f"expected a public key of 64 hex digits in {path}, found {2 * len(key)} digits")
    return key


def keep(folder: Path, certificate: Certificate, number: int, key: Ed25519PrivateKey) -> Path:
    """Write a certificate, whole or not at all; `number` counts those of one watchdog."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"certificate-{certificate.token:06d}-{number:04d}.json"
    write_durably(path, sign(certificate, key))
    return path


def read_all(folder: Path, public: bytes) -> list[tuple[Path, Verified]]:
    """Return every certificate of a folder with its judgement, oldest first."""
    return [(path, verify(path.read_bytes(), public)) for path in sorted(folder.glob(PATTERN))]


def _canonical(envelope: _Envelope) -> bool:
    """Tell whether base64 is written in its one way, so that no bit of it is free."""
    texts = (envelope.payload, *(one.sig for one in envelope.signatures))
    return all(base64.b64encode(base64.b64decode(text)).decode() == text for text in texts)
