"""The parity ladder: the simulated venue against recorded answers of other engines, fill by fill."""

from tradeworthy.research.parity.compare import Comparison as Comparison
from tradeworthy.research.parity.ladder import RUNGS as RUNGS
from tradeworthy.research.parity.ladder import RungResult as RungResult
from tradeworthy.research.parity.ladder import run_rung as run_rung
from tradeworthy.research.parity.play import FillRow as FillRow
from tradeworthy.research.parity.play import play as play
from tradeworthy.research.parity.report import table as table
