"""The schema and the page of the configuration are those of the code, and every variable that is read stands there."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradeworthy.app.config import Document
from tradeworthy.app.configuration.environment_keys import ENVIRONMENT_KEYS
from tradeworthy.app.configuration.schema import configuration_page, meanings, schema_of_document
from tradeworthy.app.configuration.sections import SECTIONS

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "src" / "tradeworthy"
VARIABLE = re.compile(r"[\"']((?:FINAL_DRY_RUN|RUNTIME|LOG|OTEL|RIM|TRADEWORTHY|NOTIFY)_[A-Z0-9_]*[A-Z0-9])[\"']")


def test_the_page_is_current():
    assert (ROOT / "docs" / "configuration.md").read_text() == configuration_page(), (
        "write it again: tradeworthy config schema --markdown > docs/configuration.md"
    )


def test_every_key_has_a_meaning():
    rows = [line.replace("\\|", "/").split("|") for line in configuration_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 300
    assert [row[1] for row in rows if not row[-2].strip()] == []


def test_every_section_of_plain_values_has_a_policy():
    plain = {one.name for one in msgspec.structs.fields(Document) if one.type == dict[str, Any]}
    assert plain == set(SECTIONS)


def test_a_docstring_tells_each_field_once():
    class Told(msgspec.Struct):
        """Say.

        one, two  what both are;  three  a third
                  that goes on
        """

        one: int = 1

    assert meanings(Told) == {"one": "what both are", "two": "what both are", "three": "a third that goes on"}


def test_the_schema_names_every_section_and_no_key_beyond():
    found = schema_of_document()
    assert set(found["properties"]) == {one.encode_name for one in msgspec.structs.fields(Document)}
    for section, kind in SECTIONS.items():
        assert kind.__name__ in found["properties"][section]["$ref"]
    assert found["additionalProperties"] is False
    assert set(found["required"]) == {"schema", "desk", "tapes", "instances"}
    defined = set(found["$defs"])
    refs = set(re.findall(r'"#/\$defs/([^"]+)"', msgspec.json.encode(found).decode()))
    assert refs <= defined


def test_every_variable_that_the_code_names_stands_in_the_table():
    named = {
        name for path in PACKAGE.rglob("*.py") if path.name != "environment_keys.py"
        for name in VARIABLE.findall(path.read_text())
    }  # fmt: skip
    known = {one.name for one in ENVIRONMENT_KEYS}
    assert "TRADEWORTHY_DATA" in named
    assert sorted(named - known) == []


@pytest.mark.parametrize("one", ENVIRONMENT_KEYS, ids=lambda one: one.name)
def test_every_variable_of_the_table_is_read_somewhere(one):
    source = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "environment_keys.py")
    parts = [part for part in re.split(r"<\w+>", one.name) if part]
    stems = [part for part in parts if part in source]
    cuts = [at + 1 for at, letter in enumerate(one.name) if letter == "_"]
    joined = any(
        f'"{one.name[:cut]}"' in source and re.search(rf"[\"}}]{one.name[cut:]}\"", source) for cut in cuts
    )
    assert stems == parts or joined
