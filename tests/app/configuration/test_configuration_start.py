"""One call at each start: an unapproved live document is refused, anything else is identified and audited."""

import pytest
from live_documents import LIVE, PAPER, PEOPLE, SECRET, parsed
from trusted import GO

from tradeworthy.app.configuration.audit import AUDIT, history
from tradeworthy.app.configuration.change_control import CHANGES, approve_signed, pack_of, propose
from tradeworthy.app.configuration.secret_references import fingerprints_in, store_of
from tradeworthy.app.configuration.start import actor_of, start_configuration
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import ConfigurationRefused, ExitCode
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.trading.control.approvals import Approval

CLOCK = EventClock(1_700_000_000_000_000_000)


def started(tmp_path, document, environ=()):
    return start_configuration(
        document, state=tmp_path / "state", clock=CLOCK, actor="Ann", code="c" * 64, environ=dict(environ)
    )


def stand_for(tmp_path, document, environ):
    state = tmp_path / "state"
    prints = fingerprints_in(state).of(document, store_of(environ))
    found = propose(state / CHANGES, document, person="Ann", reason="x", clock=CLOCK, fingerprints=prints)
    (tmp_path / "gate").write_text(environ["TRADEWORTHY_SECRET_MAIN_KEY"][::-1])
    pack = pack_of(found, desk="made", proposer="k9", now=1)
    approve_signed(state / CHANGES, Approval(pack, "d", PEOPLE), gate_run=tmp_path / "gate", clock=CLOCK, verdicts=GO)


def test_a_paper_start_is_identified_and_audited_in_facts_that_a_journal_takes(tmp_path):
    found = started(tmp_path, parsed(PAPER, environment="paper"))
    assert found.audited.first
    assert found.audited.snapshot == ""
    journal = Journal.open(tmp_path / "run", clock=CLOCK)
    for number, fact in enumerate(found):
        journal.accept(event_of(fact, source="run", key=number, ts_event=1, ts_init=1))
    journal.close()
    assert [event.payload for event in read(tmp_path / "run")] == list(found)
    assert not started(tmp_path, parsed(PAPER, environment="paper")).audited.changed


def test_an_unapproved_live_document_is_refused_and_leaves_no_entry(tmp_path):
    with pytest.raises(ConfigurationRefused, match="not approved") as refused:
        started(tmp_path, parsed(LIVE), SECRET)
    assert refused.value.exit_code is ExitCode.FAIL
    assert history(tmp_path / "state" / AUDIT) == ()


def test_an_approved_live_document_starts_until_its_secret_changes(tmp_path):
    stand_for(tmp_path, parsed(LIVE), SECRET)
    assert started(tmp_path, parsed(LIVE), SECRET).audited.environment == "live"
    other = {"TRADEWORTHY_SECRET_MAIN_KEY": "canary-88bb-hunter2"}
    with pytest.raises(ConfigurationRefused, match=r"secrets of configuration .* are not the approved ones"):
        started(tmp_path, parsed(LIVE), other)
    with pytest.raises(ConfigurationRefused, match="not the approved ones"):
        started(tmp_path, parsed(LIVE), {})
    stand_for(tmp_path, parsed(LIVE), other)
    assert [one.field for one in started(tmp_path, parsed(LIVE), other).audited.changes] == [
        "accounts[main].credentials"
    ]


def test_who_starts_is_told_or_the_systems_user(monkeypatch):
    assert actor_of({"TRADEWORTHY_ACTOR": " ann "}) == "ann"
    monkeypatch.setenv("LOGNAME", "bob")
    assert actor_of({}) == "bob"
