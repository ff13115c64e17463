"""Old evidence goes by a pack that two people signed, only what it names, and what a live certificate cites never."""

import shutil

import msgspec
import pytest
from bundle_maker import Reference, trust_of
from trusted import by, key, trusting

from tradeworthy.app.evidence.retention import EvidenceRetention
from tradeworthy.app.people.approvals import ApprovalBook
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.operations.evidence.certificate import Context
from tradeworthy.operations.evidence.certificate_store import nanos_of_stamp
from tradeworthy.operations.evidence.retention import BundleDeleted
from tradeworthy.operations.evidence.trust import write_trust
from tradeworthy.trading.control.approvals import ApprovalProposed, ApprovalUsed
from tradeworthy.trading.control.policy import USUAL

YOUNG, OLD = nanos_of_stamp("2026-03-05T00:00:00Z"), nanos_of_stamp("2034-01-01T00:00:00Z")
HASHES = {"code": "a" * 64, "config": "b" * 64, "limits": "c" * 64, "models": "d" * 64}


class Scene:
    """A bundle in a run folder and in a store, a desk whose people sign, and a clock."""

    def __init__(self, place, *, now=OLD, environment="paper"):
        self.reference = Reference(place / "reference")
        self.folder = self.reference.folder
        self.store = place / "store"
        shutil.copytree(self.folder, self.store / "bundles" / "one")
        context = Context(release="r1", tier="pilot", environment=environment, hashes=HASHES)
        (self.store / "context.json").write_bytes(msgspec.json.encode(context))
        self.clock = EventClock(now)
        self.book = ApprovalBook(trusting(place / "state"), desk="made", clock=self.clock, policy=USUAL)
        self.retention = EvidenceRetention((self.reference.run,), (self.store,), trust_of(), clock=self.clock)

    def pack(self, *numbers):
        return by(self.retention.propose(self.book, "seven years are over", USUAL), *numbers)

    def journaled(self):
        return [type(event.payload) for event in self.book.events()]


def test_what_two_people_signed_for_goes_and_every_step_is_journaled(tmp_path):
    scene = Scene(tmp_path)
    (gone,) = scene.retention.delete(scene.book, scene.pack(1, 2))
    assert (gone.bundle_id, gone.people) == (scene.reference.built.bundle_id, ("ann", "bob"))
    assert not scene.folder.exists()
    assert scene.journaled() == [ApprovalProposed, ApprovalUsed, BundleDeleted]
    assert (scene.store / "bundles" / "one").exists()


@pytest.mark.parametrize("numbers", [(), (1,), (1, 9)])
def test_fewer_than_two_people_delete_nothing(tmp_path, numbers):
    scene = Scene(tmp_path)
    with pytest.raises(ConfigurationRefused, match="evidence_deletion"):
        scene.retention.delete(scene.book, scene.pack(*numbers))
    assert scene.folder.exists()


def test_what_a_live_certificate_ever_cited_is_never_due(tmp_path):
    scene = Scene(tmp_path, environment="live")
    assert [one.reason for one in scene.retention.look()] == ["a live certificate cites it"]
    with pytest.raises(UsageError, match="nothing to sign for"):
        scene.pack(1, 2)


def test_within_seven_years_nothing_is_due_and_looking_deletes_nothing(tmp_path):
    scene = Scene(tmp_path, now=YOUNG)
    assert [one.reason[:10] for one in scene.retention.look()] == ["kept until"]
    assert scene.journaled() == []
    assert scene.folder.exists()


def test_a_pack_counts_for_what_it_names_while_that_may_go(tmp_path):
    scene = Scene(tmp_path)
    held = scene.pack(1, 2)
    other = by(msgspec.structs.replace(held.pack, details={"f" * 64: "other"}), 1, 2)
    with pytest.raises(ConfigurationRefused, match="is not there"):
        scene.retention.delete(scene.book, other)
    cited = msgspec.json.decode((scene.store / "context.json").read_bytes()) | {"environment": "live"}
    (scene.store / "context.json").write_bytes(msgspec.json.encode(cited))
    with pytest.raises(ConfigurationRefused, match="a live certificate cites it"):
        scene.retention.delete(scene.book, held)
    assert scene.folder.exists()


def test_without_a_store_nobody_knows_what_is_cited(tmp_path):
    with pytest.raises(UsageError, match="at least one evidence store"):
        EvidenceRetention((tmp_path,), (), trust_of(), clock=EventClock(OLD))


def test_the_verb_shows_and_deletes_nothing_by_itself(tmp_path, monkeypatch, capsys):
    scene = Scene(tmp_path)
    monkeypatch.setattr("tradeworthy.cli.evidence_retain.SystemClock", lambda: scene.clock)
    trusting(tmp_path / "runs" / "state" / "made")
    write_trust(tmp_path / "trust.json", trust_of())
    words = ["evidence", "retain", "made", str(scene.reference.run), "--store", str(scene.store), "--trust",
             str(tmp_path / "trust.json"), "--runs", str(tmp_path / "runs")]  # fmt: skip
    assert call(words) == 1
    assert f"due      {scene.reference.built.bundle_id}" in capsys.readouterr().out
    pack = tmp_path / "pack.json"
    assert call([*words, "--write", str(pack)]) == 3
    assert call([*words, "--write", str(pack), "--reason", "seven years are over"]) == 1
    assert call([*words, "--pack", str(pack)]) not in (0, 1)
    assert scene.folder.exists()
    for number in (1, 2):
        path = tmp_path / f"{number}.key"
        path.write_bytes(key(number).private_bytes_raw().hex().encode())
        path.chmod(0o600)
    monkeypatch.setattr("tradeworthy.cli.approve.SystemClock", lambda: scene.clock)
    sign = ["approve", str(pack), "--runs", str(tmp_path / "runs"), "--key"]
    assert call([*sign, str(tmp_path / "1.key")]) == 1
    assert call([*sign, str(tmp_path / "2.key")]) == 0
    assert call([*words, "--pack", str(pack)]) == 0
    assert not scene.folder.exists()
