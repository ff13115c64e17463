"""A run of the suite as evidence: what fails, is left out or skipped without a reason shows; cases are named."""

import ast
from pathlib import Path

import pytest

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.suite import (
    GROUPS,
    NAMED,
    cases_of,
    group_of,
    named_reports,
    suite_report,
)

ROOT = Path(__file__).resolve().parents[3]
MODULES = (*(f"{package}.test_a" for package in GROUPS.values()), "tests.kernel.test_a")


def junit(*cases):
    lines = []
    for module, name, inner in cases:
        lines.append(f'<testcase classname="{module}" name="{name}">{inner}</testcase>')
    return f'<testsuites><testsuite name="pytest">{"".join(lines)}</testsuite></testsuites>'.encode()


def whole(*more):
    return cases_of(junit(*((module, "test_x", "") for module in MODULES), *more))


def codes(report):
    return {one.code: one.severity for one in report.checks if one.severity}


def test_a_whole_suite_is_ok_and_counts_its_groups():
    report = suite_report(whole(), MODULES, coverage_pct=80.0)
    assert report.severity is Severity.OK
    assert {group_of(module) for module in MODULES} == {"unit", *GROUPS}


@pytest.mark.parametrize(("more", "code"), [
    (("tests.kernel.test_a", "test_y[1]", "<failure/>"), "tests.failed"),
    (("tests.kernel.test_a", "test_y", "<error/>"), "tests.failed"),
    (("tests.kernel.test_a", "test_y", '<skipped message=" "/>'), "tests.skipped_without_reason"),
])  # fmt: skip
def test_a_failure_and_a_skip_without_reason_fail(more, code):
    assert codes(suite_report(whole(more), MODULES, coverage_pct=90.0)) == {code: Severity.FAIL}


def test_a_skip_with_its_reason_is_counted_and_passes():
    report = suite_report(whole(("tests.kernel.test_a", "test_y", '<skipped message="no data"/>')), MODULES,
                          coverage_pct=90.0)  # fmt: skip
    assert (report.severity, report.figures["skipped"]) == (Severity.OK, 1)


def test_a_file_that_was_left_out_and_a_group_that_did_not_run_fail():
    left_out = suite_report(whole(), (*MODULES, "tests.web.test_b"), coverage_pct=90.0)
    assert codes(left_out) == {"tests.not_collected": Severity.FAIL}
    no_golden = cases_of(junit(*((one, "test_x", "") for one in MODULES if "golden" not in one)))
    assert "tests.group.golden" in codes(suite_report(no_golden, (), coverage_pct=90.0))


@pytest.mark.parametrize(("pct", "before", "severity"), [
    (80.0, None, Severity.OK), (79.999, None, Severity.FAIL), (None, None, Severity.UNKNOWN), (90.0, 90.0, Severity.OK),
    (89.99, 90.0, Severity.FAIL),
])  # fmt: skip
def test_coverage_has_a_floor_and_never_falls(pct, before, severity):
    report = suite_report(whole(), MODULES, coverage_pct=pct, coverage_before_pct=before)
    assert report.severity is severity


@pytest.mark.parametrize("name", NAMED)
def test_a_check_rests_on_all_its_cases(name):
    passed = [(*one.split("::"), "") for one in NAMED[name]]
    assert named_reports(cases_of(junit(*passed)))[name].severity is Severity.OK
    assert named_reports(cases_of(junit(*passed[1:])))[name].severity is Severity.UNKNOWN
    failed = [(*passed[0][:2], "<failure/>"), *passed[1:]]
    assert named_reports(cases_of(junit(*failed)))[name].severity is Severity.FAIL
    skipped = [(*passed[0][:2], '<skipped message="no"/>'), *passed[1:]]
    assert named_reports(cases_of(junit(*skipped)))[name].severity is Severity.UNKNOWN


@pytest.mark.parametrize("case", sorted(one for cases in NAMED.values() for one in cases))
def test_every_case_that_is_named_is_there(case):
    module, name = case.split("::")
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in ast.parse(path.read_text()).body if isinstance(node, functions)}


def test_one_failed_parameter_fails_the_case():
    module, name = NAMED["control_breaches"][0].split("::")
    ran = [(module, f"{name}[{at}]", "<failure/>" if at == 3 else "") for at in range(5)]
    rest = [(*one.split("::"), "") for one in NAMED["control_breaches"][1:]]
    assert named_reports(cases_of(junit(*ran, *rest)))["control_breaches"].severity is Severity.FAIL


@pytest.mark.parametrize("data", [b"", b"{}", b"<a>", b'<!DOCTYPE a [<!ENTITY b "c">]><a/>'])
def test_other_bytes_are_refused(data):
    with pytest.raises(InvalidInput):
        cases_of(data)


def test_the_class_of_a_test_is_no_part_of_its_module():
    (case,) = cases_of(junit(("tests.kernel.test_a.TestThing", "test_x[p]", "")))
    assert case.function == "tests.kernel.test_a::test_x"
