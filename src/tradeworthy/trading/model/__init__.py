"""The frozen vocabulary of the desk; rooms of `trading` speak through it."""

from tradeworthy.trading.model.corporate import BorrowCharged as BorrowCharged
from tradeworthy.trading.model.corporate import Dividend as Dividend
from tradeworthy.trading.model.corporate import Split as Split
from tradeworthy.trading.model.guard import GuardReason as GuardReason
from tradeworthy.trading.model.instrument import NANOS as NANOS
from tradeworthy.trading.model.instrument import FeeRates as FeeRates
from tradeworthy.trading.model.instrument import Instrument as Instrument
from tradeworthy.trading.model.instrument import InstrumentKind as InstrumentKind
from tradeworthy.trading.model.instrument import MarginRates as MarginRates
from tradeworthy.trading.model.market import *  # noqa: F403
from tradeworthy.trading.model.order import *  # noqa: F403
from tradeworthy.trading.model.run import *  # noqa: F403
from tradeworthy.trading.model.state import *  # noqa: F403
