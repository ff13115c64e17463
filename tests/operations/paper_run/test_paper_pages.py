"""What people see of a paper run: pages that escape what they are told, plots that lose no peak, files where sent."""

import hashlib
import json
import re
from base64 import b64encode

import pytest
from guarded import MB, Watched, fill
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.journal.records import InputQuarantined
from tradeworthy.operations.paper_run import html, markdown
from tradeworthy.operations.paper_run.files import ReportFiles
from tradeworthy.operations.paper_run.plots import POINTS_MAX, Line, Rule, _decades, _rounded, _thinned, figure


def busy(**policy):
    """Return a run with everything that a report can hold."""
    limits = {"memory_growth_max_mb": 500.0, "memory_warmup_s": 60.0, "latency_p99_max_s": 0.2}
    watched = Watched(memory=100 * MB, **limits, **policy)
    for number in range(120):
        watched.decide(0.01, str(number))
    for number in range(30):
        watched.rss = (100 + number) * MB
        watched.wait(60)
    watched.show(fill())
    watched.guardian.failover("venue", True, "<b>down</b>")
    watched.show(InputQuarantined("tape", "<script>alert(1)</script>", 3, "a"), source="door")
    return watched


def test_the_page_holds_no_script_and_allows_its_own_style_alone():
    page = html.render(busy().finish())
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert f"sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}" in page
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<b>down</b>" not in page


def test_the_page_shows_every_part_of_a_busy_run():
    page = html.render(busy(minimum_runtime_hours=1.0).finish())
    for title in ("Objectives", "Fills", "Breaches", "Alerts", "Errors", "Run", "Status over the run",
                  "Decision latency", "Resident memory", "Activity"):  # fmt: skip
        assert f"<h2>{title}" in page, title
    assert page.count("<svg") >= 3


def test_a_page_can_be_drawn_before_anything_happened():
    page = html.render(Watched(started=False).guardian.report())
    assert "preparing" in page
    assert page.count("Fewer than two samples know this.") == 4
    assert "<h2>Fills" not in page


def test_the_markdown_tells_the_same():
    text = markdown.render(busy(minimum_runtime_hours=1.0).finish("signal SIGTERM"))
    assert text.startswith("# Paper run\n\n**DEGRADED**: not every objective is met.\n\n- signal SIGTERM")
    assert "| runtime.short |" in text
    assert "&lt;script>" in text


def test_a_limit_within_sight_is_drawn_and_a_far_one_named():
    line = Line("resident", "violet", [(0.0, 10.0), (60.0, 20.0)])
    near, far = (figure("Memory", "", [line], "MB", [Rule("limit", value)]) for value in (80.0, 80.1))
    assert 'class="rule"' in near
    assert 'class="rule"' not in far
    assert "limit 80.1 MB is off the scale" in far


def test_what_is_unknown_is_a_gap_in_the_line():
    line = Line("p99", "blue", [(0.0, 1.0), (1.0, 2.0), (2.0, None), (3.0, 4.0), (4.0, 5.0)])
    path = re.search(r' d="([^"]*)"', figure("Latency", "", [line], "ms"))[1]
    assert path.count("M") == 2


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=3 * POINTS_MAX))
def test_a_thinned_line_keeps_its_peak(values):
    points = _thinned(list(enumerate(values)))
    assert len(points) <= POINTS_MAX
    assert max(value for _, value in points) == max(values)


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12))
def test_a_linear_axis_spans_its_values_in_few_steps(low, spread):
    axis = _rounded(low, low + spread)
    slack = 1e-6 * max(1.0, abs(low), spread)
    assert axis.levels[0] <= low + slack
    assert axis.levels[-1] >= low + spread - slack
    assert 2 <= len(axis.levels) <= 8


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_an_axis_in_decades_takes_zero_too(values):
    axis = _decades(values)
    assert all(0 <= axis.share(one) <= 1 + 1e-9 for one in values)


@pytest.mark.parametrize("value", [1e-7, 0.3, 1.0, 12_345.0, 5e9])
def test_a_line_of_equal_values_can_be_drawn(value):
    for log in (False, True):
        assert "NaN" not in figure("x", "", [Line("a", "blue", [(0.0, value), (1.0, value)])], "", log=log)


def test_files_go_to_the_run_folder_once_it_is_known_or_where_they_are_sent(tmp_path):
    home = []
    files = ReportFiles(lambda: home[0] if home else None, errors=tmp_path / "elsewhere" / "errors.json")
    report = busy().finish()
    files.write(report)
    assert [one.name for one in tmp_path.rglob("*.json")] == ["errors.json"]
    home.append(tmp_path / "run")
    files.write(report)
    assert sorted(one.name for one in (tmp_path / "run").iterdir()) == [
        "paper_run.html", "paper_run.json", "paper_run.md"
    ]  # fmt: skip
    errors = json.loads((tmp_path / "elsewhere" / "errors.json").read_text())
    assert [(one["code"], one["count"]) for one in errors["errors"]] == [("input.quarantined", 1)]


def test_no_secret_reaches_any_form(tmp_path):
    watched = Watched()
    watched.guardian.failover("venue", True, "token=abcdefgh12345678 was refused")
    ReportFiles(lambda: tmp_path).write(watched.finish("password=abcdefgh12345678"))
    assert all(b"abcdefgh12345678" not in one.read_bytes() for one in tmp_path.iterdir())
