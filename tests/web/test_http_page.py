"""The page about the address names every route with its role, and no other (HLT-01, HLT-05)."""

import re
from pathlib import Path

from web_desk import WebDesk

from tradeworthy.operations.health.policy import TAKEN

PAGE = Path(__file__).resolve().parents[2] / "docs" / "http.md"


def test_the_page_names_exactly_the_routes_that_are_served():
    rows = re.findall(r"^\| `(GET|POST) (/[\w/{}]+)` \|.*\| (?:`([\w.:]+)`|none) \|$", PAGE.read_text(), re.MULTILINE)
    app = WebDesk().app()
    served = {
        (method, route.path.replace(":str", "")) for route in app._app.routes for method in route.methods
        if method in ("GET", "POST")
    }  # fmt: skip
    assert {(method, path) for method, path, _ in rows} == served
    assert {path for _, path in served if "{" not in path} == (TAKEN - {""}) | {"/health"}
    assert [path for _, path, role in rows if not role] == ["/live"]
