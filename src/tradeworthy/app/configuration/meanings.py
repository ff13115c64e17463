"""What keys mean whose policies do not say it key by key; `configuration_schema` asks a docstring first."""

from collections.abc import Mapping

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "Collars": {
        "equity": "fraction around the reference for shares", "crypto": "the same for crypto", "fx": "the same for FX",
    },
    "CapitalGroup": {"level": "client, trader or firm", "name": "of the group, once a level"},
    "NoTradeWindow": {"name": "of the window, told in a refusal"},
    "RestrictedList": {"version": "of the list, told in a refusal", "expires_at": "nanoseconds UTC; absent = open"},
    "RestrictedEntry": {
        "name": "instrument id, symbol, base or issuer", "no_trade": "no order at all, not even one that reduces",
    },
    "AllocationPolicy": {
        "maker": "share of the instances that quote", "directional": "share of the instances that take a side",
        "ttl": "how long a split counts (ns)", "dry_run": "tell the split and leave budgets as they are",
        "period": "between two splits (ns)", "reserve": "what belongs to no instance",
    },
    "TierPolicy": {
        "edges": "drawdown at which each tier begins", "factors": "what is left of the budget in each tier",
    },
    "ExecutionPolicy": {
        "ack_timeout_ns": "an order without an answer for so long is unknown",
        "partial_age_ns": "a partly filled order of this age is told",
        "cancel_pause_ns": "how long an instance pauses that used up its cancels",
        "cancel_breaches_day": "used-up cancel budgets of a day that stop the instance",
        "failed_cancels": "failed cancels in a row that stop an instance",
        "failed_evaluations": "failed evaluations in a row that stop an instance",
        "failed_executions": "failed executions in a row that stop an instance",
    },
    "TwapPolicy": {
        "catch_up": "a slice with what was left over is at most so many times its own size",
        "cross_bps": "how far beyond the touch the last slice may reach",
        "slices": "parts of the position",
    },
    "QualityPolicy": {"cadences": "how often a source must speak: daily, intraday or macro"},
    "AgePolicy": {
        "transport_max_ns": "silence of the connection that makes a stream stale",
        "book_max_ns": "age of a book that makes it stale", "quoting_max_ns": "age at which quoting ends",
        "release_ns": "how long a stream must be fresh to count again",
    },
    "FalseTickPolicy": {
        "window": "ticks whose median is the reference", "agreeing": "ticks that must agree before a jump is believed",
    },
    "SourcePair": {
        "instrument": "whose prices are compared", "primary": "source that counts", "backup": "source that is compared",
    },
    "QuarantinePolicy": {"jump_pct_max": "jump of a price that puts the source aside"},
    "FeedClockPolicy": {
        "window_ns": "whose median offset is judged", "sample_ns": "between two samples of the offset",
        "warn_ns": "offset that warns", "fail_ns": "offset that fails",
    },
    "TimingPolicy": {
        "step_p99_ns": "of one step of the desk", "indicators_p99_ns": "of the indicators of one event",
        "decide_p99_ns": "of one decision", "io_wait_p99_ns": "of waiting for the journal",
    },
    "ScopePolicy": {
        "strategy": "which siblings start again with a child", "budget_restarts": "starts that a window allows",
        "budget_window_s": "the rolling window of the budget", "backoff_base_s": "longest first wait before a restart",
        "backoff_cap_s": "longest wait before a restart",
        "healthy_run_s": "a run of this length forgets what was before",
    },
    "SupervisorPolicy": {"cancel_timeout_s": "how long the end of all tasks may take"},
    "LogPolicy": {
        "directory": "where files lie; empty = left to the run", "file_name": "of the current file",
    },
    "ResourcePolicy": {
        "interval_s": "between two readings", "lag_warn_ms": "lag of the event loop that warns",
        "lag_fail_ms": "lag of the event loop that fails", "forecast_warn_h": "hours to exhaustion that warn",
        "forecast_fail_h": "hours to exhaustion that fail",
    },
    "TimeIntegrityPolicy": {"enabled": "whether clocks are compared", "interval_seconds": "between two comparisons"},
    "DriftMonitorPolicy": {"enabled": "whether the approval is looked at", "interval_seconds": "between two looks"},
    "ExportPolicy": {
        "service_name": "of this process", "timeout_s": "of one export of spans",
        "logs_timeout_s": "of one export of lines", "batch_items": "most items of one export",
        "interval_s": "between two exports", "close_timeout_s": "how long the end waits for the last export",
    },
    "HealthPolicy": {
        "enabled": "whether health is answered at all", "ingest_warn_seconds": "age of market data that warns",
        "ingest_fail_seconds": "age of market data that fails",
        "decision_warn_seconds": "age of the last decision that warns",
        "decision_fail_seconds": "age of the last decision that fails",
        "clock_drift_seconds": "drift between wall and monotonic clock that fails",
    },
    "ApprovalPolicy": {
        "lifetime_seconds": "of a pack, or the end of its execution window when that is later",
        "window_seconds_max": "how far ahead an execution window may end", "skew_seconds": "how far clocks may differ",
    },
    "BracketPolicy": {"stop_pct_max": "widest stop, as a fraction of the price"},
    "RegimePolicy": {"drift_max": "drift at which a regime is a shock"},
    "RegimeQuoting": {
        "spread_min": "narrowest spread, as a fraction of the mid", "spread_max": "widest spread",
        "levels_min": "fewest levels a side", "levels_max": "most levels a side", "refresh_s": "life of a quote",
        "size_min": "smallest quote, of equity", "size_max": "largest quote, of equity",
        "sides": "which sides are quoted",
    },
    "EdgeGatePolicy": {
        "window_ns": "of fills that count as evidence", "fills_min": "fills that judge",
        "close_below": "edge that closes the gate", "reopen_above": "edge that opens it",
        "shadow_fills_min": "fills of the shadow that allow a probe",
        "probe_fills_min": "fills of the probe that judge",
        "change_ns_min": "between two changes",
    },
    "ExitPolicy": {
        "stop": "loss that ends the position", "take_profit": "gain that ends it",
        "touch_after_ns": "when the exit moves to the touch", "market_after_ns": "and from there to the market",
    },
    "MeanReversionPolicy": {
        "bar_interval_ns": "length of the bars", "rsi": "period of the RSI", "rsi_sell": "RSI that sells",
        "rsi_exit": "RSI that ends a position", "bollinger": "period of the bands", "atr": "period of the range",
        "ema": "period of the average", "shorts": "whether short positions are taken",
    },
    "EmaTrendPolicy": {"bar_interval_ns": "length of the bars"},
    "MarketMakerPolicy": {
        "mode": "quote, only observe, or nothing", "bar_interval_ns": "length of the bars",
        "ema": "period of the average", "atr": "period of the range",
        "drift_age_min_ns": "youngest mid that drift is measured from",
        "drift_age_max_ns": "oldest mid that drift is measured from",
        "turnover_soft": "turnover of the day, of equity, from which the spread widens",
        "turnover_penalty": "by which it widens for each equity turned over beyond that",
        "drift_widening": "by which an unusual drift widens the spread, as a share of it",
        "drift_scale": "drift above its usual that widens fully", "drift_ewma": "weight of the newest drift",
        "adverse_min": "least adverse selection that is assumed", "adverse_fills": "fills that it is measured over",
        "adverse_fills_min": "fewer fills measure nothing", "markout_ns": "from a fill to the mid that judges it",
        "confidence_z": "standard errors that are added to a measured mean",
        "exit_slippage": "cost of an exit, as a fraction", "min_edge": "edge that a quote must keep",
        "unproven_fills": "measured fills up to which the edge counts as unproven",
        "fill_factor": "share of quotes that fill, until it is measured",
        "fill_factor_fills_min": "fills that measure it", "fill_factor_min": "its least", "fill_factor_max": "its most",
        "band_in_floor": "share of the volatility band in the floor",
        "edge_ewma_period": "evaluations that the edge is averaged over",
        "funding_refresh_s_min": "shortest holding time that funding is counted for",
        "skew_max": "most that quotes are moved",
        "skew_share": "distance from the target share that moves them fully", "skew_trend": "its weight in a trend",
        "skew_calm": "its weight in other regimes", "skew_band": "volatility band that doubles it",
        "level_step": "from level to level, in half spreads",
        "side_floor_min": "least distance of a quote from the mid",
        "side_floor_extra": "added to half the market's spread for the same",
        "market_spread_min": "narrower markets are not quoted",
        "market_spread_hold_ns": "how long that must hold before the guard changes",
        "high_vol_trip": "band that ends quoting", "high_vol_release": "band that lets it begin again",
        "high_vol_hold_ns": "how long that must hold", "spot_share_min": "least share of spot in equity",
        "spot_share_max": "most", "perp_gross_max": "most gross of perpetuals, of equity",
        "inventory_hold_ns": "how long that must hold before the guard changes",
    },
}  # fmt: skip
"""By the name of the policy and the key."""
