"""Telemetry: what operators see of the desk beside its journal. The bus, logs, traces and metrics.

Logs, traces and metrics are opened from their own files, `logs.open_logs`, `tracing.open_tracing` and
`metrics.DeskMetrics`: who publishes on the bus need not load what they rest on.
"""

from tradeworthy.kernel.telemetry.bus import Bus as Bus
from tradeworthy.kernel.telemetry.bus import BusPolicy as BusPolicy
from tradeworthy.kernel.telemetry.bus import BusStopped as BusStopped
from tradeworthy.kernel.telemetry.bus import HandlerStuck as HandlerStuck
from tradeworthy.kernel.telemetry.bus import PublishTimeout as PublishTimeout
from tradeworthy.kernel.telemetry.bus_health import BusFacts as BusFacts
from tradeworthy.kernel.telemetry.bus_health import BusHealthPolicy as BusHealthPolicy
from tradeworthy.kernel.telemetry.bus_health import judge_bus as judge_bus
from tradeworthy.kernel.telemetry.dead_letters import DeadLetter as DeadLetter
from tradeworthy.kernel.telemetry.dead_letters import DeadLettered as DeadLettered
from tradeworthy.kernel.telemetry.dead_letters import DeadLettersSettled as DeadLettersSettled
from tradeworthy.kernel.telemetry.deduplicator import Deduplicator as Deduplicator
from tradeworthy.kernel.telemetry.delivery import DeliveryPolicy as DeliveryPolicy
from tradeworthy.kernel.telemetry.delivery import Spans as Spans
from tradeworthy.kernel.telemetry.hold import HoldPort as HoldPort
from tradeworthy.kernel.telemetry.message import Message as Message
from tradeworthy.kernel.telemetry.message import PublishRefused as PublishRefused
from tradeworthy.kernel.telemetry.message import message_of as message_of
from tradeworthy.kernel.telemetry.publisher import Primary as Primary
from tradeworthy.kernel.telemetry.publisher import Publisher as Publisher
from tradeworthy.kernel.telemetry.publisher import PublisherFacts as PublisherFacts
from tradeworthy.kernel.telemetry.publisher import PublisherPolicy as PublisherPolicy
from tradeworthy.kernel.telemetry.publisher import PublishFailed as PublishFailed
from tradeworthy.kernel.telemetry.publisher import Stage as Stage
from tradeworthy.kernel.telemetry.publishing import Publishing as Publishing
from tradeworthy.kernel.telemetry.publishing import PublishingPolicy as PublishingPolicy
from tradeworthy.kernel.telemetry.rolling import RollingCount as RollingCount
from tradeworthy.kernel.telemetry.spool import Spool as Spool
from tradeworthy.kernel.telemetry.spool import SpoolFacts as SpoolFacts
from tradeworthy.kernel.telemetry.spool import SpoolFull as SpoolFull
from tradeworthy.kernel.telemetry.spool import SpoolPolicy as SpoolPolicy
from tradeworthy.kernel.telemetry.spool import SpoolUnwritable as SpoolUnwritable
from tradeworthy.kernel.telemetry.stream import StreamFacts as StreamFacts
from tradeworthy.kernel.telemetry.stream import StreamPolicy as StreamPolicy
from tradeworthy.kernel.telemetry.stream import StreamWatch as StreamWatch
from tradeworthy.kernel.telemetry.subscription import Handler as Handler
from tradeworthy.kernel.telemetry.subscription import SubscriberFacts as SubscriberFacts
from tradeworthy.kernel.telemetry.topics import KILL_PATTERNS as KILL_PATTERNS
from tradeworthy.kernel.telemetry.topics import TOPICS as TOPICS
from tradeworthy.kernel.telemetry.topics import Flow as Flow
from tradeworthy.kernel.telemetry.topics import Topic as Topic
from tradeworthy.kernel.telemetry.topics import UnknownTopic as UnknownTopic
from tradeworthy.kernel.telemetry.topics import topic_of as topic_of
from tradeworthy.kernel.telemetry.topics import topics_of as topics_of
from tradeworthy.kernel.telemetry.topics import trips_kill_switch as trips_kill_switch
