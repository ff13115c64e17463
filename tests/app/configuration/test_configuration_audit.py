"""Every start is compared with the last one; secrets are seen to change and never seen; identity is one struct."""

import sqlite3

import msgspec
import pytest
from live_documents import LIVE, MAIN, PAPER, parsed
from trusted import GO

from tradeworthy.app import config
from tradeworthy.app.configuration.audit import DATABASE, audit_configuration, audit_markdown, history, told
from tradeworthy.app.configuration.change_control import approve_signed, pack_of, propose, require_approved
from tradeworthy.app.configuration.secret_references import (
    FOLDER_DEFAULT,
    Fingerprints,
    SecretStore,
    fingerprints_in,
    store_of,
)
from tradeworthy.app.identity import differences, hashes_of_document, identified
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, ExitCode, UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.kernel.redaction import REDACTED, Secret, redact
from tradeworthy.operations.dry_run.model import Hashes
from tradeworthy.trading.control.approvals import Approval, Principal
from tradeworthy.trading.model import RunStarted

CLOCK = EventClock(1_700_000_000_000_000_000)
CANARY = "canary-9f3b71c2-hunter2"
FIELD = "accounts[main].credentials"


def store(tmp_path, value=None, **environ):
    folder = tmp_path / "secrets"
    folder.mkdir(exist_ok=True)
    if value is not None:
        (folder / "main_key").write_text(value + "\n")
    return SecretStore(folder, environ)


def audited(tmp_path, document, **words):
    return audit_configuration(document, tmp_path / "state" / "audit", CLOCK, "Ann", **words)


def test_the_first_snapshot_is_marked_and_the_same_again_is_no_entry(tmp_path):
    document = parsed(PAPER, environment="paper")
    first = audited(tmp_path, document)
    assert (first.first, first.previous_hash, first.severity, first.changes) == (True, "", "OK", ())
    again = audited(tmp_path, document)
    assert (again.first, again.changed, again.previous_hash) == (False, False, document.hash())
    assert len(history(tmp_path / "state" / "audit")) == 1


def test_a_first_live_document_says_so(tmp_path):
    found = audited(tmp_path, parsed(LIVE))
    assert found.severity == "FAIL"
    assert {one.field for one in found.changes} == {"desk.environment", "instances[quoter].mode"}


def test_each_start_counts_what_was_added_removed_and_updated(tmp_path):
    audited(tmp_path, parsed(PAPER, environment="paper", risk={"per_trade": "0.005", "max_position": "0.09"}))
    found = audited(tmp_path, parsed(PAPER, environment="paper", risk={"per_trade": "0.004", "open_risk": "0.05"}))
    assert (found.added, found.removed, found.updated) == (1, 1, 1)
    assert [(one.field, one.severity) for one in found.changes] == [
        ("risk.max_position", "FAIL"), ("risk.open_risk", "WARN"), ("risk.per_trade", "WARN"),
    ]  # fmt: skip
    assert (found.severity, found.actor) == ("FAIL", "Ann")
    assert verify(tmp_path / "state" / "audit").ok


def test_a_start_without_an_actor_could_not_be_judged(tmp_path):
    with pytest.raises(UsageError, match="actor"):
        audit_configuration(parsed(PAPER, environment="paper"), tmp_path, CLOCK, " ")


def test_a_changed_password_fails_and_its_value_is_in_no_file(tmp_path):
    document = parsed(LIVE)
    audited(tmp_path, document, secrets=store(tmp_path, CANARY))
    found = audited(tmp_path, document, secrets=store(tmp_path, CANARY + "2"))
    (one,) = found.changes
    assert (one.field, one.severity) == (FIELD, "FAIL")
    assert one.previous != one.current
    assert audited(tmp_path, document, secrets=store(tmp_path, CANARY + "2")).changed is False
    stored = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    for part in (CANARY, CANARY[:8], "hunter2", str(len(CANARY))):
        assert part.encode() not in stored if part != str(len(CANARY)) else f'length":{part}'.encode() not in stored


def test_the_canary_is_in_no_sink(tmp_path):
    """Planted as file and variable, no text of a document, a journal, a diff, an audit or an error holds it."""
    document = parsed(LIVE)
    held = store(tmp_path, CANARY, TRADEWORTHY_SECRET_OTHER=CANARY)
    secret = held.resolve("secret://main_key")
    assert secret.reveal() == held.resolve("secret://other").reveal() == CANARY
    found = audited(tmp_path, document, secrets=held)
    prints = fingerprints_in(tmp_path / "state").of(document, held)
    proposed = propose(
        tmp_path / "state" / "changes", document, person="Ann", reason=CANARY, clock=CLOCK, fingerprints=prints
    )
    texts = [document.canonical(), repr(secret), str(secret), repr(found), repr(proposed), repr(held), f"{secret}"]
    texts += [msgspec.json.encode(told(found)).decode(), audit_markdown(history(tmp_path / "state" / "audit"))]
    journal = Journal.open(tmp_path / "run", clock=CLOCK)
    journal.accept(event_of(identified(document, CANARY), source="run", key=1, ts_event=1, ts_init=1))
    journal.close()
    for wrong in (lambda: parsed(LIVE, accounts=[{**MAIN, "credentials": CANARY}]), lambda: held.resolve(CANARY)):
        with pytest.raises(UsageError) as told_of:
            wrong()
        texts.append(str(told_of.value))
    texts += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if "secrets" not in path.parts
              and path.is_file()]  # fmt: skip
    assert len(texts) > 12
    assert [text for text in texts if CANARY in text] == []
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_a_fingerprint_depends_on_the_desks_own_key(tmp_path):
    document, held = parsed(LIVE), store(tmp_path, CANARY)
    one, other = (Fingerprints(Secret(key * 32)).of(document, held)[FIELD] for key in ("aa", "bb"))
    assert one != other
    assert len(one) == 16
    first = fingerprints_in(tmp_path / "state").of(document, held)
    assert fingerprints_in(tmp_path / "state").of(document, held) == first
    assert (tmp_path / "state" / "fingerprint.key").stat().st_mode & 0o777 == 0o600
    assert fingerprints_in(tmp_path / "state").of(document, store(tmp_path / "..", None)) != {}


def test_a_secret_that_is_nowhere_is_told_by_its_name_and_places(tmp_path):
    with pytest.raises(UsageError, match=r"secret://absent: expected the file .*absent or the variable") as refused:
        store(tmp_path).resolve("secret://absent")
    assert refused.value.exit_code is ExitCode.COULD_NOT_JUDGE
    (tmp_path / "secrets" / "short").write_text("abc")
    with pytest.raises(UsageError, match="at least 6 bytes"):
        store(tmp_path).resolve("secret://short")
    (tmp_path / "secrets" / "bytes").write_bytes(b"\xff\xfe\xff\xfe\xff\xfe")
    with pytest.raises(UsageError, match="it is no text"):
        store(tmp_path).resolve("secret://bytes")
    for wrong in ("secret://../etc/passwd", "secret://", "main_key"):
        with pytest.raises(UsageError, match="plain text, which is not shown"):
            store(tmp_path).resolve(wrong)


def test_the_file_comes_before_the_variable(tmp_path):
    held = store(tmp_path, "from-the-file", TRADEWORTHY_SECRET_MAIN_KEY="from-the-variable")
    assert held.resolve("secret://main_key").reveal() == "from-the-file"
    assert store(tmp_path / "..", None, TRADEWORTHY_SECRET_A_B="from-the-variable").resolve(
        "secret://a-b"
    ).reveal() == "from-the-variable"  # fmt: skip
    assert store_of({})._folder == FOLDER_DEFAULT


def test_a_reference_is_a_name_and_stays_readable_where_a_secret_does_not():
    told_of = redact({"auth_token": "secret://token", "api_key": CANARY, "text": "password=secret://a password=b12345"})
    assert told_of == {
        "auth_token": "secret://token", "api_key": REDACTED, "text": f"password=secret://a password={REDACTED}",
    }  # fmt: skip
    assert redact('{"auth_secret":"secret://a","password":"x"}') == f'{{"auth_secret":"secret://a","password":"{REDACTED}"}}'


def test_a_journal_keeps_references_so_that_its_document_is_the_one_that_ran(tmp_path):
    journal = Journal.open(tmp_path / "run", clock=CLOCK)
    other = parsed(LIVE, accounts=[{**MAIN, "credentials": "secret://desk.venue-key"}])
    started = RunStarted("r", "live", other.canonical(), other.hash(), "c", (), "[]")
    journal.accept(event_of(started, source="run", key=1, ts_event=1, ts_init=1))
    journal.close()
    (event,) = read(tmp_path / "run")
    assert config.parse(msgspec.json.decode(event.payload.document), origin="journal").hash() == other.hash()


def test_a_changed_secret_needs_people_again(tmp_path):
    document, directory = parsed(LIVE), tmp_path / "state" / "changes"

    def stand_for(prints, text):
        (tmp_path / text).write_text(text)
        found = propose(directory, document, person="Ann", reason="x", clock=CLOCK, fingerprints=prints)
        pack = pack_of(found, desk="made", proposer="k9", now=1)
        people = (Principal("k1", "ann", ("risk",), b""), Principal("k2", "bob", ("operations",), b""))
        approve_signed(directory, Approval(pack, "d", people), gate_run=tmp_path / text, clock=CLOCK, verdicts=GO)
        return found

    stand_for({FIELD: "aa"}, "one")
    require_approved(document, directory, fingerprints={FIELD: "aa"})
    with pytest.raises(ConfigurationRefused, match=r"changed are accounts\[main\]\.credentials"):
        require_approved(document, directory, fingerprints={FIELD: "bb"})
    found = stand_for({FIELD: "bb"}, "two")
    assert found.fails == (FIELD,)
    require_approved(document, directory, fingerprints={FIELD: "bb"})


def test_the_table_holds_each_entry(tmp_path):
    audited(tmp_path, parsed(PAPER, environment="paper"))
    audited(tmp_path, parsed(PAPER, environment="paper", risk={"per_trade": "0.005"}))
    with sqlite3.connect(tmp_path / "state" / "audit" / DATABASE) as base:
        rows = base.execute("SELECT seq, actor, first, severity, updated + added FROM configuration_audit").fetchall()
    assert rows == [(1, "Ann", 1, "OK", 0), (2, "Ann", 0, "WARN", 1)]


def test_the_page_names_each_change(tmp_path):
    audited(tmp_path, parsed(PAPER, environment="paper"))
    audited(tmp_path, parsed(PAPER, environment="paper", risk={"per_trade": "0.005"}))
    page = audit_markdown(history(tmp_path / "state" / "audit"))
    assert "first snapshot" in page
    assert '| risk.per_trade | absent | "0.005" | WARN | a limit is tightened |' in page


def test_one_changed_limit_is_another_identity_and_voids_what_rests_on_the_old_one():
    before = hashes_of_document(parsed(LIVE), "c" * 64)
    after = hashes_of_document(parsed(LIVE, risk={"per_trade": "0.005"}), "c" * 64)
    assert differences({"a": before, "b": before}) == ()
    told_of = differences({"desk": after, "evidence": before})
    assert [one.partition(":")[0] for one in told_of] == ["config", "limits"]
    assert [one.partition(":")[0] for one in differences({"a": before, "b": Hashes()})] == [
        "code", "config", "limits", "models",
    ]  # fmt: skip
    fact = identified(parsed(LIVE), "c" * 64)
    assert (fact.code, fact.config, fact.limits, fact.models) == (
        before.code, before.config, before.limits, before.models,
    )  # fmt: skip
