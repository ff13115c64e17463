"""The judgement of each soak: one check a KPI, with its name, its value and its limit."""

from collections.abc import Sequence

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.soak.limits import above, at_least, at_most, below
from tradeworthy.research.soak.policy import FamilyPolicy, LiveDataPolicy, MultiDayPolicy, PaperPolicy, SmokePolicy
from tradeworthy.research.soak.watch import MINUTE, SoakWatch

HOUR = 60 * MINUTE


def judge_smoke(watch: SoakWatch, policy: SmokePolicy) -> tuple[Check, ...]:
    """Return the checks of SK-01."""
    active = None
    if watch.start is not None and watch.first_active is not None:
        active = (watch.first_active - watch.start) / MINUTE
    orders = at_most("soak.orders_active_after_minutes", active, policy.orders_active_after_minutes_cap)
    if active is None:
        orders = Check(orders.code, Severity.FAIL, "never", orders.limit, "no order was ever active")
    return (
        at_least("soak.minutes", watch.nanos / MINUTE, policy.minutes_min),
        at_least("soak.fills", watch.fills, policy.fills_min), orders,
    )  # fmt: skip


def judge_paper(watch: SoakWatch, policy: PaperPolicy) -> tuple[Check, ...]:
    """Return the checks of SK-02; a minute without an event is a minute that did not run."""
    whole, seen, running = watch.minutes()
    records = watch.records
    settled = (watch.start or 0) + int(watch.nanos * policy.settled_share)
    rejects = sum(ts >= settled for ts in watch.rejects)
    return (
        at_least("soak.minutes", watch.nanos / MINUTE, policy.minutes_min),
        at_least(
            "soak.running_share", running / whole if whole else None, policy.running_share_min,
            f"{running} of {whole} minutes ran, {whole - seen} missing",
        ),
        at_most("soak.turnover", float(records.traded / records.capital), policy.turnover_cap),
        below("soak.day_loss", watch.day_loss(), policy.day_loss_limit),
        below("soak.drawdown", records.equity.drawdown, policy.drawdown_limit),
        at_least(
            "soak.cancels_in_budget", watch.cancels_in_budget(policy.cancels_a_minute_cap), policy.cancels_in_budget_min
        ),
        at_least("soak.fills", watch.fills, policy.fills_min),
        at_most("soak.rejects", rejects, policy.rejects_cap, "after the first quarter"),
    )  # fmt: skip


def judge_live_data(
    watch: SoakWatch, policy: LiveDataPolicy, *, order_requests: int | None, fill_factor: float | None,
    reference: float | None, perpetual: bool, reference_perpetual: bool | None,
) -> tuple[Check, ...]:  # fmt: skip
    """Return the checks of SK-03.

    order_requests       what the exchange counted, None where nobody counted
    fill_factor          of this run;  reference  of the testnet run;  None = too few fills or no run
    reference_perpetual  whether the testnet run traded a perpetual, None without one
    """
    age = None if watch.age_max_ns is None else watch.age_max_ns / NANOS_PER_SECOND
    change = None
    if fill_factor is not None and reference:
        change = abs(fill_factor - reference) / abs(reference)
    checks = [
        at_least("soak.minutes", watch.nanos / MINUTE, policy.minutes_min),
        at_most("soak.order_requests", order_requests, policy.order_requests_cap, "counted at the exchange"),
        below("soak.data_age_s", age, policy.data_age_limit_s),
        below("soak.fill_factor_change", change, policy.fill_factor_change_limit, "against the testnet run"),
    ]
    if perpetual:
        fits = {None: Severity.UNKNOWN, False: Severity.FAIL, True: Severity.OK}[reference_perpetual]
        found = {None: "no testnet run", False: "spot", True: "perpetual"}[reference_perpetual]
        checks.append(Check("soak.perpetual_testnet", fits, found, "perpetual", "spot paper does not count"))
    return tuple(checks)


def judge_multi_day(
    watch: SoakWatch, policy: MultiDayPolicy, *, instances: int, messages_per_second: int | None, perpetual: bool
) -> tuple[Check, ...]:
    """Return the checks of SK-04; `messages_per_second` is the venue's published rate or the desk's own limit."""
    missing = watch.missing_minutes()
    whole, seen, _ = watch.minutes()
    peak = max(watch.messages_a_second.values(), default=0)
    headroom = None if not messages_per_second else 1 - peak / messages_per_second
    days = int(policy.hours * HOUR // (24 * HOUR))
    checks = [
        at_least("soak.hours", watch.nanos / HOUR, policy.hours),
        Check(
            "soak.minutes", Severity.FAIL if missing or seen < policy.minutes else Severity.OK, str(seen),
            f"{policy.minutes}, none missing", f"{len(missing)} of {whole} missing, first at {missing[:1]}",
        ),
        _memory(watch, policy),
        at_least("soak.day_rolls", watch.day_rolls, days),
        at_most("soak.orders_live", watch.live_max, policy.orders_cap_instance * instances),
        above("soak.rate_headroom", headroom, policy.rate_headroom_min, f"{peak} messages in the busiest second"),
    ]  # fmt: skip
    if perpetual:
        times = policy.hours // policy.funding_every_hours
        checks.append(at_least("soak.funding_times", len(watch.funding_times), times))
    return tuple(checks)


def judge_family(watch: SoakWatch, policy: FamilyPolicy) -> tuple[Check, ...]:
    """Return the checks of a family's day (ST-03)."""
    trades = watch.trades
    return (
        at_least("soak.hours", watch.nanos / HOUR, policy.hours_min),
        at_least("soak.trades", trades, policy.trades_min),
        below("soak.stop_rate", watch.stops / trades if trades else None, policy.stop_rate_limit),
        above("soak.hold_mean_hours", watch.hold_ns / trades / HOUR if trades else None, policy.hold_mean_hours_over),
        below("soak.drawdown", watch.records.equity.drawdown, policy.drawdown_limit),
    )


def _memory(watch: SoakWatch, policy: MultiDayPolicy) -> Check:
    """Every period needs its sample; none may stand above the first by the allowed growth."""
    limit = f"below {policy.rss_growth_limit:g} over the first"
    samples: Sequence[tuple[int, int]] = watch.memory
    periods = policy.hours // policy.rss_every_hours
    start = watch.start or 0
    covered = {(ts - start) // (policy.rss_every_hours * HOUR) for ts, _ in samples}
    lacking = [period for period in range(periods) if period not in covered]
    if lacking or samples[0][1] <= 0:
        return Check("soak.memory_growth", Severity.UNKNOWN, "unknown", limit, f"no sample in periods {lacking}")
    growth = max(rss for _, rss in samples) / samples[0][1] - 1
    return below("soak.memory_growth", growth, policy.rss_growth_limit, f"{len(samples)} samples")
