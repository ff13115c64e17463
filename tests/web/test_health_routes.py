"""Routes and status codes over a real socket (HLT-01, HLT-02, HLT-04, HLT-07)."""

import time

import httpx
import pytest
from web_desk import NOW, WebDesk

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.operations.evidence.certificate import Context, certify
from tradeworthy.operations.evidence.requirements import STANDARD
from tradeworthy.operations.health.facts import Dependency, GuardView, Readiness
from tradeworthy.operations.health.policy import HealthPolicy
from tradeworthy.trading.model import GuardLevel
from tradeworthy.web.application import create_metrics_app
from tradeworthy.web.ports import ControlAnswer


@pytest.fixture(scope="module")
def served():
    desk = WebDesk(authenticated=False)
    with desk.serving() as port:
        desk.client = httpx.Client(base_url=f"http://127.0.0.1:{port}")
        yield desk
        desk.client.close()


@pytest.fixture
def desk(served):
    yield served
    served.guard(GuardLevel.RUNNING)
    served.board.put("database", Dependency(at=NOW, reachable=True))
    served.board.mark(Readiness(started=True, journal_restored=True, guard_restored=True))
    served.control.asked.clear()
    served.control.answer = ControlAnswer(outcome="done", text="as asked")
    served.certificate = None


def test_a_fit_desk_answers_200_with_every_check(desk):
    answer = desk.client.get("/health")
    body = answer.json()
    assert (answer.status_code, body["status"], body["run_id"], body["environment"]) == (200, "OK", "run-1", "paper")
    assert answer.headers["content-type"] == "application/json"
    assert {one["name"] for one in body["checks"] if one["applies"]} == {"guard", "database", "disk"}


@pytest.mark.parametrize(("level", "status"), [(GuardLevel.PAUSED, 200), (GuardLevel.STOPPED, 503)])
def test_a_warning_is_200_and_a_failure_503(desk, level, status):
    desk.guard(level)
    assert desk.client.get("/health").status_code == status


def test_unknown_is_503(desk):
    desk.board.put("guard", GuardView(at=NOW, level=None))
    answer = desk.client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "UNKNOWN")


def test_a_database_that_hangs_leaves_a_fast_answer_that_does_not_know(desk):
    desk.board.put("database", Dependency(at=NOW - 30 * NANOS_PER_SECOND, reachable=True))
    times = []
    for _ in range(30):
        start = time.perf_counter()
        answer = desk.client.get("/health")
        times.append(time.perf_counter() - start)
        assert answer.status_code == 503
    assert sorted(times)[len(times) // 2] <= 0.050


def test_ready_names_what_is_missing_and_live_needs_nothing(desk):
    assert desk.client.get("/ready").json() == {"schema": "tradeworthy.ready/1", "ready": True, "missing": []}
    desk.board.mark(Readiness(started=True, guard_restored=True))
    answer = desk.client.get("/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["journal_restored"])
    assert desk.client.get("/live").json() == {"schema": "tradeworthy.live/1", "status": "OK"}


@pytest.mark.parametrize("path", ["/health", "/ready", "/live", "/metrics"])
def test_a_probe_may_ask_with_head(desk, path):
    asked, whole = desk.client.head(path), desk.client.get(path)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-type"] == whole.headers["content-type"]


def test_metrics_and_summary_are_handed_on(desk):
    answer = desk.client.get("/metrics")
    assert answer.text.endswith("tradeworthy_up 1.0\n")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert desk.client.get("/summary").json() == {"schema": "s/1"}


def test_the_guard_is_shown_with_its_reasons(desk):
    desk.guard(GuardLevel.STOPPED)
    body = desk.client.get("/guard").json()
    assert (body["schema"], body["level"]) == ("tradeworthy.guard/1", "stopped")
    assert [(one["owner"], one["code"], one["level"]) for one in body["reasons"]] == [("operator", "kill", "stopped")]
    desk.board.put("guard", GuardView(at=NOW))
    assert desk.client.get("/guard").status_code == 503


def test_the_certificate_is_shown_whatever_it_says_and_its_absence_is_told(desk):
    absent = desk.client.get("/certificate")
    assert (absent.status_code, absent.json()["code"]) == (503, "unavailable")
    context = Context(release="1", tier="tier_0", environment="paper", hashes={})
    desk.certificate = certify([], [], STANDARD, "h", context, NOW)
    answer = desk.client.get("/certificate")
    assert (answer.status_code, answer.json()["verdict"]) == (200, "NO-GO")


def test_a_kill_and_a_pause_reach_control_with_their_words(desk):
    assert desk.client.post("/kill", json={"reason": "smoke"}).status_code == 200
    desk.client.post("/kill", json={"reason": "smoke", "scope": "venue:x", "flatten": True})
    desk.client.post("/pause", json={"reason": "lunch", "expires_at": 5})
    assert desk.control.asked == [
        ("kill", "smoke", "desk", False, "loopback"), ("kill", "smoke", "venue:x", True, "loopback"),
        ("pause", "lunch", "desk", 5, "loopback"),
    ]  # fmt: skip


@pytest.mark.parametrize(("outcome", "status"), [("done", 200), ("accepted", 202), ("refused", 409), ("unknown", 504)])
def test_what_became_of_a_command_is_its_status(desk, outcome, status):
    desk.control.answer = ControlAnswer(outcome=outcome, text="t", faults=("one", "two"))
    answer = desk.client.post("/kill", json={"reason": "smoke"})
    assert (answer.status_code, answer.json()["outcome"], answer.json()["faults"]) == (status, outcome, ["one", "two"])


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 400), (b"", "application/json", 400), (b"[", "application/json", 400),
        (b'{"reason": " "}', "application/json", 400), (b'{"reason": 7}', "application/json", 400),
        (b'{"reason": "x", "scop": "desk"}', "application/json", 400), (b"\xff", "application/json", 400),
        (b'{"reason": "x"}', "text/plain", 415), (b'{"reason": "x"}', "application/x-www-form-urlencoded", 415),
        (b'{"reason": "' + b"x" * 20_000 + b'"}', "application/json", 413),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_read_does_nothing(desk, content, kind, status):
    answer = desk.client.post("/kill", content=content, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert desk.control.asked == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404), ("GET", "/", 404), ("GET", "/schema", 404), ("GET", "/kill", 405),
        ("POST", "/health", 405), ("DELETE", "/guard", 405), ("HEAD2", "/health", 405), ("GET", "/health/../kill", 405),
    ],
)  # fmt: skip
def test_unknown_addresses_and_methods_have_the_one_shape_of_refusals(desk, method, path, status):
    answer = desk.client.request(method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["schema", "status", "code", "message"]
    assert answer.json()["schema"] == "tradeworthy.error/1"


def test_a_crash_shows_nothing_of_the_inside(desk, caplog):
    desk.control.answer = RuntimeError("the inside password=hunter2222")
    answer = desk.client.post("/kill", json={"reason": "smoke"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "inside" not in answer.text
    assert "Traceback" not in answer.text
    told = [one for one in caplog.records if one.message == "request_failed"]
    assert told
    assert "the inside" in told[0].trace
    assert "hunter2222" not in told[0].trace


def test_every_answer_carries_the_security_headers_and_closes(desk):
    for path in ("/health", "/live", "/nothing"):
        headers = desk.client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["connection"] == "close"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers
        assert "strict-transport-security" not in headers


@pytest.mark.parametrize("host", ["desk.attacker.example", "127.0.0.1.attacker.example:80", "", "localhost@evil"])
def test_without_tokens_only_loopback_names_are_answered(desk, host):
    answer = desk.client.post("/kill", json={"reason": "x"}, headers={"host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "misdirected")
    assert desk.control.asked == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]"])
def test_loopback_names_are_known(desk, host):
    assert desk.client.get("/live", headers={"host": host}).status_code == 200


def test_a_custom_path_answers_in_place_of_the_default():
    desk = WebDesk(policy=HealthPolicy(port=0, path="/desk/healthz"), authenticated=False)
    with desk.serving() as port:
        assert httpx.get(f"http://127.0.0.1:{port}/desk/healthz").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 404


def test_the_second_listener_has_metrics_and_nothing_else():
    desk = WebDesk(policy=HealthPolicy(port=0, metrics_port=0), authenticated=False)
    metrics = create_metrics_app(desk.board, desk.policy, clock=desk.clock)
    with desk.serving(metrics=metrics) as port:
        second = desk.ports[1]
        assert second != port
        for where in (port, second):
            assert httpx.get(f"http://127.0.0.1:{where}/metrics").text.endswith("tradeworthy_up 1.0\n")
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        foreign = httpx.get(f"http://127.0.0.1:{second}/metrics", headers={"host": "desk.attacker.example"})
        assert foreign.status_code == 421
        for path in ("health", "ready", "live", "kill", "summary"):
            assert httpx.get(f"http://127.0.0.1:{second}/{path}").status_code == 404
