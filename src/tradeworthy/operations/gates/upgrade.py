"""May a candidate take the place of the running release? What it imports, keeps, renders and carries on (AS-136)."""

from collections.abc import Iterable, Mapping

import msgspec

from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
NAMED_MAX = 5


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a port's method, or one field of a journaled fact; `needed` = it has no default."""

    name: str
    needed: bool = True


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a release shows of itself.

    unimported  modules that cannot be imported, with the reason
    ports       methods of each protocol, by `protocol.method`;  facts  fields of each journaled kind, by its name
    rendered    hash of the document as it reads it;  refused  why it does not read it, empty where it does
    """

    release: str
    modules: int
    unimported: dict[str, str] = {}
    ports: dict[str, tuple[Parameter, ...]] = {}
    facts: dict[str, tuple[Parameter, ...]] = {}
    rendered: str = ""
    refused: str = ""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a candidate beside its shape; None = nobody looked.

    contracts  problem of its contract suites, empty where all passed
    migrated   why it does not carry on the state of a run, empty where it does
    rehearsed  whether a rollback was rehearsed and is not too old
    """

    shape: Shape
    contracts: str | None
    migrated: str | None
    rehearsed: bool | None


def preflight_report(running: Shape, candidate: Candidate) -> Report:
    """Return the report of gate row `upgrade_preflight`: any part that is broken fails, the same version warns."""
    shape = candidate.shape
    broken = [*lost(running.ports, shape.ports), *lost(running.facts, shape.facts)]
    checks = (
        _none("import", [": ".join(one) for one in sorted(shape.unimported.items())], f"{shape.modules} modules"),
        _none("broken_api", broken, f"{len(running.ports)} methods of ports, {len(running.facts)} kinds"),
        _said("render", shape.refused, "the document is read"),
        _said("contract", candidate.contracts, "every contract suite passes"),
        _said("migrations", candidate.migrated, "the same state out of the same journal"),
        Check(
            "upgrade_preflight.same_version", WARN if shape.release == running.release else OK, shape.release,
            f"another than {running.release}", "give the candidate a version of its own",
        ),
        Check(
            "upgrade_preflight.rollback", OK if candidate.rehearsed else FAIL,
            "rehearsed" if candidate.rehearsed else "not rehearsed", "rehearsed within a day",
            "tradeworthy gate rollback",
        ),
    )  # fmt: skip
    return Report(
        name="upgrade-preflight", title=f"Preflight of {shape.release}", sources=(), checks=checks,
        figures={"running": running.release, "candidate": shape.release, "modules": shape.modules},
    )  # fmt: skip


def lost(before: Mapping[str, Iterable[Parameter]], after: Mapping[str, Iterable[Parameter]]) -> tuple[str, ...]:
    """Return what somebody who relies on `before` misses: names, parts of them, and parts that are newly needed."""
    found = []
    for name, parts in sorted(before.items()):
        if name not in after:
            found.append(f"{name} is gone")
            continue
        had, has = {one.name: one for one in parts}, {one.name: one for one in after[name]}
        found += [f"{name} lost {each}" for each in had if each not in has]
        found += [
            f"{name} needs {each}" for each, one in has.items()
            if one.needed and (each not in had or not had[each].needed)
        ]  # fmt: skip
    return tuple(found)


def _none(what: str, problems: list[str], of: str) -> Check:
    told = "; ".join(problems[:NAMED_MAX])
    return Check(f"upgrade_preflight.{what}", FAIL if problems else OK, f"{len(problems)} of {of}", "none broken", told)


def _said(what: str, problem: str | None, limit: str) -> Check:
    if problem is None:
        return Check(f"upgrade_preflight.{what}", UNKNOWN, "nobody looked", limit)
    return Check(f"upgrade_preflight.{what}", FAIL if problem else OK, problem or "holds", limit)
