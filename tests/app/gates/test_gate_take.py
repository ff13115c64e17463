"""Signed items of an evidence store become evidence of gates; what no trusted key signed is an error, not a pass."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.gates.desk_gates import Gates
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.model import Status
from tradeworthy.operations.evidence.certificate import Context, EvidenceItem
from tradeworthy.operations.evidence.certificate_store import CONTEXT, ITEMS, sealed_item
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, with_key
from tradeworthy.operations.gates.model import HASHES, Binding
from tradeworthy.operations.gates.store import GateStore

NOW = 1_772_582_400 * NANOS_PER_SECOND
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
BINDING = Binding(release="1.0", environment="paper", tier="paper", hashes={name: name[0] * 64 for name in HASHES})
ITEM = EvidenceItem(
    requirement="dry_run", evidence_id="e" * 64, status=Status.PASS, provenance="measured", environment="paper",
    collected_at=NOW, recorded_at=NOW, hashes=BINDING.hashes,
)


def trust():
    key = trusted_key(KEY.public_key().public_bytes_raw(), holder="operator", roles=("builder",),
                      valid_from="2026-01-01T00:00:00Z", valid_to="2027-01-01T00:00:00Z")  # fmt: skip
    return with_key(TrustFile(), key)


@pytest.fixture
def store(tmp_path):
    place = tmp_path / "evidence"
    (place / ITEMS).mkdir(parents=True)
    context = Context(release="1.0", tier="paper", environment="paper", hashes=BINDING.hashes)
    (place / CONTEXT).write_bytes(msgspec.json.encode(context))
    return place


def put(store, name="one", **change):
    (store / ITEMS / f"{name}.dsse.json").write_bytes(sealed_item(msgspec.structs.replace(ITEM, **change), KEY))


def gates(tmp_path, known=None):
    clock = EventClock(NOW)
    return Gates(GateStore(tmp_path / "gates", clock), BINDING, clock, trust=known)


@pytest.mark.parametrize(("status", "severity"), [
    (Status.PASS, Severity.OK), (Status.WARN, Severity.WARN), (Status.UNKNOWN, Severity.UNKNOWN),
    (Status.FAIL, Severity.FAIL), (Status.RUNNING, None),
])  # fmt: skip
def test_a_signed_item_speaks_with_its_own_status(tmp_path, store, status, severity):
    put(store, status=status)
    (taken,) = gates(tmp_path, trust()).take(store)
    assert (taken.source, taken.status, taken.error) == ("dry_run", severity, "")
    assert taken.hashes == BINDING.hashes
    assert taken.stamp == NOW


def test_what_nobody_trusted_signed_is_an_error(tmp_path, store):
    put(store)
    (taken,) = gates(tmp_path, TrustFile()).take(store)
    assert (taken.status, taken.error) == (None, "no trusted key signed it")
    with pytest.raises(UsageError, match="trust file"):
        gates(tmp_path).take(store)


def test_what_no_gate_reads_is_left(tmp_path, store):
    put(store, requirement="something")
    assert gates(tmp_path, trust()).take(store) == ()
    (store / ITEMS / "bad.dsse.json").write_bytes(b"{}")
    with pytest.raises(UsageError, match="signed evidence item"):
        gates(tmp_path, trust()).take(store)
