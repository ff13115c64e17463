"""Publishing, put together: one bus, one spool, one publisher, and the watches of outside streams."""

from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.report import Check
from tradeworthy.kernel.supervision import Criticality, TaskSupervisor
from tradeworthy.kernel.telemetry.bus import OWNER, Bus, BusPolicy
from tradeworthy.kernel.telemetry.bus_health import BusHealthPolicy, judge_bus
from tradeworthy.kernel.telemetry.delivery import Spans
from tradeworthy.kernel.telemetry.hold import HoldPort
from tradeworthy.kernel.telemetry.publisher import Publisher, PublisherPolicy
from tradeworthy.kernel.telemetry.spool import Spool, SpoolPolicy
from tradeworthy.kernel.telemetry.stream import StreamPolicy, StreamWatch


class PublishingPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bounds and limits of publishing, part by part.

    bus         queues and handlers
    spool       what waits on the disk while the bus does not take it
    publisher   when the spool stands in, and how it is emptied
    stream      when an outside stream is out
    bus_health  what the bus is judged by
    """

    bus: BusPolicy = BusPolicy()
    spool: SpoolPolicy = SpoolPolicy()
    publisher: PublisherPolicy = PublisherPolicy()
    stream: StreamPolicy = StreamPolicy()
    bus_health: BusHealthPolicy = BusHealthPolicy()

    def __post_init__(self) -> None:
        batch, capacity = self.publisher.replay_batch, self.bus.capacity_events
        if batch > capacity:  # a replay would push its own events out of the queues
            raise ValueError(f"publisher.replay_batch must be at most bus.capacity_events {capacity}, was {batch}")


class Publishing:
    """Hold the parts of one run's publishing together.

    supervisor  owns every task
    hold        pauses the desk in the name of `bus`
    folder      of the spool; one process at a time has it
    spans       opens spans of publishing and handling; None opens none

    Subscribe on `bus`, publish on `publisher`. `start` and `stop` belong to the event loop; before `start`, and after a
    `stop` of the bus alone, events go to the spool.
    """

    def __init__(
        self, supervisor: TaskSupervisor, clock: Clock, hold: HoldPort, folder: Path, *, run_id: str,
        policy: PublishingPolicy | None = None, spans: Spans | None = None,
    ) -> None:  # fmt: skip
        self._supervisor, self._clock, self._hold = supervisor, clock, hold
        self._policy = policy or PublishingPolicy()
        self.bus = Bus(supervisor, clock, hold, policy=self._policy.bus, spans=spans)
        self.spool = Spool(folder, clock, policy=self._policy.spool)
        self.publisher = Publisher(self.bus, self.spool, clock, run_id=run_id, policy=self._policy.publisher)
        self.streams: dict[str, StreamWatch] = {}

    def start(self) -> None:
        """Start the bus and the replay of what the spool holds; again does nothing."""
        if not self.bus.running:
            self.bus.start()
            self.bus.create_background_task(
                self.publisher.replays, name="spool_replay", criticality=Criticality.IMPORTANT
            )

    async def stop(self) -> None:
        """Stop the bus, keep what it had not delivered in the spool, and let go of the folder; for good.

        Raises `PublishFailed` when an event could be kept nowhere; the folder is let go of nevertheless.
        """
        try:
            await self.bus.stop()
            self.publisher.keep(self.bus.take_undelivered())
        finally:
            self.spool.close()

    def watch_stream(self, name: str) -> StreamWatch:
        """Watch an outside stream from now on; its adapter says `heard` and `lost`."""
        if name in self.streams:
            raise ValueError(f"expected a new stream, {name!r} is watched")
        watch = StreamWatch(name, self._clock, self._hold, policy=self._policy.stream)
        self.streams[name] = watch
        self._supervisor.create(watch.watch, owner=OWNER, name=f"{OWNER}.stream.{name}")
        return watch

    def health(self) -> tuple[Check, ...]:
        """Return the judgement of the bus as it stands (TEL-05)."""
        return judge_bus(self.bus.facts(), self._policy.bus_health)

    def adopt(self, policy: PublishingPolicy) -> None:
        """Take other bounds and limits while running; a stream keeps those with which its watch began."""
        self._policy = policy
        self.bus.adopt(policy.bus)
        self.spool.adopt(policy.spool)
        self.publisher.adopt(policy.publisher)
