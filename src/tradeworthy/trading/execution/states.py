"""The life of an order: every arrow that exists, and the state that a report leads to (OM-01)."""

from tradeworthy.trading.model.order import OrderState, ReportType

_S, _R = OrderState, ReportType

ARROWS: dict[OrderState, frozenset[OrderState]] = {
    _S.CREATED: frozenset({_S.SUBMITTED}),
    _S.SUBMITTED: frozenset({_S.WORKING, _S.PARTIALLY_FILLED, _S.FILLED, _S.REJECTED, _S.UNKNOWN}),
    _S.WORKING: frozenset(
        {_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.PENDING_AMEND, _S.PENDING_CANCEL, _S.UNKNOWN}
    ),
    _S.PARTIALLY_FILLED: frozenset(
        {_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.PENDING_AMEND, _S.PENDING_CANCEL, _S.UNKNOWN}
    ),
    _S.PENDING_AMEND: frozenset(
        {_S.PENDING_AMEND, _S.WORKING, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.UNKNOWN}
    ),
    _S.PENDING_CANCEL: frozenset(
        {_S.PENDING_CANCEL, _S.WORKING, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.UNKNOWN}
    ),
    _S.UNKNOWN: frozenset(
        {_S.WORKING, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED, _S.ABSENT}
    ),
    _S.FILLED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.ABSENT: frozenset(),
}
"""From each state to the states it may become; a pending state on itself is a fill meanwhile."""

_WORKS = frozenset({_S.WORKING, _S.PARTIALLY_FILLED})
_PENDING = frozenset({_S.PENDING_AMEND, _S.PENDING_CANCEL})
_SENT = frozenset({_S.SUBMITTED, _S.UNKNOWN})

# report -> (states that take it, state it leads to; None = working or partially filled by the filled quantity)
_STEPS: dict[ReportType, tuple[frozenset[OrderState], OrderState | None]] = {
    _R.ACKNOWLEDGED: (_SENT, None),
    _R.REJECTED: (_SENT, _S.REJECTED),
    _R.CANCELLED: (_WORKS | _PENDING | {_S.UNKNOWN}, _S.CANCELLED),
    _R.EXPIRED: (_WORKS | {_S.UNKNOWN}, _S.EXPIRED),
    _R.UNKNOWN: (_WORKS | _PENDING | {_S.SUBMITTED}, _S.UNKNOWN),
    _R.ABSENT: (frozenset({_S.UNKNOWN}), _S.ABSENT),
    _R.AMENDED: (frozenset({_S.PENDING_AMEND}), None),
    _R.AMEND_REJECTED: (frozenset({_S.PENDING_AMEND}), None),
    _R.CANCEL_REJECTED: (frozenset({_S.PENDING_CANCEL}), None),
}


def after_report(state: OrderState, report: ReportType, cum_lots: int) -> OrderState | None:
    """Return the state that a report other than a fill, bust or correction leads to; None where no arrow allows it."""
    step = _STEPS.get(report)
    if step is None or state not in step[0]:
        return None
    if step[1] is not None:
        return step[1]
    return _S.PARTIALLY_FILLED if cum_lots else _S.WORKING


def after_fill(state: OrderState, leaves: int) -> OrderState:
    """Return the state of a live order after a fill that leaves `leaves` lots open."""
    if leaves == 0:
        return _S.FILLED
    if state is _S.PENDING_CANCEL or state is _S.PENDING_AMEND:
        return state
    return _S.PARTIALLY_FILLED
