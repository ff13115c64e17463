"""Who is told of what, how soon, and what is done when nobody answers: sections `alerts`, `escalation`, `incidents`."""

import math

import msgspec

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.operations.incidents.model import AlertSeverity

INFO, WARNING, ERROR, CRITICAL = AlertSeverity
ALL = ("ops-email", "ops-slack", "ops-webhook", "ops-github")
WITH_SMS = (*ALL, "ops-sms")
REQUIRED_RUNBOOKS = (
    "trading-stopped", "kill-switch", "unexpected-position", "venue-errors", "daily-loss", "risk-breach",
    "risk-policy-violation", "compliance-veto", "execution-failure", "order-blocked", "data-quality", "health-failure",
    "feed-stale", "drift-sentry", "sensor-drift", "bus-outage", "cache-outage", "kafka-offset-recovery", "store-outage",
    "metrics-outage", "resource-exhaustion", "network-partition", "misconfiguration-rollback", "migration-rollback",
    "failover", "disaster-recovery", "leadership-churn", "backlog", "clock", "alert-path", "gate-no-go", "promotion",
    "dry-run", "incident-validation", "secrets-leak",
)  # fmt: skip
"""Pages that must be there, below `docs/runbooks` (IN-11)."""
TRANSPORTS = ("email", "sms", "webhook", "slack", "github", "file", "command")


class ChannelPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to people.

    name          how rules call it
    transport     email, sms, webhook, slack, github, file or command
    min_severity  milder alerts are not sent there
    destination   address: URL, mail address, telephone number, file, or command; empty = not configured; Slack: the
                  URL of a webhook, or #channel with a bot's token as `secret`, which keeps threads
    gateway       where it is handed over: `host:port` of e-mail, URL of SMS, API of GitHub
    secret        reference secret://NAME of the key, token or password
    sender        who it comes from: mail address, telephone number, user
    start_tls     whether e-mail must be encrypted on its way
    """

    name: str
    transport: str
    min_severity: AlertSeverity = WARNING
    destination: str = ""
    gateway: str = ""
    secret: str = ""
    sender: str = ""
    start_tls: bool = True

    def __post_init__(self) -> None:
        if self.transport not in TRANSPORTS:
            raise ValueError(f"transport must be one of {TRANSPORTS}, was {self.transport!r}")


class RulePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which categories go where.

    name                 of the rule
    categories           exact, or a prefix that ends with a point
    channels             names of channels
    min_severity         milder alerts are no matter of this rule
    suppress_s           how long the same alert is not sent again
    suppress_critical_s  the same of a critical one; absent = as the others
    """

    name: str
    categories: tuple[str, ...]
    channels: tuple[str, ...]
    min_severity: AlertSeverity = WARNING
    suppress_s: float = 300.0
    suppress_critical_s: float | None = None

    def matches(self, category: str) -> bool:
        """Tell whether a category is this rule's; a prefix covers its family's own name as well."""
        return any(
            f"{category}.".startswith(one) if one.endswith(".") else category == one for one in self.categories
        )


class NoisePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An ERROR line that is known and answered elsewhere, until a day.

    event   of the line;  owner  who answers for it;  until  last day, e.g. 2026-12-31
    """

    event: str
    owner: str
    until: str


def _under(family: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{family}.{name}" for name in names)


CHANNELS = (
    ChannelPolicy(name="ops-email", transport="email"),
    ChannelPolicy(name="ops-sms", transport="sms", min_severity=CRITICAL),
    ChannelPolicy(name="ops-webhook", transport="webhook"),
    ChannelPolicy(name="ops-slack", transport="slack"),
    ChannelPolicy(name="ops-github", transport="github", min_severity=CRITICAL),
)
RULES = (
    RulePolicy(name="risk-breach", categories=("risk_breach",), channels=ALL),
    RulePolicy(name="system-failure", categories=("system_failure",), channels=WITH_SMS, suppress_s=120),
    RulePolicy(name="operational-readiness", categories=("operational.readiness",), channels=ALL, suppress_s=600),
    RulePolicy(name="operational-component", channels=ALL, categories=(
        *_under("operational", "system_validation", "incident_response", "operational_slos", "drift_sentry"),
        "understanding.drift_sentry",
    )),
    RulePolicy(name="sensory-drift", channels=ALL, suppress_s=600,
               categories=_under("sensory", "drift", "why", "what", "when", "how", "anomaly")),
    RulePolicy(name="system-validation", channels=ALL,
               categories=_under("system_validation", "status", "check", "gate")),
    RulePolicy(name="system-validation-reliability", channels=ALL, suppress_s=600,
               categories=("system_validation.reliability",)),
    RulePolicy(name="incident-response-critical", channels=WITH_SMS,
               categories=_under("incident_response", "missing_runbooks", "postmortem_backlog", "roster.primary")),
    RulePolicy(name="incident-response-reliability", channels=WITH_SMS, suppress_s=600,
               categories=_under("incident_response", "mtta", "mttr", "metrics_staleness")),
    RulePolicy(name="incident-response-notifications", channels=ALL, categories=_under(
        "incident_response", "status", "gate", "issue", "drill", "training", "open_incidents", "roster.secondary",
        "chatops",
    )),
    RulePolicy(name="trading-safety", categories=("guard.", "kill.", "reconciliation.", "gate.", "journal."),
               channels=WITH_SMS, suppress_s=60, suppress_critical_s=0),
    RulePolicy(name="compliance", categories=("compliance.", "surveillance."), suppress_s=0,
               channels=("ops-email", "ops-webhook")),
    RulePolicy(name="alert-path", categories=("alert_path.",), channels=WITH_SMS),
    RulePolicy(name="assessments", categories=("assessment.",), channels=ALL),
)  # fmt: skip


class AlertPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of an alert on its way to people.

    channels                 ways to people;  rules  which categories go where; all that match add up
    default_channels         where a category without a rule goes
    min_severity             milder alerts are journaled and not sent
    severities               severity of a code that is not its own one
    attempt_deadline_s       of one attempt;  attempts  of one notice on one channel
    backoff_min_s, backoff_max_s  between two attempts, drawn with full jitter
    total_deadline_s         of one notice on one channel, its wait in the queue included
    queue_max                notices that wait for one channel;  inbox_max  signals that wait for the path
    active_max               alerts that are known at once
    group_wait_s             how long a group gathers before its first message; a critical alert never waits
    group_interval_s         between two messages of a group
    repeat_critical_s, repeat_s  until an alert that still holds and nobody took is told again
    flap_count, flap_window_s  changes in a time that hold an alert open
    silence_max_hours        longest silence
    canary_period_s          between two canaries;  canary_missing_fail  missing ones that pause the desk
    canary_channel           which channel carries the canary; empty = a file of the desk's own
    dead_man_period_s        between two heartbeats to the outside;  dead_man_timeout_s  silence after which it pages
    dead_man_channel         which channel carries the heartbeat; empty = none
    generate_p99_ms          from the event to the alert, of 100 at least;  generate_max_ms  of any
    receipt_p99_ms           from the event to the first receipt
    undelivered_hold_s       after which a critical alert that reached nobody pauses the desk
    noise                    ERROR lines that are known;  log_routes  code of the alert that an ERROR line is
    storm_pages_max          most messages in `storm_window_s`; what is more is gathered in digests
    storm_window_s           the time that is counted in
    drill_interval_days      after which an alert drill is due
    """

    channels: tuple[ChannelPolicy, ...] = CHANNELS
    rules: tuple[RulePolicy, ...] = RULES
    default_channels: tuple[str, ...] = ("ops-email", "ops-webhook")
    min_severity: AlertSeverity = WARNING
    severities: dict[str, AlertSeverity] = {}
    attempt_deadline_s: float = 4.0
    attempts: int = 3
    backoff_min_s: float = 0.5
    backoff_max_s: float = 8.0
    total_deadline_s: float = 30.0
    queue_max: int = 1_000
    inbox_max: int = 20_000
    active_max: int = 5_000
    group_wait_s: float = 30.0
    group_interval_s: float = 300.0
    repeat_critical_s: float = 3_600.0
    repeat_s: float = 14_400.0
    flap_count: int = 4
    flap_window_s: float = 600.0
    silence_max_hours: float = 24.0
    canary_period_s: float = 60.0
    canary_missing_fail: int = 2
    canary_channel: str = ""
    dead_man_period_s: float = 60.0
    dead_man_timeout_s: float = 120.0
    dead_man_channel: str = ""
    generate_p99_ms: float = 1_000.0
    generate_max_ms: float = 5_000.0
    receipt_p99_ms: float = 5_000.0
    undelivered_hold_s: float = 60.0
    noise: tuple[NoisePolicy, ...] = ()
    log_routes: dict[str, str] = {}
    storm_pages_max: int = 20
    storm_window_s: float = 600.0
    drill_interval_days: int = 90

    def __post_init__(self) -> None:
        require_positive(self, {
            "attempt_deadline_s", "backoff_min_s", "backoff_max_s", "total_deadline_s", "group_interval_s",
            "repeat_critical_s", "repeat_s", "flap_window_s", "silence_max_hours", "canary_period_s",
            "dead_man_period_s", "undelivered_hold_s", "storm_window_s", "generate_p99_ms", "generate_max_ms",
        })  # fmt: skip
        require_order(self, ("backoff_min_s", "backoff_max_s"), ("generate_p99_ms", "generate_max_ms"),
                       ("dead_man_period_s", "dead_man_timeout_s"))  # fmt: skip
        for name, least in (("attempts", 1), ("queue_max", 1), ("inbox_max", 1), ("active_max", 1), ("flap_count", 2),
                            ("canary_missing_fail", 1), ("storm_pages_max", 4),
                            ("drill_interval_days", 1)):  # fmt: skip
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, was {getattr(self, name)}")
        names = [one.name for one in self.channels]
        if len(names) != len(set(names)):
            raise ValueError(f"expected each channel once, found {names}")
        for place, used in (
            *((f"rule {one.name}", one.channels) for one in self.rules), ("default_channels", self.default_channels),
            ("canary_channel", (self.canary_channel,)), ("dead_man_channel", (self.dead_man_channel,)),
        ):  # fmt: skip
            unknown = [one for one in used if one and one not in names]
            if unknown:
                raise ConfigurationRefused(f"{place}: expected channels of {names}, found {unknown}")


class ClockPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A clock of law: an entry of a rule pack.

    id, title      its name, and the notice's
    pack           rule pack that it belongs to
    begins         awareness: when the incident was seen; classification: when its severity was set
    hours, business_days, months  how long; one of them is above 0
    sev_max        incidents up to this number
    codes          prefixes of the incident's code; none = every incident
    """

    id: str
    title: str
    pack: str
    begins: str = "awareness"
    hours: float = 0.0
    business_days: int = 0
    months: int = 0
    sev_max: int = 2
    codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.pack:
            raise ConfigurationRefused(f"clock {self.id!r}: expected a rule pack, found none")
        if sum(one > 0 for one in (self.hours, self.business_days, self.months)) != 1:
            raise ValueError("exactly one of hours, business_days and months must be above 0")
        if self.begins not in ("awareness", "classification"):
            raise ValueError(f"begins must be awareness or classification, was {self.begins!r}")

    def applies(self, sev: int, code: str) -> bool:
        """Tell whether a clock runs for an incident."""
        return sev <= self.sev_max and code.startswith(self.codes or ("",))


REPORTING = ("reporting.", "regulatory_report")
CLOCKS = (
    ClockPolicy(id="ict_early", title="ICT incident notice", pack="ict", begins="classification", hours=4),
    ClockPolicy(id="ict_aware", title="ICT incident notice after awareness", pack="ict", hours=24),
    ClockPolicy(id="ict_intermediate", title="ICT intermediate report", pack="ict", hours=72),
    ClockPolicy(id="ict_final", title="ICT final report", pack="ict", months=1),
    ClockPolicy(id="market_systems", title="market-systems notice", pack="market_systems", hours=24),
    ClockPolicy(id="personal_data", title="personal-data breach notice", pack="personal_data", hours=72,
                codes=("security.", "secrets")),
    ClockPolicy(id="swap_data", title="swap data error notice", pack="swap_data", business_days=7, sev_max=3,
                codes=REPORTING),
    ClockPolicy(id="transaction_report", title="transaction report correction", pack="transaction_report",
                business_days=1, sev_max=3, codes=REPORTING),
    ClockPolicy(id="suspicious_activity", title="suspicious activity report", pack="suspicious_activity", hours=720,
                sev_max=3, codes=("surveillance.", "compliance")),
)  # fmt: skip


class IncidentPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How incidents are opened, answered and judged.

    open_from              alerts from this severity open one
    ack_deadline_minutes   of a SEV-1 or SEV-2
    open_warn, open_fail   open SEV-1 and SEV-2 at once
    mtta_warn_minutes, mtta_fail_minutes  mean time to acknowledge
    mttr_warn_minutes, mttr_fail_minutes  mean time to resolve
    window_days            of both means
    postmortem_warn_hours, postmortem_fail_hours  from resolved to reviewed
    kept_max               incidents kept in memory; the journal keeps all
    rule_packs             rule packs that apply to this desk;  clocks  of law, each of a rule pack
    review_sev1_days       calendar days from resolved to reviewed;  review_sev2_business_days  Monday to Friday
    review_overdue_fail_days  overdue for so long is a failure
    notice_draft_minutes   after which the draft of a notice must be ready
    business_calendar      whose holidays are no business days: an exchange's code such as XNYS; empty = only weekends
    commander_minutes      after which a SEV-1 or SEV-2 asks for a commander
    action_overdue_fail_days  overdue for so long an action is a failure
    false_positive_count, false_positive_days  false alarms of a rule in a time that propose a change of it
    change_request_days    until a proposed change is due
    course_minutes_min     shortest time before and after an incident whose metrics its review shows
    """

    open_from: AlertSeverity = CRITICAL
    ack_deadline_minutes: float = 5.0
    open_warn: int = 1
    open_fail: int = 2
    mtta_warn_minutes: float = 30.0
    mtta_fail_minutes: float = 60.0
    mttr_warn_minutes: float = 180.0
    mttr_fail_minutes: float = 360.0
    window_days: int = 30
    postmortem_warn_hours: float = 24.0
    postmortem_fail_hours: float = 48.0
    kept_max: int = 1_000
    rule_packs: tuple[str, ...] = ()
    clocks: tuple[ClockPolicy, ...] = CLOCKS
    notice_draft_minutes: float = 15.0
    review_sev1_days: int = 3
    review_sev2_business_days: int = 5
    review_overdue_fail_days: int = 5
    business_calendar: str = ""
    commander_minutes: float = 5.0
    action_overdue_fail_days: int = 5
    false_positive_count: int = 3
    false_positive_days: int = 30
    change_request_days: int = 14
    course_minutes_min: float = 15.0

    def __post_init__(self) -> None:
        require_order(self, ("open_warn", "open_fail"), ("mtta_warn_minutes", "mtta_fail_minutes"),
                       ("mttr_warn_minutes", "mttr_fail_minutes"),
                       ("postmortem_warn_hours", "postmortem_fail_hours"))  # fmt: skip
        unknown = sorted(set(self.rule_packs) - {one.pack for one in self.clocks})
        if unknown:
            raise ConfigurationRefused(f"incidents.rule_packs: expected packs with clocks, found {unknown}")
        require_positive(self, {"commander_minutes", "course_minutes_min"})
        for name in (
            "kept_max", "window_days", "action_overdue_fail_days", "false_positive_count", "false_positive_days",
            "change_request_days",
        ):  # fmt: skip
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, was {getattr(self, name)}")


def require_positive(policy: msgspec.Struct, names: set[str]) -> None:
    """Refuse a figure that is not finite and above 0; raises `ValueError`."""
    for name in sorted(names):
        value = getattr(policy, name)
        if not math.isfinite(value) or value <= 0:
            raise ValueError(f"{name} must be finite and above 0, was {value}")


def require_order(policy: msgspec.Struct, *pairs: tuple[str, str]) -> None:
    """Refuse a pair whose first is above its second; raises `ValueError`."""
    for low, high in pairs:
        if getattr(policy, low) > getattr(policy, high):
            raise ValueError(f"{low} must be at most {high}, was {getattr(policy, low)} > {getattr(policy, high)}")
