"""Ordinary intents and reports; a test states what is odd about its own."""

from typing import Any

from tradeworthy.trading.execution.execution import Execution, ExecutionPolicy
from tradeworthy.trading.model.market import Side
from tradeworthy.trading.model.order import Approved, ExecReport, Intent, OrderType, ReportType, SubmitOrder

SECOND = 1_000_000_000
BTC = "BTCUSDT.SIM"


class Reservations:
    """Every intent is reserved as it came, except those listed as altered."""

    def __init__(self) -> None:
        self.altered: set[str] = set()

    def matches(self, intent: Intent, /) -> bool:
        return intent.intent_id not in self.altered


def intent(name: str = "d1:0", **changes: Any) -> Intent:
    fields: dict[str, Any] = {
        "intent_id": name, "owner": "strategy", "instance": "mm", "reason": "test", "decision_id": name.split(":")[0],
        "instrument": BTC, "side": Side.BUY, "lots": 10, "expires_at": 10**18, "type": OrderType.LIMIT, "price": 100,
        "level": 0,
    }  # fmt: skip
    return Intent(**{**fields, **changes})


def approved(name: str = "d1:0", **changes: Any) -> Approved[Intent]:
    wish = intent(name, **changes)
    return Approved(wish, "policy", wish.lots)


def execution(**policy: Any) -> Execution:
    return Execution(Reservations(), ExecutionPolicy(**policy))


def sent(desk: Execution, name: str = "d1:0", ts: int = 0, **changes: Any) -> str:
    """Submit and return the client order id."""
    command = desk.submit(approved(name, **changes), ts)[-1]
    assert isinstance(command, SubmitOrder), command
    return command.client_order_id


def report(kind: ReportType, order_id: str, **changes: Any) -> ExecReport:
    return ExecReport(kind, order_id, BTC, **changes)


def filled(order_id: str, trade_id: str, lots: int, price: int = 100) -> ExecReport:
    return report(ReportType.FILL, order_id, trade_id=trade_id, lots=lots, price=price, side=Side.BUY)
