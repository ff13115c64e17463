"""Every check of the health report leads a person to a page that is there, and from there to others that are."""

import re
from pathlib import Path

import pytest

from tradeworthy.operations.health.judge import CHECKS

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = sorted({DOCS / one.runbook for one in CHECKS.values()} | {DOCS / "runbooks" / "health.md"})


@pytest.mark.parametrize("name", CHECKS)
def test_the_page_of_a_check_is_there_and_says_what_to_do(name):
    text = (DOCS / CHECKS[name].runbook).read_text()
    assert text.startswith("# ")
    assert re.search(r"^1\. ", text, re.MULTILINE), "a runbook has numbered steps"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_pages_that_are_there(page):
    named = set(re.findall(r"`([a-z_]+\.md)`", page.read_text()))
    assert sorted(one for one in named if not (page.parent / one).is_file()) == []
