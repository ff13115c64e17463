"""From a run folder to a bundle: what is in it, what is refused, who may sign, what verification says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from bundle_maker import (
    AT,
    EXPIRED_AT,
    INPUTS,
    PEOPLE,
    RUN_ID,
    SIGNED_AT,
    Reference,
    journal_in,
    key_of,
    minutes_of,
    public_of,
    trust_of,
    write_run,
)

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.model import RunClass
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.build import build, read_manifest, write_page
from tradeworthy.operations.evidence.canonical import canonical_json
from tradeworthy.operations.evidence.collect import Inputs
from tradeworthy.operations.evidence.judge import Ask
from tradeworthy.operations.evidence.sign import sign
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, with_key
from tradeworthy.operations.evidence.verify import verify
from tradeworthy.operations.evidence.verify_bundle import ask_of


@pytest.fixture
def reference(tmp_path):
    return Reference(tmp_path)


def rehearsal(place, **inputs):
    run = write_run(place / "run", run_class=RunClass.REHEARSAL, relaxed=False)
    trust = trust_of()
    built = build(run, run / "bundle", msgspec.structs.replace(INPUTS, trust=trust.encoded(), **inputs))
    return built, trust


def codes(verdict):
    return {one.code for one in verdict.findings}


def test_the_same_run_gives_the_same_bundle(tmp_path):
    first, _ = rehearsal(tmp_path)
    before = {path.name: path.read_bytes() for path in first.folder.rglob("*") if path.is_file()}
    second = build(first.folder.parent, first.folder, msgspec.structs.replace(INPUTS, trust=trust_of().encoded()))
    after = {path.name: path.read_bytes() for path in second.folder.rglob("*") if path.is_file()}
    assert (first.bundle_id, first.merkle_root) == (second.bundle_id, second.merkle_root)
    assert before == after


def test_one_byte_of_a_run_gives_another_id(tmp_path):
    first, _ = rehearsal(tmp_path)
    (first.folder.parent / "review.md").write_text("# review.md.\n")
    second = build(first.folder.parent, first.folder, msgspec.structs.replace(INPUTS, trust=trust_of().encoded()))
    assert first.bundle_id != second.bundle_id


def test_a_rehearsal_lacks_what_only_a_release_needs_and_says_so(tmp_path):
    built, _ = rehearsal(tmp_path)
    _, manifest = read_manifest(built.folder)
    assert set(built.lacking) == set(words.RELEASE_KINDS) - {"trust", "progress_timeline"}
    assert manifest["lacking"] == sorted(built.lacking)
    assert manifest["run_class"] == "rehearsal"


@pytest.mark.parametrize(
    ("gone", "kind"),
    [
        ("review.*", "review"), ("wrap_up.*", "wrap_up"), ("incidents.jsonl", "incidents"),
        ("progress.json", "progress"),
        ("decision_diary.jsonl", "diary"), ("performance_metrics.json", "performance"), ("run_state.json", "run_state"),
        ("witness.jsonl", "witness"), ("evidence/sbom.json", "sbom"), ("evidence/drills/*", "drill"),
        ("evidence/flatness/*", "flatness"), ("evidence/release_manifest.json", "release_manifest"),
        ("evidence/alert_canary.json", "alert_canary"), ("evidence/loaded_modules.json", "modules"),
        ("evidence/configuration.toml", "configuration"), ("progress_timeline/*", "progress_timeline"),
    ],
)  # fmt: skip
def test_a_release_without_one_kind_of_evidence_is_refused_by_its_name(tmp_path, gone, kind):
    run = write_run(tmp_path / "run")
    for path in run.glob(gone):
        path.unlink()
    inputs = msgspec.structs.replace(INPUTS, trust=trust_of().encoded(), journal=journal_in(tmp_path / "journal"))
    with pytest.raises(UsageError, match=rf"needs {kind};"):
        build(run, run / "bundle", inputs)
    assert not (run / "bundle").exists()


def test_a_release_without_its_journal_is_refused(tmp_path):
    run = write_run(tmp_path / "run")
    with pytest.raises(UsageError, match="journal_head, journal_checkpoint"):
        build(run, run / "bundle", msgspec.structs.replace(INPUTS, trust=trust_of().encoded()))


def test_a_damaged_journal_is_not_packed(tmp_path):
    run = write_run(tmp_path / "run")
    journal = journal_in(tmp_path / "journal")
    segment = next(journal.glob("journal-*.jsonl"))
    segment.write_bytes(segment.read_bytes().replace(b'"rss_bytes":2', b'"rss_bytes":9'))
    with pytest.raises(UsageError, match="damaged at seq 3"):
        build(run, run / "bundle", msgspec.structs.replace(INPUTS, journal=journal))


def test_a_module_that_ran_and_is_in_no_bill_of_materials_is_refused(tmp_path):
    run = write_run(tmp_path / "run")
    (run / "evidence/loaded_modules.json").write_text('{"modules":["msgspec","left_pad"]}')
    with pytest.raises(UsageError, match="not in the SBOM: left_pad"):
        build(run, run / "bundle", INPUTS)


def test_a_folder_with_other_things_is_never_taken_for_an_earlier_bundle(tmp_path):
    run = write_run(tmp_path / "run", run_class=RunClass.REHEARSAL, relaxed=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="new, empty or an earlier bundle"):
        build(run, tmp_path / "mine", INPUTS)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_run_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="finished run"):
        build(tmp_path, tmp_path / "bundle", INPUTS)


def test_without_a_pinned_key_a_bundle_is_consistent_and_not_more(reference):
    own_word = verify(reference.folder, Ask(AT))
    assert (own_word.verdict, own_word.exit_code) == ("consistent", 3)
    pinned = verify(reference.folder, Ask(AT, trust_sha256=reference.trust.fingerprint()))
    assert (pinned.verdict, pinned.exit_code) == ("verified_with_waivers", 1)
    assert "trust.other" in codes(verify(reference.folder, Ask(AT, trust_sha256="0" * 64)))


def test_a_rehearsal_signed_by_its_builder_is_verified(tmp_path):
    built, trust = rehearsal(tmp_path)
    assert codes(verify(built.folder, Ask(AT, trust.encoded()))) == {"quorum.missing"}
    sign(built.folder, words.BUILDER, key_of("builder-host"), at=SIGNED_AT, trust=trust)
    verdict = verify(built.folder, Ask(AT, trust.encoded()))
    assert (verdict.verdict, verdict.exit_code, verdict.findings) == ("verified", 0, ())


@pytest.mark.parametrize(
    ("holder", "role", "code"),
    [
        ("otto", "operations", "signer.is_operator"), ("alma", "risk", "signer.is_author"),
        ("desk-account", "builder", "signer.is_desk"), ("sofia", "risk", "role.denied"),
        ("stranger", "risk", "signature.untrusted"),
    ],
)  # fmt: skip
def test_who_may_not_sign_is_refused_and_leaves_nothing(tmp_path, holder, role, code):
    built, trust = rehearsal(tmp_path)
    with pytest.raises(UsageError, match=re.escape(code)):
        sign(built.folder, role, key_of(holder), at=SIGNED_AT, trust=trust)
    assert not list((built.folder / "signatures").glob("*"))


def test_the_same_person_cannot_sign_twice_in_any_role(tmp_path):
    built, trust = rehearsal(tmp_path)
    both = trusted_key(
        public_of("dora"), holder="dora", roles=("risk", "operations"), valid_from="2026-01-01T00:00:00Z",
        valid_to="2027-01-01T00:00:00Z",
    )  # fmt: skip
    trust = with_key(trust, both)
    sign(built.folder, "operations", key_of("dora"), at=SIGNED_AT, trust=trust)
    with pytest.raises(UsageError, match="already"):
        sign(built.folder, "operations", key_of("dora"), at=SIGNED_AT, trust=trust)
    with pytest.raises(UsageError, match=r"signer\.not_distinct"):
        sign(built.folder, "risk", key_of("dora"), at=SIGNED_AT, trust=trust)


def test_a_release_that_does_not_say_who_ran_and_wrote_it_is_no_release(tmp_path):
    run = write_run(tmp_path / "run")
    journal, trust = journal_in(tmp_path / "journal"), trust_of()
    nobody = Inputs(environment="paper", trust=trust.encoded(), journal=journal)
    built = build(run, run / "bundle", nobody)
    found = verify(built.folder, Ask(AT, trust.encoded())).findings
    assert {one.where for one in found if one.code == "account.unknown"} == {"desk", "operator", "author"}


def test_a_revoked_key_voids_what_it_signed_after_and_nothing_before(reference):
    at = {"revoked_at": "2026-03-04T02:00:01Z"}
    later = trust_of(rafael=at)
    assert "key.revoked" not in codes(verify(reference.folder, Ask(AT, later.encoded())))
    before = trust_of(rafael={"revoked_at": SIGNED_AT})
    verdict = verify(reference.folder, Ask(AT, before.encoded()))
    assert {"key.revoked", "quorum.missing"} <= codes(verdict)
    assert verdict.exit_code == 2


def test_expiry_is_judged_for_the_asked_time(reference):
    edge = reference.ask._replace(at="2026-03-18T00:59:59Z")
    own = {one.code for one in verify(reference.folder, edge).findings if one.where == "trust.json"}
    assert "entry.expired" not in own
    past = verify(reference.folder, reference.ask._replace(at="2026-03-18T01:00:00Z"))
    assert "entry.expired" in codes(past)
    assert "waiver.expired" in codes(verify(reference.folder, reference.ask._replace(at=EXPIRED_AT)))


def test_a_lower_environment_never_satisfies_a_higher(reference):
    assert "environment.lower" in codes(verify(reference.folder, reference.ask._replace(environment="live")))
    assert "environment.lower" not in codes(verify(reference.folder, reference.ask._replace(environment="simulated")))


def test_a_live_release_needs_compliance_and_senior_management_too(tmp_path):
    run = write_run(tmp_path / "run")
    trust = trust_of()
    inputs = msgspec.structs.replace(
        INPUTS, trust=trust.encoded(), journal=journal_in(tmp_path / "journal"), environment="live"
    )
    built = build(run, run / "bundle", inputs)
    verdict = verify(built.folder, Ask(AT, trust.encoded()))
    assert {"compliance", "senior_management", *PEOPLE} <= {one.where for one in verdict.findings}


def test_the_shipped_verifier_runs_alone_and_agrees(reference, tmp_path):
    trust = tmp_path / "trust.json"
    trust.write_bytes(reference.trust.encoded())
    command = [sys.executable, "-I", str(reference.folder / "verify_bundle.py"), str(reference.folder)]
    done = subprocess.run(
        [*command, "--key", str(trust), "--at", AT, "--json"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    told = json.loads(done.stdout)
    own = verify(reference.folder, Ask(AT, reference.trust.encoded()))
    assert done.returncode == told["exit_code"] == own.exit_code == 1
    assert [(one["code"], one["where"]) for one in told["findings"]] == [(one.code, one.where) for one in own.findings]
    assert subprocess.run([*command, "--at", AT], capture_output=True, check=False).returncode == 3
    other = subprocess.run([*command, "--at", "yesterday"], capture_output=True, text=True, check=False)
    assert (other.returncode, other.stdout) == (3, "")


def test_a_page_is_judged_with_its_template(reference, tmp_path):
    write_page(reference.folder, reference.page)
    assert verify(reference.page, reference.ask).verdict == "verified_with_waivers"
    edited = tmp_path / "edited.html"
    edited.write_bytes(reference.page.read_bytes().replace(b"Does not verify", b"Does verify ok!"))
    assert codes(verify(edited, reference.ask)) == {"page.template", "waiver.active"}
    none = tmp_path / "none.html"
    none.write_text("<p>verified</p>")
    with pytest.raises(UsageError, match="bundle folder or page"):
        verify(none, reference.ask)


def test_a_log_of_many_chunks_is_proved_chunk_by_chunk(tmp_path):
    run = write_run(tmp_path / "run", run_class=RunClass.REHEARSAL, relaxed=False)
    log = next((run / "logs").glob("*.log"))
    log.write_bytes(bytes(range(256)) * (3 * words.CHUNK_BYTES // 256) + b"the rest")
    built = build(run, run / "bundle", msgspec.structs.replace(INPUTS, trust=trust_of().encoded()))
    _, manifest = read_manifest(built.folder)
    entry = next(one for one in manifest["entries"] if one["path"] == f"chunks/logs/{log.name}.json")
    index = json.loads((built.folder / "objects" / entry["sha256"]).read_bytes())
    assert (len(index["leaves"]), index["bytes"]) == (4, log.stat().st_size)
    whole = next(one for one in manifest["entries"] if one["path"] == f"logs/{log.name}")
    held = built.folder / "objects" / whole["sha256"]
    data = bytearray(held.read_bytes())
    data[words.CHUNK_BYTES + 5] ^= 1
    held.write_bytes(data)
    found = verify(built.folder, Ask(AT, trust_of().encoded()))
    assert {"object.changed", "chunk.changed"} <= codes(found)


def test_a_page_leaves_out_only_what_is_large_and_shows_it_as_not_there(tmp_path, monkeypatch):
    built, trust = rehearsal(tmp_path)
    sign(built.folder, words.BUILDER, key_of("builder-host"), at=SIGNED_AT, trust=trust)
    run = built.folder.parent
    log = next((run / "logs").glob("*.log"))
    log.write_bytes(b"x" * (words.OMITTED_BYTES_MIN * 2))
    built = build(run, built.folder, msgspec.structs.replace(INPUTS, trust=trust.encoded()))
    sign(built.folder, words.BUILDER, key_of("builder-host"), at=SIGNED_AT, trust=trust)
    monkeypatch.setattr("tradeworthy.operations.evidence.page.PAGE_BYTES_MAX", 400_000)
    write_page(built.folder, run / "bundle.html")
    verdict = verify(run / "bundle.html", Ask(AT, trust.encoded()))
    assert [(one.severity, one.code, one.where) for one in verdict.findings] == [
        ("unknown", "object.omitted", f"logs/{log.name}")
    ]
    assert (run / "bundle.html").stat().st_size < 400_000


def middle_gone(path):
    first, _, last = path.read_bytes().splitlines()
    path.write_bytes(first + b"\n" + last + b"\n")


def other_run(path):
    minutes_of(path, run_id="another")


def forged(path):
    minutes_of(path, signer="desk-account")


def torn(path):
    path.write_bytes(path.read_bytes()[:-1])


def unsigned(path):
    last = json.loads(path.read_bytes().splitlines()[-1]) | {"signatures": []}
    path.write_bytes(b"\n".join(path.read_bytes().splitlines()[:-1]) + b"\n" + canonical_json(last))


@pytest.mark.parametrize(
    ("damage", "code"),
    [(middle_gone, "witness.chain"), (other_run, "witness.run"), (forged, "role.denied"), (torn, "witness.malformed"),
     (unsigned, "witness.malformed")],
)  # fmt: skip
def test_minutes_of_a_witness_that_do_not_hold_make_a_bundle_invalid_whoever_built_it(tmp_path, damage, code):
    run = write_run(tmp_path / "run", run_class=RunClass.REHEARSAL, relaxed=False)
    minutes_of(run / "witness.jsonl")
    damage(run / "witness.jsonl")
    trust = trust_of()
    built = build(run, run / "bundle", msgspec.structs.replace(INPUTS, trust=trust.encoded()))
    sign(built.folder, words.BUILDER, key_of("builder-host"), at=SIGNED_AT)
    assert codes(verify(built.folder, Ask(AT, trust.encoded()))) == {code}


def test_minutes_that_are_too_many_to_judge_are_never_taken_for_good(tmp_path, monkeypatch):
    run = write_run(tmp_path / "run", run_class=RunClass.REHEARSAL, relaxed=False)
    minutes_of(run / "witness.jsonl")
    trust = trust_of()
    built = build(run, run / "bundle", msgspec.structs.replace(INPUTS, trust=trust.encoded()))
    sign(built.folder, words.BUILDER, key_of("builder-host"), at=SIGNED_AT)
    monkeypatch.setattr("tradeworthy.operations.evidence.judge.DOCUMENT_BYTES_MAX", 1_000)
    found = verify(built.folder, Ask(AT, trust.encoded())).findings
    assert ("object.too_large", "witness.jsonl") in {(one.code, one.where) for one in found}


def test_words_that_are_no_question_are_refused():
    with pytest.raises(ValueError, match="environment"):
        ask_of(AT, None, environment="moon")
    with pytest.raises(ValueError, match="invalid literal"):
        ask_of(AT, None, log_head="x")
    with pytest.raises(OSError, match="No such file"):
        ask_of(AT, "/nowhere/trust.json")


def test_keys_of_people_and_machines_do_not_mix():
    arguments = {"holder": "x", "valid_from": AT, "valid_to": EXPIRED_AT}
    with pytest.raises(UsageError, match="do not mix"):
        trusted_key(public_of("x"), roles=("builder", "risk"), **arguments)
    with pytest.raises(UsageError, match="expected roles"):
        trusted_key(public_of("x"), roles=("king",), **arguments)
    with pytest.raises(UsageError, match="already"):
        with_key(with_key(TrustFile(), trusted_key(public_of("x"), roles=("risk",), **arguments)),
                 trusted_key(public_of("x"), roles=("risk",), **arguments))  # fmt: skip


def test_the_run_id_of_a_bundle_is_that_of_its_run(reference):
    assert verify(reference.folder, reference.ask._replace(run_id=RUN_ID)).verdict == "verified_with_waivers"
    assert "run.other" in codes(verify(reference.folder, reference.ask._replace(run_id="another")))


def test_the_verifier_in_a_bundle_needs_no_package(reference):
    source = (reference.folder / "verify_bundle.py").read_text()
    assert "tradeworthy." not in "".join(line for line in source.splitlines() if "import" in line)
    assert Path(reference.folder / "verify_bundle.py").stat().st_size < 100_000
