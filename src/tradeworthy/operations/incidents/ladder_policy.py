"""Who is asked next, by which channel, and when nobody may be reached (AR-18)."""

import msgspec

from tradeworthy.kernel.errors import ConfigurationRefused
from tradeworthy.operations.incidents.policy import WITH_SMS, AlertPolicy, require_order, require_positive


class TierPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked together.

    roles     of the people;  channels  that reach them
    """

    roles: tuple[str, ...]
    channels: tuple[str, ...]


TIERS = (
    TierPolicy(roles=("head_of_desk", "automated_director", "sponsor"), channels=WITH_SMS),
    TierPolicy(roles=("risk_officer", "safety_officer"), channels=("ops-email", "ops-sms")),
    TierPolicy(roles=("compliance", "legal"), channels=("ops-email", "ops-sms")),
)
"""Who is asked where a document names nobody; over its default channels where it has none of these."""


class EscalationPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked next, and when (AR-18).

    tiers                  first, second and third
    tier_2_after_s, tier_3_after_s  without acknowledgement
    no_answer_reducing_s   after which the guard is asked to reduce
    ack_hold_s             how long an acknowledgement stops the ladder
    both_codes, legal_codes  prefixes of codes that start at tiers 1 and 2, and at 1 and 3
    session_start_hour, session_end_hour  UTC hours in which an `error` climbs; outside it waits for the next session
    session_weekdays       days of the session, 0 = Monday
    open_max               ladders that climb at once
    roster                 file with the roster; empty = nobody keeps one
    roster_age_hours_max   age from which a roster fails
    roster_warn_days, roster_error_hours  a gap this far ahead warns, is an error
    primary_min, secondary_min  people at any moment
    contact_test_days      after which a contact must have reached its person again
    """

    tiers: tuple[TierPolicy, ...] = TIERS
    tier_2_after_s: float = 300.0
    tier_3_after_s: float = 600.0
    no_answer_reducing_s: float = 900.0
    ack_hold_s: float = 1_800.0
    both_codes: tuple[str, ...] = ("risk_stress_breach", "risk_limit", "drawdown_hard")
    legal_codes: tuple[str, ...] = ("compliance.", "compliance_reject", "surveillance.", "regulatory.")
    session_start_hour: int = 0
    session_end_hour: int = 24
    session_weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    open_max: int = 256
    roster: str = ""
    roster_age_hours_max: float = 24.0
    roster_warn_days: float = 14.0
    roster_error_hours: float = 72.0
    primary_min: int = 1
    secondary_min: int = 1
    contact_test_days: float = 30.0

    def __post_init__(self) -> None:
        require_positive(self, {
            "tier_2_after_s", "tier_3_after_s", "no_answer_reducing_s", "ack_hold_s", "roster_age_hours_max",
            "roster_warn_days", "roster_error_hours", "contact_test_days",
        })  # fmt: skip
        if self.roster_error_hours > self.roster_warn_days * 24:
            raise ValueError("roster_error_hours must be at most roster_warn_days, was longer")
        require_order(self, ("tier_2_after_s", "tier_3_after_s"), ("tier_3_after_s", "no_answer_reducing_s"))
        if len(self.tiers) != 3 or any(not one.roles or not one.channels for one in self.tiers):
            raise ConfigurationRefused("escalation.tiers: expected three tiers with people and channels each")
        if not 0 <= self.session_start_hour < self.session_end_hour <= 24:
            raise ValueError("expected 0 <= session_start_hour < session_end_hour <= 24")
        if not self.session_weekdays:
            raise ValueError("expected a day in session_weekdays, found none")


def reachable(policy: AlertPolicy, escalation: EscalationPolicy) -> EscalationPolicy:
    """Return the ladder over channels that there are.

    A tier that a document wrote must name channels of its own. The tiers of `TIERS` keep those of theirs that there
    are, else take the default channels. Raises `ConfigurationRefused`.
    """
    names, tiers = [one.name for one in policy.channels], list(escalation.tiers)
    for place, tier in enumerate(tiers):
        known = tuple(name for name in tier.channels if name in names)
        if len(known) == len(tier.channels):
            continue
        if tier not in TIERS:
            unknown = [name for name in tier.channels if name not in names]
            raise ConfigurationRefused(f"escalation tier {place + 1}: expected channels of {names}, found {unknown}")
        tiers[place] = msgspec.structs.replace(tier, channels=known or policy.default_channels)
    return msgspec.structs.replace(escalation, tiers=tuple(tiers))


def require_live(policy: AlertPolicy, escalation: EscalationPolicy) -> None:
    """Refuse a policy by which a critical alert could reach nobody in live: two independent ways for each rule."""
    ready = {one.name: one.transport for one in policy.channels if one.destination}
    for rule in policy.rules:
        ways = {ready[name] for name in rule.channels if name in ready}
        if len(ways) < 2:
            raise ConfigurationRefused(
                f"rule {rule.name}: expected two configured channels of different transports in live, "
                f"found {sorted(ways)}"
            )
    for number, tier in enumerate(escalation.tiers, 1):
        if not any(name in ready for name in tier.channels):
            raise ConfigurationRefused(f"escalation tier {number}: expected a configured channel in live, found none")
