"""The guard, its memory, and the requests of people."""

from tradeworthy.trading.control.enabling import EnableRefused as EnableRefused
from tradeworthy.trading.control.enabling import EnableRequest as EnableRequest
from tradeworthy.trading.control.enabling import Enabling as Enabling
from tradeworthy.trading.control.guard import Guard as Guard
from tradeworthy.trading.control.guard import HeldReason as HeldReason
from tradeworthy.trading.control.kill import KillRequest as KillRequest
from tradeworthy.trading.control.kill import KillSwitch as KillSwitch
from tradeworthy.trading.control.kill import PauseRequest as PauseRequest
from tradeworthy.trading.control.kill import RearmRefused as RearmRefused
from tradeworthy.trading.control.kill import RearmRequest as RearmRequest
from tradeworthy.trading.control.kill import ResumeRequest as ResumeRequest
from tradeworthy.trading.control.sentinel import SentinelPort as SentinelPort
