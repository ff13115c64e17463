"""Judge what a run's instances held together, from its journal (AL-04)."""

from decimal import Decimal
from pathlib import Path

import msgspec

from tradeworthy.app.bootstrap import instruments_of, policy_of, risk_policy
from tradeworthy.app.config import Document
from tradeworthy.app.configuration.instances import live_scope
from tradeworthy.app.research.regression import open_recording, source_of
from tradeworthy.kernel.journal import read
from tradeworthy.kernel.report import Check, Report
from tradeworthy.kernel.severity import Severity
from tradeworthy.trading.allocation.overlap import Exposures, Overlap, OverlapPolicy
from tradeworthy.trading.allocation.static_split import AllocationPolicy, Role, StaticSplit
from tradeworthy.trading.model import NANOS, FillBooked, Quote


def check_overlap(folder: Path, policy: OverlapPolicy | None = None) -> Report:
    """Return `overlap.json`: each interval with its start, end and size, and each instance's largest exposure."""
    policy = policy or OverlapPolicy()
    recording = open_recording(folder)
    source, chain = source_of(recording.directory, folder)
    exposures = Exposures(instruments_of(recording.document))
    fills = 0
    for event in read(recording.directory):
        payload = event.payload
        if isinstance(payload, FillBooked):
            fills += 1
            exposures.on_fill(payload, event.ts_init)
        elif isinstance(payload, Quote) and 0 < payload.bid <= payload.ask:
            exposures.on_mid(payload.instrument, payload.bid + payload.ask)
    return Report(
        name="overlap", title="Exposure and overlap", sources=(source,),
        checks=(chain, *judge_overlap(exposures, recording.document, policy, fills=fills)),
        figures={
            "overlaps": [msgspec.to_builtins(one) for one in exposures.overlaps()],
            "largest_exposure": {name: str(value) for name, value in sorted(exposures.largest.items())},
        },
    )  # fmt: skip


def judge_overlap(
    exposures: Exposures, document: Document, policy: OverlapPolicy, *, fills: int
) -> tuple[Check, ...]:
    """Return the checks: a run without fills says nothing, an overlap above the cap blocks a second live instance."""
    if fills == 0:
        return (Check("overlap.fills", Severity.UNKNOWN, "0", "above 0", "nobody held anything"),)
    capital = document.desk.capital
    checks = [_exposure(name, value / capital, policy) for name, value in sorted(exposures.largest.items())]
    checks += _over_budget(exposures, document)
    live = live_scope(document)
    over = [one for one in exposures.overlaps() if one.notional > policy.overlap * capital]
    checks += [_overlap(one, live, policy) for one in over]
    if not over:
        found = f"{len(exposures.overlaps())} intervals"
        checks.append(Check("overlap.size", Severity.OK, found, f"at most {policy.overlap:%} of capital each"))
    return tuple(checks)


def _over_budget(exposures: Exposures, document: Document) -> list[Check]:
    """Hold each instance's largest exposure against its budget times the allowed leverage (AL-01)."""
    roles = {one.id: Role(one.role) for one in document.instances if one.enabled}
    split = StaticSplit(policy_of(AllocationPolicy, "allocation", document.allocation), roles)
    leverage = risk_policy(document).gross_leverage
    checks = []
    for budget in split.split(int(document.desk.capital * NANOS), 0):
        held = exposures.largest.get(budget.instance)
        if held is not None:
            allowed = Decimal(budget.nanos) / NANOS * leverage
            severity = Severity.FAIL if abs(held) > allowed else Severity.OK
            observed = f"{budget.instance} {held:.2f}"
            checks.append(Check("allocation.budget", severity, observed, f"at most {allowed:.2f}"))
    return checks


def _exposure(name: str, share: object, policy: OverlapPolicy) -> Check:
    value = float(str(share))
    severity = Severity.FAIL if abs(value) > policy.exposure else Severity.OK
    return Check("overlap.exposure", severity, f"{name} {value:+.2%}", f"at most {policy.exposure:%} of capital")


def _overlap(one: Overlap, live: tuple[str, ...], policy: OverlapPolicy) -> Check:
    blocked = one.second in live
    until = "still" if one.end is None else str(one.end)
    text = f"{one.first} and {one.second} on {one.asset} from {one.start} to {until}"
    if blocked:
        text += f"; {one.second} is blocked"
    severity = Severity.FAIL if blocked else Severity.WARN
    return Check("overlap.size", severity, f"{one.notional}", f"at most {policy.overlap:%} of capital", text)
