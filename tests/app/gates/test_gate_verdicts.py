"""The gate's verdict as the runtime reads it: the certificate of an evidence store, and nothing that is not GO."""


import msgspec
import pytest
from bundle_maker import key_of, trust_of

from tradeworthy.app.gates.verdicts import CertificateVerdicts, GateAsk, NoVerdicts, ask_of, verdicts_of
from tradeworthy.kernel.clock import EventClock
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.evidence.certificate import Context, EvidenceItem
from tradeworthy.operations.evidence.certificate_store import nanos_of_stamp, sealed_item
from tradeworthy.operations.evidence.requirements import STANDARD
from tradeworthy.operations.evidence.trust import write_trust
from tradeworthy.operations.health.policy import HealthPolicy

NOW = nanos_of_stamp("2026-03-05T00:00:00Z")
HASHES = {"code": "a" * 64, "config": "b" * 64, "limits": "c" * 64, "models": "d" * 64}
ASK = GateAsk(release="0.1.0", tier="tier_0", environment="live", hashes=HASHES)
ONLY_STRESS = msgspec.structs.replace(
    STANDARD, requirements=tuple(one for one in STANDARD.requirements if one.id == "stress")
)


def store(tmp_path, *, status=Status.PASS, at=NOW, signer="watcher", **context):
    place = tmp_path / "store"
    (place / "items").mkdir(parents=True, exist_ok=True)
    usual = {"release": "0.1.0", "tier": "tier_0", "environment": "live", "hashes": HASHES}
    (place / "context.json").write_bytes(msgspec.json.encode(Context(**(usual | context))))
    item = EvidenceItem(
        requirement="stress", evidence_id="1" * 64, status=status, provenance="measured", environment="paper",
        collected_at=at, recorded_at=at, hashes=HASHES,
    )  # fmt: skip
    (place / "items" / "1.dsse.json").write_bytes(sealed_item(item, key_of(signer)))
    write_trust(tmp_path / "trust.json", trust_of())
    return place


def answer(tmp_path, *, now=NOW, ask=ASK):
    clock = EventClock(now)
    return CertificateVerdicts(tmp_path / "store", tmp_path / "trust.json", clock, policy=ONLY_STRESS).answer(ask)


def test_a_go_for_this_release_is_a_go(tmp_path):
    store(tmp_path)
    assert answer(tmp_path).go
    assert answer(tmp_path).why == ""


def test_a_fail_is_no_go_and_names_what_failed(tmp_path):
    store(tmp_path, status=Status.FAIL)
    found = answer(tmp_path)
    assert not found.go
    assert "NO-GO: stress failed" in found.why


def test_a_verdict_that_ran_out_is_no_go_from_that_moment_on(tmp_path):
    store(tmp_path)
    (stress,) = ONLY_STRESS.requirements
    ends = NOW + stress.lifetime_seconds * 10**9
    assert answer(tmp_path, now=ends - 1).go
    assert "stress stale" in answer(tmp_path, now=ends).why


def test_evidence_that_nobody_trusted_signed_is_no_go(tmp_path):
    store(tmp_path, signer="mallory")
    assert "stress unsigned" in answer(tmp_path).why


@pytest.mark.parametrize("missing", ["store", "trust.json"])
def test_a_verdict_that_cannot_be_read_is_no_go(tmp_path, missing):
    store(tmp_path)
    (tmp_path / missing).rename(tmp_path / "away")
    found = answer(tmp_path)
    assert not found.go
    assert found.why.startswith("no verdict")


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        ({"release": "0.0.9"}, "release"), ({"tier": "tier_1"}, "tier"), ({"environment": "paper"}, "environment"),
        ({"hashes": {**HASHES, "code": "e" * 64}}, "code"), ({"hashes": {}}, "code, config, limits, models"),
    ],
)  # fmt: skip
def test_a_verdict_for_something_else_is_no_go(tmp_path, odd, named):
    store(tmp_path, **odd)
    found = answer(tmp_path)
    assert not found.go
    assert found.why == f"the verdict is for another {named}"


def test_a_desk_without_evidence_has_no_verdict():
    assert not NoVerdicts().answer(ASK).go
    assert isinstance(verdicts_of(HealthPolicy(), EventClock(NOW)), NoVerdicts)


def test_the_evidence_of_the_health_section_is_what_is_asked(tmp_path):
    store(tmp_path)
    policy = HealthPolicy(evidence_store=str(tmp_path / "store"), evidence_trust=str(tmp_path / "trust.json"))
    found = verdicts_of(policy, EventClock(NOW)).answer(ASK)
    assert not found.go  # the whole table is asked for, one proof is there
    assert "dry_run absent" in found.why


def test_what_is_asked_covers_code_document_limits_and_models():
    from live_documents import LIVE, parsed

    one = ask_of(parsed(LIVE), tier="tier_1", code="a" * 64)
    other = ask_of(parsed(LIVE, risk={"max_order_value": "5"}), tier="tier_1", code="a" * 64)
    assert (one.tier, one.environment, one.hashes["code"]) == ("tier_1", "live", "a" * 64)
    assert {name for name in one.hashes if one.hashes[name] != other.hashes[name]} == {"config", "limits"}
