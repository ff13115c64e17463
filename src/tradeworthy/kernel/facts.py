"""Facts and their registry: every kind of payload that a journal may hold is registered once."""

from typing import Any, ClassVar, TypeVar

import msgspec


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Base of every journaled payload; subclasses set `kind` and `schema` (`kind@major.minor`)."""

    kind: ClassVar[str] = ""
    schema: ClassVar[str] = ""


F = TypeVar("F", bound=type[Fact])
KINDS: dict[str, type[Fact]] = {}


def fact(kind: str, version: str = "1.0") -> Any:
    """Register a `Fact` subclass under `kind`; a kind is registered once."""

    def register(cls: F) -> F:
        known = KINDS.get(kind)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"kind {kind!r} is registered already, by {known.__module__}.{known.__qualname__}")
        cls.kind = kind
        cls.schema = f"{kind}@{version}"
        KINDS[kind] = cls
        return cls

    return register


class Event(msgspec.Struct, frozen=True, gc=False):
    """The envelope (contract 1) around one fact. Timestamps are integer nanoseconds UTC.

    seq             position in the journal, from 1; 0 until the journal accepted it
    event_id        derived from the source and its own key; accepted once
    ts_event        at the source;  ts_init at the desk
    source_seq      the source's own message number, for sources that number their messages
    correlation_id  id of the first event of the chain;  causation_id the direct cause
    """

    seq: int
    event_id: str
    ts_event: int
    ts_init: int
    kind: str
    schema: str
    source: str
    source_seq: int | None
    correlation_id: str
    causation_id: str | None
    payload: Fact


def event_of(
    payload: Fact, *, source: str, key: str | int, ts_event: int, ts_init: int, source_seq: int | None = None,
    cause: "Event | None" = None,
) -> Event:
    """Wrap `payload`; a caused event inherits its cause's correlation, the first of a chain is its own."""
    event_id = f"{source}:{key}"
    return Event(
        0, event_id, ts_event, ts_init, payload.kind, payload.schema, source, source_seq,
        event_id if cause is None else cause.correlation_id, None if cause is None else cause.event_id, payload,
    )
