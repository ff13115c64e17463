"""A release goes only as it was named and proved; a bundle is deleted only when nothing needs it, by two people."""

import msgspec
import pytest
from bundle_maker import INPUTS, key_of, trust_of, write_run

from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.operations.dry_run.model import RunClass, Status
from tradeworthy.operations.dry_run.release_manifest import ReleaseDigests, ReleaseManifest
from tradeworthy.operations.evidence.build import build
from tradeworthy.operations.evidence.certificate import EvidenceItem
from tradeworthy.operations.evidence.release import Proof, judge_release, proofs_of, sealed_release, signer_of
from tradeworthy.operations.evidence.retention import bundles_in, delete, held

PROVED = dict.fromkeys(Proof, Status.PASS)
WITHIN, AFTER = "2033-03-02T00:00:00Z", "2033-03-05T00:00:00Z"
DIGESTS = ReleaseDigests(
    code="a" * 64, configuration="b" * 64, limits="c" * 64, models="d" * 64, image="sha256:1", lock="e" * 64,
    schemas="f" * 64, policy="0" * 64,
)  # fmt: skip
MANIFEST = ReleaseManifest(schema="release.manifest@1", release="r1", author="alma", digests=DIGESTS)
NOW = 1_772_500_000_000_000_000
HASHES = {"code": "a" * 64, "config": "b" * 64, "limits": "c" * 64, "models": "d" * 64}


def judged(*, manifest=MANIFEST, found=DIGESTS, proofs=PROVED, signer="builder-host"):
    return [(one.code, one.metadata) for one in judge_release(manifest, found, proofs, signer=signer)]


def test_a_release_that_is_whole_and_proved_goes():
    assert judged() == []


@pytest.mark.parametrize("part", ReleaseDigests.__struct_fields__)
@pytest.mark.parametrize("seen", ["b" + "a" * 63, None])
def test_one_changed_byte_of_a_part_is_named(part, seen):
    assert judged(found=msgspec.structs.replace(DIGESTS, **{part: seen})) == [("release.changed", {"part": part})]


@pytest.mark.parametrize("part", ["image", "lock", "schemas", "policy"])
def test_a_manifest_that_names_no_such_part_lets_nothing_go(part):
    unnamed = msgspec.structs.replace(DIGESTS, **{part: None})
    manifest = msgspec.structs.replace(MANIFEST, digests=unnamed)
    assert judged(manifest=manifest, found=unnamed) == [("release.changed", {"part": part})]


@pytest.mark.parametrize("proof", list(Proof))
@pytest.mark.parametrize("status", [None, Status.WARN, Status.UNKNOWN, Status.FAIL])
def test_without_any_of_its_proofs_nothing_goes(proof, status):
    proofs = {name: one for name, one in (PROVED | {proof: status}).items() if one is not None}
    assert judged(proofs=proofs) == [("release.proof", {"proof": proof.value})]


def test_without_a_manifest_or_a_signature_nothing_goes():
    assert judged(manifest=None) == [("release.manifest", {})]
    assert judged(signer=None) == [("release.unsigned", {})]


def proof(**changes):
    plain = {
        "requirement": "start_up", "evidence_id": "0" * 64, "status": Status.PASS, "provenance": "measured",
        "environment": "paper", "collected_at": NOW, "recorded_at": NOW, "hashes": HASHES, "signed": True,
    }  # fmt: skip
    return EvidenceItem(**(plain | changes))


@pytest.mark.parametrize(("changes", "status"), [
    ({}, Status.PASS), ({"status": Status.FAIL}, Status.FAIL), ({"signed": False}, Status.UNKNOWN),
    ({"provenance": "attested"}, Status.UNKNOWN), ({"hashes": HASHES | {"limits": "9" * 64}}, Status.UNKNOWN),
    ({"collected_at": NOW + 1}, Status.UNKNOWN), ({"recorded_at": NOW + 1}, None),
    ({"requirement": "restore"}, None),
])  # fmt: skip
def test_a_proof_counts_signed_measured_and_for_this_very_release(changes, status):
    assert proofs_of([proof(**changes)], MANIFEST, now=NOW).get(Proof.START_UP) is status


def test_the_newest_proof_counts():
    older, newer = proof(recorded_at=NOW - 2, collected_at=NOW - 2), proof(status=Status.FAIL)
    assert proofs_of([newer, older], MANIFEST, now=NOW) == {Proof.START_UP: Status.FAIL}


def test_a_manifest_counts_as_a_builder_signed_its_very_bytes():
    data = msgspec.json.encode(MANIFEST)
    seal = sealed_release(data, key_of("builder-host"), at="2026-03-04T00:00:00Z")
    assert signer_of(data, seal, trust_of()) == "builder-host"
    for changed, why in ((data + b" ", "over the manifest"), (data.replace(b"alma", b"olga"), "over the manifest")):
        with pytest.raises(InvalidInput, match=why):
            signer_of(changed, seal, trust_of())
    for other in (key_of("sofia"), key_of("stranger")):
        with pytest.raises(InvalidInput, match="no builder"):
            signer_of(data, sealed_release(data, other, at="2026-03-04T00:00:00Z"), trust_of())
    with pytest.raises(InvalidInput, match="no builder"):
        signer_of(data, sealed_release(data, key_of("builder-host"), at="2027-03-04T00:00:00Z"), trust_of())
    with pytest.raises(InvalidInput, match="expected the signature"):
        signer_of(data, b"{}", trust_of())


TRUST = trust_of()


@pytest.fixture
def bundle(tmp_path):
    run = write_run(tmp_path / "run", run_class=RunClass.REHEARSAL, relaxed=False)
    return build(run, run / "bundle", msgspec.structs.replace(INPUTS, trust=TRUST.encoded()))


def stand(bundle, *, at=AFTER, cited=frozenset()):
    (one,) = held(bundles_in((bundle.folder.parent,)), cited=cited, at=at)
    return one


def test_a_bundle_is_kept_for_seven_years_and_while_a_certificate_cites_it(bundle):
    assert stand(bundle, at=WITHIN).reason.startswith("kept until 2033-03-03")
    assert "cites it" in stand(bundle, cited=frozenset({bundle.bundle_id})).reason
    over = stand(bundle)
    assert (over.due, over.bundle_id, bundle.folder.exists()) == (True, bundle.bundle_id, True)
    told = []
    (gone,) = delete([over], people=("anna", "ben"), tell=told.append)
    assert (gone.bundle_id, gone.people, told, bundle.folder.exists()) == (
        bundle.bundle_id, ("anna", "ben"), [gone], False
    )  # fmt: skip


def test_a_bundle_that_is_not_whole_is_kept_whatever_age_it_claims(bundle):
    (bundle.folder / "proofs.json").write_bytes(b"{}")
    assert stand(bundle).reason.startswith("it is not whole: proof.malformed")


@pytest.mark.parametrize("people", [(), ("anna",), ("anna", "anna")])
def test_one_person_cannot_delete(bundle, people):
    with pytest.raises(UsageError, match="2 people"):
        delete([stand(bundle)], people=people, tell=lambda gone: None)
    assert bundle.folder.exists()


def test_what_must_stay_is_deleted_by_nobody(bundle):
    with pytest.raises(UsageError, match="stays: kept until"):
        delete([stand(bundle, at=WITHIN)], people=("anna", "ben"), tell=lambda gone: None)
    assert bundle.folder.exists()


def test_a_place_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a folder of bundles"):
        bundles_in((tmp_path / "gone",))
