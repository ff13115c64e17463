"""Make observations: one place that stamps them with source, environment, provenance and evidence."""

from typing import Any

from tradeworthy.operations.assessments.framework.values import Observation, Provenance


class Teller:
    """Tell facts of one source at one moment. `at` is nanoseconds UTC.

    evidence  what all of them rest on, e.g. `seq:1-99`
    """

    def __init__(
        self, source: str, at: int, *, environment: str, provenance: Provenance = Provenance.MEASURED,
        evidence: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self._source, self._at, self._environment = source, at, environment
        self._provenance, self._evidence = provenance, evidence

    def __call__(
        self, name: str, value: Any, component: str = "", *, why: str = "", provenance: Provenance | None = None
    ) -> Observation:
        """Tell one fact; None is missing, and `why` says why."""
        return Observation(
            name=name, value=value, ts_observed=self._at, provenance=provenance or self._provenance,
            source=self._source, environment=self._environment, component=component,
            missing="" if value is not None else why or "nobody has told it yet", evidence=self._evidence,
        )  # fmt: skip
