"""Incidents of a run: episodes that open, escalate and close; findings counted by fingerprint; bounded in number."""

from collections.abc import Callable

import msgspec

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.model import Incident, IncidentMetadata, IncidentState, Status, stamp, status_of

OVERFLOW_CODE = "incident.overflow"


class IncidentBook:
    """All incidents of a run in the order they came; `changed` hears each opening, escalation and closing.

    kept_max  distinct incidents kept; whatever comes after is one `incident.overflow`
    """

    def __init__(self, *, kept_max: int, changed: Callable[[Incident], None], first_number: int = 1) -> None:
        self._kept_max = kept_max
        self._changed = changed
        self._number = first_number
        self._by_key: dict[str, Incident] = {}
        self._closed: list[Incident] = []
        self._dirty: set[str] = set()
        self._highest = Severity.OK

    @property
    def highest(self) -> Severity:
        """Return the worst severity ever counted; it never falls."""
        return self._highest

    def raise_floor(self, severity: Severity) -> None:
        """Never report less than `severity`; used when an earlier boot of the run saw worse."""
        self._highest = max(self._highest, severity)

    def adopt(self, incidents: tuple[Incident, ...]) -> None:
        """Take over the incidents of an earlier boot as they stand; its open episodes are over."""
        for one in incidents:
            self._closed.append(msgspec.structs.replace(one, state=IncidentState.CLOSED))
            self._count(one)
        self._number = len(self._closed) + 1

    def report(
        self, code: str, severity: Severity, message: str, *, at: int, metadata: IncidentMetadata,
        fingerprint: str = "",
    ) -> None:  # fmt: skip
        """Count a finding under its code and fingerprint; a worse repetition escalates it, a milder one only counts."""
        key = f"{code}\x1f{fingerprint}"
        known = self._by_key.get(key)
        if known is None:
            if len(self._by_key) + len(self._closed) >= self._kept_max:
                self._overflow(severity, at)
                return
            self._add(key, code, severity, message, at=at, metadata=metadata)
            return
        worse = max(known.severity.severity, severity)
        self._by_key[key] = msgspec.structs.replace(known, count=known.count + 1, severity=status_of(worse))
        if worse > known.severity.severity:
            self._tell(key)
        else:
            self._dirty.add(key)

    def judge(
        self, code: str, severity: Severity, message: str, *, at: int, metadata: IncidentMetadata, part: str = "",
    ) -> None:  # fmt: skip
        """Hold an episode to what is true now: opens when bad, escalates when worse, closes on OK; may open again."""
        key = f"episode\x1f{code}\x1f{part}"
        known = self._by_key.get(key)
        if severity == Severity.OK:
            if known is not None:
                del self._by_key[key]
                closed = msgspec.structs.replace(known, state=IncidentState.CLOSED, closed_at=stamp(at))
                self._closed.append(closed)
                self._dirty.discard(key)
                self._changed(closed)
            return
        if known is None:
            if len(self._by_key) + len(self._closed) >= self._kept_max:
                self._overflow(severity, at)
                return
            self._add(key, code, severity, message, at=at, metadata=metadata)
        elif severity > known.severity.severity:
            self._by_key[key] = msgspec.structs.replace(
                known, severity=status_of(severity), message=message, metadata=metadata
            )
            self._tell(key)

    def end(self, at: int) -> None:
        """Tell the last counts of what was only counted since it was told."""
        for key in sorted(self._dirty):
            self._changed(self._by_key[key])
        self._dirty.clear()

    def all(self) -> tuple[Incident, ...]:
        """Return every incident by its number."""
        return tuple(sorted((*self._closed, *self._by_key.values()), key=lambda one: one.id))

    def worst(self) -> Severity:
        """Return the worst severity among incidents that count."""
        return max((one.severity.severity for one in self.all() if not one.planned), default=Severity.OK)

    def _add(
        self, key: str, code: str, severity: Severity, message: str, *, at: int, metadata: IncidentMetadata
    ) -> None:
        self._by_key[key] = Incident(
            id=f"inc-{self._number:05d}", code=code, severity=status_of(severity), state=IncidentState.OPEN,
            occurred_at=stamp(at), message=message, metadata=metadata,
        )  # fmt: skip
        self._number += 1
        self._tell(key)

    def _tell(self, key: str) -> None:
        one = self._by_key[key]
        self._dirty.discard(key)
        self._count(one)
        self._changed(one)

    def _count(self, one: Incident) -> None:
        if not one.planned:
            self._highest = max(self._highest, one.severity.severity)

    def _overflow(self, severity: Severity, at: int) -> None:
        key = f"{OVERFLOW_CODE}\x1f"
        known = self._by_key.get(key)
        if known is None:
            self._add(
                key, OVERFLOW_CODE, max(severity, Severity.WARN),
                f"more than {self._kept_max} distinct incidents; later ones are counted here only",
                at=at, metadata=IncidentMetadata(component="incidents", limit=self._kept_max, unit="incidents"),
            )  # fmt: skip
            return
        worse = max(known.severity.severity, severity)
        self._by_key[key] = msgspec.structs.replace(known, count=known.count + 1, severity=status_of(worse))
        if worse > known.severity.severity:
            self._tell(key)
        else:
            self._dirty.add(key)


def one_line(incident: Incident) -> str:
    """Return an incident as the one line a person reads."""
    word = incident.severity.value.upper() if incident.state is IncidentState.OPEN else "closed"
    moment = incident.closed_at or incident.occurred_at
    return f"{moment:%Y-%m-%dT%H:%M:%SZ} {word} {incident.code} ({incident.id}): {incident.message}"


def worst_of(*statuses: Status) -> Status:
    """Return the worst of `statuses`, none of them: pass."""
    return status_of(max((one.severity for one in statuses), default=Severity.OK))
