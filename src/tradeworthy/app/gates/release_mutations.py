"""Changes of the world under which checks of a release fail: suite, run, nodes, packages, rollback (GE-17)."""

import importlib.resources
import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from xml.sax.saxutils import quoteattr

import msgspec

from tradeworthy.app.bootstrap import instruments_of
from tradeworthy.app.config import parse
from tradeworthy.app.gates.control_scenes import SCENES
from tradeworthy.app.gates.disabled_controls import WATCHING, play_all
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.facts import Event, event_of
from tradeworthy.kernel.report import Check, Report
from tradeworthy.operations.drills.kill_switch import KillDrillPolicy, proof_report
from tradeworthy.operations.gates.break_glass import GlassFold, break_glass_report
from tradeworthy.operations.gates.control_score import control_report
from tradeworthy.operations.gates.mutations import AT
from tradeworthy.operations.gates.release_checks import (
    Advisory,
    Isolation,
    Package,
    Rehearsal,
    fleet_report,
    isolation_report,
    rollback_report,
    supply_report,
)
from tradeworthy.operations.gates.suite import (
    GROUPS,
    NAMED,
    SuitePolicy,
    cases_of,
    named_reports,
    suite_report,
)
from tradeworthy.operations.gates.upgrade import Candidate, Parameter, Shape, preflight_report
from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.regression.windows import Label, Window, WindowPolicy, judge_windows, replay_windows
from tradeworthy.research.soak.judge import judge_live_data, judge_smoke
from tradeworthy.research.soak.policy import LiveDataPolicy, SmokePolicy
from tradeworthy.research.soak.watch import SoakWatch
from tradeworthy.trading.control.break_glass import BreakGlassEnded
from tradeworthy.trading.model import Outcome, Quote
from tradeworthy.trading.model.state import GuardChanged, GuardLevel

MINUTE = 60 * NANOS_PER_SECOND
DISABLED = "risk.max_position"
"""The control that is disabled to see the score fall."""
WINDOW = 4
CASE_MUTATIONS = {
    "torn_write": "trades", "sigkill_restart": "lost_budget", "kill_after_cancel": "sends",
    "control_breaches": "let_through", "partial_fills": "leak", "rejection_streaks": "reset",
}  # fmt: skip
"""What is wrong with the world when a named case fails."""
World = Callable[[], Report]


def release_mutations() -> Iterator[tuple[str, str, World, World]]:
    """Yield name, source, the report of a sound world and of the changed one."""
    yield "tests.failing_file", "tests", _suite, lambda: _suite(failing=f"{GROUPS['golden']}.test_one::test_a")
    yield "tests.left_out", "tests", _suite, lambda: _suite(more_files=("tests.golden.test_new",))
    for name, what in CASE_MUTATIONS.items():
        yield (
            f"{name}.{what}", name, lambda name=name: _named(name),  # type: ignore[misc]
            lambda name=name: _named(name, failing=NAMED[name][0]),  # type: ignore[misc]
        )  # fmt: skip
    yield "control_mutation.unnoticed", "control_mutation", lambda: _controls(), lambda: _controls(*WATCHING)
    yield "paper_smoke.no_fills", "paper_smoke", lambda: _smoke(3), lambda: _smoke(0)
    yield "paper_soak_live.old_messages", "paper_soak_live", lambda: _live_data(1), lambda: _live_data(5)
    isolated = Isolation(environment="paper", credentials=(), venue_connection="", order_requests=0)
    yield (
        "paper_isolation.credential", "paper_isolation", lambda: isolation_report(isolated),
        lambda: isolation_report(msgspec.structs.replace(isolated, credentials=("accounts[a].credentials",))),
    )  # fmt: skip
    yield "replay_determinism.other_strategy", "replay_determinism", lambda: _windows(0), lambda: _windows(1)
    old = {"code": "b" * 64, "config": "c" * 64}
    new = {**old, "code": "a" * 64}
    yield (
        "fleet_consistency.old_node", "fleet_consistency", lambda: fleet_report({"one": new, "two": new}),
        lambda: fleet_report({"one": new, "two": old}),
    )  # fmt: skip
    nodes = {"one": "c" * 64, "two": "c" * 64}
    rehearsed = Rehearsal(
        previous="1.0", restored="1.0", nodes=nodes, state_hashes=("s",) * 5, open_orders=2, adopted=2, seconds=60.0
    )
    left = msgspec.structs.replace(rehearsed, nodes={**nodes, "two": "d" * 64})
    yield (
        "rollback_rehearsed.node_left", "rollback_rehearsed", lambda: rollback_report(rehearsed),
        lambda: rollback_report(left),
    )  # fmt: skip
    yield "kill_switch.order_after", "kill_switch", lambda: _trips(0), lambda: _trips(1)
    yield "break_glass.review_missed", "break_glass", lambda: _glass(AT), lambda: _glass(AT + 2 * MINUTE)
    yield (
        "upgrade_preflight.broken_api", "upgrade_preflight", lambda: _upgrade("send", "ts"), lambda: _upgrade("send")
    )  # fmt: skip
    packages = (Package(name="one", version="1.0", locked="1.0"),)
    planted = Advisory(id="A-1", package="one", versions=("1.0",), severity="critical", open_days=7.0)
    yield (
        "supply_chain.advisory", "supply_chain", lambda: supply_report(packages, (), 1.0),
        lambda: supply_report(packages, (planted,), 1.0),
    )  # fmt: skip


def _junit(ran: tuple[str, ...], failing: frozenset[str] = frozenset()) -> bytes:
    """Return a JUnit report as pytest writes one."""
    lines = []
    for one in ran:
        module, _, name = one.partition("::")
        inner = "<failure message='planted'/>" if one in failing else ""
        lines.append(f"<testcase classname={quoteattr(module)} name={quoteattr(name)}>{inner}</testcase>")
    return f"<testsuites><testsuite>{''.join(lines)}</testsuite></testsuites>".encode()


def _suite(*, failing: str = "", more_files: tuple[str, ...] = ()) -> Report:
    modules = (*(f"{package}.test_one" for package in GROUPS.values()), "tests.kernel.test_one")
    ran = tuple(f"{module}::test_a" for module in modules)
    cases = cases_of(_junit(ran, frozenset({failing})))
    return suite_report(cases, (*modules, *more_files), coverage_pct=SuitePolicy().coverage_pct_min)


def _named(name: str, *, failing: str = "") -> Report:
    return named_reports(cases_of(_junit(NAMED[name], frozenset({failing}))))[name]


def _controls(*without: str) -> Report:
    """Return the score of a desk whose cap on a position is disabled, where some assessments do not look."""
    scenes = [one for one in SCENES if one.control == DISABLED]
    return control_report(play_all(scenes, without=without))


def _upgrade(method: str, *parameters: str) -> Report:
    """Return the preflight of a candidate whose venue's port has such a method."""
    def shape(release: str, *names: str) -> Shape:
        return Shape(release=release, modules=1, ports={f"VenuePort.{method}": tuple(map(Parameter, names))})

    candidate = Candidate(shape=shape("2.0", *parameters), contracts="", migrated="", rehearsed=True)
    return preflight_report(shape("1.0", "ts"), candidate)


def _watched(minutes: int) -> SoakWatch:
    demo = importlib.resources.files("tradeworthy.demo").joinpath("demo.toml").read_text()
    instruments = instruments_of(parse(tomllib.loads(demo), origin="demo.toml"))
    watch = SoakWatch(RunRecords(instruments, Decimal(1_000)))
    watch.start, watch.end, watch.first_active = AT, AT + minutes * MINUTE, AT + MINUTE
    return watch


def _smoke(fills: int) -> Report:
    watch = _watched(10)
    watch.fills = fills
    return _report("soak-smoke", judge_smoke(watch, SmokePolicy()))


def _live_data(age_s: int) -> Report:
    watch = _watched(240)
    watch.age_max_ns = age_s * NANOS_PER_SECOND
    return _report("soak-live-data", judge_live_data(
        watch, LiveDataPolicy(), order_requests=0, fill_factor=0.8, reference=0.8, perpetual=False,
        reference_perpetual=None,
    ))  # fmt: skip


class _Follower:
    """A desk that says one fact an event; `version` of its strategy is part of what it says."""

    def __init__(self, version: int) -> None:
        self._version = version

    def step(self, event: Event) -> Outcome:
        """Return one fact of this strategy about an event."""
        told = f"{self._version}:{event.event_id}"
        return Outcome((GuardChanged(told, "desk", True, GuardLevel.PAUSED, GuardLevel.PAUSED),), ())


def _windows(changes: int) -> Report:
    """Return the replay of five windows by desks of which the second has another strategy, where `changes` says so."""
    policy = WindowPolicy(sizes=(WINDOW,))
    windows = tuple(Window(label, at * WINDOW, (at + 1) * WINDOW) for at, label in enumerate(Label))
    events = [
        msgspec.structs.replace(
            event_of(Quote("X", 100 + at, 101 + at), source="tape.x", key=at, ts_event=AT + at, ts_init=AT + at),
            seq=at + 1,
        ) for at in range(len(windows) * WINDOW)
    ]  # fmt: skip
    built: list[int] = []

    def build() -> _Follower:
        built.append(len(built) * changes)
        return _Follower(built[-1])

    results = replay_windows(windows, lambda: events, build, policy)
    return _report("replay-windows", judge_windows(results, policy))


def _trips(failures: int) -> Report:
    """Return the proof of many trips, after some of which an order went out."""
    policy = KillDrillPolicy()
    return proof_report(
        policy.trips_min, failures, {}, {}, at=AT, code_hash="", policy=policy, of="a simulated desk"
    )  # fmt: skip


def _glass(now: int) -> Report:
    """Return what stands of a break-glass that is over and whose review is due a minute after the proof's moment."""
    ended = BreakGlassEnded("g", "spent", 0, AT - MINUTE, AT + MINUTE, ("a", "b"))
    event = event_of(ended, source="desk", key=1, ts_event=AT - MINUTE, ts_init=AT - MINUTE)
    return break_glass_report(GlassFold().fold((event,)), now)


def _report(name: str, checks: tuple[Check, ...]) -> Report:
    return Report(name=name, title=name, sources=(), checks=checks)
