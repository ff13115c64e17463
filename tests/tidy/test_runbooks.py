"""Every owner of a guard reason has a runbook that says what ends it (GRD-02)."""

from pathlib import Path

import pytest

from tradeworthy.trading.control.owners import OWNERS

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("owner", sorted(OWNERS))
def test_runbook_of_each_owner_exists_and_names_it(owner):
    path = DOCS / OWNERS[owner].runbook
    assert path.is_file()
    assert f"`{owner}`" in path.read_text()
