"""This event reaches these people: the shipped table row by row, and ERROR lines with and without a route."""

import pytest

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.kernel.telemetry.log_lines import LogLine
from tradeworthy.operations.incidents.ladder_policy import EscalationPolicy, require_live
from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.policy import AlertPolicy, ChannelPolicy, NoisePolicy
from tradeworthy.operations.incidents.routing import Routing
from tradeworthy.operations.incidents.unrouted import UnroutedErrors

INFO, WARNING, ERROR, CRITICAL = AlertSeverity
SOME, EVERY = {"email", "slack", "webhook"}, {"email", "slack", "webhook", "github", "sms"}


@pytest.mark.parametrize(
    ("category", "severity", "rules", "channels", "wait"),
    [
        ("risk_breach", WARNING, ["risk-breach"], SOME, 300), ("risk_breach", CRITICAL, ["risk-breach"],
                                                               EVERY - {"sms"}, 300),
        ("system_failure", CRITICAL, ["system-failure"], EVERY, 120),
        ("system_failure", ERROR, ["system-failure"], SOME, 120),
        ("operational.readiness", ERROR, ["operational-readiness"], SOME, 600),
        ("understanding.drift_sentry", WARNING, ["operational-component"], SOME, 300),
        ("sensory.why", WARNING, ["sensory-drift"], SOME, 600),
        ("system_validation.reliability", WARNING, ["system-validation-reliability"], SOME, 600),
        ("incident_response.roster.primary", CRITICAL, ["incident-response-critical"], EVERY, 300),
        ("incident_response.mttr", CRITICAL, ["incident-response-reliability"], EVERY, 600),
        ("incident_response.chatops", WARNING, ["incident-response-notifications"], SOME, 300),
        ("kill.flatten", CRITICAL, ["trading-safety"], EVERY, 0), ("guard.risk", ERROR, ["trading-safety"], SOME, 60),
        ("surveillance.spoofing", CRITICAL, ["compliance"], {"email", "webhook"}, 0),
        ("nobody.knows", CRITICAL, ["default"], {"email", "webhook"}, 300),
    ],
)  # fmt: skip
def test_each_category_reaches_its_channels(category, severity, rules, channels, wait):
    found = Routing(AlertPolicy()).routes(category, severity)
    assert [one.rule for one in found] == rules
    assert {name.removeprefix("ops-") for one in found for name in one.channels} == channels
    assert [one.suppress_s for one in found] == [wait]


def test_a_prefix_covers_its_family_and_a_name_is_exact():
    routing = Routing(AlertPolicy())
    assert not routing.knows("risk_breaches")
    assert routing.knows("kill")
    assert routing.knows("kill.flatten")
    assert not routing.knows("killer")
    assert routing.knows("kill.x")
    assert routing.routes("kill.x", INFO) == ()


def test_a_category_without_a_rule_is_named_once():
    routing = Routing(AlertPolicy())
    for _ in range(3):
        routing.routes("nobody.knows", ERROR)
    assert tuple(routing.unrouted) == ("nobody.knows",)


def line(event="boom", logger="tradeworthy.x", at=0):
    return LogLine(40, at, logger, event, b"{}")


def test_lines_with_a_route_become_their_alert_and_others_an_incident():
    told = []
    errors = UnroutedErrors(AlertPolicy(log_routes={"boom": "venue.errors"}), told.append)
    assert errors.routed(line())
    assert not errors.routed(line("bang"))
    errors.on_unrouted(line("bang"))
    assert [(one.code, one.subject, one.component) for one in told] == [
        ("venue.errors", "boom", "tradeworthy.x"), ("alert_path.unrouted_error", "bang", "tradeworthy.x"),
    ]  # fmt: skip


def test_the_path_does_not_hear_itself_and_noise_is_known_until_its_day_is_over():
    errors = UnroutedErrors(
        AlertPolicy(noise=(NoisePolicy(event="boom", owner="ann", until="2026-12-31"),)), lambda signal: None
    )
    end = 1_798_761_600 * 10**9
    assert errors.routed(line(logger="tradeworthy.alerts.channel"))
    assert errors.routed(line(at=end - 1))
    assert not errors.routed(line(at=end))


@pytest.mark.parametrize(("owner", "until"), [("", "2026-12-31"), ("ann", "soon"), ("ann", "")])
def test_noise_needs_an_owner_and_a_day(owner, until):
    policy = AlertPolicy(noise=(NoisePolicy(event="boom", owner=owner, until=until),))
    with pytest.raises(ConfigurationRefused):
        UnroutedErrors(policy, lambda signal: None)


def test_live_needs_two_ways_of_different_kinds_for_each_rule_and_one_for_each_tier():
    def policy(*ready):
        channels = tuple(
            ChannelPolicy(name=f"ops-{kind}", transport=kind, destination="x" if kind in ready else "")
            for kind in ("email", "sms", "webhook", "slack", "github")
        )
        return AlertPolicy(channels=channels)

    require_live(policy("email", "webhook"), EscalationPolicy())
    with pytest.raises(ConfigurationRefused, match="two configured channels"):
        require_live(policy("email"), EscalationPolicy())
    with pytest.raises(ConfigurationRefused, match="rule compliance"):
        require_live(policy("email", "slack"), EscalationPolicy())
