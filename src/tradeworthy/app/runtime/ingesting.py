"""Market data into the embedded store while a desk runs: the workload, and what stands in for a service (APP-10)."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tradeworthy.adapters.market_store_duckdb import DuckDbMarketStore, catalog_of
from tradeworthy.adapters.tapes.open import FORMATS
from tradeworthy.app.bootstrap import policy_of
from tradeworthy.app.config import Document, TapeSection
from tradeworthy.app.market_data import tapes
from tradeworthy.app.market_data.data_root import DATA_PREFIX, data_root
from tradeworthy.app.runtime.facts import BackboneDegraded
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.app.runtime.workload import Workload
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import Fact
from tradeworthy.kernel.ids import digest_of
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.ingest.cycle import run_cycle
from tradeworthy.operations.ingest.facts import IngestCycle
from tradeworthy.operations.ingest.policy import IngestPolicy, IngestSource
from tradeworthy.operations.ingest.ports import MarketRow, MarketStore, OnBad
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import Instrument

if TYPE_CHECKING:
    from tradeworthy.app.runtime.application import Application

EMBEDDED, BACKBONE, SKIPPED = "embedded_ingest", "data_backbone", "skip-ingest"
DUCKDB_PATH = Path("data/tier0.duckdb")
DEMO = "demo"
READABLE = (*FORMATS, DEMO)
"""Formats of recorded feeds; a made market and a run's own journal are no data to take in."""
SERVICES = ("postgresql", "postgres")
"""Schemes of a service store."""
NO_SOURCE = "runtime.ingest names no source of the wanted instruments"
WAIT_STEP_S = 60.0
"""The longest silence between two cycles, a tenth of the time after which the workload counts as hung."""


class TapeFeed:
    """A recorded feed as ingest reads it: the `Source` of a section.

    Raises `UsageError` for a format, instrument or folder that is not known.
    """

    def __init__(self, section: IngestSource, environ: Mapping[str, str]) -> None:
        if section.format not in READABLE:
            raise UsageError(f"runtime.ingest.sources.{section.name}.format: expected one of {', '.join(READABLE)}, "
                             f"found {section.format!r}")  # fmt: skip
        known = shipped()
        if section.instrument not in known:
            raise UsageError(f"runtime.ingest.sources.{section.name}.instrument: expected one of "
                             f"{', '.join(sorted(known))}, found {section.instrument!r}")  # fmt: skip
        root = data_root(Path(), environ) if section.path.startswith(DATA_PREFIX) else ""
        self.name, self._instrument = section.name, known[section.instrument]
        self._tape = TapeSection(
            name=section.name, format=section.format, instrument=section.instrument, path=section.path,
            interval_seconds=section.interval_seconds, data_root=root,
        )  # fmt: skip

    @property
    def instrument(self) -> str:
        """Return the instrument's id."""
        return self._instrument.instrument_id

    def digest(self) -> str:
        """Return the digest of the files with what decides how they are read."""
        (manifest,) = tapes.manifests(self._tape)
        return digest_of("feed", self._tape.format, _scale(self._instrument), str(self._tape.interval_seconds),
                         manifest.sha256)  # fmt: skip

    def rows(self, on_bad: OnBad) -> Iterator[MarketRow]:
        """Yield the feed's rows in the order of its files."""
        for row in tapes.rows(self._tape, self._instrument, on_bad):
            yield row.ts_event, row.ts_init, row.fact


@dataclass(frozen=True)
class Ingest:
    """What a process takes in. `degraded` is told once, where a service was wanted and cannot be used."""

    policy: IngestPolicy
    feeds: tuple[TapeFeed, ...]
    store: Path
    degraded: BackboneDegraded | None = None


def ingest_of(
    document: Document, *, store: Path, environ: Mapping[str, str], symbols: Sequence[str] = ()
) -> Ingest:
    """Return what a document's process takes in; no feeds where it names none.

    symbols  take in these instruments only, e.g. `EURUSD`; none = all

    Raises `UsageError` for a section that is wrong.
    """
    runtime = policy_of(RuntimePolicy, "runtime", document.runtime)
    wanted = {one.strip().upper() for one in symbols if one.strip()}
    feeds = tuple(
        TapeFeed(one, environ) for one in runtime.ingest.sources if not wanted or one.symbol in wanted
    )
    fault = service_fault(runtime.backbone.url)
    used = str(store) if feeds else f"nothing: {NO_SOURCE}"
    degraded = None if fault is None else BackboneDegraded(shown(runtime.backbone.url), used, fault)
    return Ingest(runtime.ingest, feeds, store, degraded)


def service_fault(url: str) -> str | None:
    """Return why the service backbone at `url` cannot be used; None where none is wanted. Nothing is called."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        whole = parts.scheme in SERVICES and bool(parts.hostname) and bool(parts.path.strip("/"))
        _ = parts.port
    except ValueError:
        whole = False
    if not whole:
        return f"expected {SERVICES[0]}://HOST[:PORT]/DATABASE, found another form"
    return f"this release has no adapter for {SERVICES[0]}"


def shown(url: str) -> str:
    """Return a service's address without user, password, query and all but the last two labels of its host (DB-03)."""
    try:
        parts = urlsplit(url)
        host = ".".join((parts.hostname or "").split(".")[-2:])
    except ValueError:
        host = ""
    return f"{parts.scheme}://{host}{parts.path}" if host else "no address of a service"


class EmbeddedIngest:
    """Run cycles for ever, or one: the workload's factory.

    tell   journals a cycle's fact;  once  end after one cycle
    """

    def __init__(
        self, ingest: Ingest, clock: Clock, *, run_id: str, tell: Callable[[Fact], object], once: bool = False,
        open_store: Callable[[Path], MarketStore] = DuckDbMarketStore,
    ) -> None:  # fmt: skip
        self._ingest, self._clock, self._run_id, self._tell = ingest, clock, run_id, tell
        self._once, self._open = once or ingest.policy.interval_seconds == 0, open_store
        self._number = 0
        self.last: IngestCycle | None = None
        self.last_at: int | None = None

    async def work(self, pulse: Pulse) -> None:
        """Take data in, wait, and again; raises where the store cannot be opened or written."""
        while True:
            await self._cycle(pulse)
            if self._once:
                return
            left = self._ingest.policy.interval_seconds
            while left > 0:
                pulse.beat()
                await asyncio.sleep(min(left, WAIT_STEP_S))
                left -= WAIT_STEP_S

    async def _cycle(self, pulse: Pulse) -> None:
        """Run one cycle in a thread, which ends soon after this task was cancelled."""
        self._number += 1
        ended = False

        def keep_on() -> bool:
            pulse.beat()
            return not ended

        try:
            self.last = await asyncio.to_thread(self._run, keep_on)
        finally:
            ended = True
        self.last_at = self._clock.now()
        self._tell(self.last)

    def _run(self, keep_on: Callable[[], bool]) -> IngestCycle:
        store = self._open(self._ingest.store)
        try:
            return run_cycle(
                self._ingest.feeds, store, policy=self._ingest.policy, clock=self._clock, run_id=self._run_id,
                number=self._number, quarantine=catalog_of(self._ingest.store), keep_on=keep_on,
            )  # fmt: skip
        finally:
            store.close()


class Ingesting:
    """Ingest as a process has it: its workload, why it has none, and what is told of a service that cannot be used.

    skip  `--skip-ingest`;  once  one cycle and no more;  tell  journals a fact of the process
    """

    def __init__(
        self, ingest: Ingest, clock: Clock, *, run_id: str, tell: Callable[[Fact], object], skip: bool = False,
        once: bool = False,
    ) -> None:  # fmt: skip
        self.ingest, self.skipped, self._tell = ingest, skip, tell
        runs = bool(ingest.feeds) and not skip
        self.work = EmbeddedIngest(ingest, clock, run_id=run_id, tell=tell, once=once) if runs else None

    @property
    def degraded(self) -> BackboneDegraded | None:
        """What stands in for a service that is wanted, and why; None where nothing is missing or nothing runs."""
        return None if self.skipped else self.ingest.degraded

    @property
    def last_at(self) -> int | None:
        """When the last cycle ended, nanoseconds UTC."""
        return None if self.work is None else self.work.last_at

    def declare(self, application: "Application") -> None:
        """Note what does not run, and say at the start that a service is not there."""
        for name, reason in self._skips().items():
            application.skip(name, reason)
        if self.degraded is not None:
            application.on_startup(BACKBONE, partial(self._tell, self.degraded))

    def workloads(self) -> list[Workload]:
        """Return the workload of embedded ingest where there is something to take in."""
        if self.work is None:
            return []
        names = tuple(one.name for one in self.ingest.feeds)
        every, store = self.ingest.policy.interval_seconds, str(self.ingest.store)
        return [Workload(
            EMBEDDED, EMBEDDED, f"{len(names)} recorded feeds into {store}", self.work.work,
            {"interval_s": every, "store": store}, names,
        )]  # fmt: skip

    def _skips(self) -> dict[str, str]:
        found = {}
        if self.skipped:
            found[SKIPPED] = "--skip-ingest"
        elif self.work is None:
            found[SKIPPED] = f"{NO_SOURCE}: recorded tapes are the feed of this desk"
        if self.degraded is not None:
            found[BACKBONE] = self.degraded.reason
        return found


def _scale(instrument: Instrument) -> str:
    return f"{instrument.instrument_id} {instrument.tick} {instrument.lot}"
