"""What follows from an instance's entry, and one fixture for each rule that an entry can break."""

from decimal import Decimal

import pytest
from live_documents import LIVE, MAIN, OFF, PAPER, parsed
from soak_runs import document, played

from tradeworthy.app.bootstrap import build_desk, risk_policy
from tradeworthy.app.configuration.instances import caps, live_scope, name_of, no_trade_reasons, reconciled
from tradeworthy.app.runs.runner import replay_run
from tradeworthy.cli.main import call
from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.journal import read
from tradeworthy.trading.model import GuardLevel, SubmitOrder


def plain_quoter():
    (one,) = document().instances
    return {name: getattr(one, name) for name in ("id", "strategy", "instrument", "role", "policy")}


def test_scope_limits_and_reconciliation_follow_from_one_entry():
    alone = parsed(LIVE)
    assert (live_scope(alone), reconciled(alone), caps(alone)) == (("quoter",), (("main", "DEMO"),), {"quoter": 100})
    second = parsed(LIVE, {**LIVE, "id": "second", "cap": "50"})
    assert live_scope(second) == ("quoter", "second")
    assert reconciled(second) == (("main", "DEMO"),)
    limits = {group.name: (group.instances, group.capital_limit) for group in risk_policy(second).capital_groups}
    assert limits == {"cap.quoter": (("quoter",), Decimal(100)), "cap.second": (("second",), Decimal(50))}


def test_the_name_is_derived():
    (one,) = parsed({**LIVE, "version": "v2"}).instances
    assert name_of(one) == "touch_quoter_v2_quoter_demo_live_microcap"
    parsed({**LIVE, "name": "touch_quoter_v1_quoter_demo_live_microcap"})


@pytest.mark.parametrize(
    ("words", "instances", "rest"),
    [
        ("disabled, so it has no account", [{**OFF, "account": "sim"}], {}),
        ("disabled, so it stands in no scope", [OFF], {"exempt": ["tester"]}),
        ("reserved, so it must be disabled", [{**LIVE, "duty": "reserved"}], {}),
        ("holds no credentials", [{**PAPER, "account": "main"}], {"environment": "paper"}),
        ("needs credentials", [{**LIVE, "account": "sim"}], {}),
        ("needs an account", [{**LIVE, "account": ""}], {}),
        ("needs the catalogue", [LIVE], {"catalogue": ""}),
        ("in the live risk scope", [LIVE], {"exempt": ["quoter"]}),
        ("exempt: unknown instance", [LIVE], {"exempt": ["nobody"]}),
        ("unknown account", [{**LIVE, "account": "other"}], {}),
        ("account 'main' stands twice", [LIVE], {"accounts": [MAIN, MAIN]}),
        ("account 'main': unknown venue", [LIVE], {"accounts": [{**MAIN, "venue": "MARS"}]}),
        ("its instrument at DEMO", [LIVE], {"accounts": [{**MAIN, "venue": "OANDA"}]}),
        ("unknown venue 'MARS'", [{**LIVE, "venue": "MARS"}], {}),
        ("venue must be that of its instrument", [{**LIVE, "venue": "OANDA"}], {}),
        ("unknown strategy 'moonshot'", [{**LIVE, "strategy": "moonshot", "policy": {}}], {}),
        ("unknown instrument 'NOPE.DEMO'", [{**LIVE, "instrument": "NOPE.DEMO"}], {}),
        ("must be at most 100, was 101", [{**LIVE, "cap": "101"}], {}),
        ("must be at most 100, was absent", [{**LIVE, "cap": None}], {}),
        ("cap must be above zero, was 0", [{**LIVE, "cap": "0"}], {}),
        ("cap must be above zero, was NaN", [{**LIVE, "cap": "NaN"}], {}),
        ("does not run in environment paper", [LIVE], {"environment": "paper"}),
        ("does not run in environment live", [PAPER], {}),
        ("does not go with mode", [{**LIVE, "duty": "paper_validation"}], {}),
        ("needs a mode", [{**LIVE, "mode": ""}], {}),
        ("name is derived", [{**LIVE, "name": "touch_quoter_v1_maker_demo_live_microcap"}], {}),
        ("lower case words", [{**LIVE, "id": "Quoter"}], {}),
        ("lower case words", [{**LIVE, "version": "v1-rc"}], {}),
        (
            "the derived name 'touch_quoter_v1_quoter_demo_live_microcap' stands twice",
            [LIVE, {**LIVE, "id": "quoter"}], {},
        ),
    ],
)  # fmt: skip
def test_each_rule_has_its_words(words, instances, rest):
    with pytest.raises(ConfigurationRefused) as told:
        parsed(*instances, **rest)
    assert words in str(told.value)
    assert told.value.exit_code == 2


def test_the_entries_that_break_no_rule_are_taken():
    parsed(LIVE)
    parsed(LIVE, OFF)
    parsed(PAPER, environment="paper")
    parsed(PAPER, environment="paper", exempt=["tester"])
    parsed({**LIVE, "cap": "99.99"})


def test_all_contradictions_are_told_at_once():
    with pytest.raises(ConfigurationRefused) as told:
        parsed({**LIVE, "cap": "101", "account": "other", "strategy": "moonshot"}, exempt=["nobody"])
    for words in ("101", "unknown account", "moonshot", "nobody"):
        assert words in str(told.value)


def test_an_instance_in_a_no_trade_mode_decides_and_sends_nothing(tmp_path):
    silent = {"mode": "paper_notrade", "duty": "paper_validation", **plain_quoter()}
    result = played(tmp_path, environment="paper", steps=400, instances=[silent])
    facts = [event.payload for event in read(result.folder / "journal")]
    assert not any(type(one) is SubmitOrder for one in facts)
    assert replay_run(result.folder).ok
    assert call(["regression", "check", str(result.folder), "--out", str(tmp_path)]) == 2  # too few events, no order
    loud = played(tmp_path, environment="paper", steps=400, instances=[{**silent, "mode": "paper_smoke"}])
    assert any(type(event.payload) is SubmitOrder for event in read(loud.folder / "journal"))


def test_a_no_trade_mode_is_a_pause_of_the_configuration():
    made = parsed({**PAPER, "mode": "paper_notrade"}, environment="paper")
    (reason,) = no_trade_reasons(made)
    assert (reason.owner, reason.code, reason.scope) == ("config", "no_trade", "strategy:tester")
    assert build_desk(made).guard.level_of("strategy:tester") is GuardLevel.PAUSED
