"""Double entry, positions, profit and loss, day state: a fold of the journal and its only writer."""

from tradeworthy.trading.ledger.accounts import Account as Account
from tradeworthy.trading.ledger.bookings import FlowKind as FlowKind
from tradeworthy.trading.ledger.ledger import Ledger as Ledger
from tradeworthy.trading.ledger.marks import EquityMarks as EquityMarks
