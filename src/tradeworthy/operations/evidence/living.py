"""The certificate that lives with a running desk: its evidence is read beside the loop, its answer made when asked."""

import asyncio
import logging
from pathlib import Path

from tradeworthy.kernel.clock import NANOS_PER_SECOND, Clock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.evidence.certificate import Certificate
from tradeworthy.operations.evidence.certificate_store import Store, read_store
from tradeworthy.operations.evidence.requirements import STANDARD, CertificatePolicy
from tradeworthy.operations.evidence.trust import read_trust

LOG = logging.getLogger("tradeworthy.evidence")
STALE_SECONDS = 300.0
"""Evidence that was read longer ago says nothing any more: something newer may have ended a GO."""


class LivingCertificate:
    """Answer for an evidence store that `refresh`, the factory of a supervised task, reads each minute (EV-19).

    trust  the file of trusted keys
    """

    def __init__(
        self, folder: Path, trust: Path, clock: Clock, *, policy: CertificatePolicy = STANDARD,
        stale_s: float = STALE_SECONDS,
    ) -> None:  # fmt: skip
        self._folder, self._trust, self._clock, self._policy = folder, trust, clock, policy
        self._stale = round(stale_s * NANOS_PER_SECOND)
        self._store: Store | None = None
        self._read_at = 0

    async def refresh(self, pulse: Pulse) -> None:
        """Read for ever. A store that cannot be read is told, and read again; until then its last answer grows old."""
        while True:
            try:
                self.keep(await self.read())
            except UsageError as problem:
                LOG.warning("evidence_unread", extra={"problem": str(problem)})
            pulse.beat()
            await asyncio.sleep(self._policy.recompute_seconds)

    async def read(self) -> Store:
        """Read and check the store in a thread; raises `UsageError` for a store or trust file that cannot be read."""
        return await asyncio.to_thread(self._look)

    def keep(self, store: Store) -> None:
        """Answer by this store from now on."""
        self._store, self._read_at = store, self._clock.monotonic()

    def current(self) -> Certificate | None:
        """Return the certificate of this moment; None before the first store, and when the last one is too old."""
        if self._store is None or self._clock.monotonic() - self._read_at >= self._stale:
            return None
        return self._store.at(self._clock.now())

    def _look(self) -> Store:
        return read_store(self._folder, read_trust(self._trust), self._policy, at=self._clock.now())
