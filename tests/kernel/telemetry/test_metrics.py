"""The desk's metrics: the right families and types, bounded labels, counters that never fall, and queries that live."""

import json
import math
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tradeworthy.kernel import redaction
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import AbandonedTask, Criticality, State, TaskSnapshot
from tradeworthy.kernel.supervision.resources import ResourceSample
from tradeworthy.kernel.supervision.transitions import Cause, TaskFailed, TaskRestarted
from tradeworthy.kernel.telemetry.bus_health import BusFacts
from tradeworthy.kernel.telemetry.metric_families import LABEL_SETS_MAX, Families, FamilySpec, MetricType
from tradeworthy.kernel.telemetry.metrics import DeskMetrics

ROOT = Path(__file__).resolve().parents[3]
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
RULES = ALERTS.with_name("rules.yml")
DASHBOARD = ROOT / "deploy/grafana/desk.json"
RUNBOOK = ROOT / "docs/runbooks/alerts.md"
CANARY = "canary-77aa-metric"
REQUIRED = {
    "runtime_bus_depth": "gauge", "agent_tick_duration_seconds": "histogram", "agent_tick_errors_total": "counter",
    "agent_heartbeat_age_seconds": "gauge", "runtime_event_lag": "gauge", "runtime_delivery_retry_rate": "gauge",
    "runtime_dropped_events_total": "counter", "runtime_event_handler_exceptions_total": "counter",
    "runtime_exceptions_total": "counter", "runtime_latency_seconds": "histogram",
    "runtime_failover_seconds": "histogram", "runtime_loop_lag_seconds": "gauge", "runtime_health_status": "gauge",
    "runtime_health_check_status": "gauge", "runtime_task_restarts_total": "counter",
    "runtime_tasks_abandoned": "gauge", "scheduler_leadership_churn_total": "counter", "guard_state": "gauge",
    "guard_reason": "gauge", "kill_switch_step_seconds": "histogram", "risk_halted": "gauge",
    "execution_reconciliation_mismatches": "gauge", "journal_append_seconds": "histogram", "journal_head_seq": "gauge",
    "spool_backlog_events": "gauge", "log_dropped_total": "counter", "clock_offset_seconds": "gauge",
    "provider_call_seconds": "histogram", "alert_delivery_seconds": "histogram", "build_info": "gauge",
}  # fmt: skip
LABELS = {
    "runtime_health_check_status": ("check",), "runtime_task_restarts_total": ("task",), "guard_reason": ("owner",),
    "kill_switch_step_seconds": ("step",), "provider_call_seconds": ("provider", "action", "status"),
}  # fmt: skip
COUNTED = re.compile(r"(?:rate|increase|irate)\((tradeworthy_\w+)")
NAMES = re.compile(r"\btradeworthy_\w+")


def desk(**more):
    return DeskMetrics(mode="maker", environment="paper", **more)


def samples(metrics):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def sample(metrics, name, **labels):
    return samples(metrics)[(f"tradeworthy_{name}", tuple(sorted(labels.items())))]


def task(name="ingest", *, state=State.RUNNING, age=0.5, restarts=0):
    return TaskSnapshot(
        name, "task", state, "owner", Criticality.CRITICAL, 1, 2.0, age, None, None, None, None, None, restarts, None,
        {},
    )  # fmt: skip


def bus(**changed):
    facts = {
        "expected": True, "running": True, "depth": 3, "bound": 1_000, "published": 1, "dropped": 0,
        "handler_errors": 0, "subscribers": 1, "last_published_age_seconds": 1.0, "oldest_waiting_seconds": 0.25,
        "open_dead_letters": 0, "published_total": 10, "delivered_total": 8, "dropped_total": 4,
        "handler_errors_total": 2, "duplicates_total": 0, "dead_letters_total": 0,
    }  # fmt: skip
    return BusFacts(**{**facts, **changed})


def filled():
    """Return a desk's metrics with every family filled."""
    metrics = desk()
    metrics.build("1.2.3", tier="tier_0")
    metrics.tasks([task(), task("trading", restarts=2)], [])
    failed = TaskFailed("ingest", 1, Cause.FAILURE, "ValueError", "no")
    metrics.transition(event_of(failed, source="supervision", key=1, ts_event=1, ts_init=1))
    metrics.resources(ResourceSample(1, 1 << 20, 0.5, 10, 1_024, 4, 5, 10, 2_000_000, -3_000_000))
    metrics.bus(bus())
    metrics.spool(2, 1.5)
    metrics.health(Severity.WARN, {"journal": Severity.OK, "bus": Severity.WARN})
    metrics.guard("paused", ["risk", "clock", "clock"])
    metrics.kill_step("cancel", 0.2)
    metrics.journal(17)
    metrics.journal_append(0.002)
    metrics.reconciliation(0)
    metrics.tick("mm-1", 0.01, failed=True)
    metrics.stage("step", 0.001)
    metrics.failover("venue", 1.0)
    metrics.leadership_changed()
    metrics.provider_call("venue-a", "submit", "ok", 0.02)
    metrics.alert_delivered("page", 1.0)
    metrics.logs({"file": 2}, spans_dropped=1)
    metrics.order("mm-1", "maker", "sim", "BTC-USDT", state="filled")
    metrics.fill("mm-1", "maker", "sim", "BTC-USDT", side="buy", liquidity="maker")
    return metrics


def promtool(*words, text=None):
    """Run promtool; without it the test is skipped, or fails where every component must be there."""
    tool = shutil.which("promtool")
    if tool is None:
        if os.environ.get("STRICT_COMPONENTS") == "1":
            pytest.fail("STRICT_COMPONENTS=1 and no promtool on the path")
        pytest.skip("promtool is not installed: install the package `prometheus`")
    return subprocess.run(
        [tool, *map(str, words)], input=text, capture_output=True, timeout=60, check=False, cwd=ALERTS.parent
    )


def queries():
    """Return every query of the alerts and the dashboard with where it stands."""
    text = ALERTS.read_text()
    alerts = re.findall(r"- alert: (\w+)\n +expr: '(.*)'\n", text)
    assert len(alerts) == text.count("- alert:")
    found = {f"alert {name}": expr.replace("''", "'") for name, expr in alerts}
    panels = [one for one in json.loads(DASHBOARD.read_text())["panels"] if one["type"] != "row"]
    found |= {f"panel {one['title']}": target["expr"] for one in panels for target in one["targets"]}
    return found


def types_of(metrics):
    text = metrics.render().decode()
    return dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, flags=re.MULTILINE))


def series_of(metrics):
    """Return each series name and the type of its family."""
    found = {}
    for name, kind in types_of(metrics).items():
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        found |= {name + suffix: kind for suffix in suffixes}
    return found


def unresolved(expr, series):
    return [name for name in NAMES.findall(expr) if name not in series]


def test_every_required_family_is_there_from_the_start_with_its_type_and_labels():
    metrics = desk()
    types = types_of(metrics)
    assert {name: types.get(f"tradeworthy_{name}") for name in REQUIRED} == REQUIRED
    specs = {spec.name: spec for spec in metrics.specs()}
    assert {name: specs[name].labels for name in LABELS} == LABELS
    assert all(name.startswith("tradeworthy_") for name in types)


def test_no_family_is_rendered_twice():
    names = re.findall(r"^# TYPE (\w+)", filled().render().decode(), flags=re.MULTILINE)
    assert len(names) == len(set(names))
    with pytest.raises(ValueError, match="Duplicated"):
        desk(more=[FamilySpec("guard_state", MetricType.GAUGE, "Again.")])
    with pytest.raises(ValueError, match="Duplicated"):
        desk(more=[FamilySpec("journal_append_seconds_count", MetricType.GAUGE, "A histogram's own series.")])


def test_two_desks_in_one_process_share_nothing():
    desks = desk(), desk()
    desks[0].leadership_changed()
    assert [sample(one, "scheduler_leadership_churn_total") for one in desks] == [1, 0]


VALUES = st.one_of(
    st.sampled_from([0, 1, -1, 0.1, 999_999, 999_999.0, 1_000_000, 1e21, -1e9, 1e-9, math.nan, math.inf, -math.inf]),
    st.floats(), st.integers(-(1 << 60), 1 << 60),
)  # fmt: skip


@given(st.dictionaries(st.text("abc-/:.", min_size=1, max_size=3), VALUES, max_size=5), st.lists(VALUES, max_size=5))
def test_the_text_is_to_the_byte_what_the_library_renders(gauges, durations):
    families = Families([
        FamilySpec("state", MetricType.GAUGE, 'A \\ and a "quote".', ("who", "a")),
        FamilySpec("waits_seconds", MetricType.HISTOGRAM, "Waits.", ("who",), (0.1, 1.0, 2_000_000.0)),
        FamilySpec("things_total", MetricType.COUNTER, "Things."),
    ])  # fmt: skip
    families["state"].replace({(who, "x"): value for who, value in gauges.items()})
    for value in durations:
        if not math.isnan(value):
            families["waits_seconds"].observe("me", value=value)
            families["things_total"].inc(by=abs(value))
    assert families.render() == generate_latest(families.registry)
    assert families.render() == generate_latest(families.registry), "from what was remembered of the first"


def test_a_filled_desk_renders_as_the_library_does():
    metrics = filled()
    assert metrics.render() == generate_latest(metrics.registry)


def test_promtool_finds_nothing_to_say_of_the_metrics():
    for metrics in (desk(), filled()):
        done = promtool("check", "metrics", text=metrics.render())
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(("strict", "outcome"), [("1", pytest.fail.Exception), ("0", pytest.skip.Exception)])
def test_without_promtool_a_strict_run_fails_and_another_says_so(monkeypatch, strict, outcome):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("STRICT_COMPONENTS", strict)
    with pytest.raises(outcome, match="promtool"):
        promtool("check", "metrics", text=b"")


def test_promtool_finds_a_family_with_a_bad_name():
    metrics = desk(more=[FamilySpec("wait_milliseconds", MetricType.GAUGE, "No base unit.")])
    assert promtool("check", "metrics", text=metrics.render()).returncode != 0


def test_five_fills_are_five_and_three_strategies_give_three_series():
    metrics = desk()
    for _ in range(5):
        metrics.fill("mm-1", "maker", "sim", "BTC-USDT", side="buy", liquidity="maker")
    for name in ("mm-2", "mm-3"):
        metrics.instance(name, "maker", "sim", "BTC-USDT")
        metrics.tick(name, 0.01)
    metrics.tick("mm-1", 0.01)
    assert sample(
        metrics, "fills_total", instance="mm-1", strategy="maker", venue="sim", instrument="BTC-USDT", mode="maker",
        environment="paper", side="buy", liquidity="maker",
    ) == 5  # fmt: skip
    count = "tradeworthy_agent_tick_duration_seconds_count"
    ticking = sorted(dict(labels)["agent"] for name, labels in samples(metrics) if name == count)
    assert ticking == ["mm-1", "mm-2", "mm-3"]


def test_facts_arrive_as_they_are():
    metrics = filled()
    for name, expected in {
        "runtime_loop_lag_seconds": 0.002, "clock_offset_seconds": -0.003, "runtime_bus_depth": 3,
        "runtime_event_lag": 0.25, "runtime_delivery_retry_rate": 0.2, "runtime_dropped_events_total": 4,
        "runtime_health_status": 1, "risk_halted": 1, "journal_head_seq": 17, "spool_backlog_events": 2,
        "spans_dropped_total": 1,
    }.items():  # fmt: skip
        assert sample(metrics, name) == expected, name
    assert [sample(metrics, "guard_state", state=one) for one in ("running", "paused", "reducing", "stopped")] == [
        0, 1, 0, 0,
    ]  # fmt: skip
    assert sample(metrics, "guard_reason", owner="clock") == 2
    assert sample(metrics, "runtime_task_restarts_total", task="trading") == 2
    assert sample(metrics, "runtime_task_transitions_total", task="ingest", transition="failed") == 1
    assert sample(metrics, "runtime_exceptions_total", component="ingest") == 1
    assert sample(metrics, "journal_append_seconds_bucket", le="0.001") == 0
    assert sample(metrics, "journal_append_seconds_bucket", le="0.005") == 1
    assert sample(metrics, "journal_append_seconds_sum") == 0.002
    assert sample(metrics, "log_dropped_total", cause="file") == 2


def test_what_nobody_knows_is_not_zero():
    metrics = desk()
    assert sample(metrics, "runtime_health_status") == Severity.UNKNOWN
    assert math.isnan(sample(metrics, "clock_offset_seconds"))
    assert math.isnan(sample(metrics, "guard_state", state="running"))
    metrics.resources(ResourceSample(1, None, None, None, None, 4, None, None, 0, None))
    assert math.isnan(sample(metrics, "runtime_memory_bytes"))
    assert sample(metrics, "runtime_threads") == 4


def test_what_is_gone_is_no_series_any_more():
    metrics = filled()
    metrics.tasks([task("trading", restarts=2)], [AbandonedTask("x", "task", State.ABANDONED, "o", {}, (), 1, 1)])
    metrics.guard("running", [])
    names = samples(metrics)
    assert ("tradeworthy_agent_heartbeat_age_seconds", (("agent", "ingest"),)) not in names
    assert ("tradeworthy_agent_heartbeat_age_seconds", (("agent", "trading"),)) in names
    assert ("tradeworthy_guard_reason", (("owner", "risk"),)) not in names
    assert sample(metrics, "runtime_tasks_abandoned") == 1
    assert sample(metrics, "risk_halted") == 0


def test_restarts_of_a_task_that_began_anew_are_added():
    metrics = desk()
    for restarts in (0, 2, 3, 1, 1):
        metrics.tasks([task(restarts=restarts)], [])
    assert sample(metrics, "runtime_task_restarts_total", task="ingest") == 4


def test_an_event_of_another_room_is_no_transition():
    metrics = desk()
    restarted = TaskRestarted("a", 2, 1, 5)
    metrics.transition(event_of(restarted, source="supervision", key=1, ts_event=1, ts_init=1))
    metrics.transition(event_of(
        ResourceSample(1, 1, 1.0, 1, 1, 1, 1, 1, 1, 1), source="x", key=1, ts_event=1, ts_init=1
    ))  # fmt: skip
    found = [labels for name, labels in samples(metrics) if name == "tradeworthy_runtime_task_transitions_total"]
    assert found == [(("task", "a"), ("transition", "restarted"))]


@given(st.lists(st.integers(0, 50), max_size=30))
def test_a_counter_never_falls_and_counts_every_event_since_its_sources_start(totals):
    families = Families([FamilySpec("things_total", MetricType.COUNTER, "Things.")])
    shown, expected, last = [], 0, 0
    for total in totals:
        families["things_total"].advance(total=total)
        expected += total - last if total >= last else total
        last = total
        shown.append(families["things_total"].value())
    assert shown == sorted(shown)
    assert (shown or [0])[-1] == expected


@pytest.mark.parametrize("kind", list(MetricType))
def test_label_sets_are_bounded_and_the_rest_is_other(kind):
    buckets = (1.0,) if kind is MetricType.HISTOGRAM else ()
    name = "things_total" if kind is MetricType.COUNTER else "things"
    families = Families([FamilySpec(name, kind, "Things.", ("one", "two"), buckets)])
    fill = {
        MetricType.COUNTER: lambda *labels: families[name].inc(*labels),
        MetricType.GAUGE: lambda *labels: families[name].set(*labels, to=1),
        MetricType.HISTOGRAM: lambda *labels: families[name].observe(*labels, value=0.5),
    }[kind]
    for _ in range(2):
        for n in range(LABEL_SETS_MAX + 50):
            fill(f"n{n}", "x")
    sets = {tuple(sorted((k, v) for k, v in s.labels.items() if k != "le")) for s in families[name].metric().samples}
    assert len(sets) == LABEL_SETS_MAX
    assert (("one", "other"), ("two", "other")) in sets
    if kind is MetricType.COUNTER:
        assert families[name].value("other", "other") == 2 * 51
        assert families[name].value("n198", "x") == 2


def test_totals_past_the_bound_are_still_counted_once():
    families = Families([FamilySpec("things_total", MetricType.COUNTER, "Things.", ("who",))])
    for _ in range(3):
        for n in range(300):
            families["things_total"].advance(f"n{n}", total=1)
    assert families["things_total"].value("other") == 300 - 199


@pytest.mark.parametrize("value", ["/var/lib/x", "two words", "a\nb", "x" * 65, f"x{CANARY}", "ключ"])
def test_free_text_paths_and_secrets_are_no_labels(value, monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    redaction.register(CANARY)
    metrics = desk()
    metrics.tick(value, 0.1)
    metrics.provider_call(value, "submit", value, 0.1)
    metrics.guard("paused", [value])
    metrics.tasks([task(value)], [])
    text = metrics.render().decode()
    assert value not in text
    assert CANARY not in text
    assert sample(metrics, "agent_tick_errors_total", agent="other") == 0


@pytest.mark.parametrize(
    ("name", "kind", "more"),
    [
        ("Bad", MetricType.GAUGE, {}), ("tradeworthy_x", MetricType.GAUGE, {}), ("x_total", MetricType.GAUGE, {}),
        ("x", MetricType.COUNTER, {}), ("x", MetricType.HISTOGRAM, {}), ("x", MetricType.GAUGE, {"buckets": (1.0,)}),
        ("x", MetricType.HISTOGRAM, {"buckets": (2.0, 1.0)}), ("x", MetricType.GAUGE, {"help": ""}),
    ],
)  # fmt: skip
def test_a_family_that_is_declared_wrongly_is_refused(name, kind, more):
    with pytest.raises(ValueError, match=name):
        FamilySpec(name, kind, **{"help": "Says.", **more})


def test_filling_a_family_wrongly_is_refused():
    metrics = desk()
    with pytest.raises(ValueError, match="only grows"):
        metrics["scheduler_leadership_churn_total"].inc(by=-1)
    with pytest.raises(ValueError, match="only grows"):
        metrics["scheduler_leadership_churn_total"].inc(by=math.nan)
    with pytest.raises(TypeError, match="is a counter"):
        metrics["scheduler_leadership_churn_total"].set(to=1)
    with pytest.raises(ValueError, match="was nan"):
        metrics.journal_append(math.nan)
    with pytest.raises(ValueError, match="was given 2 values"):
        metrics["runtime_task_restarts_total"].inc("a", "b")
    with pytest.raises(ValueError, match="guard is one of"):
        metrics.guard("halted", [])


def test_filling_from_many_threads_while_rendering_loses_nothing():
    metrics = desk()

    def fill(who):
        for n in range(500):
            metrics.tick(f"{who}-{n % 20}", 0.01, failed=True)

    threads = [threading.Thread(target=fill, args=(who,)) for who in "abcd"]
    for one in threads:
        one.start()
    while any(one.is_alive() for one in threads):
        assert metrics.render()
    for one in threads:
        one.join()
    found = samples(metrics)
    assert sum(v for (name, _), v in found.items() if name == "tradeworthy_agent_tick_errors_total") == 2_000
    assert sum(v for (name, _), v in found.items() if name == "tradeworthy_agent_tick_duration_seconds_count") == 2_000


def test_every_query_of_alerts_and_dashboard_resolves_to_a_live_family():
    series = series_of(filled())
    told = queries()
    assert len(told) > 60
    assert {where: missing for where, expr in told.items() if (missing := unresolved(expr, series))} == {}
    assert {where for where, expr in told.items() if not NAMES.search(expr)} == set()


def test_each_label_a_query_selects_by_is_one_of_its_family():
    labels = {f"tradeworthy_{spec.name}": set(spec.labels) for spec in desk().specs()}
    for where, expr in queries().items():
        for name, selector in re.findall(r"(tradeworthy_\w+)\{([^}]*)\}", expr):
            family = re.sub(r"_(bucket|sum|count)$", "", name) if name not in labels else name
            assert set(re.findall(r"(\w+)[=!]", selector)) <= labels[family] | {"le"}, where


def test_only_counters_are_counted_over_time():
    series = series_of(filled())
    counted = {name: where for where, expr in queries().items() for name in COUNTED.findall(expr)}
    assert counted
    assert {name: where for name, where in counted.items() if series[name] == "gauge"} == {}


def test_the_check_finds_an_unknown_name():
    assert unresolved('increase(tradeworthy_fills[5m]) and tradeworthy_guard_state{state="x"}', series_of(desk())) == [
        "tradeworthy_fills"
    ]


def test_promtool_accepts_the_alerts_the_scrape_and_every_panel(tmp_path):
    done = promtool("check", "rules", ALERTS)
    assert done.returncode == 0, done.stderr + done.stdout
    done = promtool("check", "config", ALERTS.with_name("prometheus.yml"))
    assert done.returncode == 0, done.stderr + done.stdout
    rules = [f"  - record: panel:{n}\n    expr: {json.dumps(expr)}" for n, expr in enumerate(queries().values())]
    path = tmp_path / "panels.yml"
    path.write_text("groups:\n- name: panels\n  rules:\n" + "\n".join(rules) + "\n")
    done = promtool("check", "rules", path)
    assert done.returncode == 0, done.stderr + done.stdout


def test_the_alerts_fire_when_they_should_and_not_before():
    done = promtool("test", "rules", ALERTS.with_name("alerts_test.yml"))
    assert done.returncode == 0, done.stderr + done.stdout


def test_every_alert_and_panel_links_to_an_entry_of_the_runbook():
    entries = {line[4:].lower() for line in RUNBOOK.read_text().splitlines() if line.startswith("### ")}
    text = ALERTS.read_text() + DASHBOARD.read_text()
    linked = set(re.findall(r"docs/runbooks/alerts\.md#(\w+)", text))
    generated = {name.lower() for name in re.findall(r"- alert: (\w+)", RULES.read_text())}
    named = {name.lower() for name in re.findall(r"- alert: (\w+)", text)}
    assert named <= entries <= named | generated
    assert linked == entries & linked


def test_every_panel_says_what_it_shows_in_which_unit_and_what_no_data_means():
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        if panel["type"] != "row":
            defaults = panel["fieldConfig"]["defaults"]
            assert panel["description"], panel["title"]
            assert defaults["unit"], panel["title"]
            assert defaults["noValue"], panel["title"]
            assert panel["links"], panel["title"]


def test_every_family_is_shown_or_alerted_on():
    used = {name for expr in (*queries().values(), RULES.read_text()) for name in NAMES.findall(expr)}
    used |= {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    assert [spec.name for spec in desk().specs() if f"tradeworthy_{spec.name}" not in used] == []
