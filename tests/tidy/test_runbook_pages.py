"""The runbooks: every required one is there and whole, every link leads somewhere, every command is one of ours."""

import re
import shlex
from pathlib import Path

import pytest
from cyclopts.exceptions import MissingArgumentError

from tradeworthy.app.runbooks import runbooks_hash
from tradeworthy.cli.main import app, call
from tradeworthy.operations.incidents.catalogue import CONSEQUENCES, DEFAULTS, RUNBOOK_DEFAULT, RUNBOOKS, runbook_of
from tradeworthy.operations.incidents.policy import REQUIRED_RUNBOOKS
from tradeworthy.operations.incidents.prometheus_table import PrometheusPolicy, rules_of
from tradeworthy.operations.incidents.triggers import TRIGGERS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted((DOCS / "runbooks").glob("*.md"))
HEADINGS = ["Trigger", "Checks", "Actions", "Recovery", "Verification"]
LOOKS = (
    "alert list", "alert routes", "alert ledger", "guard", "incident list", "incident report", "incident clocks",
    "config check", "config show", "config history", "gate status", "gate list", "health", "journal show",
    "journal verify", "journal trace", "exposure", "pnl kpis", "break-glass status", "assess history", "replay",
)  # fmt: skip
"""Commands that only look: they are run."""


def commands(text):
    """Return the commands of a page: lines of its fenced blocks, and spans in the text."""
    fenced = [line.strip() for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    flat = re.sub(r"\s*\n\s*", " ", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    spans = re.findall(r"`(tradeworthy [^`]+)`", flat)
    said = [one for one in spans if " " in one.removeprefix("tradeworthy ").strip()]
    return [shlex.split(one)[1:] for one in (*fenced, *said) if one.startswith("tradeworthy ")]


ALL = sorted({tuple(words) for page in PAGES for words in commands(page.read_text())})
ORDERED = {
    tuple(words) for page in PAGES if page.stem in REQUIRED_RUNBOOKS for words in commands(page.read_text())
}
"""Commands of the required pages: whole ones, as they are typed. Other pages may also speak of a verb."""


def test_every_required_runbook_is_there_with_its_five_parts():
    assert len(REQUIRED_RUNBOOKS) == 35
    for slug in REQUIRED_RUNBOOKS:
        text = (DOCS / "runbooks" / f"{slug}.md").read_text()
        assert re.findall(r"^## (.*)$", text, re.MULTILINE)[:5] == HEADINGS, slug
        parts = re.split(r"^## .*$", text, flags=re.MULTILINE)[1:6]
        assert all(part.strip() for part in parts), slug
        assert commands(text), slug
        assert commands(parts[1]) or commands(parts[2]), slug


def test_an_operator_at_night_reads_a_page_of_a_screen_or_two():
    lengths = {slug: len((DOCS / "runbooks" / f"{slug}.md").read_text().splitlines()) for slug in REQUIRED_RUNBOOKS}
    assert {slug: lines for slug, lines in lengths.items() if lines > 80} == {}


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_of_a_page_is_one_of_ours(words):
    try:
        command, bound, _ = app.parse_args(list(words), exit_on_error=False, print_error=False)
    except MissingArgumentError:
        assert words not in ORDERED
        return
    assert command is not None
    assert bound.arguments is not None


LOOKING = [words for words in ALL if " ".join(words).startswith(LOOKS) and "--url" not in words]


def test_most_pages_have_something_to_look_at():
    assert len(LOOKING) > 15


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_a_command_that_only_looks_ends_with_a_code_of_the_table(words, tmp_path, monkeypatch):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "paper.toml").write_text((ROOT / "config" / "paper.toml").read_text())
    monkeypatch.chdir(tmp_path)
    assert call(list(words)) in (0, 1, 2, 3)


def test_every_link_leads_to_a_page():
    for page in PAGES:
        for target in re.findall(r"\]\(([\w.-]+\.md)\)", page.read_text()):
            assert (page.parent / target).is_file(), (page.name, target)


def test_every_code_rule_and_trigger_links_a_page_that_exists():
    sources = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    named = {name for text in sources for name in re.findall(r"runbooks/([\w-]{2,}\.md)", text)}
    named |= {name for _, name in RUNBOOKS} | {RUNBOOK_DEFAULT}
    named |= {f"{one.runbook}.md" for one in rules_of(PrometheusPolicy())}
    assert len(named) > 50
    assert sorted(name for name in named if not (DOCS / "runbooks" / name).is_file()) == []
    for code in (*DEFAULTS, *CONSEQUENCES, *(code for one in TRIGGERS for code in one.codes)):
        path = DOCS / runbook_of(code)
        assert path.is_file(), code
        assert path.name != RUNBOOK_DEFAULT or code.startswith(("incident", "alert")), f"{code} has no page of its own"


def test_the_hash_changes_with_any_page(tmp_path):
    folder = tmp_path / "runbooks"
    assert runbooks_hash(folder) == ""
    folder.mkdir()
    (folder / "a.md").write_text("a")
    first = runbooks_hash(folder)
    (folder / "b.md").write_text("b")
    second = runbooks_hash(folder)
    (folder / "b.md").rename(folder / "c.md")
    assert len({first, second, runbooks_hash(folder)}) == 3
    assert len(runbooks_hash()) == 64
