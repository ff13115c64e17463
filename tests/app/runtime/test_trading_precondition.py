"""What a desk needs before it trades, and what it publishes of it once."""

import pytest
from ingesting_scene import document, process, run, told

from tradeworthy.app.runtime.precondition import RISK_TOPIC, RUNBOOK, require_risk_policy, tell_configuration
from tradeworthy.app.runtime.telling import SOURCE
from tradeworthy.cli.main import call
from tradeworthy.kernel.errors import ConfigurationRefused, ExitCode

CONFIGURATION_TOPIC = "telemetry.runtime.configuration"


class Heard:
    """Hear what a process publishes, beside its own bulletin."""

    def __init__(self, one):
        self.messages = []
        one.publishing.bus.subscribe("test", self.take, topics=(RISK_TOPIC, CONFIGURATION_TOPIC))

    async def take(self, message):
        if message.source == SOURCE:  # assessments judge the same subjects on the same topics
            self.messages.append(message.topic)


def test_limits_and_configuration_are_published_once_after_the_bus_started(tmp_path):
    one = process(tmp_path, document(rows=50, risk={"max_order_value": "12345"}))
    heard = Heard(one)
    assert run(one).exit_code == 0
    assert sorted(heard.messages) == [RISK_TOPIC, CONFIGURATION_TOPIC]
    block = one.bulletin.newest[RISK_TOPIC]
    assert (block["stop_loss_mandatory"], block["declared"], block["runbook"]) == (True, ["max_order_value"], RUNBOOK)
    assert block["limits"]["max_order_value"] == "12345"
    assert len(block["policy_hash"]) == 64
    audited = one.bulletin.newest[CONFIGURATION_TOPIC]
    assert audited["config_hash"] == one.document.hash()
    order = [fact.name for fact in told(one, "runtime.callback") if fact.phase == "startup"]
    assert order.index("event_bus") < order.index("trading_precondition")
    assert all(not fact.problem for fact in told(one, "runtime.callback"))


def test_a_process_that_trades_nothing_publishes_no_limits(tmp_path):
    one = process(tmp_path, document(rows=50), no_trading=True)
    heard = Heard(one)
    run(one, timeout=0.5)
    assert heard.messages == [CONFIGURATION_TOPIC]


@pytest.mark.parametrize(
    ("risk", "reason"),
    [
        ({"research": True}, "research: true relaxes stops"), ({"max_order_value": "0"}, "max_order_value must be abo"),
        ({"gross_leverage": "6"}, "gross_leverage must be in"), ({"per_trade": "0"}, "per_trade must be in"),
        ({"working_orders_desk": 0}, "working_orders_desk must be above zero"),
    ],
)  # fmt: skip
def test_limits_that_nobody_may_trade_on_are_refused_with_reason_and_runbook(tmp_path, risk, reason):
    with pytest.raises(ConfigurationRefused, match=reason) as refused:
        process(tmp_path, document(risk=risk))
    assert refused.value.exit_code is ExitCode.FAIL
    assert RUNBOOK in str(refused.value)
    assert not (tmp_path / "runs").exists()


def test_a_document_without_limits_trades_nowhere_and_names_reason_and_runbook(tmp_path):
    with pytest.raises(ConfigurationRefused, match="expected limits in section risk, found none") as refused:
        process(tmp_path, document(risk={}))
    assert refused.value.exit_code is ExitCode.FAIL
    assert RUNBOOK in str(refused.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("verb", ["run", "paper-run", "restart"])
def test_without_a_policy_no_verb_starts_to_trade(tmp_path, capsys, verb):
    path = tmp_path / "x.json"
    path.write_text(document(risk={}).canonical())
    assert call([verb, str(path), "--runs", str(tmp_path / "runs")]) == 2
    told = " ".join("".join(capsys.readouterr()).split())
    assert "no start without a risk policy" in told
    assert RUNBOOK in told


def test_what_trades_nothing_needs_no_limits(tmp_path):
    assert run(process(tmp_path, document(rows=50, risk={}), no_trading=True), timeout=0.3).exit_code == 0
    process(tmp_path, document(risk={}), declared_in=tmp_path / "shown").discard()
    require_risk_policy(document(environment="backtest", risk={}))


def test_research_may_go_without_stops_in_a_backtest_alone():
    assert require_risk_policy(document(environment="backtest", risk={"research": True})).research
    with pytest.raises(ConfigurationRefused):
        require_risk_policy(document(risk={"research": True}))


def test_what_was_not_audited_is_not_published():
    heard = []
    tell_configuration(lambda topic, payload: heard.append(topic), document(), None, trades=True)
    assert heard == [RISK_TOPIC]


def test_the_verb_leaves_with_two_and_names_the_runbook(tmp_path, capsys):
    path = tmp_path / "x.json"
    path.write_text(document(risk={"research": True}).canonical())
    assert call(["run", str(path), "--runs", str(tmp_path / "runs")]) == 2
    assert RUNBOOK in " ".join(capsys.readouterr().err.split())
