"""Plots of a run's samples as inline SVG: no script, no library; colours are those of the page's style sheet."""

from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

import msgspec

from tradeworthy.operations.paper_run.model import Sample

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1100, 210, 62, 74, 12, 26
POINTS_MAX = 600
"""Points of a line; a longer series keeps the highest of each stretch, so that no peak is lost."""
HOVERS_MAX = 150
"""Columns that tell their values under the pointer."""
NOTHING = 1e-9
"""Below this a value is nothing on an axis in decades; the clock's own nanosecond is 1e-6 ms."""
LIMIT_IN_VIEW = 4.0
"""A limit is drawn where it is below so many times the highest value; else it is only named."""
Points = Sequence[tuple[float, float | None]]


class Line(msgspec.Struct, frozen=True):
    """One named line; x in seconds of the run, None where nothing is known; `tint` is a colour of the style sheet."""

    name: str
    tint: str
    points: Points


class Rule(msgspec.Struct, frozen=True):
    """A level to compare with, e.g. a limit."""

    name: str
    value: float
    tint: str = "red"


def series(samples: Sequence[Sample], value: Callable[[Sample], float | None]) -> Points:
    """Return one figure over the run."""
    return [(one.runtime_seconds, value(one)) for one in samples]


def rates(samples: Sequence[Sample], count: Callable[[Sample], int]) -> Points:
    """Return how fast a count grew between two samples, a minute."""
    return [
        (b.runtime_seconds, 60 * (count(b) - count(a)) / (b.runtime_seconds - a.runtime_seconds))
        for a, b in pairwise(samples) if b.runtime_seconds > a.runtime_seconds
    ]  # fmt: skip


class Axis(msgspec.Struct, frozen=True):
    """Levels of the vertical axis, lowest first; in decades where `log`: what is not above zero then lies lowest."""

    levels: tuple[float, ...]
    log: bool = False

    def share(self, value: float) -> float:
        """Return how high a value stands, 0 at the lowest level and 1 at the highest."""
        low, high = self.levels[0], self.levels[-1]
        if not self.log:
            return (value - low) / (high - low)
        return log10(max(value, low) / low) / log10(high / low)


def figure(
    title: str, note: str, lines: Sequence[Line], unit: str, rules: Sequence[Rule] = (), *, log: bool = False
) -> str:
    """Return a card with one plot; a card that says so where fewer than two points are known."""
    known = [one for one in lines if sum(value is not None for _, value in one.points) > 1]
    if not known:
        return _card(title, note, "", '<p class="none">Fewer than two samples know this.</p>')
    keys = "".join(
        f'<span class="key"><i style="--tint:var(--{one.tint})"></i>{escape(one.name)}</span>' for one in known
    )
    peak = max(value for one in known for _, value in one.points if value is not None)
    drawn = [one for one in rules if log or one.value <= LIMIT_IN_VIEW * peak]
    far = [f"{escape(one.name)} {_number(one.value)} {unit} is off the scale" for one in rules if one not in drawn]
    note = "; ".join([note, *far]) if note else "; ".join(far)
    return _card(title, note, keys, _svg(title, known, drawn, unit, log))


def _svg(title: str, lines: Sequence[Line], rules: Sequence[Rule], unit: str, log: bool) -> str:
    kept = [Line(one.name, one.tint, _thinned(one.points)) for one in lines]
    values = [value for one in kept for _, value in one.points if value is not None]
    values += [one.value for one in rules]
    times = [x for one in kept for x, _ in one.points]
    axis = _decades(values) if log else _rounded(min(values), max(values))
    first, last = min(times), max(times)

    def at_x(x: float) -> float:
        return LEFT + (x - first) / ((last - first) or 1) * (WIDTH - LEFT - RIGHT)

    def at_y(y: float) -> float:
        return HEIGHT - BOTTOM - axis.share(y) * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    for level in axis.levels:
        y = at_y(level)
        parts.append(f'<line class="grid-line" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_number(level)}</text>')
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        x = first + share * (last - first)
        text = _elapsed(x)
        parts.append(f'<text x="{at_x(x):.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{text}</text>')
    parts.append(f'<text x="{LEFT - 8}" y="{HEIGHT - 6}" text-anchor="end">{escape(unit)}</text>')
    for rule in rules:
        y = at_y(rule.value)
        parts.append(
            f'<line class="rule" style="stroke:var(--{rule.tint})" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/><text x="{LEFT + 6}" y="{y - 5:.1f}" style="fill:var(--{rule.tint})">'
            f"{escape(rule.name)} {_number(rule.value)}</text>"
        )
    ends: list[float] = []
    for one in sorted(kept, key=lambda line: -(_last(line.points) or 0)):
        parts.append(f'<path style="stroke:var(--{one.tint})" d="{_path(one.points, at_x, at_y)}"/>')
        value = _last(one.points)
        if value is not None:
            y = max(at_y(value) + 4, ends[-1] + 13 if ends else 0)
            ends.append(y)
            parts.append(
                f'<text x="{WIDTH - RIGHT + 6}" y="{y:.1f}" style="fill:var(--{one.tint})">{_number(value)}</text>'
            )
    return "".join(parts) + _hovers(kept, at_x, unit) + "</svg>"


def _hovers(lines: Sequence[Line], at_x: Callable[[float], float], unit: str) -> str:
    """Return invisible columns, each with the values under it."""
    known = [(one.name, dict(one.points)) for one in lines]
    times = sorted({x for _, points in known for x in points})
    columns = times[:: -(-len(times) // HOVERS_MAX)]
    parts = []
    for x, after in zip(columns, (*columns[1:], None), strict=True):
        left, right = at_x(x), WIDTH - RIGHT if after is None else at_x(after)
        values = [(name, points[x]) for name, points in known if x in points]
        told = "\n".join(f"{name} {'unknown' if v is None else f'{_number(v)} {unit}'}" for name, v in values)
        parts.append(
            f'<rect class="hover" x="{left:.1f}" y="{TOP}" width="{max(1.0, right - left):.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}"><title>{_elapsed(x)}&#10;{escape(told)}</title></rect>'
        )
    return "".join(parts)


def _path(points: Points, at_x: Callable[[float], float], at_y: Callable[[float], float]) -> str:
    """Return a path with a gap wherever nothing is known."""
    parts, pen = [], "M"
    for x, value in points:
        if value is None:
            pen = "M"
            continue
        parts.append(f"{pen}{at_x(x):.1f} {at_y(value):.1f}")
        pen = "L"
    return "".join(parts)


def _thinned(points: Points) -> Points:
    """Return at most `POINTS_MAX` points, the highest known of each stretch."""
    every = -(-len(points) // POINTS_MAX)
    if every <= 1:
        return points
    stretches = [points[at : at + every] for at in range(0, len(points), every)]
    return [max(one, key=lambda point: (point[1] is not None, point[1] or 0.0)) for one in stretches]


SPREAD_SHARE_MIN, SPREAD_MIN = 1e-9, 1e-9
"""Values that lie closer together are one value on paper: of the larger one, and at all."""


def _rounded(low: float, high: float) -> Axis:
    """Return levels on round numbers; a figure that is small against its spread starts at zero."""
    if low >= 0 and low < 0.7 * high:
        low = 0.0
    spread = max(high - low, abs(high) * SPREAD_SHARE_MIN) or 1.0
    spread = max(spread, SPREAD_MIN)
    power = 10.0 ** floor(log10(spread / 4))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= spread / 4)
    bottom = floor(low / step) * step
    steps = max(1, ceil((high - bottom) / step - 1e-9))
    return Axis(tuple(bottom + number * step for number in range(steps + 1)))


def _decades(values: Sequence[float]) -> Axis:
    """Return powers of ten around the values above nothing; without any, a linear axis."""
    positive = [one for one in values if one >= NOTHING]
    if not positive:
        return _rounded(0.0, 1.0)
    low, high = floor(log10(min(positive))), ceil(log10(max(positive)))
    return Axis(tuple(10.0**power for power in range(low, max(high, low + 1) + 1)), log=True)


def _last(points: Points) -> float | None:
    return next((value for _, value in reversed(points) if value is not None), None)


def _number(value: float) -> str:
    text = f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return text.replace("e-0", "e-").replace("e+0", "e")


def _elapsed(seconds: float) -> str:
    if seconds < 0.01:
        return "0 s"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7_200 else f"{seconds / 3_600:.4g} h"


def _card(title: str, note: str, keys: str, body: str) -> str:
    small = f"<small>{note}</small>" if note else ""
    return (
        f'<figure class="card"><figcaption><h2>{escape(title)}{small}</h2><span class="keys">{keys}</span>'
        f"</figcaption>{body}</figure>"
    )
