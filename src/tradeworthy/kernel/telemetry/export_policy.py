"""Whether and where spans and lines are exported: typed defaults and the OTEL_* variables (TRC-01, LOG-06)."""

from collections.abc import Mapping

import msgspec

from tradeworthy.kernel.redaction import SECRET_BYTES_MIN, register

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
HEADERS, LOGS_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_LOGS_HEADERS"


class ExportPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is exported over OTLP; off by default.

    enabled          spans are made at all;  console  they are also shown on the error stream, one a line
    deployment       the resource's environment, the run's own when empty
    endpoint         base address of the collector, spans go to `/v1/traces` below it
    logs_endpoint    full address for lines; empty: lines are not exported
    sample_ratio     share of traces that are kept, whole traces only
    queue_items      what waits for a collector, the batch under way included; more is dropped and counted
    """

    enabled: bool = False
    service_name: str = "tradeworthy"
    deployment: str = ""
    console: bool = False
    endpoint: str = "http://127.0.0.1:4318"
    timeout_s: float = 10.0
    logs_endpoint: str = ""
    logs_timeout_s: float = 10.0
    sample_ratio: float = 1.0
    queue_items: int = 2_048
    batch_items: int = 512
    interval_s: float = 1.0
    close_timeout_s: float = 2.0

    def __post_init__(self) -> None:
        if not 1 <= self.batch_items <= self.queue_items:
            raise ValueError(f"batch_items must be 1 to queue_items {self.queue_items}, was {self.batch_items}")
        if not 0.0 <= self.sample_ratio <= 1.0:
            raise ValueError(f"sample_ratio must be from 0 to 1, was {self.sample_ratio}")
        if not (self.timeout_s > 0 and self.logs_timeout_s > 0 and self.interval_s > 0):
            raise ValueError("timeout_s, logs_timeout_s and interval_s must be above 0")


def with_otel_variables(policy: ExportPolicy, variables: Mapping[str, str]) -> tuple[ExportPolicy, tuple[str, ...]]:
    """Return the policy as variables change it, and one text for each variable that was ignored."""
    problems: list[str] = []

    def flag(key: str, otherwise: bool) -> bool:
        word = variables.get(key, "").strip().lower()
        if word and word not in (*_TRUE, *_FALSE):
            problems.append(f"{key} must be true or false, was {word!r}; {otherwise} stays")
            return otherwise
        return word in _TRUE if word else otherwise

    def seconds(key: str, otherwise: float) -> float:
        word = variables.get(key, "").strip()
        try:
            found = float(word) if word else otherwise
        except ValueError:
            found = -1.0
        if not 0 < found < 3_600:
            problems.append(f"{key} must be seconds above 0 and below 3600, was {word!r}; {otherwise} stays")
            return otherwise
        return found

    def word(key: str, otherwise: str) -> str:
        return variables.get(key, "").strip() or otherwise

    changed = msgspec.structs.replace(
        policy, enabled=flag("OTEL_ENABLED", policy.enabled), console=flag("OTEL_CONSOLE_EXPORTER", policy.console),
        service_name=word("OTEL_SERVICE_NAME", policy.service_name),
        deployment=word("OTEL_ENVIRONMENT", policy.deployment),
        endpoint=word("OTEL_EXPORTER_OTLP_ENDPOINT", policy.endpoint),
        timeout_s=seconds("OTEL_EXPORTER_OTLP_TIMEOUT", policy.timeout_s),
        logs_endpoint=word("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", policy.logs_endpoint),
        logs_timeout_s=seconds("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", policy.logs_timeout_s),
    )  # fmt: skip
    return changed, tuple(problems)


def headers_of(text: str) -> dict[str, str]:
    """Return `name=value,name=value` as a mapping; each value is a secret from here on."""
    found = {}
    for pair in text.split(","):
        name, equals, value = pair.partition("=")
        if equals and name.strip():
            found[name.strip().lower()] = value.strip()
            if len(value.strip().encode()) >= SECRET_BYTES_MIN:
                register(value.strip())
    return found
