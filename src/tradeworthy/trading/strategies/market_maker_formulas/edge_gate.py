"""The edge gate (MM-06): evidence closes it, shadow evidence probes, measured probes open it again."""

from collections import deque
from enum import Enum

from tradeworthy.trading.strategies.market_maker_formulas.policy import EdgeGatePolicy

EVIDENCE_MAX = 4096


class Gate(Enum):
    OPEN = "open"
    PROBE = "probe"
    CLOSED = "closed"


class EdgeGate:
    """Own and shadow evidence, `mean` as last judged; each change starts new evidence, so no loss locks it."""

    __slots__ = ("_changed", "_evidence", "_policy", "mean", "state")

    def __init__(self, policy: EdgeGatePolicy) -> None:
        self.state = Gate.OPEN
        self.mean: float | None = None
        self._policy = policy
        self._evidence: deque[tuple[int, float]] = deque(maxlen=EVIDENCE_MAX)
        self._changed: int | None = None

    @property
    def fills(self) -> int:
        """Measured fills that count for the next change."""
        return len(self._evidence)

    @property
    def waiting(self) -> str:
        """What is still missing for a judgement, empty when there is enough: too few fills change nothing."""
        needed = self._needed()
        found = len(self._evidence)
        return "" if found >= needed else f"{found} of {needed} measured fills ({self.state.value})"

    def add(self, ts: int, net: float, *, shadow: bool) -> None:
        """Take the net result of one fill; shadow fills count while closed, own fills otherwise."""
        if shadow == (self.state is Gate.CLOSED):
            self._evidence.append((ts, net))

    def judge(self, now: int) -> Gate:
        """Return the state at `now`; too few fills or a change too soon leave it unchanged."""
        policy, evidence = self._policy, self._evidence
        while evidence and now - evidence[0][0] >= policy.window_ns:
            evidence.popleft()
        if self._changed is not None and now - self._changed < policy.change_ns_min:
            return self.state
        if len(evidence) < self._needed():
            return self.state
        mean = self.mean = sum(net for _, net in evidence) / len(evidence)
        if self.state is Gate.CLOSED:
            after = Gate.PROBE if mean > policy.reopen_above else Gate.CLOSED
        elif mean < policy.close_below:
            after = Gate.CLOSED
        else:
            after = Gate.OPEN if mean > policy.reopen_above else self.state
        if after is not self.state:
            self.state, self._changed = after, now
            evidence.clear()
        return self.state

    def _needed(self) -> int:
        policy = self._policy
        return {
            Gate.OPEN: policy.fills_min, Gate.PROBE: policy.probe_fills_min, Gate.CLOSED: policy.shadow_fills_min,
        }[self.state]
