"""Events to canonical JSON lines and back: the schema at the door (JR-02)."""

import functools
import math
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
from msgspec import inspect
from msgspec.structs import astuple

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.facts import KINDS, Event, Fact
from tradeworthy.kernel.journal.upcast import lifted

ENCODER = msgspec.json.Encoder(decimal_format="string")
_EXACT_NAMES = (
    "price", "lots", "bid", "ask", "open", "high", "low", "close", "quantity", "qty", "volume", "notional", "amount",
    "money", "fee", "balance", "cash", "realized", "average",
)  # fmt: skip

_FINITE_CLASSES: set[type] = {str, int, bool, type(None)}
"""Classes whose values hold no number that could be NaN; enums join as they are met."""


class FloatToken(float):
    """A number that the JSON text wrote with a point or an exponent."""


def decode_lines(lines: bytes) -> list[Event]:
    """Return the events of complete lines, payloads typed by kind; for lines that the journal accepted."""
    try:
        return [
            Event(
                v.seq, v.event_id, v.ts_event, v.ts_init, v.payload.kind, v.schema, v.source, v.source_seq,
                v.correlation_id, v.causation_id, v.payload,
            )
            for v in _line_decoder(len(KINDS)).decode_lines(lifted(lines))
        ]
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"expected lines of registered kinds, found {error}") from None


def decode_event(line: bytes) -> Event:
    """Return one event from bytes of the outside, or raise `InvalidInput` saying what was expected and found."""
    try:
        [event] = decode_lines(line.rstrip(b"\n") + b"\n")
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"expected one line of a known event, found {error}") from None
    if event.seq < 0:
        raise InvalidInput(f"seq must be at least zero, was {event.seq}")
    for name, stamp in (("ts_event", event.ts_event), ("ts_init", event.ts_init)):
        if stamp <= 0:
            raise InvalidInput(f"{name} must be above zero, was {stamp}")
    if not event.event_id or not event.source or not event.correlation_id:
        raise InvalidInput("event_id, source and correlation_id must not be empty")
    if type(event.payload) in _numeric_kinds(len(KINDS)):
        require_finite(event.payload)
    written = msgspec.json.Decoder(float_hook=FloatToken).decode(line)
    known = event.payload.schema.rpartition(".")[0]
    if written["schema"].rpartition(".")[0] != known:
        raise InvalidInput(f"schema must be {known} of any minor version, was {written['schema']!r}")
    _refuse_floats(written["payload"], "payload", _decimal_names(type(event.payload)))
    return event


def require_finite(value: Any, path: str = "payload") -> None:
    """Raise `InvalidInput` when a number in `value` is NaN or infinite; missing is None, never NaN."""
    safe = _FINITE_CLASSES
    if isinstance(value, msgspec.Struct):
        for index, item in enumerate(astuple(value)):
            cls = item.__class__  # judged by what is held, not by what is declared
            if cls in safe:
                continue
            if cls is Decimal:
                if item.is_finite():
                    continue
            elif issubclass(cls, Enum):
                safe.add(cls)
                continue
            require_finite(item, f"{path}.{value.__struct_fields__[index]}")
        return
    match value:
        case float() | Decimal():
            if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
                raise InvalidInput(f"{path} must be finite, was {value}")
        case dict():
            for name, item in value.items():
                require_finite(item, f"{path}.{name}")
        case list() | tuple():
            for index, item in enumerate(value):
                require_finite(item, f"{path}[{index}]")
        case _:
            pass


def needs_finite_check(kind: type[Fact]) -> bool:
    """Tell whether a payload of this kind can hold a number that is not finite."""
    return _holds_number(inspect.type_info(kind), set())


def _refuse_floats(value: Any, path: str, decimals: frozenset[str]) -> None:
    match value:
        case FloatToken():
            name = path.rpartition(".")[2].partition("[")[0]
            if name in decimals or any(part in _EXACT_NAMES for part in name.split("_")):
                raise InvalidInput(f"{path} must be an integer or a decimal in quotes, was the float {value!r}")
        case dict():
            for name, item in value.items():
                _refuse_floats(item, f"{path}.{name}", decimals)
        case list():
            for index, item in enumerate(value):
                _refuse_floats(item, f"{path}[{index}]", decimals)
        case _:
            pass


@functools.cache
def _decimal_names(kind: type[Fact]) -> frozenset[str]:
    names: set[str] = set()

    def walk(info: Any, seen: set[Any]) -> None:
        if isinstance(info, inspect.StructType):
            if info.cls in seen:
                return
            seen.add(info.cls)
            for field in info.fields:
                if _holds(field.type, inspect.DecimalType):
                    names.add(field.encode_name)
                walk(field.type, seen)
        for inner in _children(info):
            walk(inner, seen)

    walk(inspect.type_info(kind), set())
    return frozenset(names)


def _children(info: Any) -> tuple[Any, ...]:
    match info:
        case inspect.UnionType():
            return tuple(info.types)
        case inspect.TupleType():
            return tuple(info.item_types)
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return (info.item_type,)
        case inspect.DictType():
            return (info.key_type, info.value_type)
        case _:
            return ()


def _holds(info: Any, wanted: type) -> bool:
    return isinstance(info, wanted) or any(_holds(inner, wanted) for inner in _children(info))


def _holds_number(info: Any, seen: set[Any]) -> bool:
    if isinstance(info, inspect.DecimalType | inspect.FloatType | inspect.AnyType):
        return True
    if isinstance(info, inspect.StructType):
        if info.cls in seen:
            return False
        seen.add(info.cls)
        return any(_holds_number(field.type, seen) for field in info.fields)
    return any(_holds_number(inner, seen) for inner in _children(info))


@functools.lru_cache(maxsize=1)
def _numeric_kinds(_registered: int) -> frozenset[type[Fact]]:
    return frozenset(kind for kind in KINDS.values() if needs_finite_check(kind))


def numeric_kinds() -> frozenset[type[Fact]]:
    """Return the registered kinds whose payload must be checked for NaN and infinity."""
    return _numeric_kinds(len(KINDS))


@functools.lru_cache(maxsize=1)
def _line_decoder(_registered: int) -> Any:
    """One decoder for all kinds: `kind` is the tag of a union of envelopes, so one C call types a whole batch."""
    envelopes = [
        msgspec.defstruct(
            "Line",
            [
                ("seq", int), ("event_id", str), ("ts_event", int), ("ts_init", int), ("schema", str), ("source", str),
                ("source_seq", int | None), ("correlation_id", str), ("causation_id", str | None), ("payload", payload),
            ],
            tag_field="kind", tag=kind, forbid_unknown_fields=True, frozen=True, gc=False,
        )
        for kind, payload in KINDS.items()
    ]  # fmt: skip
    if not envelopes:
        raise InvalidInput("no kind of fact is registered")
    union: Any = envelopes[0]
    for envelope in envelopes[1:]:
        union = union | envelope
    return msgspec.json.Decoder(union)
