"""Assessments and gates over HTTP: what is known, what nobody knows, and a desk that is not judged."""

import httpx
import pytest
from web_desk import WebDesk

from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.gates.named import GATES
from tradeworthy.web.application import create_app


@pytest.fixture(scope="module")
def client():
    desk = WebDesk(authenticated=False)
    with desk.serving() as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield client


def test_all_assessments_are_listed_and_what_was_not_judged_is_unknown(client):
    found = client.get("/api/assessments").json()
    assert found["standing"] == "UNKNOWN"
    assert {one["assessment"] for one in found["assessments"]} == {one.name for one in registry()}


def test_one_assessment_and_its_course(client):
    assert client.get("/api/assessments/roi").json() == {"assessment": "roi", "snapshot": None, "standing": "UNKNOWN"}
    assert client.get("/api/assessments/roi/history").json()["snapshots"] == []


def test_every_gate_is_listed_and_one_without_a_verdict_is_no_go(client):
    found = client.get("/api/gates").json()["gates"]
    assert [one["gate"] for one in found] == list(GATES)
    one = client.get("/api/gates/desk_health").json()
    assert (one["standing"], one["verdict_id"]) == ("NO-GO", None)


@pytest.mark.parametrize("path", ["/api/assessments/none", "/api/assessments/none/history", "/api/gates/none"])
def test_a_name_that_nobody_knows_is_not_found(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "none" not in answer.text.replace("null", "")


@pytest.mark.parametrize("path", ["/api/assessments", "/api/assessments/roi", "/api/gates", "/api/gates/desk_health"])
def test_where_nothing_is_judged_nothing_is_answered(path):
    desk = WebDesk(authenticated=False)
    app = create_app(desk.board, desk.control, desk.policy, clock=desk.clock)
    with desk.serving(app) as port:
        assert httpx.get(f"http://127.0.0.1:{port}{path}").status_code == 503
