"""A game day counts only if its own requirement flips and returns; otherwise the drill proves nothing (GT-20)."""

import msgspec

from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.model import Answer, Verdict


class GameDay(msgspec.Struct, frozen=True, kw_only=True):
    """One drill: the requirement that it breaks on purpose, and the gate asked before, during and after it.

    coupled  rows that the same drill may flip, by right
    """

    drill: str
    requirement: str
    before: Verdict
    during: Verdict
    after: Verdict
    coupled: tuple[str, ...] = ()


def game_day_report(found: GameDay) -> Report:
    """Return OK where the row was met, was not, and was again; under a gate that was NO-GO before: UNKNOWN."""
    name = found.requirement
    stood = tuple(_met(one, name) for one in (found.before, found.during, found.after))
    told = " → ".join("absent" if one is None else "met" if one else "not met" for one in stood)
    apart = (found.before.gate, found.during.gate) == (found.during.gate, found.after.gate)
    in_order = found.before.evaluated_at < found.during.evaluated_at < found.after.evaluated_at
    if not apart or not in_order:
        word, text = Severity.UNKNOWN, "expected one gate asked three times, in order"
    elif stood[0] is not True or found.before.answer is Answer.NO_GO:
        word, text = Severity.UNKNOWN, "inconclusive: the gate was not GO before the drill"
    elif stood[1] is not False:
        word, text = Severity.FAIL, "the drill did not make its requirement fail"
    elif stood[2] is not True:
        word, text = Severity.FAIL, "the requirement did not come back"
    else:
        word, text = Severity.OK, ""
    others = [
        row.id for row in found.during.rows
        if not row.met and _met(found.before, row.id) and row.id not in (name, *found.coupled)
    ]  # fmt: skip
    checks = (
        Check("game_day.flip", word, told, "met → not met → met", text),
        Check("game_day.alone", Severity.FAIL if others else Severity.OK, ", ".join(others) or "none",
              "no other row fails"),
    )  # fmt: skip
    return Report(name="game-day", title=f"Game day: {found.drill}", sources=(), checks=checks)


def _met(verdict: Verdict, name: str) -> bool | None:
    return next((row.met for row in verdict.rows if row.id == name), None)
