"""Whether a backtested strategy may be promoted: each requirement is named, and a missing field fails (BT-10)."""

from typing import Any

import msgspec

from tradeworthy.kernel.report import Check
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.backtest.pbo import OVERFIT_WARN
from tradeworthy.research.backtest.statistics import DEFLATED_MIN


class PromotionPolicy(msgspec.Struct, frozen=True):
    """What a promotion needs.

    trades_min           fills of the out-of-sample run
    sharpe_above         yearly Sharpe ratio of the out-of-sample run, exceeded
    drawdown_below       its deepest drawdown, a fraction
    parity_rungs         rungs of the parity ladder that must have passed
    """

    trades_min: int = 30
    sharpe_above: float = 0.0
    drawdown_below: float = 0.15
    deflated_sharpe_min: float = DEFLATED_MIN
    overfit_below: float = OVERFIT_WARN
    parity_rungs: tuple[str, ...] = ("T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7")


class PromotionRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of the strategy; None = nobody stated it.

    parity_rungs   rungs that passed;  deployed_hash  configuration hash of what would be deployed
    """

    trades: int | None = None
    out_of_sample_sharpe: float | None = None
    out_of_sample_drawdown: float | None = None
    deflated_sharpe: float | None = None
    overfit_probability: float | None = None
    parity_rungs: tuple[str, ...] | None = None
    config_hash: str | None = None
    deployed_hash: str | None = None
    fixture_backed: bool | None = None
    no_network: bool | None = None
    inputs_fresh: bool | None = None
    point_in_time_data: bool | None = None
    next_bar_fills: bool | None = None
    costs_charged: bool | None = None
    purged_walk_forward: bool | None = None


FLAGS = (
    "fixture_backed", "no_network", "inputs_fresh", "point_in_time_data", "next_bar_fills", "costs_charged",
    "purged_walk_forward",
)


def check_promotion(record: PromotionRecord, policy: PromotionPolicy | None = None) -> tuple[Check, ...]:
    """Return one check a requirement, OK or FAIL; there is nothing between, as a promotion fails closed."""
    p = policy or PromotionPolicy()
    rungs = record.parity_rungs
    missing_rungs = None if rungs is None else [one for one in p.parity_rungs if one not in rungs]
    hashes = None if record.config_hash is None or record.deployed_hash is None else record.config_hash[:16]
    return (
        _judge("trades", record.trades, f"at least {p.trades_min}", lambda x: x >= p.trades_min),
        _judge(
            "out_of_sample_sharpe", record.out_of_sample_sharpe, f"above {p.sharpe_above:g}",
            lambda x: x > p.sharpe_above,
        ),
        _judge(
            "out_of_sample_drawdown", record.out_of_sample_drawdown, f"below {p.drawdown_below:g}",
            lambda x: x < p.drawdown_below,
        ),
        _judge(
            "deflated_sharpe", record.deflated_sharpe, f"at least {p.deflated_sharpe_min:g}",
            lambda x: x >= p.deflated_sharpe_min,
        ),
        _judge(
            "overfit_probability", record.overfit_probability, f"below {p.overfit_below:g}",
            lambda x: x < p.overfit_below,
        ),
        _judge(
            "parity_rungs", None if rungs is None else ", ".join(rungs), f"all of {', '.join(p.parity_rungs)}",
            lambda _: not missing_rungs,
        ),
        _judge(
            "config_hash", hashes, "the deployed hash " + (record.deployed_hash or "(not stated)")[:16],
            lambda _: record.config_hash == record.deployed_hash,
        ),
        *(_judge(name, getattr(record, name), "True", lambda x: x is True) for name in FLAGS),
    )


def _judge(name: str, observed: Any, limit: str, passes: Any) -> Check:
    code = f"promotion.{name}"
    if observed is None or observed != observed:  # NaN passes nothing
        return Check(code, Severity.FAIL, "missing", limit, f"{name} is missing: state it or measure it")
    if passes(observed):
        return Check(code, Severity.OK, str(observed), limit)
    return Check(code, Severity.FAIL, str(observed), limit, f"{name} must be {limit}, was {observed}")
