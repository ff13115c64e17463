"""The keys of HLT-04: each one read, each wrong one named."""

import pytest

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.health.policy import KEYS, PREFIX, HealthPolicy, of_environment

VALUES = {
    "ENABLED": ("off", False), "HOST": ("::1", "::1"), "PORT": ("18080", 18_080), "PATH": ("/healthz", "/healthz"),
    "INGEST_WARN_SECONDS": ("9", 9.0), "INGEST_FAIL_SECONDS": ("2000", 2000.0), "DECISION_WARN_SECONDS": ("8", 8.0),
    "DECISION_FAIL_SECONDS": ("700.5", 700.5), "TOKEN_AUDIENCE": ("desk-7", "desk-7"),
    "HEALTH_ROLES": ("a, b", ("a", "b")), "METRICS_ROLES": ("m", ("m",)), "CERT_PATH": ("c.pem", "c.pem"),
    "KEY_PATH": ("k.pem", "k.pem"),
}  # fmt: skip


def test_every_key_is_read_into_its_field():
    assert VALUES.keys() == KEYS.keys()
    policy = of_environment({f"{PREFIX}{key}": text for key, (text, _) in VALUES.items()})
    assert {key: getattr(policy, KEYS[key][0]) for key in KEYS} == {key: value for key, (_, value) in VALUES.items()}


def test_defaults_are_those_of_the_page_and_stay_where_a_key_is_absent_or_empty():
    policy = of_environment({f"{PREFIX}PORT": "", "OTHER": "1", f"{PREFIX}AUTH_SECRET": "secret://health"})
    assert policy == HealthPolicy()
    assert (policy.host, policy.port, policy.path, policy.metrics_port) == ("127.0.0.1", 8080, "/health", 9464)
    assert (policy.ingest_warn_seconds, policy.ingest_fail_seconds) == (900, 1_800)
    assert (policy.decision_warn_seconds, policy.decision_fail_seconds) == (180, 600)
    assert of_environment({f"{PREFIX}PORT": "81"}, HealthPolicy(host="::1")).host == "::1"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("ENABLED", "perhaps"), ("PORT", "80a"), ("PORT", "65536"), ("PORT", "-1"), ("PATH", "health"),
        ("PATH", "/metrics"), ("PATH", "/"), ("PATH", "/live/"), ("PATH", "/a b"), ("PATH", "/{x}"),
        ("INGEST_WARN_SECONDS", "nan"), ("INGEST_WARN_SECONDS", "soon"), ("DECISION_WARN_SECONDS", "0"),
        ("DECISION_FAIL_SECONDS", "inf"), ("INGEST_WARN_SECONDS", "1801"), ("CERT_PATH", "c.pem"),
        ("PORT", "\u0661"), ("PORT", "8 0"), ("KEY_PATH", "k.pem"), ("HEALTH_ROLES", ","),
        ("PROT", "8080"), ("PORT", "9464"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_and_named(key, text):
    with pytest.raises(UsageError, match=PREFIX):
        of_environment({f"{PREFIX}{key}": text})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.1", False), ("desk.example", False)],
)  # fmt: skip
def test_loopback_is_told_by_the_address_and_a_name_is_not_trusted_to_be_one(host, loopback):
    assert HealthPolicy(host=host).loopback is loopback


@pytest.mark.parametrize(
    "fields",
    [
        {"port": -1}, {"port": 65_536}, {"metrics_port": -1}, {"metrics_port": 65_536}, {"clock_offset_warn_share": 0},
        {"clock_offset_warn_share": 1.01}, {"metrics_port": 8080}, {"answer_seconds_max": 0}, {"token_audience": ""},
        {"metrics_roles": ()}, {"health_roles": ()}, {"session_idle_seconds": float("inf")},
        {"evidence_store": "store"}, {"evidence_trust": "trust.json"},
    ],
)  # fmt: skip
def test_a_contradiction_is_refused(fields):
    with pytest.raises(ValueError, match=next(iter(fields))):
        HealthPolicy(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"port": 0}, {"port": 65_535}, {"metrics_port": 0}, {"metrics_port": 65_535}, {"metrics_port": None},
        {"port": 0, "metrics_port": 0}, {"clock_offset_warn_share": 1}, {"clock_offset_warn_share": 0.001},
        {"ingest_warn_seconds": 1_800.0}, {"decision_warn_seconds": 600.0}, {"path": "/a-Z_0.9/b"},
    ],
)  # fmt: skip
def test_the_edge_of_what_may_be_is_taken(fields):
    assert {name: getattr(HealthPolicy(**fields), name) for name in fields} == fields


def test_the_greatest_port_is_read():
    assert of_environment({f"{PREFIX}PORT": "65535"}).port == 65_535


def test_a_path_of_any_plain_character_but_not_every_one_of_them_is_taken():
    assert of_environment({f"{PREFIX}PATH": "/fit"}).path == "/fit"
