"""This event reaches these channels: a pure table look-up (AR-03)."""

from typing import NamedTuple

from tradeworthy.operations.incidents.model import AlertSeverity
from tradeworthy.operations.incidents.policy import AlertPolicy

DEFAULT_RULE = "default"


class Route(NamedTuple):
    """One rule that matched: the channels that take this severity, and how long a repeat is kept back."""

    rule: str
    channels: tuple[str, ...]
    suppress_s: float


class Routing:
    """Look routes up; `unrouted` names the categories that no rule knows, each once, bounded."""

    UNROUTED_MAX = 256

    def __init__(self, policy: AlertPolicy) -> None:
        self._policy = policy
        self._channels = {one.name: one for one in policy.channels}
        self.unrouted: dict[str, None] = {}

    def routes(self, category: str, severity: AlertSeverity) -> tuple[Route, ...]:
        """Return every rule that matches; the default channels where none knows the category."""
        if severity < self._policy.min_severity:
            return ()
        known = [one for one in self._policy.rules if one.matches(category)]
        if not known:
            if len(self.unrouted) < self.UNROUTED_MAX:
                self.unrouted.setdefault(category)
            return (Route(DEFAULT_RULE, self._taking(self._policy.default_channels, severity), 300.0),)
        found = []
        for rule in known:
            if severity >= rule.min_severity:
                wait = rule.suppress_s
                if severity is AlertSeverity.CRITICAL and rule.suppress_critical_s is not None:
                    wait = rule.suppress_critical_s
                found.append(Route(rule.name, self._taking(rule.channels, severity), wait))
        return tuple(found)

    def knows(self, category: str) -> bool:
        """Tell whether a rule names a category."""
        return any(one.matches(category) for one in self._policy.rules)

    def _taking(self, names: tuple[str, ...], severity: AlertSeverity) -> tuple[str, ...]:
        return tuple(name for name in names if severity >= self._channels[name].min_severity)
