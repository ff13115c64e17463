"""Acts that let more risk in ask the gate: a re-arm, a looser limit, another instance, a step of capital (GE-09).

A desk that trades with no real money, and no instance of which does, has no gate to ask: it re-arms and changes as
people say. Acts that make safer are no acts here, so nothing can ask for them by mistake.
"""

from pathlib import Path

from tradeworthy.app import identity
from tradeworthy.app.bootstrap import policy_of
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.instances import live_scope
from tradeworthy.app.gates.desk_gates import verdicts_for
from tradeworthy.app.gates.verdicts import GateVerdicts, ask_of
from tradeworthy.app.runtime.policy import RuntimePolicy
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.errors import DeskError
from tradeworthy.operations.gates.named import TIERS, Act


def governed(document: Document) -> bool:
    """Tell whether a desk asks its gate before it takes more risk: it is live, an instance is, or it has money."""
    money = policy_of(RuntimePolicy, "runtime", document.runtime).judging.money
    return document.desk.environment == "live" or bool(live_scope(document)) or money != TIERS[0]


def gate_fault(
    document: Document, act: Act, subject: str, *, runs: Path, clock: Clock, tier: str = "", again: bool = True,
    verdicts: GateVerdicts | None = None,
) -> str:  # fmt: skip
    """Return why the gate does not let an act be done now, empty where it does or the desk has no gate.

    The question is journaled in the gates' store below `runs`, with verdict, code and reason.

    subject   what exactly is to be done;  tier  of money that a step of capital goes to
    again     whether the gate is judged anew with what is known now; a desk's own loop only reads the verdict
    verdicts  who answers; None = those kept beside the runs, and the evidence that the section `health` names
    """
    if not governed(document) and tier in ("", TIERS[0]):
        return ""
    try:
        ask = ask_of(
            document, tier=policy_of(RuntimePolicy, "runtime", document.runtime).tier, code=identity.code_hash()
        )
        known = verdicts or verdicts_for(document, runs, clock, act=act, tier=tier, subject=subject, again=again)
        answer = known.answer(ask)
    except (DeskError, OSError) as problem:  # what cannot be asked is no GO
        return f"{act.value} needs the gate's GO, which cannot be asked: {problem}"
    return "" if answer.go else f"{act.value} needs the gate's GO: {answer.why}"
