"""What a certificate reads at the door: signed items, bundles and waivers; what does not hold is not believed."""

import shutil

import msgspec
import pytest
from bundle_maker import SIGNED_AT, Reference, key_of, trust_of, waiver_of

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.evidence.certificate import Context, EvidenceItem, RowStatus, Verdict
from tradeworthy.operations.evidence.certificate_store import (
    nanos_of_stamp,
    read_item,
    read_store,
    sealed_item,
)
from tradeworthy.operations.evidence.requirements import STANDARD
from tradeworthy.operations.evidence.waivers import sealed

HASHES = {"code": "a" * 64, "config": "b" * 64, "limits": "c" * 64, "models": "d" * 64}
ONLY_DRY_RUN = msgspec.structs.replace(
    STANDARD, requirements=tuple(one for one in STANDARD.requirements if one.id in ("dry_run", "stress"))
)
NOW = nanos_of_stamp("2026-03-05T00:00:00Z")


def stress(**changes):
    at = nanos_of_stamp("2026-03-04T00:00:00Z")
    plain = {
        "requirement": "stress", "evidence_id": "0" * 64, "status": Status.PASS, "provenance": "measured",
        "environment": "paper", "collected_at": at, "recorded_at": at, "hashes": HASHES,
    }  # fmt: skip
    return EvidenceItem(**(plain | changes))


@pytest.fixture
def store(tmp_path):
    reference = Reference(tmp_path / "reference")
    place = tmp_path / "store"
    for name in ("items", "waivers", "bundles"):
        (place / name).mkdir(parents=True)
    context = Context(release="r1", tier="pilot", environment="paper", hashes=HASHES)
    (place / "context.json").write_bytes(msgspec.json.encode(context))
    shutil.copytree(reference.folder, place / "bundles" / "one")
    (place / "items" / "stress.dsse.json").write_bytes(sealed_item(stress(), key_of("watcher")))
    return place


def rows(store, *, trust=None, at=NOW):
    certificate = read_store(store, trust or trust_of(), ONLY_DRY_RUN, at=at).at(at)
    return certificate, {row.id: row.status for row in certificate.requirements}


def test_a_verified_release_bundle_and_signed_items_give_go_until_the_dry_run_is_fourteen_days_old(store):
    certificate, found = rows(store)
    assert (certificate.verdict, found) == (Verdict.GO, {"dry_run": RowStatus.MET, "stress": RowStatus.MET})
    assert certificate.ends_first.at == nanos_of_stamp("2026-03-18T01:00:00Z")
    assert {"rafael", "sofia", "olga", "builder-host", "watcher"} <= set(certificate.signatures)
    late = nanos_of_stamp("2026-03-18T01:00:00Z")
    assert rows(store, at=late)[0].verdict is Verdict.NO_GO


def test_go_ends_when_a_signer_is_revoked(store):
    revoked = trust_of(rafael={"revoked_at": SIGNED_AT})
    certificate, found = rows(store, trust=revoked)
    assert (certificate.verdict, found["dry_run"]) == (Verdict.NO_GO, RowStatus.UNSIGNED)


def test_a_bundle_counts_from_its_last_signature_on(store):
    before = nanos_of_stamp(SIGNED_AT) - 1
    assert rows(store, at=before)[1]["dry_run"] is RowStatus.ABSENT


def test_a_damaged_bundle_is_not_believed(store):
    held = next((store / "bundles" / "one" / "objects").iterdir())
    held.write_bytes(held.read_bytes() + b"x")
    assert rows(store)[0].verdict is Verdict.NO_GO


def test_an_item_that_a_stranger_signed_or_that_claims_to_be_signed_does_not_count(store):
    forged = stress(signed=True, signers=("watcher",))
    (store / "items" / "stress.dsse.json").write_bytes(sealed_item(forged, key_of("stranger")))
    assert rows(store)[1]["stress"] is RowStatus.UNSIGNED
    assert read_item(sealed_item(forged, key_of("stranger")), trust_of()).signers == ()
    with pytest.raises(UsageError, match="signed evidence item"):
        read_item(b"{}\n", trust_of())


def test_a_signed_waiver_stands_in_for_what_may_be_waived(store):
    (store / "items" / "stress.dsse.json").unlink()
    assert rows(store)[1]["stress"] is RowStatus.ABSENT
    waiver = waiver_of(finding_code="stress", scope="r1")
    (store / "waivers" / "w-1.dsse.json").write_bytes(sealed(waiver, (key_of("rafael"), key_of("olga"))))
    certificate, found = rows(store)
    assert (certificate.verdict, found["stress"], certificate.waivers) == (Verdict.GO, RowStatus.WAIVED, ("w-1",))
    for bad in (sealed(waiver, (key_of("rafael"),)),
                sealed(waiver_of(finding_code="stress", scope="r2"), (key_of("rafael"), key_of("olga")))):  # fmt: skip
        (store / "waivers" / "w-1.dsse.json").write_bytes(bad)
        assert rows(store)[1]["stress"] is RowStatus.ABSENT


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(UsageError, match="evidence store"):
        read_store(tmp_path, trust_of(), STANDARD, at=NOW)
