"""A small world for gates: rows that are met, evidence for them, and what changes about it."""

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.evidence.certificate import WaiverInForce
from tradeworthy.operations.gates.engine import judge
from tradeworthy.operations.gates.model import HASHES, Binding, Condition, Context, Evidence, Gate, Mode, Requirement

NOW = 1_772_582_400 * NANOS_PER_SECOND  # 2026-03-04T00:00:00Z
S = NANOS_PER_SECOND
HOUR, DAY = 3_600, 86_400
BINDING = Binding(release="1.0", environment="paper", tier="paper", hashes={name: name[0] * 64 for name in HASHES})


def need(name, **rest):
    plain = {"source": name, "title": name, "remedy": f"renew {name}", "mutation": (f"{name}.broken",)}
    return Requirement(id=name, **{**plain, **rest})


def gate(*rows, **rest):
    return Gate(name="small", title="small", requirements=rows, **rest)


def say(source, status=Severity.OK, *, age_s=0, **rest):
    stamp = NOW - round(age_s * S)
    plain = {
        "evidence_id": f"id-{source}", "run_id": f"run-{source}", "stamp": stamp, "recorded_at": stamp,
        "environment": "paper", "provenance": "measured", "hashes": BINDING.hashes,
    }  # fmt: skip
    return Evidence(source=source, status=status, **{**plain, **rest})


def context(table, **rest):
    proven = frozenset(one.id for one in table.requirements)
    plain = {"binding": BINDING, "proven": proven, "conditions": dict.fromkeys(Condition, False)}
    return Context(**{**plain, **rest})


def waive(requirement, *, waiver_id="w1", issued_s=0, days=7.0, recorded_s=None):
    issued = NOW + round(issued_s * S)
    recorded = issued if recorded_s is None else NOW + round(recorded_s * S)
    return WaiverInForce(
        waiver_id=waiver_id, requirement=requirement, issued_at=issued, expires_at=issued + round(days * DAY * S),
        recorded_at=recorded,
    )  # fmt: skip


def ask(table, evidence, *, now=NOW, waivers=(), mode=None, known=None, **about):
    return judge(
        table, evidence, waivers, context(table, **about), now, run_id="verdict", mode=mode or Mode(), known=known
    )


def row(verdict, name):
    return next(one for one in verdict.rows if one.id == name)


def report(severity=Severity.OK, name="regression"):
    return Report(name=name, title=name, sources=(), checks=(Check("a.b", severity, "1", "0", "told"),))
