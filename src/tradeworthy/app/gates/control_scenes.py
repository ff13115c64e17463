"""What each control of risk stands against: a scene of orders of which the last is one that the control stops (AS-42).

Every limit but the one in question is far away, so that other controls help only where they are a second line indeed.
Three instances hold EUR at two venues and ETH at ten dollars; prices do not move. Times are seconds of the scene.
"""

from typing import Any

import msgspec

ONE, TWO, THREE = "one", "two", "three"
INSTRUMENTS = {ONE: "EURUSD.DEMO", TWO: "EURUSD.OANDA", THREE: "ETHUSD.COINBASE"}
MID = {"EURUSD.DEMO": 110_000, "EURUSD.OANDA": 110_000, "ETHUSD.COINBASE": 1_000}
"""Prices in ticks."""
START = 1_704_096_000 * 10**9
"""2024-01-01 08:00 UTC, nanoseconds."""
ASKED_S = 70.0
"""When the first order comes: budgets were told by then."""
SMALL, LARGE = 10_000, 30_000
"""Lots of EUR worth 11,000 and 33,000 dollars, of a capital of a million."""
FAR: dict[str, Any] = {
    "max_order_value": "1000000000", "max_position": "1", "gross_leverage": "5", "net_exposure": "1",
    "throttle_directional": 1_000_000, "duplicate_window": 1, "working_orders_instance": 1_000,
    "working_orders_desk": 1_000, "positions_instance": 1_000, "positions_desk": 1_000, "per_trade": "0.02",
    "open_risk": "0.25", "currency_net": "1000000", "asset_net": "1", "scale": False,
}  # fmt: skip
"""Limits that nothing in a scene comes near."""


class Wish(msgspec.Struct, frozen=True):
    """One order that somebody asks for at `at_s`; `odd` are fields of its intent that differ from the usual."""

    at_s: float
    instance: str = ONE
    lots: int = SMALL
    odd: dict[str, Any] = {}


class Scene(msgspec.Struct, frozen=True):
    """What is played against one control.

    limits   of the risk policy, laid over those that are far away;  silent_s  when the first tape ends
    halted_s when its market is halted;  paused_s  when a person pauses the desk
    """

    control: str
    wishes: tuple[Wish, ...]
    limits: dict[str, Any] = {}
    silent_s: float | None = None
    halted_s: float | None = None
    paused_s: float | None = None


def resting(level: int, at_s: float, instance: str = ONE, **odd: Any) -> Wish:
    """Return an order half a percent below the market, which nobody fills, on a level of its own."""
    return Wish(at_s, instance, SMALL, {"type": "limit", "price": 109_500, "stop": 107_000, "level": level, **odd})


def _plain(control: str, lots: int = SMALL, **limits: Any) -> Scene:
    return Scene(control, (Wish(ASKED_S, lots=lots),), limits)


SCENES = (
    Scene("risk.malformed", (Wish(ASKED_S, odd={"type": "limit", "price": 0}),)),
    Scene("risk.not_tradable", (Wish(ASKED_S),), halted_s=65.0),
    Scene("risk.reference_stale", (Wish(ASKED_S),), silent_s=60.0),
    Scene("risk.price_collar", (Wish(ASKED_S, odd={"type": "limit", "price": 113_300, "stop": 111_000}),)),
    _plain("risk.max_order_value", 100_000, max_order_value="50000"),
    Scene("risk.max_order_quantity", (Wish(ASKED_S, THREE, 8_000_000_000),)),
    Scene("risk.min_order", (Wish(ASKED_S, THREE, 100),)),
    Scene("risk.max_messages", tuple(resting(n, ASKED_S + n / 25) for n in range(9)), {"messages_per_second": 8}),
    Scene("risk.max_working_orders", tuple(resting(n, ASKED_S + 2 * n) for n in range(4)),
          {"working_orders_instance": 3}),
    Scene("risk.duplicate_order", (resting(0, ASKED_S), resting(1, ASKED_S + 10)), {"duplicate_window": 60 * 10**9}),
    Scene("risk.throttle", (resting(0, ASKED_S), resting(1, ASKED_S + 10, price=109_400)),
          {"throttle_directional": 1}),
    Scene("risk.guard", (Wish(ASKED_S),), paused_s=65.0),
    Scene("risk.approval", (Wish(ASKED_S, odd={"expires_at": START}),)),
    Scene("risk.capital_gate", (Wish(ASKED_S), Wish(ASKED_S + 5, TWO)), {"capital_limit": "20000"}),
    _plain("risk.provenance", min_provenance="measured"),
    _plain("risk.max_position", LARGE, max_position="0.02"),
    _plain("risk.sector", LARGE, sectors={"EURUSD.DEMO": "euro"}, sector_gross="0.02"),
    _plain("risk.gross_leverage", LARGE, gross_leverage="0.02"),
    _plain("risk.net_exposure", LARGE, net_exposure="0.02"),
    _plain("risk.currency_factor", LARGE, currency_net="0.02"),
    Scene("risk.max_positions", (Wish(ASKED_S), Wish(ASKED_S + 5, TWO)), {"positions_desk": 1}),
    _plain("risk.per_trade", LARGE, per_trade="0.0002"),
    Scene("risk.open_risk", (Wish(ASKED_S, lots=15_000), Wish(ASKED_S + 5, TWO, 15_000)),
          {"per_trade": "0.0004", "open_risk": "0.0005"}),
    Scene("risk.stop_required", (Wish(ASKED_S, odd={"stop": 88_000}),)),
    Scene("risk.client_limit", tuple(resting(n, ASKED_S + 2 * n) for n in range(3)),
          {"capital_groups": [{"level": "client", "name": "A", "instances": [ONE, TWO], "orders_max": 2}]}),
    _plain("risk.event_window", events=[START + 100 * 10**9]),
    _plain("risk.no_trade", no_trade=[{"name": "auction", "start": 28_800, "end": 32_400}]),
    _plain("compliance.restricted_symbol", restricted={"version": "v1", "entries": [{"name": "EUR"}]}),
)  # fmt: skip
"""One scene a control, in the order in which a review asks them."""
