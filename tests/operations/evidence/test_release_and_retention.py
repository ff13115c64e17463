"""A release goes only as it was named and proved; a bundle is deleted only when nothing needs it, by two people."""

import msgspec
import pytest
from bundle_maker import INPUTS, trust_of, write_run

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.model import Hashes, RunClass, Status
from tradeworthy.operations.dry_run.release_manifest import ReleaseDigests, ReleaseManifest
from tradeworthy.operations.evidence.build import build
from tradeworthy.operations.evidence.release import Proof, judge_release
from tradeworthy.operations.evidence.retention import bundles_in, delete, held

PROVED = dict.fromkeys(Proof, Status.PASS)
WITHIN, AFTER = "2033-03-02T00:00:00Z", "2033-03-05T00:00:00Z"


FOUND = Hashes(code="a" * 64, config="b" * 64, limits="c" * 64, models="d" * 64)
MANIFEST = ReleaseManifest(
    schema="release.manifest@1", release="r1", author="alma",
    digests=ReleaseDigests(
        code="a" * 64, configuration="b" * 64, limits="c" * 64, models="d" * 64, image="sha256:1", lock="e" * 64
    ),
)  # fmt: skip


def judged(*, manifest=MANIFEST, found=FOUND, proofs=PROVED, image="sha256:1", lock="e" * 64):
    return [(one.code, one.metadata) for one in judge_release(manifest, found, proofs, image=image, lock=lock)]


def test_a_release_that_is_whole_and_proved_goes():
    assert judged() == []


@pytest.mark.parametrize("part", ["code", "config", "limits", "models"])
@pytest.mark.parametrize("seen", ["b" + "a" * 63, None])
def test_one_changed_byte_of_a_part_is_named(part, seen):
    assert judged(found=msgspec.structs.replace(FOUND, **{part: seen})) == [("release.changed", {"part": part})]


@pytest.mark.parametrize("part", ["image", "lock"])
@pytest.mark.parametrize("seen", ["another", None])
def test_another_image_or_lock_is_named(part, seen):
    assert judged(**{part: seen}) == [("release.changed", {"part": part})]


def test_a_manifest_that_names_no_image_lets_nothing_go():
    digests = msgspec.structs.replace(MANIFEST.digests, image=None)
    unnamed = msgspec.structs.replace(MANIFEST, digests=digests)
    assert judged(manifest=unnamed, image=None) == [("release.changed", {"part": "image"})]


@pytest.mark.parametrize("proof", list(Proof))
@pytest.mark.parametrize("status", [None, Status.WARN, Status.UNKNOWN, Status.FAIL])
def test_without_any_of_its_proofs_nothing_goes(proof, status):
    proofs = {name: one for name, one in (PROVED | {proof: status}).items() if one is not None}
    assert judged(proofs=proofs) == [("release.proof", {"proof": proof.value})]


def test_without_a_manifest_nothing_goes():
    assert judged(manifest=None) == [("release.manifest", {})]


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
