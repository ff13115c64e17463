"""The divergence report's table."""

from collections.abc import Iterable

from tradeworthy.research.parity.ladder import RungResult


def table(results: Iterable[RungResult]) -> str:
    """Return the counts as a Markdown table: one line a comparison, counted in orders (T6: in figures)."""
    lines = ["| comparison | against | equal | classed | unexplained |", "|---|---|---:|---|---:|"]
    for result in results:
        for one in result.comparisons:
            classed = ", ".join(f"`{name}` {count}" for name, count in one.classed.items()) or "0"
            lines.append(f"| {one.name} | {one.oracle} | {one.equal} | {classed} | {len(one.unexplained)} |")
    return "\n".join(lines) + "\n"
