"""The numbers of each soak. A `min` is a floor, a `cap` may be filled, a `limit` is breached where it is reached."""

import msgspec


class SmokePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """SK-01; says nothing about edge."""

    minutes_min: float = 10.0
    fills_min: int = 1
    orders_active_after_minutes_cap: float = 5.0


class PaperPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """SK-02. Shares are fractions, losses fractions of the day's opening equity, drawdown of the peak.

    cancels_a_minute_cap  cancel budget of one instance (OM-09);  settled_share  part of the run before rejects count
    """

    minutes_min: float = 120.0
    running_share_min: float = 0.65
    turnover_cap: float = 3.0
    day_loss_limit: float = 0.015
    drawdown_limit: float = 0.025
    cancels_a_minute_cap: int = 50
    cancels_in_budget_min: float = 0.95
    fills_min: int = 1
    rejects_cap: int = 5
    settled_share: float = 0.25


class LiveDataPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """SK-03: paper on live data; the fill factor is compared with that of a testnet run."""

    minutes_min: float = 240.0
    order_requests_cap: int = 0
    data_age_limit_s: float = 5.0
    fill_factor_change_limit: float = 0.30


class MultiDayPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """SK-04. Memory is flat where no sample is `rss_growth_limit` or more above the first."""

    hours: int = 48
    minutes: int = 2880
    rss_every_hours: int = 6
    rss_growth_limit: float = 0.10
    funding_every_hours: int = 8
    orders_cap_instance: int = 10
    rate_headroom_min: float = 0.50


class FamilyPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """ST-03: KPIs of a directional family over a day; a hold must be longer than `hold_mean_hours_over`."""

    hours_min: float = 24.0
    trades_min: int = 1
    stop_rate_limit: float = 0.50
    hold_mean_hours_over: float = 1.0
    drawdown_limit: float = 0.10
