"""From approved intents to orders and back: order states, working orders, planning, slicing, impact."""

from tradeworthy.trading.execution.execution import Execution as Execution
from tradeworthy.trading.execution.execution import ExecutionPolicy as ExecutionPolicy
from tradeworthy.trading.execution.execution import ReservationsPort as ReservationsPort
from tradeworthy.trading.execution.orders import Order as Order
from tradeworthy.trading.execution.orders import WorkingOrders as WorkingOrders
from tradeworthy.trading.execution.planner import PlanPolicy as PlanPolicy
from tradeworthy.trading.execution.planner import plan as plan
from tradeworthy.trading.execution.planner import withdraw as withdraw
