"""Changes as requests: what the change journal tells of impact, time, window and people, and what it does not."""

import pytest
from live_documents import LIVE, parsed
from trusted import GO

from tradeworthy.app.assessing.change_facts import change_facts
from tradeworthy.app.configuration.change_control import (
    ChangeProposed,
    ChangeRefused,
    act_of,
    approve_signed,
    pack_of,
    propose,
)
from tradeworthy.cli.main import call
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, read
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import take
from tradeworthy.trading.control.approvals import Approval, Principal

CHANGE = registry().get("change_management")
HOUR = 3_600 * NANOS_PER_SECOND
MONDAY = 1_704_067_200 * NANOS_PER_SECOND
SATURDAY = MONDAY + 5 * 24 * HOUR
WINDOW = (SATURDAY + 10 * HOUR, SATURDAY + 14 * HOUR)
EVERY_ROLE = ("operations", "strategy_owner", "risk", "compliance", "security")
BOB = Principal("k1", "bob", EVERY_ROLE, b"")
CY = Principal("k2", "cy", ("operations",), b"")
LESS, MORE = LIVE | {"cap": "49"}, LIVE | {"cap": "50"}


DOCUMENT = """
schema = "desk@1"
[desk]
name = "made"
environment = "paper"
[[tapes]]
name = "eurusd_quotes"
format = "demo"
instrument = "EURUSD.DEMO"
[[instances]]
id = "touch"
strategy = "touch_quoter"
instrument = "EURUSD.DEMO"
role = "maker"
"""


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "changes"


def asked(directory, at=MONDAY, window=WINDOW, person="ann", live=LIVE, **more):
    return propose(directory, parsed(live), person=person, reason="a start", clock=EventClock(at), window=window,
                   **more)  # fmt: skip


def signed(directory, proposal, tmp_path, *people, at=MONDAY):
    (tmp_path / "gate.json").write_text(f"run of {proposal.config_hash}")
    pack = pack_of(proposal, desk="made", proposer="k9", now=at)
    return approve_signed(directory, Approval(pack, pack.digest(), people or (BOB, CY)),
                          gate_run=tmp_path / "gate.json", clock=EventClock(at), verdicts=GO)  # fmt: skip


def codes(directory, now=WINDOW[0]):
    facts = change_facts(directory, Teller("changes", now, environment="live"))
    found = take(CHANGE, facts, CHANGE.policy, now, environment="live", code_version="1").findings
    return {one.code.partition(".")[2]: one.severity for one in found}


def test_a_desk_that_proposed_nothing_has_nothing_to_answer_for(directory):
    assert codes(directory) == {}


def test_a_whole_request_is_ok_and_its_pack_tells_the_window(directory, tmp_path):
    found = asked(directory)
    assert pack_of(found, desk="made", proposer="k9", now=1).details["window"] == f"{WINDOW[0]} to {WINDOW[1]}"
    assert codes(directory, MONDAY + HOUR) == {}, "what waits for its window may still be approved"
    signed(directory, found, tmp_path)
    assert codes(directory) == {}


def test_a_change_that_goes_live_asks_for_two_days_and_every_role(directory, tmp_path):
    found = asked(directory, at=WINDOW[0] - 48 * HOUR + NANOS_PER_SECOND)
    assert codes(directory, WINDOW[0])["lead_time"] is Severity.FAIL
    signed(directory, found, tmp_path, BOB._replace(roles=EVERY_ROLE[:-1]), CY)
    assert codes(directory) == {"lead_time": Severity.FAIL, "no_approval": Severity.FAIL}


def test_nobody_approves_their_own(directory, tmp_path):
    signed(directory, asked(directory, person="Bob"), tmp_path)
    assert codes(directory) == {"own_approval": Severity.FAIL}


def test_what_nobody_approved_in_its_window_is_told_and_what_the_gate_refused_fails(directory):
    found = asked(directory)
    assert codes(directory, WINDOW[0])["no_approval"] is Severity.FAIL
    assert codes(directory, WINDOW[1])["window_past"] is Severity.WARN
    journal = Journal.open(directory, clock=EventClock(MONDAY))
    refused = ChangeRefused(found.config_hash, ("bob", "cy"), ("no verdict",))
    journal.accept(event_of(refused, source="change_control", key=9, ts_event=MONDAY, ts_init=MONDAY))
    journal.close()
    assert codes(directory)["rejected"] is Severity.FAIL


def test_another_day_needs_an_emergency_that_people_approved(directory, tmp_path):
    tuesday = (WINDOW[0] + 72 * HOUR, WINDOW[1] + 72 * HOUR)
    signed(directory, asked(directory, window=tuesday, live=LESS), tmp_path)
    assert codes(directory, tuesday[0]) == {"outside_window": Severity.FAIL}
    urgent = asked(directory, window=tuesday, live=MORE, emergency="the venue closes an interface")
    assert codes(directory, MONDAY)["outside_window"] is Severity.FAIL
    signed(directory, urgent, tmp_path)
    assert pack_of(urgent, desk="made", proposer="k9", now=1).details["emergency"] == "the venue closes an interface"
    assert codes(directory, tuesday[0]) == {}


def test_without_a_window_its_time_is_unknown(directory, tmp_path):
    signed(directory, asked(directory, window=(0, 0)), tmp_path)
    assert codes(directory) == dict.fromkeys(
        ("lead_time", "window_length", "no_approval", "window_past", "outside_window"), Severity.UNKNOWN
    )


def test_a_change_that_touches_no_live_risk_is_no_request(directory, tmp_path):
    signed(directory, asked(directory, live=MORE), tmp_path)
    narrower = asked(directory, live=LESS, window=(0, 0))
    assert act_of(narrower) is None
    assert codes(directory) == {}


def test_a_window_that_ends_before_it_begins_is_refused(directory, tmp_path):
    with pytest.raises(UsageError, match="begins before it ends"):
        asked(directory, window=(2, 1))


def test_the_verb_takes_a_window_with_time_zones(tmp_path, capsys):
    path = tmp_path / "desk.toml"
    path.write_text(DOCUMENT)
    words = ["config", "propose", str(path), "--person", "ann", "--reason", "r", "--runs", str(tmp_path / "runs")]
    for odd in ("soon", "2026-01-31T10:00/2026-01-31T12:00", "2026-01-31T10:00Z"):
        assert call([*words, "--window", odd]) == 3
        assert "--window" in capsys.readouterr().err
    assert call([*words, "--window", "2026-01-31T10:00Z/2026-01-31T12:00Z", "--emergency", "now"]) == 0
    [wish] = [one.payload for one in read(tmp_path / "runs" / "state" / "made" / "changes")
              if isinstance(one.payload, ChangeProposed)]  # fmt: skip
    assert (wish.window_end - wish.window_start, wish.emergency) == (2 * HOUR, "now")
