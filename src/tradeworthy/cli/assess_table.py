"""What `tradeworthy assess` prints on a terminal: the verdict, what to do first, then every finding."""

import msgspec
from rich.console import Console

from tradeworthy.app.assessing.sources import Judged
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity, worst
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.report import acts_of, sentence_of
from tradeworthy.operations.assessments.framework.snapshot import encode

STYLES = {Severity.OK: "green", Severity.WARN: "yellow", Severity.UNKNOWN: "magenta", Severity.FAIL: "bold red"}


def table(found: Judged) -> None:
    """Print snapshots: of many the verdict and what to do first, then each with its findings, worst first."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if len(found.snapshots) > 1:
        _head(found, console)
    for one in found.snapshots:
        if one.assessment in found.bring:
            continue
        console.print(f"{one.status.name:<8} {one.assessment}", style=STYLES[one.status])
        for finding in one.findings:
            where = "" if finding.component == one.assessment else f" [{finding.component}]"
            said = f"  {finding.severity.name:<8} {finding.code}{where}: {finding.message}"
            console.print(str(redact(said)), style=STYLES[finding.severity])
            console.print(f"           {finding.remedy}  see docs/{finding.runbook}", style="dim")
    for one in found.snapshots:
        if one.assessment in found.bring:
            said = f"{one.status.name:<8} {one.assessment}: no_data, nothing brought facts; needs "
            console.print(said + found.bring[one.assessment], style=STYLES[one.status])


def _head(found: Judged, console: Console) -> None:
    """Print the verdict on all of them, and what to do first."""
    known = registry()
    plain = [msgspec.json.decode(encode(one)) for one in found.snapshots]
    status = worst(one.status for one in found.snapshots)
    absent = [one for one in plain if one["assessment"] in found.bring]
    console.print(f"{status.name:<8} {sentence_of(plain, absent)}", style=STYLES[status])
    for at, act in enumerate(acts_of(plain, found.bring, {one.name: one.section for one in known}), 1):
        where = f" [{act['where']}]" if act["where"] else ""
        console.print(str(redact(f"  {at}. {act['code']}{where}: {act['message']}")))
        console.print(f"     do: {act['remedy']}  see docs/{act['runbook']}")
    console.print()
