"""Which lines break which invariant, and where."""

import msgspec
import pytest

from tradeworthy.kernel.severity import Severity
from tradeworthy.research.regression.invariants import InvariantPolicy, judge_lines

NOW = 1_000
TOLD = {"code": "risk.max_notional", "observed": "101", "limit": "100"}


def line(kind, payload, seq=1):
    event = {"seq": seq, "ts_init": NOW, "kind": kind, "event_id": f"desk:{seq}", "source": "desk", "payload": payload}
    return msgspec.json.encode(event)


def approved(**intent):
    return line("intent.approved", {"intent": {"expires_at": NOW + 1, **intent}})


def refused(*violations):
    return line("intent.refused", {"intent": {"expires_at": NOW + 1}, "violations": list(violations)})


def submit(instance):
    return line("command.submit", {"instance": instance})


def broken(*lines, **words):
    checks = judge_lines(lines, InvariantPolicy(events_min=len(lines)), **words)
    return {check.code: check for check in checks if check.severity is not Severity.OK}


def test_sound_lines_break_nothing():
    assert broken(approved(), refused(TOLD), submit("one"), line("market.quote", {})) == {}


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (approved(expires_at=0), "intent.no_expiry"), (approved(expires_at=None), "intent.no_expiry"),
        (approved(expires_at=NOW), "intent.expired_approved"),
        (approved(expires_at=NOW - 1), "intent.expired_approved"),
        (refused(), "refusal.untold"), (refused(TOLD, {**TOLD, "limit": ""}), "refusal.untold"),
        (refused({"code": "x", "observed": "1"}), "refusal.untold"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_with_its_event(bad, code):
    found = broken(approved(), bad)
    assert list(found) == [code]
    assert found[code].severity is Severity.FAIL
    assert found[code].seqs == (1,)
    assert "desk:1" in found[code].text


def test_an_intent_without_the_field_has_no_expiry():
    assert list(broken(line("intent.approved", {"intent": {}}))) == ["intent.no_expiry"]


def test_only_a_no_trade_instance_may_send_nothing():
    assert broken(submit("one"), no_trade=("two",)) == {}
    assert list(broken(submit("one"), submit("two"), no_trade=("two",))) == ["no_trade.order_sent"]


@pytest.mark.parametrize(("floor", "severity"), [(2, Severity.OK), (3, Severity.FAIL)])
def test_fewer_events_than_the_floor_prove_nothing(floor, severity):
    checks = judge_lines([approved(), approved()], InvariantPolicy(events_min=floor))
    assert checks[0].severity is severity
