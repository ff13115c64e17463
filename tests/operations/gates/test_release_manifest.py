"""A signed manifest names every part that changed, and a release goes only with its four proofs."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.release_parts import locked_in, packages
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.evidence.release import Proof
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, with_key
from tradeworthy.operations.gates.releases.manifest import (
    PARTS,
    Release,
    changed,
    digest_of_files,
    opened,
    release_report,
    signed,
)

KEY = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
FILES = {"code:a.py": "1" * 64, "lock:run.txt": "2" * 64}
RELEASE = Release(
    release="1.0", author="ann", made_at="2026-03-04T00:00:00Z", parts={name: name[0] * 64 for name in PARTS},
    files=FILES,
)
PROVED = dict.fromkeys(Proof, Severity.OK)


def trust(role="builder"):
    key = trusted_key(KEY.public_key().public_bytes_raw(), holder="builder", roles=(role,),
                      valid_from="2026-01-01T00:00:00Z", valid_to="2027-01-01T00:00:00Z")  # fmt: skip
    return with_key(TrustFile(), key)


def test_what_was_signed_comes_back_with_its_signer():
    assert opened(signed(RELEASE, KEY), trust()) == (RELEASE, "builder")


def test_every_changed_byte_of_the_envelope_is_found():
    data = signed(RELEASE, KEY)
    for at in range(0, len(data), 7):
        bad = bytearray(data)
        bad[at] ^= 1
        with pytest.raises(InvalidInput):
            opened(bytes(bad), trust())


def test_a_key_of_another_role_is_no_builder():
    with pytest.raises(InvalidInput, match="trusted builder"):
        opened(signed(RELEASE, KEY), trust("witness"))
    with pytest.raises(InvalidInput, match="trusted builder"):
        opened(signed(RELEASE, KEY), TrustFile())


@pytest.mark.parametrize("part", PARTS)
def test_each_part_that_changed_is_named(part):
    found = {**RELEASE.parts, part: "0" * 64}
    assert [told.partition(":")[0] for told in changed(RELEASE, found, FILES)] == [part]
    report = release_report(RELEASE, found, FILES, PROVED)
    assert report.severity is Severity.FAIL
    assert release_report(RELEASE, RELEASE.parts, FILES, PROVED).severity is Severity.OK


def test_changed_new_and_missing_files_are_named():
    found = {"code:a.py": "9" * 64, "code:b.py": "3" * 64}
    assert changed(RELEASE, RELEASE.parts, found) == ("code:a.py: changed", "code:b.py: new", "lock:run.txt: gone")


@pytest.mark.parametrize("proof", Proof)
def test_a_release_needs_each_of_its_four_proofs(proof):
    assert release_report(RELEASE, RELEASE.parts, FILES, {**PROVED, proof: None}).severity is Severity.UNKNOWN
    bad = release_report(RELEASE, RELEASE.parts, FILES, {**PROVED, proof: Severity.FAIL})
    assert [one.code for one in bad.failed()] == [f"release.{proof.value}"]
    assert release_report(None, {}, {}, PROVED).severity is Severity.UNKNOWN


def test_a_part_without_a_digest_is_no_release():
    with pytest.raises(InvalidInput, match="lock"):
        msgspec.structs.replace(RELEASE, parts={**RELEASE.parts, "lock": ""})
    assert digest_of_files({"a": b"1"}) != digest_of_files({"b": b"1"})


def test_a_lock_file_tells_versions_with_hashes_only():
    text = "one==1.0 ; python_version >= '3.11' \\\n    --hash=sha256:abc\ntwo_b==2.0\n    # via one\n"
    assert locked_in(text) == {"one": "1.0"}
    (pytest_itself,) = packages({}, ["pytest"])
    assert (pytest_itself.name, pytest_itself.locked) == ("pytest", "")
