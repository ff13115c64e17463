"""Spans of the alert path: a signal that is handed in, and a notice on its way out of one channel (TRC-02)."""

from collections.abc import Mapping

from tradeworthy.kernel.telemetry.tracing import Tracing
from tradeworthy.operations.incidents.channel import Sent, Transport
from tradeworthy.operations.incidents.model import Notice

ROUTE, DELIVER = "route", "deliver"


class SpannedTransport:
    """A transport whose every attempt is a span; an attempt that fails sets its status."""

    def __init__(self, way: Transport, tracing: Tracing, channel: str) -> None:
        self._way, self._tracing, self._channel = way, tracing, channel

    async def send(self, notice: Notice, *, timeout_s: float) -> Sent:
        """Send by the transport itself."""
        with self._tracing.alert(DELIVER, notice.id, channel=self._channel):
            return await self._way.send(notice, timeout_s=timeout_s)


def spanned(ways: Mapping[str, Transport | str], tracing: Tracing) -> dict[str, Transport | str]:
    """Return the ways out with spans around them, as they are while tracing is off."""
    if not tracing.on:
        return dict(ways)
    return {
        name: way if isinstance(way, str) else SpannedTransport(way, tracing, name) for name, way in ways.items()
    }
