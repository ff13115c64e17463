"""Objectives, review, backlog, wrap-up: what counts, what is shown, in which order (DR-35, DR-36, DR-38, DR-39)."""

from datetime import timedelta

import audit_logs as logs
import msgspec
import pytest

from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.dry_run.artefacts import Objective, Sections, Summary, decode_summary, encode_summary
from tradeworthy.operations.dry_run.backlog import (
    BacklogPolicy,
    backlog_markdown,
    backlog_of,
    exit_code_of,
    items_of,
    relaxed_in,
)
from tradeworthy.operations.dry_run.model import (
    DiaryIssue,
    DiarySection,
    Finding,
    GapIncident,
    Incident,
    IncidentMetadata,
    IncidentState,
    LogIncident,
    LogSection,
    PerformanceSection,
    Relaxation,
    RunMetadata,
    SignOff,
    SignOffCriteria,
    Status,
    stamp,
)
from tradeworthy.operations.dry_run.objectives import DERIVED, merge_objectives, parse_objective
from tradeworthy.operations.dry_run.review import ReviewPolicy, build_review, notes_of, review_document, review_markdown
from tradeworthy.operations.dry_run.summary_page import summary_markdown
from tradeworthy.operations.dry_run.wrap_up import WrapUpPolicy, build_wrap_up, exit_code_of_wrap_up, wrap_up_markdown

PASS, WARN, UNKNOWN, FAIL = Status.PASS, Status.WARN, Status.UNKNOWN, Status.FAIL
NOW = logs.NOW_NS
AT = stamp(NOW)


def clean_run(*, seconds=72 * 3_600.0, status=PASS, **parts):
    """A run on which nothing was found."""
    sections = Sections(
        generated_at=AT, status=status, metadata=RunMetadata(actual_duration_seconds=seconds),
        logs=LogSection(status=status, records=10, uptime_ratio=1.0), **parts,
    )  # fmt: skip
    return Summary(run_id="run-1", status=status, summary=sections)


def messy_run():
    """A run with one finding of every category."""
    found = LogSection(
        status=FAIL, records=10, errors=(LogIncident(severity=FAIL, summary="order refused", count=3, occurred_at=AT),),
        warnings=(LogIncident(severity=WARN, summary="slow"),),
        gap_incidents=(GapIncident(severity=WARN, started_at=AT, ended_at=AT + timedelta(hours=1), seconds=3_600.0),),
        content_incidents=(
            LogIncident(severity=FAIL, summary="a trace"), LogIncident(severity=PASS, summary="no window"),
        ),
    )  # fmt: skip
    sections = Sections(
        generated_at=AT, status=FAIL, metadata=RunMetadata(actual_duration_seconds=72 * 3_600.0), logs=found,
        diary=DiarySection(status=WARN, issues=(DiaryIssue(entry_id="e1", severity=WARN, reason="throttled"),)),
        performance=PerformanceSection(
            status=UNKNOWN,
            issues=(Finding(severity=UNKNOWN, code="performance.placeholder", message="no numbers yet"),),
        ),
    )  # fmt: skip
    criteria = SignOffCriteria()
    return Summary(
        run_id="run-1", status=FAIL, summary=sections, relaxations=(Relaxation(code="relaxation.diary", switch="--x"),),
        sign_off=SignOff(evaluated_at=AT, status=FAIL, criteria=criteria, findings=(
            Finding(severity=FAIL, code="uptime.low", message="uptime too low"),
        )),
        incidents=(
            Incident(id="inc-1", code="log.silence", severity=WARN, state=IncidentState.CLOSED, occurred_at=AT,
                     message="quiet", metadata=IncidentMetadata(component="log")),
            Incident(id="inc-2", code="drill", severity=FAIL, state=IncidentState.CLOSED, occurred_at=AT, planned=True,
                     message="planned", metadata=IncidentMetadata(component="log")),
        ),
    )  # fmt: skip


def built(struct):
    return msgspec.to_builtins(struct, str_keys=True)


@pytest.mark.parametrize(("word", "status"), [
    ("pass", PASS), ("OK", PASS), ("ready", PASS), ("go", PASS), ("success", PASS), ("warn", WARN), ("warning", WARN),
    ("at_risk", WARN), ("at-risk", WARN), ("yellow", WARN), ("fail", FAIL), ("failed", FAIL), ("block", FAIL),
    ("blocked", FAIL), ("no", FAIL), ("stop", FAIL), ("RED", FAIL),
])  # fmt: skip
def test_every_status_word_of_an_objective(word, status):
    assert parse_objective(f"risk={word}:a note: with colon") == Objective(
        name="risk", status=status, note="a note: with colon"
    )


@pytest.mark.parametrize("text", ["risk", "=pass", "risk=", "risk=maybe", "risk:pass", ""])
def test_an_objective_that_cannot_be_read_is_a_usage_error(text):
    with pytest.raises(UsageError, match="NAME=STATUS"):
        parse_objective(text)


def derived(status):
    return Objective(name="risk", status=status, provenance=DERIVED, evidence="bundle-1")


@pytest.mark.parametrize(("typed", "found", "expected"), [
    ("pass", FAIL, FAIL), ("pass", UNKNOWN, UNKNOWN), ("pass", PASS, PASS), ("fail", PASS, FAIL), ("warn", FAIL, FAIL),
    ("fail", WARN, FAIL),
])  # fmt: skip
def test_the_worse_of_person_and_assessment_counts(typed, found, expected):
    (one,) = merge_objectives([parse_objective(f"Risk={typed}")], [derived(found)])
    assert one.status is expected
    assert one.provenance == ("attested" if typed in ("fail", "warn") and expected is not found else DERIVED)
    review = build_review(clean_run(), now=NOW, typed=[parse_objective(f"Risk={typed}")], derived=[derived(found)])
    assert review.status is expected


def test_a_typed_pass_is_shown_and_counts_for_nothing():
    review = build_review(clean_run(), now=NOW, typed=[parse_objective("risk=ok")])
    assert (review.status, review.objectives[0].status, review.objectives[0].provenance) == (PASS, PASS, "attested")
    assert "attested, not counted" in review_markdown(review, clean_run(), ReviewPolicy())


def test_every_section_gives_its_items_once_and_the_worst_come_first():
    items = backlog_of(built(messy_run()))
    assert [one.severity for one in items] == sorted((one.severity for one in items), key=lambda s: -s.severity)
    assert {one.category for one in items} == {
        "harness", "sign_off", "log_error", "log_gap", "log_content", "log_warning", "diary", "performance",
    }  # fmt: skip
    assert [one.summary for one in items if one.category == "log_content"] == ["a trace"]
    assert "planned" not in {one.summary for one in items}
    doubled = [*items_of(built(messy_run())), *items_of(built(messy_run()))]
    assert len(backlog_of(built(messy_run()), policy=BacklogPolicy(include_pass=True))) == len(doubled) // 2


def test_filters_of_the_backlog():
    document = built(messy_run())
    failures = backlog_of(document, policy=BacklogPolicy(severity_min=FAIL))
    assert {one.severity for one in failures} == {FAIL}
    assert "no window" in {one.summary for one in backlog_of(document, policy=BacklogPolicy(include_pass=True))}


@pytest.mark.parametrize("word", ["unknown", "mystery", "", None, 3])
def test_a_status_that_nobody_knows_is_a_failure_and_never_passes(word):
    document = {"status": "fail", "logs": {"errors": [{"severity": word, "summary": "odd"}]}}
    (one,) = backlog_of(document)
    assert one.severity is FAIL
    assert one.context["given_status"] == str(word)


@pytest.mark.parametrize(("document", "count"), [
    ({}, 1), ({"status": "unknown"}, 1), ({"status": "fail"}, 1), ({"status": "warn"}, 1), ({"status": "pass"}, 0),
])  # fmt: skip
def test_a_run_that_failed_without_a_finding_is_an_item_itself(document, count):
    assert len(backlog_of(document)) == count


def test_objectives_and_actions_of_a_review_are_listed():
    actions = [
        {"severity": "warn", "category": "odd", "description": "call the venue"},
        {"severity": "fail", "category": "log_error", "description": "order refused"},
    ]
    review = {"objectives": [{"name": "risk", "status": "warn", "note": "late"}], "action_items": actions}
    items = backlog_of(built(messy_run()), review=review)
    assert [one.summary for one in items if one.category == "objective"] == ["risk: late"]
    assert [one.summary for one in items if one.category == "action"] == ["call the venue"]
    assert [one.summary for one in items].count("order refused") == 1


@pytest.mark.parametrize(("severities", "fail_on_warn", "code"), [
    ([], False, ExitCode.PASS), ([PASS], True, ExitCode.PASS), ([WARN], False, ExitCode.WARN),
    ([WARN], True, ExitCode.FAIL), ([WARN, FAIL], False, ExitCode.FAIL),
])  # fmt: skip
def test_the_worst_listed_item_is_the_exit_code(severities, fail_on_warn, code):
    items = [next(items_of({"logs": {"errors": [{"severity": str(one)}]}})) for one in severities]
    assert exit_code_of(items, fail_on_warn=fail_on_warn) == code


def test_pages_keep_tables_whole_whatever_the_text():
    document = {"logs": {"errors": [{"severity": "fail", "summary": "a | b\n# c <script>"}]}}
    page = backlog_markdown(backlog_of(document), title="Backlog")
    assert "a \\| b # c &lt;script>" in page
    assert backlog_markdown((), title="Backlog").count("Nothing is left to do.") == 1


def test_a_review_of_a_clean_run_passes_and_of_a_messy_one_lists_what_to_do():
    assert build_review(clean_run(), now=NOW).status is PASS
    review = build_review(messy_run(), now=NOW)
    assert (review.status, review.summary_status, review.sign_off_status) == (FAIL, FAIL, FAIL)
    assert len({(one.category, one.description) for one in review.action_items}) == len(review.action_items) == 8


@pytest.mark.parametrize(("policy", "summary", "sign_off"), [
    (ReviewPolicy(), True, True), (ReviewPolicy(include_summary=False), False, True),
    (ReviewPolicy(include_sign_off=False), True, False),
])  # fmt: skip
def test_skip_switches_remove_their_part(policy, summary, sign_off):
    run = messy_run()
    review = build_review(run, now=NOW)
    page, document = review_markdown(review, run, policy), review_document(review, run, policy)
    assert ("Appendix: summary" in page, "Appendix: sign-off" in page) == (summary, sign_off)
    assert ("summary" in document, "sign_off" in document) == (summary, sign_off)


def test_notes_are_one_a_line_and_blank_ones_are_dropped(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("first\n\n   \n second \n")
    review = build_review(clean_run(), now=NOW, notes=("  ", "spoken", *notes_of([path])), attendees=("Ann", ""))
    assert (review.notes, review.attendees) == (("spoken", "first", "second"), ("Ann",))
    with pytest.raises(UsageError, match="notes"):
        notes_of([tmp_path / "none.txt"])


@pytest.mark.parametrize(("minutes", "met"), [(4, True), (5, True), (5.01, False), (6, False)])
def test_the_duration_is_met_within_its_tolerance(minutes, met):
    wrap_up = build_wrap_up(clean_run(seconds=72 * 3_600 - minutes * 60), WrapUpPolicy(), now=NOW)
    assert (wrap_up.duration_met, wrap_up.status) == (met, PASS if met else FAIL)


def test_a_run_time_that_nobody_measured_is_not_met():
    assert not build_wrap_up(clean_run(seconds=None), WrapUpPolicy(), now=NOW).duration_met


def test_other_tolerances_on_the_same_run_give_other_verdicts():
    run = clean_run(seconds=71 * 3_600.0)
    assert build_wrap_up(run, WrapUpPolicy(duration_tolerance_minutes=60), now=NOW).status is PASS
    assert build_wrap_up(run, WrapUpPolicy(required_duration_hours=71), now=NOW).status is PASS
    assert build_wrap_up(run, WrapUpPolicy(), now=NOW).status is FAIL


def test_a_wrap_up_is_the_worst_of_its_parts_and_its_page_tells_minutes():
    review = build_review(messy_run(), now=NOW, notes=("n",))
    wrap_up = build_wrap_up(messy_run(), WrapUpPolicy(), now=NOW, review=review)
    assert (wrap_up.status, wrap_up.review_status, wrap_up.notes) == (FAIL, FAIL, ("n",))
    page = wrap_up_markdown(wrap_up)
    assert "3 d (4,320.0 min)" in page
    assert "order refused" in page


def test_a_warning_is_a_warning_unless_it_is_treated_as_failure():
    run = clean_run(status=WARN)
    wrap_up = build_wrap_up(run, WrapUpPolicy(), now=NOW)
    assert exit_code_of_wrap_up(wrap_up, WrapUpPolicy()) == ExitCode.WARN
    assert exit_code_of_wrap_up(wrap_up, WrapUpPolicy(treat_warn_as_failure=True)) == ExitCode.FAIL


def test_relaxations_stand_on_the_first_page_and_a_summary_survives_its_file():
    run = messy_run()
    assert "Relaxed: --x (no waiver)." in summary_markdown(run).split("## Run")[0]
    relaxed = relaxed_in(msgspec.to_builtins(run))
    assert relaxed == ("--x (no waiver)",)
    assert relaxed_in({"relaxations": [{"code": 1}, "x"]}) == ("{'code': 1} (not understood)",)
    page = backlog_markdown(backlog_of(msgspec.to_builtins(run)), title="Backlog", relaxed=relaxed)
    assert page.startswith("# Backlog\n\nRelaxed: --x (no waiver).\n")
    assert decode_summary(encode_summary(run)) == run
