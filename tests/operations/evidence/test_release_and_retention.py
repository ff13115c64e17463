"""A release goes only as it was named and proved; a bundle is deleted only when nothing needs it, by two people."""

import msgspec
import pytest
from bundle_maker import INPUTS, trust_of, write_run

from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.operations.dry_run.model import RunClass, Status
from tradeworthy.operations.evidence.build import build
from tradeworthy.operations.evidence.release import Part, Proof, decode_release, judge_release, release_of
from tradeworthy.operations.evidence.retention import sweep

PROVED = dict.fromkeys(Proof, Status.PASS)
WITHIN, AFTER = "2033-03-02T00:00:00Z", "2033-03-05T00:00:00Z"


@pytest.fixture
def parts(tmp_path):
    paths = {part: tmp_path / part.value for part in Part}
    for part, path in paths.items():
        if part is Part.MODELS:
            path.mkdir()
            (path / "one.bin").write_bytes(b"1")
        else:
            path.write_text(part.value)
    return paths


def codes(found):
    return [(one.code, one.metadata) for one in found]


def test_a_release_that_is_whole_and_proved_goes(parts):
    manifest = release_of("r1", "f" * 40, parts)
    assert judge_release(decode_release(manifest.encoded()), parts, PROVED) == ()
    assert manifest.encoded() == release_of("r1", "f" * 40, parts).encoded()


@pytest.mark.parametrize("part", [one for one in Part if one is not Part.MODELS])
def test_one_changed_byte_of_a_part_is_named(parts, part):
    manifest = release_of("r1", "f" * 40, parts)
    parts[part].write_text(parts[part].read_text() + " ")
    assert codes(judge_release(manifest, parts, PROVED)) == [("release.part.changed", {"part": part.value})]


def test_a_renamed_model_is_another_release(parts):
    manifest = release_of("r1", "f" * 40, parts)
    (parts[Part.MODELS] / "one.bin").rename(parts[Part.MODELS] / "two.bin")
    assert codes(judge_release(manifest, parts, PROVED)) == [("release.part.changed", {"part": "models"})]


@pytest.mark.parametrize("proof", list(Proof))
@pytest.mark.parametrize("status", [None, Status.WARN, Status.UNKNOWN, Status.FAIL])
def test_without_any_of_its_proofs_nothing_goes(parts, proof, status):
    proofs = {name: one for name, one in (PROVED | {proof: status}).items() if one is not None}
    found = judge_release(release_of("r1", "f" * 40, parts), parts, proofs)
    assert codes(found) == [("release.proof", {"proof": proof.value})]


def test_no_manifest_no_part_no_go(parts):
    assert codes(judge_release(None, parts, PROVED)) == [("release.manifest", {})]
    manifest = release_of("r1", "f" * 40, parts)
    parts[Part.LOCK].unlink()
    assert codes(judge_release(manifest, parts, PROVED)) == [("release.part.missing", {"part": "lock"})]
    with pytest.raises(UsageError, match="lock"):
        release_of("r1", "f" * 40, {part: path for part, path in parts.items() if part is not Part.LOCK})
    with pytest.raises(InvalidInput, match="release manifest"):
        decode_release(b"{}")


@pytest.fixture
def bundle(tmp_path):
    run = write_run(tmp_path / "run", run_class=RunClass.REHEARSAL, relaxed=False)
    return build(run, run / "bundle", msgspec.structs.replace(INPUTS, trust=trust_of().encoded()))


def test_a_bundle_is_kept_for_seven_years_and_while_a_certificate_cites_it(bundle):
    both = {"people": ("anna", "ben")}
    young = sweep((bundle.folder,), cited=frozenset(), at=WITHIN, **both)
    cited = sweep((bundle.folder,), cited=frozenset({bundle.bundle_id}), at=AFTER, **both)
    assert (young.deleted, cited.deleted, bundle.folder.exists()) == ((), (), True)
    assert "cites it" in cited.kept[0].reason
    swept = sweep((bundle.folder,), cited=frozenset(), at=AFTER, **both)
    (gone,) = swept.deleted
    assert (gone.bundle_id, gone.people, bundle.folder.exists()) == (bundle.bundle_id, ("anna", "ben"), False)


@pytest.mark.parametrize("people", [(), ("anna",), ("anna", "anna")])
def test_one_person_cannot_delete(bundle, people):
    with pytest.raises(UsageError, match="2 people"):
        sweep((bundle.folder,), cited=frozenset(), people=people, at=AFTER)
    assert bundle.folder.exists()
