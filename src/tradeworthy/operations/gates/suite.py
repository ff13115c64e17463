"""A run of the test suite as evidence: every group passed (GR-05), and what named cases show about the release."""

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity

OK, UNKNOWN, FAIL = Severity.OK, Severity.UNKNOWN, Severity.FAIL
GROUPS = {
    "service": "tests.blackbox", "integration": "tests.app", "contract": "tests.contracts", "replay": "tests.replay",
    "golden": "tests.golden",
}  # fmt: skip
"""Groups of tests by the package that holds them; all others are unit tests."""
UNIT = "unit"
NAMED = {
    "torn_write": (
        "tests.kernel.journal.test_journal_writer::test_writing_goes_on_after_a_torn_tail",
        "tests.blackbox.test_kill_switch::test_a_torn_guard_record_means_stopped_and_can_still_be_killed",
    ),
    "sigkill_restart": (
        "tests.blackbox.test_restart_same_day::test_a_killed_desk_has_the_same_loss_budget_left_on_its_next_start",
        "tests.blackbox.test_signals_and_crashes::test_a_killed_run_replays_equal_and_verifies",
    ),
    "kill_after_cancel": (
        "tests.blackbox.test_kill_switch::"
        "test_a_desk_killed_before_its_start_sends_nothing_and_again_nothing_after_a_restart",
        "tests.blackbox.test_kill_switch::test_a_kill_during_a_run_cancels_and_lets_nothing_more_out",
    ),
    "partial_fills": (
        "tests.trading.execution.test_many_partial_fills::"
        "test_an_order_of_sixty_fills_is_filled_once_and_leaves_nothing_open",
        "tests.trading.ledger.test_many_partial_books::"
        "test_sixty_fills_of_an_order_are_booked_to_the_last_unit",
    ),
    "rejection_streaks": (
        "tests.trading.execution.test_execution_door::test_eight_failed_cancels_in_a_row_stop",
        "tests.trading.execution.test_many_partial_fills::"
        "test_unrelated_failures_do_not_reset_a_streak_of_failed_cancels",
    ),
    "control_breaches": (
        "tests.trading.risk.test_controls::test_order_at_the_limit_passes_and_just_past_it_is_refused",
        "tests.trading.risk.test_controls::test_reducing_order_passes_all_limits_that_refuse_an_opening",
        "tests.trading.risk.test_review_properties::"
        "test_no_accepted_sequence_breaches_a_cap_and_reducing_always_passes",
    ),
}  # fmt: skip
"""What a check rests on: cases of the suite, each `module::function`, with all their parameters."""


class SuitePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A floor in percent of lines covered."""

    coverage_pct_min: float = 80.0


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One test as it ran; `skipped` is the reason, None = it was not skipped."""

    module: str
    name: str
    passed: bool
    skipped: str | None = None

    @property
    def function(self) -> str:
        """The test without its parameters, `module::function`."""
        return f"{self.module}::{self.name.partition('[')[0]}"


def cases_of(junit: bytes) -> tuple[Case, ...]:
    """Return the cases of a JUnit report; raises `InvalidInput` for bytes that are none."""
    if b"<!DOCTYPE" in junit or b"<!ENTITY" in junit:
        raise InvalidInput("expected a JUnit report without a document type, found one")
    try:
        root = ElementTree.fromstring(junit)
    except ElementTree.ParseError as problem:
        raise InvalidInput(f"expected a JUnit report, found {problem}") from None
    found = []
    for one in root.iter("testcase"):
        skipped = one.find("skipped")
        bad = one.find("failure") is not None or one.find("error") is not None
        found.append(Case(
            module=_module(one.get("classname", "")), name=one.get("name", ""), passed=not bad and skipped is None,
            skipped=None if skipped is None else skipped.get("message", ""),
        ))  # fmt: skip
    return tuple(found)


def suite_report(
    cases: Iterable[Case], files: Iterable[str], *, coverage_pct: float | None,
    coverage_before_pct: float | None = None, policy: SuitePolicy | None = None,
) -> Report:  # fmt: skip
    """Return the report of gate row `tests`.

    files  modules of all test files, as `tests.app.test_gates`;  coverage_pct  None = nobody measured it
    """
    p, ran = policy or SuitePolicy(), tuple(cases)
    modules = {one.module for one in ran}
    bad = sorted({one.function for one in ran if not one.passed and one.skipped is None})
    skips = [one for one in ran if one.skipped is not None]
    nameless = sorted(one.function for one in skips if not (one.skipped or "").strip())
    missing = sorted(set(files) - modules)
    groups = {UNIT: 0, **dict.fromkeys(GROUPS, 0)}
    for one in ran:
        groups[group_of(one.module)] += 1
    checks = [
        _none("tests.failed", bad, "none", "tests that failed"),
        _none("tests.not_collected", missing, "every test file ran", "files that were left out"),
        _none("tests.skipped_without_reason", nameless, "each with its reason", "skipped without a reason"),
        *(Check(f"tests.group.{name}", OK if count else FAIL, f"{count} ran", "at least 1") for name, count in
          groups.items()),
        _coverage(coverage_pct, coverage_before_pct, p),
    ]  # fmt: skip
    return Report(
        name="tests", title="The whole suite", sources=(), checks=tuple(checks),
        figures={"ran": len(ran), "skipped": len(skips), "files": len(modules), "coverage_pct": coverage_pct},
    )  # fmt: skip


def named_reports(cases: Iterable[Case]) -> dict[str, Report]:
    """Return one report a check that rests on named cases; a case that did not run is unknown, never passed."""
    by_function: dict[str, list[Case]] = {}
    for one in cases:
        by_function.setdefault(one.function, []).append(one)
    return {
        name: Report(
            name=name.replace("_", "-"), title=name.replace("_", " "), sources=(),
            checks=tuple(_case(f"{name}.case", wanted, by_function) for wanted in functions),
        ) for name, functions in NAMED.items()
    }  # fmt: skip


def group_of(module: str) -> str:
    """Return the group of a module's tests."""
    return next((name for name, package in GROUPS.items() if module.startswith(f"{package}.")), UNIT)


def _case(code: str, wanted: str, ran: Mapping[str, list[Case]]) -> Check:
    found = [one for one in ran.get(wanted, []) if one.skipped is None]
    if not found:
        return Check(code, UNKNOWN, "did not run", "passed", wanted)
    failed = sum(not one.passed for one in found)
    told = f"{failed} of {len(found)} failed" if failed else f"{len(found)} passed"
    return Check(code, FAIL if failed else OK, told, "passed", wanted)


def _coverage(value: float | None, before: float | None, policy: SuitePolicy) -> Check:
    code, limit = "tests.coverage", f"at least {policy.coverage_pct_min:g} %"
    if value is None:
        return Check(code, UNKNOWN, "nobody measured it", limit, "give the coverage of the same run")
    if before is not None and value < before:
        return Check(code, FAIL, f"{value:.4g} %", f"no fall below {before:.4g} %", "it fell")
    return Check(code, OK if value >= policy.coverage_pct_min else FAIL, f"{value:.4g} %", limit)


def _none(code: str, names: list[str], limit: str, text: str) -> Check:
    told = ", ".join(names[:5])
    return Check(code, FAIL if names else OK, f"{len(names)}", limit, f"{text}: {told}" if names else "")


def _module(classname: str) -> str:
    """Return the module of a test's class name: it ends with the part that names a test file."""
    parts = classname.split(".")
    at = next((place for place, part in enumerate(parts) if part.startswith("test_")), len(parts) - 1)
    return ".".join(parts[: at + 1])
