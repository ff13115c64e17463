"""Every environment variable that the product reads, in one table (APP-11, APP-14, HLT-04, LOG-03)."""

from typing import NamedTuple


class EnvironmentKey(NamedTuple):
    """One variable, or one family of them: `<...>` stands for a part of the name."""

    name: str
    kind: str
    default: str
    unit: str
    meaning: str


_HEALTH = "RUNTIME_HEALTHCHECK_"
ENVIRONMENT_KEYS: tuple[EnvironmentKey, ...] = (
    EnvironmentKey("TRADEWORTHY__<SECTION>__<KEY>", "as the key", "", "", "overrides one key of the document"),
    EnvironmentKey("TRADEWORTHY_DATA", "folder", "../shared/data", "", "what `$TRADEWORTHY_DATA/` stands for in tapes"),
    EnvironmentKey("TRADEWORTHY_SECRETS", "folder", "/run/secrets", "", "one file a secret, named as in secret://NAME"),
    EnvironmentKey("TRADEWORTHY_SECRET_<NAME>", "text", "", "", "a secret that has no file"),
    EnvironmentKey("TRADEWORTHY_ACTOR", "text", "the system's user", "", "who starts the desk, for the audit"),
    EnvironmentKey("NOTIFY_SOCKET", "path", "", "", "where the process manager hears readiness and beats"),
    EnvironmentKey("FINAL_DRY_RUN_LOG_DIR", "folder", "", "", "of the dry run that observes this process"),
    EnvironmentKey("FINAL_DRY_RUN_DIARY_PATH", "path", "", "", "where the decision diary goes"),
    EnvironmentKey("FINAL_DRY_RUN_PERFORMANCE_PATH", "path", "", "", "where the performance file goes"),
    EnvironmentKey("DECISION_DIARY_PATH", "path", "FINAL_DRY_RUN_DIARY_PATH", "", "wins over the dry run's own"),
    EnvironmentKey("PERFORMANCE_METRICS_PATH", "path", "FINAL_DRY_RUN_PERFORMANCE_PATH", "", "wins over the dry run's"),
    EnvironmentKey("FINAL_DRY_RUN_LABEL", "text", "", "", "label of diary and performance"),
    EnvironmentKey("FINAL_DRY_RUN_RUN_ID", "text", "", "", "id of the dry run"),
    EnvironmentKey("FINAL_DRY_RUN_HEARTBEAT_SECONDS", "number", "", "s", "how often the process must beat"),
    EnvironmentKey("RUNTIME_<COMPONENT>_MAX_RESTARTS", "whole number", "by workload", "", "none, null or unlimited = "
                   "no limit; unreadable = the default, with a warning"),
    EnvironmentKey("RUNTIME_<COMPONENT>_RESTART_BACKOFF_SECONDS", "number", "by workload", "s", "base of the back-off; "
                   "unreadable = the default, with a warning"),
    EnvironmentKey("RUNTIME_<COMPONENT>_HANG_TIMEOUT_SECONDS", "number", "by workload", "s", "empty, none, null, "
                   "disabled or off = none; unreadable = the default, with a warning"),
    EnvironmentKey("RUNTIME_TIME_INTEGRITY_ENABLED", "true or false", "true", "", "compare wall and monotonic clock"),
    EnvironmentKey("RUNTIME_TIME_INTEGRITY_THRESHOLD_SECONDS", "number", "0.75", "s", "drift that pauses the desk"),
    EnvironmentKey("RUNTIME_TIME_INTEGRITY_INTERVAL_SECONDS", "number", "10", "s", "between two comparisons"),
    EnvironmentKey("RUNTIME_DRIFT_MONITOR_ENABLED", "true or false", "true", "", "compare what runs with the approved"),
    EnvironmentKey("RUNTIME_DRIFT_MONITOR_INTERVAL_SECONDS", "number", "120", "s", "between two comparisons"),
    EnvironmentKey("RIM_RUNTIME_ENABLED", "true or false", "false", "", "suggest to people from own decisions"),
    EnvironmentKey("RIM_RUNTIME_INTERVAL_SECONDS", "number", "3600", "s", "between two reflections"),
    EnvironmentKey("RIM_RUNTIME_RUN_ON_START", "true or false", "true", "", "reflect at once"),
    EnvironmentKey("RIM_RUNTIME_CONFIG_PATH", "path", "", "", "TOML with limits of runtime.reflection"),
    EnvironmentKey("RIM_RUNTIME_MODEL_PATH", "path", "", "", "JSON of the model; empty = the initial one"),
    EnvironmentKey("RIM_RUNTIME_DEBUG_LOGS", "true or false", "false", "", "log the features of each suggestion"),
    EnvironmentKey("RUNTIME_WATCHDOG_HTTP", "address", "127.0.0.1:8081", "", "where the watchdog answers for the desk"),
    EnvironmentKey("RUNTIME_WATCHDOG_PAGE_COMMAND", "command", "", "", "how the watchdog pages people"),
    EnvironmentKey("LOG_DIR", "folder", "", "", "where log files lie"),
    EnvironmentKey("LOG_LEVEL", "text", "info", "", "debug to critical"),
    EnvironmentKey("LOG_RETENTION_DAYS", "whole number", "7", "d", "rotated files that are kept"),
    EnvironmentKey("RUNTIME_LOG_LEVEL", "text", "", "", "wins over LOG_LEVEL"),
    EnvironmentKey("RUNTIME_LOG_STRUCTURED", "true or false", "true", "", "JSON on the stream"),
    EnvironmentKey("RUNTIME_LOG_CONTEXT", "JSON object", "", "", "fields of every line"),
    EnvironmentKey("OTEL_ENABLED", "true or false", "false", "", "export traces; needs the extra tracing"),
    EnvironmentKey("OTEL_CONSOLE_EXPORTER", "true or false", "false", "", "print spans"),
    EnvironmentKey("OTEL_SERVICE_NAME", "text", "tradeworthy", "", "of this process in traces"),
    EnvironmentKey("OTEL_ENVIRONMENT", "text", "", "", "of the deployment in traces"),
    EnvironmentKey("OTEL_EXPORTER_OTLP_ENDPOINT", "address", "http://127.0.0.1:4318", "", "where spans go"),
    EnvironmentKey("OTEL_EXPORTER_OTLP_HEADERS", "secret", "", "", "sent with spans, name=value with commas between"),
    EnvironmentKey("OTEL_EXPORTER_OTLP_TIMEOUT", "number", "10", "s", "of one export of spans"),
    EnvironmentKey("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "address", "", "", "where logs go; empty = nowhere"),
    EnvironmentKey("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "secret", "", "", "sent with logs"),
    EnvironmentKey("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "number", "10", "s", "of one export of logs"),
    EnvironmentKey(f"{_HEALTH}ENABLED", "true or false", "true", "", "answer health requests"),
    EnvironmentKey(f"{_HEALTH}HOST", "address", "127.0.0.1", "", "where health is answered"),
    EnvironmentKey(f"{_HEALTH}PORT", "port", "8080", "", "where health is answered"),
    EnvironmentKey(f"{_HEALTH}PATH", "path", "/health", "", "of the health route"),
    EnvironmentKey(f"{_HEALTH}INGEST_WARN_SECONDS", "number", "900", "s", "age of market data that warns"),
    EnvironmentKey(f"{_HEALTH}INGEST_FAIL_SECONDS", "number", "1800", "s", "age of market data that fails"),
    EnvironmentKey(f"{_HEALTH}DECISION_WARN_SECONDS", "number", "180", "s", "age of the last decision that warns"),
    EnvironmentKey(f"{_HEALTH}DECISION_FAIL_SECONDS", "number", "600", "s", "age of the last decision that fails"),
    EnvironmentKey(f"{_HEALTH}AUTH_SECRET", "secret", "", "", "signs bearer tokens"),
    EnvironmentKey(f"{_HEALTH}TOKEN_AUDIENCE", "text", "tradeworthy", "", "what a token must be made for"),
    EnvironmentKey(f"{_HEALTH}HEALTH_ROLES", "list", "runtime.health:read", "", "any one reads health"),
    EnvironmentKey(f"{_HEALTH}METRICS_ROLES", "list", "runtime.metrics:read", "", "any one reads metrics"),
    EnvironmentKey(f"{_HEALTH}CERT_PATH", "path", "", "", "TLS certificate; both or neither"),
    EnvironmentKey(f"{_HEALTH}KEY_PATH", "path", "", "", "TLS key; both or neither"),
)  # fmt: skip
