"""The story around one id, from the first cause to the last effect, and where it breaks (JR-18)."""

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from tradeworthy.kernel.facts import Event


class Story(msgspec.Struct, frozen=True):
    """Events in journal order, and each break as text; empty `events` means that nobody knows the id."""

    events: tuple[Event, ...]
    breaks: tuple[str, ...]


def trace(events: Iterable[Event], wanted: str) -> Story:
    """Follow causes and effects in both directions from every event that `wanted` names.

    wanted  an event id, a correlation id, or the value of any payload field called `*_id`

    A link is broken where a cause is missing, or where a caused event's neighbour in its source's own numbering is.
    """
    stored = list(events)
    by_id = {event.event_id: event for event in stored}
    place = {event.event_id: index for index, event in enumerate(stored)}
    effects: dict[str, list[Event]] = {}
    for event in stored:
        if event.causation_id is not None:
            effects.setdefault(event.causation_id, []).append(event)
    numbers: dict[str, set[int]] = {event.source: set() for event in stored if event.causation_id is not None}
    for event in stored:
        if event.source in numbers and event.source_seq is not None:
            numbers[event.source].add(event.source_seq)
    ends = {source: (min(held), max(held)) for source, held in numbers.items() if held}
    found: dict[str, Event] = {}
    breaks: dict[str, None] = {}
    waiting = deque(event for event in stored if wanted in _ids_of(event))
    while waiting:
        event = waiting.popleft()
        if event.event_id in found:
            continue
        found[event.event_id] = event
        waiting.extend(effects.get(event.event_id, ()))
        if event.causation_id is None:
            continue
        cause = by_id.get(event.causation_id)
        if cause is None:
            breaks[f"{event.event_id} ({event.kind}) names the cause {event.causation_id}, which is missing"] = None
        else:
            waiting.append(cause)
        breaks.update(dict.fromkeys(_missing_neighbours(event, numbers, ends)))
    return Story(tuple(sorted(found.values(), key=lambda event: place[event.event_id])), tuple(breaks))


def _missing_neighbours(
    event: Event, numbers: dict[str, set[int]], ends: dict[str, tuple[int, int]]
) -> Iterator[str]:
    """Name what is missing next to a caused event; sources number what they cause without a gap."""
    number = event.source_seq
    if number is None or event.source not in ends:
        return
    first, last = ends[event.source]
    for neighbour in (number - 1, number + 1):
        if first < neighbour < last and neighbour not in numbers[event.source]:
            yield f"{event.source}:{neighbour} is missing next to {event.event_id} ({event.kind})"


def _ids_of(event: Event) -> set[str]:
    ids = {event.event_id, event.correlation_id}
    waiting: list[object] = [event.payload]
    while waiting:
        value = waiting.pop()
        if not isinstance(value, msgspec.Struct):
            continue
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if name.endswith("_id") and isinstance(inner, str | int):
                ids.add(str(inner))
            elif isinstance(inner, msgspec.Struct):
                waiting.append(inner)
    return ids
