"""The pre-trade controls, one file each, and their order."""

from tradeworthy.trading.model import Instrument
from tradeworthy.trading.risk.control import Control
from tradeworthy.trading.risk.controls.approval import Approval
from tradeworthy.trading.risk.controls.capital_gate import CapitalGate
from tradeworthy.trading.risk.controls.client_limit import ClientLimit
from tradeworthy.trading.risk.controls.currency_factor import CurrencyFactor
from tradeworthy.trading.risk.controls.duplicate_order import DuplicateOrder
from tradeworthy.trading.risk.controls.event_window import EventWindow
from tradeworthy.trading.risk.controls.gross_leverage import GrossLeverage
from tradeworthy.trading.risk.controls.guard_state import GuardState
from tradeworthy.trading.risk.controls.malformed import Malformed
from tradeworthy.trading.risk.controls.max_messages import MaxMessages
from tradeworthy.trading.risk.controls.max_order_quantity import MaxOrderQuantity
from tradeworthy.trading.risk.controls.max_order_value import MaxOrderValue
from tradeworthy.trading.risk.controls.max_position import MaxPosition
from tradeworthy.trading.risk.controls.max_positions import MaxPositions
from tradeworthy.trading.risk.controls.max_working_orders import MaxWorkingOrders
from tradeworthy.trading.risk.controls.min_order import MinOrder
from tradeworthy.trading.risk.controls.net_exposure import NetExposure
from tradeworthy.trading.risk.controls.no_trade import NoTrade
from tradeworthy.trading.risk.controls.not_tradable import NotTradable
from tradeworthy.trading.risk.controls.open_risk import OpenRisk
from tradeworthy.trading.risk.controls.per_trade import PerTrade
from tradeworthy.trading.risk.controls.price_collar import PriceCollar
from tradeworthy.trading.risk.controls.provenance import Provenance
from tradeworthy.trading.risk.controls.reference_stale import ReferenceStale
from tradeworthy.trading.risk.controls.restricted_symbol import RestrictedSymbol
from tradeworthy.trading.risk.controls.sector import Sector
from tradeworthy.trading.risk.controls.stop_required import StopRequired
from tradeworthy.trading.risk.controls.throttle import Throttle
from tradeworthy.trading.risk.policy import RiskPolicy


def all_controls(policy: RiskPolicy, instruments: tuple[Instrument, ...]) -> tuple[Control, ...]:
    """Return every control in table order; raises `ConfigurationRefused` for a limit that is missing."""
    return (
        Malformed(), NotTradable(), ReferenceStale(policy), PriceCollar(policy, instruments), MaxOrderValue(policy),
        MaxOrderQuantity(instruments), MinOrder(instruments), MaxMessages(policy, instruments),
        MaxWorkingOrders(policy), DuplicateOrder(policy), Throttle(policy), GuardState(), Approval(),
        CapitalGate(policy), Provenance(policy), MaxPosition(policy), Sector(policy, instruments),
        GrossLeverage(policy), NetExposure(policy, instruments), CurrencyFactor(policy, instruments),
        MaxPositions(policy), PerTrade(policy), OpenRisk(policy), StopRequired(policy), ClientLimit(policy),
        EventWindow(policy), NoTrade(policy, instruments), RestrictedSymbol(policy, instruments),
    )
