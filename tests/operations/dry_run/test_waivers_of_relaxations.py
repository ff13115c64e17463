"""A relaxed run with waivers says first who let it stand; what may not be waived starts nothing (EV-15, EV-16)."""

import hashlib
import sys

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dry_run_fixture import CHILD, HOUR
from virtual_run_fixture import played, settings_in

from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.artefacts import decode_summary
from tradeworthy.operations.dry_run.model import Relaxation
from tradeworthy.operations.dry_run.smoke import VIRTUAL_START
from tradeworthy.operations.evidence.canonical import later, stamp_of
from tradeworthy.operations.evidence.relaxations import waived
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, with_key, write_trust
from tradeworthy.operations.evidence.waivers import Waiver, sealed

AT = "2026-03-02T00:00:00Z"
RELAXED = (
    Relaxation(code="relaxation.diary", switch="--no-diary-required"),
    Relaxation(code="relaxation.performance", switch="--no-performance-required"),
)
ROLES = {"sofia": "strategy_owner", "rafael": "risk"}


def key_of(holder):
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(holder.encode()).digest())


def trust_in(folder):
    known = TrustFile()
    for holder, role in ROLES.items():
        public = key_of(holder).public_key().public_bytes_raw()
        known = with_key(known, trusted_key(
            public, holder=holder, roles=(role,), valid_from="2020-01-01T00:00:00Z", valid_to="2099-01-01T00:00:00Z",
        ))  # fmt: skip
    write_trust(folder / "trust.json", known)
    return folder / "trust.json"


def waiver_in(folder, code, *, issued=AT, signers=("sofia", "rafael"), days=7, **odd):
    name = odd.get("waiver_id", code.rpartition(".")[2])
    waiver = Waiver(**({
        "waiver_id": name, "finding_code": code, "scope": "march-run", "reason": "no diary yet", "owner": "olga",
        "author": "alma", "issued_at": issued, "expires_at": later(issued, days=days),
    } | odd))  # fmt: skip
    path = folder / f"{name}-{len(list(folder.iterdir()))}.json"
    path.write_bytes(sealed(waiver, tuple(key_of(one) for one in signers)))
    return path


def test_waived_relaxations_give_the_run_its_id_and_are_printed_first(tmp_path, capfd):
    now = stamp_of(SystemClock().now() - NANOS_PER_SECOND)
    trust = trust_in(tmp_path)
    files = [waiver_in(tmp_path, one.code, issued=now) for one in RELAXED]
    words = [
        "final-dry-run-orchestrator", "--output-root", str(tmp_path / "runs"), "--duration-hours", f"{2 / HOUR:.9f}",
        "--heartbeat-interval-seconds", "1", "--skip-diary-evidence", "--skip-performance-evidence", "--trust",
        str(trust), *(word for one in files for word in ("--waiver", str(one))),
    ]  # fmt: skip
    assert call([*words, "--run-name", "a", "--", sys.executable, CHILD]) == 0
    folder = tmp_path / "runs" / "a"
    summary = decode_summary((folder / "summary.json").read_bytes())
    assert summary.run_id == "march-run"
    assert [one.waiver_id for one in summary.relaxations] == ["diary", "performance"]
    assert [one["signers"] for one in summary.waivers] == [["sofia", "rafael"]] * 2
    out = capfd.readouterr().out
    assert out.index("--no-diary-required (waiver diary)") < out.index("no diary yet") < out.index("status")
    for page in ("summary.md", "review.md", "wrap_up.md"):
        text = (folder / page).read_text()
        assert text.index("(waiver diary)") < text.index("**PASS**"), page
    assert "relaxed without a waiver" not in out
    assert sorted(one.name for one in (folder / "evidence" / "waivers").iterdir()) == [
        "diary.dsse.json", "performance.dsse.json"
    ]  # fmt: skip
    assert call([*words, "--run-name", "b", "--", sys.executable, CHILD]) == 3
    assert "the run march-run has been already" in capfd.readouterr().err
    assert call([*words, "--run-id", "april-run", "--run-name", "b", "--", sys.executable, CHILD]) == 3
    assert "for the run march-run, this is april-run" in capfd.readouterr().err
    assert call([*words[:-4], "--run-id", "march-run", "--run-name", "b", "--", sys.executable, CHILD]) == 3
    assert call([*words[:-4], "--run-id", "../x", "--run-name", "b", "--", sys.executable, CHILD]) == 3
    assert not (tmp_path / "runs" / "b").exists()


@pytest.mark.parametrize(("odd", "told"), [
    ({"days": 8}, "waiver.too_long"), ({"signers": ("sofia",)}, "waiver.quorum"),
    ({"signers": ("sofia", "sofia")}, "waiver.quorum"), ({"author": "sofia"}, "waiver.own"),
    ({"issued": "2026-02-20T00:00:00Z"}, "waiver.expired"), ({"issued": "2026-03-03T00:00:00Z"}, "waiver.future"),
    ({"signers": ("sofia", "stranger")}, "waiver.signature"), ({"scope": "../x"}, "cannot be an id"),
    ({"scope": "other-run"}, "expected waivers for one run"), ({"finding_code": "log.error"}, "relaxes relaxation"),
    ({"finding_code": "kill_switch.armed"}, "waiver.never"), ({"finding_code": RELAXED[1].code}, "waived 2 times"),
])  # fmt: skip
def test_a_waiver_that_may_not_stand_starts_nothing_and_says_why(tmp_path, odd, told):
    files = [waiver_in(tmp_path, RELAXED[0].code, **odd), waiver_in(tmp_path, RELAXED[1].code)]
    with pytest.raises(UsageError, match=told):
        waived(files, trust_in(tmp_path), RELAXED, at=AT)


def test_a_fourth_waiver_one_twice_one_that_is_none_and_no_trust_are_refused(tmp_path):
    trust = trust_in(tmp_path)
    many = tuple(Relaxation(code=f"relaxation.{n}", switch=f"--{n}") for n in range(4))
    files = [waiver_in(tmp_path, one.code) for one in many]
    assert len(waived(files[:3], trust, many, at=AT).covers) == 3
    with pytest.raises(UsageError, match="at most 3"):
        waived(files, trust, many, at=AT)
    with pytest.raises(UsageError, match="given already"):
        waived([files[0], files[0]], trust, many, at=AT)
    with pytest.raises(UsageError, match="expected a signed waiver"):
        waived([trust], trust, many, at=AT)
    with pytest.raises(UsageError, match="No such file"):
        waived([tmp_path / "gone"], trust, many, at=AT)
    with pytest.raises(UsageError, match="needs --trust"):
        waived(files[:1], None, many, at=AT)
    assert call(["final-dry-run", "--log-dir", str(tmp_path / "l"), "--resume", "x", "--waiver", str(files[0])]) == 3


@pytest.mark.parametrize(("ends_after", "covering"), [(1_801, "w"), (1_800, None), (60, None)])
def test_a_waiver_that_ends_before_the_judgement_covers_nothing(tmp_path, ends_after, covering):
    ends = stamp_of(VIRTUAL_START + ends_after * NANOS_PER_SECOND)
    waiver = {"waiver_id": "w", "finding_code": "relaxation.warnings", "expires_at": ends, "reason": "r",
              "owner": "o", "signers": ["a", "b"]}  # fmt: skip
    settings = msgspec.structs.replace(
        settings_in(tmp_path, odd={"allow_warnings": True}.items()), waivers=(waiver,),
        waived={"relaxation.warnings": "w"},
    )  # fmt: skip
    result, _ = played(tmp_path, settings=settings)
    assert [one.waiver_id for one in result.summary.relaxations] == [covering]
    bare = [one for one in result.rehearsal_reasons if "relaxed without a waiver" in one]
    assert bool(bare) is (covering is None)
