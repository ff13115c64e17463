"""Each acceptance page has a row for every id it promises, and every test that it names is there."""

import acceptance_pages as pages
import pytest

TEXTS = {path.name: path.read_text() for path in pages.PAGES}


def test_there_is_a_page_and_it_promises_ids():
    assert "supervision.md" in TEXTS
    assert {name for name, text in TEXTS.items() if not pages.promised(text)} == set()


@pytest.mark.parametrize("name", TEXTS)
def test_each_promised_id_stands_once(name):
    found = [row.id for row in pages.rows(TEXTS[name])]
    assert sorted(found) == sorted(pages.promised(TEXTS[name]))


@pytest.mark.parametrize("name", TEXTS)
def test_every_test_that_is_named_is_there(name):
    asked = {one for row in pages.rows(TEXTS[name]) for one in row.tests}
    assert asked
    known = {file: pages.tests_in(file) for file, _ in asked}
    assert sorted(f"{file}: {test}" for file, test in asked if test not in known[file]) == []


@pytest.mark.parametrize("name", TEXTS)
def test_a_row_without_a_test_says_what_is_missing(name):
    rows = pages.rows(TEXTS[name])
    assert [row.id for row in rows if not set(row.kinds) <= pages.KINDS] == []
    assert [row.id for row in rows if not row.seen or not row.gaps] == []
    assert [row.id for row in rows if bool(row.tests) == (row.kinds == ("none",))] == []
    assert [row.id for row in rows if not row.tests and row.gaps == "-"] == []


PAGE = """Ids: ABC-01 to ABC-03, XY-07.
| id | seen | tests | kind | gaps |
|---|---|---|---|---|
| ABC-01 | a | `tidy/a.py`: `test_b`, `test_c`; `tidy/d.py`: `test_e` | unit, proof | - |
| ABC-02 | b | | none | all of it |
"""


def test_a_page_is_read_as_it_is_written():
    assert pages.promised(PAGE) == ["ABC-01", "ABC-02", "ABC-03", "XY-07"]
    first, second = pages.rows(PAGE)
    assert first.tests == (("tidy/a.py", "test_b"), ("tidy/a.py", "test_c"), ("tidy/d.py", "test_e"))
    assert (first.kinds, second.tests, second.kinds, second.gaps) == (("unit", "proof"), (), ("none",), "all of it")
    assert pages.tests_in("tidy/absent.py") == frozenset()
    assert "test_a_page_is_read_as_it_is_written" in pages.tests_in("tidy/test_acceptance_pages.py")
