"""Which event a venue's report answers: its direct cause, and the chain its order belongs to (JR-04, JR-18)."""

from collections import deque

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.trading.model import AmendOrder, CancelOrder, Command, ExecReport, QueryOrder, ReportType, SubmitOrder

ENDED_KEPT_NS = 60 * NANOS_PER_SECOND
"""An order's chain is known this long after its end, as long as the order itself (DL-07)."""
Cause = tuple[str | None, str | None]
"""`(causation_id, correlation_id)`; None where nobody knows, and nothing is filled in."""
_NOBODY: Cause = (None, None)
_R = ReportType
_OF_CANCEL = frozenset({_R.CANCELLED, _R.CANCEL_REJECTED})
_OF_AMEND = frozenset({_R.AMENDED, _R.AMEND_REJECTED})
_ENDS = frozenset({_R.CANCELLED, _R.REJECTED, _R.EXPIRED, _R.ABSENT})


class _Chain:
    __slots__ = ("amend", "cancel", "correlation", "query", "submit")

    def __init__(self, submit: str, correlation: str) -> None:
        self.submit, self.correlation = submit, correlation
        self.cancel: str | None = None
        self.amend: str | None = None
        self.query: str | None = None


class OrderLineage:
    """Event ids of the commands of each order, by client order id, from its submit until a minute after its end."""

    __slots__ = ("_chains", "_ended")

    def __init__(self) -> None:
        self._chains: dict[str, _Chain] = {}
        self._ended: deque[tuple[int, str]] = deque()

    def __len__(self) -> int:
        return len(self._chains)

    def on_command(self, command: Command, event_id: str, correlation_id: str, ts: int) -> None:
        """Remember the event of a command that leaves at `ts`."""
        if type(command) is SubmitOrder:
            ended = self._ended
            while ended and ts - ended[0][0] >= ENDED_KEPT_NS:
                self._chains.pop(ended.popleft()[1], None)
            self._chains[command.client_order_id] = _Chain(event_id, correlation_id)
            return
        chain = self._chains.get(command.client_order_id)
        if chain is None:
            return
        match command:
            case CancelOrder():
                chain.cancel = event_id
            case AmendOrder():
                chain.amend = event_id
            case QueryOrder():
                chain.query = event_id

    def of_report(self, report: ExecReport, ts: int) -> Cause:
        """Return what a report that arrives at `ts` answers: its cancel, amend or query, else the submit."""
        chain = self._chains.get(report.client_order_id)
        if chain is None:
            return _NOBODY
        kind = report.type
        if kind in _ENDS or (kind is _R.FILL and report.leaves_lots == 0):
            self._ended.append((ts, report.client_order_id))
        if kind is _R.ABSENT or report.code == "venue.status":
            cause = chain.query
        elif kind in _OF_CANCEL:
            cause = chain.cancel
        elif kind in _OF_AMEND:
            cause = chain.amend
        else:
            cause = None
        return cause or chain.submit, chain.correlation
