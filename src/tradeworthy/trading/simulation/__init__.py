"""The simulated venue: matching, queue, latency, fees, funding; synthetic markets; fault wrappers."""

from tradeworthy.trading.simulation.fees import FeeResolver as FeeResolver
from tradeworthy.trading.simulation.latency import LATENCY_50_MS as LATENCY_50_MS
from tradeworthy.trading.simulation.latency import LATENCY_100_50_30_MS as LATENCY_100_50_30_MS
from tradeworthy.trading.simulation.latency import NO_LATENCY as NO_LATENCY
from tradeworthy.trading.simulation.latency import Latency as Latency
from tradeworthy.trading.simulation.latency import RecordedLatency as RecordedLatency
from tradeworthy.trading.simulation.margin import MarginTier as MarginTier
from tradeworthy.trading.simulation.queue import QueueModel as QueueModel
from tradeworthy.trading.simulation.rules import Slippage as Slippage
from tradeworthy.trading.simulation.rules import VenueRules as VenueRules
from tradeworthy.trading.simulation.venue import Matching as Matching
from tradeworthy.trading.simulation.venue import SimulatedVenue as SimulatedVenue
