"""Roles against routes, and tokens that say nothing (HLT-05)."""

import base64
import json

import httpx
import jwt
import pytest
from web_desk import AUDIENCE, NOW, SECRET, WebDesk

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.evidence.certificate import Context, certify
from tradeworthy.operations.evidence.requirements import STANDARD
from tradeworthy.web.tokens import TokenInvalid, Tokens, tokens_of

NOW_S = NOW // 10**9
HEALTH, METRICS = "runtime.health:read", "runtime.metrics:read"
KILL, RESUME, APPROVE = "control:kill", "control:resume", "config:approve"
READ, ACK, PUSH = "alerts:read", "alerts:ack", "alerts:push"
ROLES = (HEALTH, METRICS, KILL, RESUME, APPROVE, READ, ACK, PUSH)
ROUTES = {
    ("GET", "/health"): HEALTH, ("GET", "/ready"): HEALTH, ("GET", "/summary"): HEALTH, ("GET", "/guard"): HEALTH,
    ("GET", "/certificate"): HEALTH, ("GET", "/metrics"): METRICS, ("POST", "/kill"): KILL, ("POST", "/pause"): KILL,
    ("POST", "/resume"): RESUME, ("POST", "/config/approve"): APPROVE,
    ("GET", "/api/alerts"): READ, ("POST", "/api/alerts/r:1/ack"): ACK,
    ("GET", "/api/incidents"): READ, ("GET", "/api/incidents/INC-1"): READ,
    ("POST", "/api/alerts/prometheus"): PUSH, ("GET", "/api/assessments"): HEALTH,
    ("GET", "/api/assessments/roi"): HEALTH, ("GET", "/api/assessments/roi/history"): HEALTH,
    ("GET", "/api/gates"): HEALTH, ("GET", "/api/gates/desk_health"): HEALTH,
}  # fmt: skip


@pytest.fixture(scope="module")
def desk():
    made = WebDesk()
    made.certificate = certify([], [], STANDARD, "h", Context(release="1", tier="t", environment="e", hashes={}), NOW)
    with made.serving() as port:
        made.client = httpx.Client(base_url=f"http://127.0.0.1:{port}")
        yield made
        made.client.close()


def ask(desk, method, path, token=None, scheme="Bearer"):
    headers = {} if token is None else {"authorization": f"{scheme} {token}"}
    approval = {"config_hash": "c", "pack": {}, "gate_run": {}}
    words = {"/resume": {}, "/config/approve": approval}.get(path, {"reason": "canary-reason"})
    body = {"json": words} if method == "POST" else {}
    return desk.client.request(method, path, headers=headers, **body)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_each_route_opens_to_its_role_and_to_no_other(desk, method, path, role):
    desk.control.asked.clear()
    answer = ask(desk, method, path, desk.token(role))
    assert answer.status_code == (200 if ROUTES[method, path] == role else 403)
    assert bool(desk.control.asked) == (method == "POST" and ROUTES[method, path] == role)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_token_every_route_but_live_challenges(desk, method, path):
    answer = ask(desk, method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="tradeworthy"'
    assert desk.client.get("/live").status_code == 200


def test_a_token_of_several_roles_opens_each_of_them(desk):
    token = desk.token(*ROLES)
    assert {ask(desk, method, path, token).status_code for method, path in ROUTES} == {200}


def test_control_hears_the_name_of_the_token_and_no_typed_one(desk):
    desk.control.asked.clear()
    ask(desk, "POST", "/resume", desk.token(RESUME, subject="grace"))
    assert desk.control.asked == [("resume", "desk", None, "grace")]
    headers = {"authorization": f"Bearer {desk.token(RESUME)}"}
    typed = desk.client.post("/resume", json={"principal": "ada"}, headers=headers)
    assert typed.status_code == 400


def test_a_signed_pack_is_handed_on_as_it_came(desk):
    desk.control.asked.clear()
    headers = {"authorization": f"Bearer {desk.token(RESUME)}", "content-type": "application/json"}
    body = b'{"scope": "venue:x", "pack": {"b":1, "a": [2]}}'
    assert desk.client.post("/resume", content=body, headers=headers).status_code == 200
    assert desk.control.asked == [("resume", "venue:x", b'{"b":1, "a": [2]}', "ada")]


def forged(**changes):
    claims = {"sub": "ada", "aud": AUDIENCE, "roles": [HEALTH], "iat": NOW_S, "exp": NOW_S + 60, **changes}
    return {name: value for name, value in claims.items() if value is not None}


def signed(secret=SECRET, algorithm="HS256", **changes):
    return jwt.encode(forged(**changes), secret, algorithm)


def unsigned():
    def part(data):
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(forged())}."


def bent(position):
    """Return a good token with one character changed: 0 header, 1 claims, 2 signature."""
    parts = signed().split(".")
    middle = len(parts[position]) // 2
    other = "A" if parts[position][middle] != "A" else "B"
    parts[position] = parts[position][:middle] + other + parts[position][middle + 1 :]
    return ".".join(parts)


BAD = {
    "no token": "x", "three parts": "a.b.c", "unsigned": unsigned(), "header": bent(0),
    "claims": bent(1), "signature": bent(2), "other secret": signed("another-secret-of-32-bytes-and-more"),
    "other algorithm": signed(algorithm="HS512", secret=SECRET * 2), "other audience": signed(aud="desk-8"),
    "audience among others": signed(aud=[AUDIENCE, "x"]), "no audience": signed(aud=None),
    "no subject": signed(sub=None), "blank subject": signed(sub=" "), "no expiry": signed(exp=None),
    "no issue": signed(iat=None),
    "expired": signed(iat=NOW_S - 60, exp=NOW_S), "from the future": signed(iat=NOW_S + 6, exp=NOW_S + 66),
    "not before": signed(nbf=NOW_S + 6), "longer than a day": signed(exp=NOW_S + 86_401),
    "ends before it began": signed(exp=NOW_S - 1),
    "ends as it begins": signed(iat=NOW_S + 1, exp=NOW_S + 1), "roles as text": signed(roles=HEALTH),
    "expiry as text": signed(exp=str(NOW_S + 60)), "expiry as fraction": signed(exp=NOW_S + 60.5),
    "expiry as truth": signed(exp=True), "too long": signed(sub="x" * 5_000),
}  # fmt: skip


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_refused_like_an_absent_one_and_nothing_is_told(desk, token):
    answer, absent = ask(desk, "GET", "/health", token), ask(desk, "GET", "/health")
    assert (answer.status_code, answer.content) == (401, absent.content)
    assert answer.headers["www-authenticate"] == absent.headers["www-authenticate"]


@pytest.mark.parametrize(
    "changes", [{"exp": NOW_S + 1}, {"iat": NOW_S + 5}, {"exp": NOW_S + 86_400}, {"nbf": NOW_S + 5}]
)
def test_a_token_just_inside_its_time_is_taken(desk, changes):
    assert ask(desk, "GET", "/health", signed(**changes)).status_code == 200


@pytest.mark.parametrize("scheme", ["Basic", "Token", "Bear"])
def test_another_scheme_is_no_token(desk, scheme):
    assert ask(desk, "GET", "/health", desk.token(HEALTH), scheme=scheme).status_code == 401


def test_the_word_bearer_is_taken_in_any_case_but_two_tokens_are_none(desk):
    assert ask(desk, "GET", "/health", desk.token(HEALTH), scheme="bEARER").status_code == 200
    good = ("authorization", f"Bearer {desk.token(HEALTH)}")
    assert desk.client.get("/health", headers=[good, good]).status_code == 401


def test_a_refusal_repeats_nothing_of_what_was_sent_and_nothing_of_the_inside(desk):
    token = desk.token(METRICS, subject="canary-subject")
    for answer in (ask(desk, "POST", "/kill", token), ask(desk, "GET", "/health", bent(2)), ask(desk, "POST", "/no")):
        said = answer.text + str(answer.headers)
        assert not [one for one in (SECRET, "canary", token, "run-1", KILL, "Traceback", "HS256") if one in said]


def test_no_token_or_secret_reaches_a_log(desk, caplog):
    caplog.set_level("DEBUG")
    token = desk.token(HEALTH)
    ask(desk, "GET", "/health", token)
    ask(desk, "GET", "/health", bent(2))
    said = caplog.text
    assert SECRET not in said
    assert token not in said


def test_refusals_and_commands_are_logged_with_the_name_and_no_token(desk, caplog):
    caplog.set_level("INFO", "tradeworthy.web")
    token = desk.token(HEALTH, subject="grace")
    ask(desk, "POST", "/kill", token)
    ask(desk, "POST", "/kill")
    ask(desk, "POST", "/kill", desk.token(KILL, subject="ada"))
    told = [(one.message, getattr(one, "status", None), getattr(one, "principal", None)) for one in caplog.records]
    assert [one for one in told if one[0] in ("access_refused", "control_answered")] == [
        ("access_refused", 403, "grace"), ("access_refused", 401, None), ("control_answered", None, "ada"),
    ]  # fmt: skip
    assert token not in str([vars(one) for one in caplog.records])


def test_without_tokens_a_resume_is_closed_to_all():
    desk = WebDesk(authenticated=False)
    with desk.serving() as port:
        assert httpx.post(f"http://127.0.0.1:{port}/resume", json={"reason": "x"}).status_code == 401
    assert desk.control.asked == []


def test_a_token_is_issued_for_a_day_at_most_and_read_back():
    tokens = Tokens(Secret(SECRET), AUDIENCE)
    who = tokens.read(tokens.issue("ada", (KILL, HEALTH), now=NOW, seconds=86_400), now=NOW)
    assert (who.name, who.roles) == ("ada", frozenset({KILL, HEALTH}))
    for subject, roles, seconds in (("ada", (KILL,), 86_401), ("ada", (KILL,), 0), ("", (KILL,), 9), ("ada", (), 9)):
        with pytest.raises(UsageError):
            tokens.issue(subject, roles, now=NOW, seconds=seconds)


def test_a_token_ends_at_its_second():
    tokens = Tokens(Secret(SECRET), AUDIENCE)
    token = tokens.issue("ada", (KILL,), now=NOW, seconds=60)
    assert tokens.read(token, now=NOW + 60 * 10**9 - 1).name == "ada"
    with pytest.raises(TokenInvalid):
        tokens.read(token, now=NOW + 60 * 10**9)


def test_the_edge_of_what_a_token_may_hold_is_taken_and_one_more_is_not():
    tokens = Tokens(Secret("s" * 32), AUDIENCE)
    for subject, roles in (("x" * 128, (KILL,)), ("x", tuple(f"r{n}" for n in range(16)))):
        who = tokens.read(tokens.issue(subject, roles, now=NOW, seconds=60), now=NOW)
        assert (who.name, len(who.roles)) == (subject, len(roles))
    for subject, roles in (("x" * 129, (KILL,)), ("x", tuple(f"r{n}" for n in range(17)))):
        with pytest.raises(UsageError):
            tokens.issue(subject, roles, now=NOW, seconds=60)


@pytest.mark.parametrize(("size", "taken"), [(4_096, True), (4_097, False)])
def test_a_token_of_the_greatest_length_is_read_and_a_longer_one_is_not(size, taken):
    tokens = Tokens(Secret(SECRET), AUDIENCE)
    token = next(one for n in range(2_600, 3_000) if len(one := signed(pad="x" * n)) >= size)
    assert len(token) == size
    if taken:
        assert tokens.read(token, now=NOW).name == "ada"
    else:
        with pytest.raises(TokenInvalid, match="longer"):
            tokens.read(token, now=NOW)


@pytest.mark.parametrize(("size", "taken"), [(32, True), (31, False)])
def test_a_secret_in_the_environment_is_taken_from_32_bytes_on(size, taken):
    environ = {"RUNTIME_HEALTHCHECK_AUTH_SECRET": "e" * size}
    if taken:
        assert tokens_of(environ, AUDIENCE, None) is not None
    else:
        with pytest.raises(UsageError, match="had 31"):
            tokens_of(environ, AUDIENCE, None)


def test_a_short_secret_is_refused_without_showing_it():
    with pytest.raises(UsageError, match="at least 32 bytes, had 31") as told:
        Tokens(Secret("x" * 15 + "y" * 16), AUDIENCE)
    assert "xy" not in str(told.value)
