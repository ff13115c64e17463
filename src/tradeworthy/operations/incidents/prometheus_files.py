"""The files of the second path, made of policies: rules, their synthetic tests, and Alertmanager's configuration."""

import math
from collections.abc import Mapping

from tradeworthy.operations.incidents.policy import AlertPolicy
from tradeworthy.operations.incidents.prometheus_table import PrometheusPolicy, Rule, Series, rules_of

HEAD = "# Made of the policies by tools/prometheus_files.py; do not edit.\n"
RUNBOOKS = "docs/runbooks"
SECRETS = "/etc/tradeworthy/secrets"
DESK_URL = "http://127.0.0.1:8080/api/alerts/prometheus"
DEAD_MAN_URL = "http://127.0.0.1:9093/dead-man"
"""Of a receiver outside the machine that pages on silence; whoever deploys names it."""
SAMPLES_A_MINUTE = 1
SETTLE_MIN = 2
RESOLVE_TIMEOUT = "5m"


def rules_yaml(policy: PrometheusPolicy) -> str:
    """Return the rules as Prometheus reads them."""
    lines = [HEAD + "groups:", "  - name: tradeworthy-second-path", "    rules:"]
    for one in rules_of(policy):
        if not one.exported:
            lines.append(f"      # {one.id}: no component of this release exports its series.")
        lines += [f"      - alert: {one.name}", f"        expr: {_quoted(one.expr)}", f"        for: {one.wait}"]
        lines += ["        labels:", *(f"          {key}: {value}" for key, value in _labels(one).items())]
        lines += ["        annotations:", *(
            f"          {key}: {_quoted(value)}" for key, value in _annotations(one).items()
        )]  # fmt: skip
    return "\n".join(lines) + "\n"


def rules_test_yaml(policy: PrometheusPolicy, only: str = "") -> str:
    """Return a test of each rule: it fires while it is broken for long enough, is silent just before, just under its
    limit, and after it is kept again.

    only  the id of one rule, empty for all
    """
    lines = [HEAD + "rule_files:", "  - rules.yml", "evaluation_interval: 1m", "tests:"]
    for one in rules_of(policy):
        if only not in ("", one.id):
            continue
        if one.series:
            lines += [*_fires(one), *_just_under(one)]
        else:
            lines += _silent(one) if one.name == "SilentSource" else _always(one)
    return "\n".join(lines) + "\n"


def alertmanager_yaml(policy: AlertPolicy) -> str:
    """Return Alertmanager's configuration; every secret is a file that it names and does not hold."""
    wait, interval = f"{policy.group_wait_s:g}s", _minutes(policy.group_interval_s)
    return f"""{HEAD}global:
  resolve_timeout: {RESOLVE_TIMEOUT}
route:
  receiver: desk
  group_by: [alertname, severity]
  group_wait: {wait}
  group_interval: {interval}
  repeat_interval: {_hours(policy.repeat_s)}
  routes:
    - matchers: [alertname="Watchdog"]
      receiver: dead-man
      group_wait: 0s
      group_interval: {_minutes(policy.dead_man_period_s)}
      repeat_interval: {_minutes(policy.dead_man_period_s)}
    - matchers: [severity="critical"]
      receiver: critical
      group_wait: 0s
      repeat_interval: {_hours(policy.repeat_critical_s)}
receivers:
  - name: desk
    webhook_configs:
{_webhook()}
  - name: critical
    webhook_configs:
{_webhook()}
    slack_configs:
      - api_url_file: {SECRETS}/slack_url
        channel: '#ops-alerts'
        send_resolved: true
  - name: dead-man
    webhook_configs:
      - url: {DEAD_MAN_URL}
        send_resolved: false
        http_config:
          authorization:
            credentials_file: {SECRETS}/dead_man_token
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [alertname, instance]
"""


def files_of(policy: PrometheusPolicy, alerts: AlertPolicy) -> Mapping[str, str]:
    """Return each generated file by its name below `deploy/prometheus`."""
    return {
        "rules.yml": rules_yaml(policy), "rules_test.yml": rules_test_yaml(policy),
        "alertmanager.yml": alertmanager_yaml(alerts),
    }  # fmt: skip


def _webhook() -> str:
    return f"""      - url: {DESK_URL}
        send_resolved: true
        http_config:
          authorization:
            credentials_file: {SECRETS}/alerts_push_token"""


def _labels(one: Rule) -> dict[str, str]:
    code = {"code": one.code} if one.code else {}
    return {"severity": one.severity, "owner": one.owner, "category": one.category, "rule": one.id, **code}


def _annotations(one: Rule) -> dict[str, str]:
    return {"summary": one.summary, "runbook": f"{RUNBOOKS}/{one.runbook}.md"}


def _fires(one: Rule) -> list[str]:
    wait = _wait_min(one)
    broken = one.window_min + wait + SETTLE_MIN
    after = one.window_min + SETTLE_MIN + 1
    series = [(each, _values(each, broken, after)) for each in one.series]
    before = [(wait - 1, False)] if wait > 1 else []
    return _block(series, one, [*before, (broken, True), (broken + after, False)])


def _just_under(one: Rule) -> list[str]:
    length = one.window_min + _wait_min(one) + SETTLE_MIN
    return _block([(each, _steady(each.kept, each.grows, length)) for each in one.series], one, [(length, False)])


def _always(one: Rule) -> list[str]:
    return _block([], one, [(1, True)])


def _silent(one: Rule) -> list[str]:
    names = ('up{job="tradeworthy"}', "tradeworthy_guard_state", "tradeworthy_journal_head_seq",
             "tradeworthy_alert_canary_age_seconds")  # fmt: skip
    spoken = [(Series(name, 1, 1), f"1+0x{6 * SAMPLES_A_MINUTE}") for name in names]
    gone = [(Series(name, 1, 1), f"1+0x{6 * SAMPLES_A_MINUTE}") for name in names[1:]]
    return [*_block(spoken, one, [(5, False)]), *_block(gone, one, [(5, True)], keeps=(("job", "tradeworthy"),))]


def _block(
    series: list[tuple[Series, str]], one: Rule, looks: list[tuple[int, bool]],
    *, keeps: tuple[tuple[str, str], ...] | None = None,
) -> list[str]:  # fmt: skip
    lines = ["  - interval: 1m"]
    lines += ["    input_series:" if series else "    input_series: []"]
    for each, values in series:
        lines += [f"      - series: {_quoted(each.name)}", f"        values: {_quoted(values)}"]
    lines.append("    alert_rule_test:")
    for minute, fires in looks:
        lines += [f"      - eval_time: {minute}m", f"        alertname: {one.name}"]
        if fires:
            labels = {**_labels(one), **dict(one.keeps if keeps is None else keeps)}
            told = ", ".join(f"{key}: {_quoted(value)}" for key, value in labels.items())
            notes = ", ".join(f"{key}: {_quoted(value)}" for key, value in _annotations(one).items())
            lines += [
                "        exp_alerts:", f"          - exp_labels: {{{told}}}",
                f"            exp_annotations: {{{notes}}}",
            ]
    return lines


def _values(each: Series, broken_min: int, after_min: int) -> str:
    first = _steady(each.broken, each.grows, broken_min)
    if not each.grows:
        return f"{first} {each.kept:g}+0x{after_min * SAMPLES_A_MINUTE - 1}"
    last = each.broken / SAMPLES_A_MINUTE * broken_min * SAMPLES_A_MINUTE
    step = each.kept / SAMPLES_A_MINUTE
    return f"{first} {last + step:g}+{step:g}x{after_min * SAMPLES_A_MINUTE - 1}"


def _steady(value: float, grows: bool, minutes: int) -> str:
    count = minutes * SAMPLES_A_MINUTE
    return f"0+{value / SAMPLES_A_MINUTE:g}x{count}" if grows else f"{value:g}+0x{count}"


def _wait_min(one: Rule) -> int:
    return math.ceil(int(one.wait[:-1]) * (60 if one.wait.endswith("h") else 1))


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g}m"


def _hours(seconds: float) -> str:
    return f"{seconds / 3_600:g}h"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
