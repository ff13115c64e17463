"""The certificate of a running desk: its evidence is read beside the loop, its answer made when asked (EV-19)."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.evidence.certificate import Certificate, recompute_at
from tradeworthy.operations.evidence.certificate_store import BUNDLES, CONTEXT, ITEMS, WAIVERS, Store, read_store
from tradeworthy.operations.evidence.requirements import STANDARD, CertificatePolicy
from tradeworthy.operations.evidence.telling import CertificateTeller, CertificateTold
from tradeworthy.operations.evidence.trust import read_trust

LOG = logging.getLogger("tradeworthy.evidence")
STALE_SECONDS = 300.0
"""Evidence that was read longer ago says nothing any more: something newer may have ended a GO."""
LOOK_SECONDS = 5.0
"""How often it is looked whether evidence, waivers, context or trust changed; only then they are read before time."""
Seen = tuple[tuple[str, int, int], ...]


class LivingCertificate:
    """Answer for an evidence store that `refresh`, the factory of a supervised task, follows.

    trust    the file of trusted keys
    running  returns the hashes of what runs now, which win over those that the store's context names
    tell     takes what is new: each turn, each louder notice, each other end
    """

    def __init__(
        self, folder: Path, trust: Path, clock: Clock, *, policy: CertificatePolicy = STANDARD,
        stale_s: float = STALE_SECONDS, running: Callable[[], dict[str, str]] | None = None,
        tell: Callable[[CertificateTold], object] | None = None,
    ) -> None:  # fmt: skip
        self._folder, self._trust, self._clock, self._policy = folder, trust, clock, policy
        self._stale = round(stale_s * NANOS_PER_SECOND)
        self._running, self._tell = running, tell
        self._teller = CertificateTeller(policy)
        self._store: Store | None = None
        self._read_at = 0
        self._seen: Seen | None = None
        self._due = clock.monotonic()

    async def refresh(self, pulse: Pulse) -> None:
        """Follow for ever: read each minute and when something changed, tell what is new, a lapse at its moment."""
        while True:
            await asyncio.to_thread(self.follow)
            pulse.beat()
            await asyncio.sleep(self.pause())

    def follow(self) -> CertificateTold | None:
        """Read what is due, tell what is new and return it. A store that cannot be read is told, and read again."""
        seen = self._looked()
        if seen != self._seen or self._clock.monotonic() >= self._due:
            self._seen = seen
            self._due = self._clock.monotonic() + self._policy.recompute_seconds * NANOS_PER_SECOND
            try:
                self.keep(self.read())
            except UsageError as problem:
                LOG.warning("evidence_unread", extra={"problem": str(problem)})
        context = None if self._store is None else self._store.context
        told = self._teller.look(self.current(), context, now=self._clock.now())
        if told is not None and self._tell is not None:
            self._tell(told)
        return told

    def pause(self) -> float:
        """Return how many seconds to wait before `follow` is called again: at most to the next lapse."""
        certificate = self.current()
        if certificate is None:
            return LOOK_SECONDS
        until = (recompute_at(certificate, self._policy) - self._clock.now()) / NANOS_PER_SECOND
        return min(LOOK_SECONDS, max(0.0, until))

    def read(self) -> Store:
        """Read and check the store; raises `UsageError` for a store or trust file that cannot be read."""
        return read_store(self._folder, read_trust(self._trust), self._policy, at=self._clock.now())

    def keep(self, store: Store) -> None:
        """Answer by this store from now on."""
        self._store, self._read_at = store, self._clock.monotonic()

    def current(self) -> Certificate | None:
        """Return the certificate of this moment; None before the first store, and when the last one is too old."""
        store = self._store
        if store is None or self._clock.monotonic() - self._read_at >= self._stale:
            return None
        if self._running is not None:
            store = store._replace(context=msgspec.structs.replace(store.context, hashes=self._running()))
        return store.at(self._clock.now())

    def _looked(self) -> Seen:
        """Return name, size and time of every file that the answer may rest on, without reading any."""
        places = [self._trust, self._folder / CONTEXT]
        for name, pattern in ((ITEMS, "*.json"), (WAIVERS, "*.json"), (BUNDLES, "*/*.json"), (BUNDLES, "*/*/*.json")):
            places += sorted((self._folder / name).glob(pattern))
        found = []
        for path in places:
            try:
                about = path.stat()
            except OSError:
                continue
            found.append((str(path), about.st_size, about.st_mtime_ns))
        return tuple(found)
