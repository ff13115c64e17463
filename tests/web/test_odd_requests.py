"""Whatever bytes come, the desk answers in its own shape or closes, goes on, and shows nothing of the inside."""

import json
import socket

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web_desk import WebDesk

ANSWERED = {400, 404, 405, 408, 413, 415, 421}


@pytest.fixture(scope="module")
def port():
    desk = WebDesk(authenticated=False)
    with desk.serving() as found:
        yield found
    assert desk.control.asked == []


def said(port, data):
    """Send bytes, end, and return everything that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        back = b""
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while part := client.recv(65_536):
                back += part
        except ConnectionError:
            pass
        return back


paths = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30).map(lambda text: f"/{text}")
names = st.sampled_from(["Host", "Content-Type", "Authorization", "Content-Length", "Transfer-Encoding", "X", "Origin"])
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
requests = st.builds(
    lambda method, path, headers, body: (
        f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    ).encode() + body,
    st.sampled_from(["GET", "POST", "PUT", "OPTIONS", "CONNECT", "TRACE", "BREW"]),
    st.one_of(paths, st.sampled_from(["/kill", "/resume", "/health/", "//health", "*", "/%00", "/health%2f"])),
    st.lists(st.tuples(names, values), max_size=5), st.binary(max_size=60),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(requests, st.binary(max_size=200)))
def test_odd_bytes_never_crash_or_show_the_inside(port, data):
    back = said(port, data)
    if back:
        status = int(back.split(b" ", 2)[1])
        assert status in ANSWERED | {200}
    assert b"Traceback" not in back
    assert b"litestar" not in back.lower()
    assert httpx.get(f"http://127.0.0.1:{port}/live").status_code == 200


bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8,
).filter(lambda body: not (isinstance(body, dict) and set(body) <= {"scope", "pack"}))  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies, route=st.sampled_from(["kill", "pause"]))
def test_json_that_is_no_command_is_400(port, body, route):
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"http://127.0.0.1:{port}/{route}", content=json.dumps(body), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
