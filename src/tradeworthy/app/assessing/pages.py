"""What people and other programs are given of a look at a desk: one page, and a bundle that proves it."""

from pathlib import Path

from tradeworthy.app.assessing.sources import Judged, Sources
from tradeworthy.app.identity import hashes_of_document
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.report import address
from tradeworthy.kernel.severity import worst
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.assessments.framework.course import point_of
from tradeworthy.operations.assessments.framework.registry import Registry
from tradeworthy.operations.assessments.framework.render import html_page, markdown_page
from tradeworthy.operations.assessments.framework.report import Shown, moment_said
from tradeworthy.operations.assessments.framework.snapshot import encode
from tradeworthy.operations.evidence.build import Built, Subject, pack
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.evidence.collect import Inputs, Item, journal_items
from tradeworthy.operations.evidence.shipped import verifier
from tradeworthy.operations.evidence.vocabulary import VERIFIER

ENVIRONMENTS = {"paper": "paper", "live": "live"}
"""What a desk's environment counts for as evidence; anything else is simulated."""


def shown_of(found: Judged, sources: Sources, known: Registry, *, docs: str | None = None) -> Shown:
    """Return what a page of these snapshots is made of. `docs` is where `runbooks/` lies from the page."""
    run = sources.run
    courses = {name: list(points) for name, points in sources.courses.items()}
    for one in found.snapshots:
        if one.assessment in courses and run is not None:
            courses[one.assessment].append(point_of(one)._replace(at=run.desk.now))
    name = "Assessments" if run is None else f"Desk {run.document.desk.name}"
    if len(found.snapshots) == 1:
        name = found.snapshots[0].assessment.replace("_", " ").capitalize()
    told = [sources.environment if run is None else f"{sources.environment} run {sources.named}"]
    told.append(f"judged at {moment_said(sources.moment)}")
    if run is not None and run.on_tape:
        told.append(f"the tape's time is {moment_said(run.desk.now)}")
    if sources.code_version:
        told.append(f"code {sources.code_version[:12]}")
    return Shown(
        title=name, told=" · ".join(told), bodies=tuple(encode(one) for one in found.snapshots),
        titles={one.name: one.title for one in known}, sections={one.name: one.section for one in known},
        bring=found.bring, recorded=found.recorded, courses=courses, docs=docs,
    )  # fmt: skip


def bundled(shown: Shown, found: Judged, sources: Sources, folder: Path) -> Built:
    """Leave a look at a run as an evidence bundle in `folder`: snapshots, pages, configuration, the journal's head.

    It is verified like any other: `python verify_bundle.py FOLDER`. Raises `UsageError` without a run, and for a
    journal that is damaged.
    """
    run = sources.run
    if run is None:
        raise UsageError("a bundle needs --run: without a journal there is nothing to cite")
    head, items = journal_items(run.directory)
    items += [
        Item(f"assessments/{one.assessment}.json", "assessment", encode(one) + b"\n") for one in found.snapshots
    ]
    items += [
        Item("assessments.md", "assessments_page", markdown_page(shown).encode()),
        Item("assessments.html", "assessments_page", html_page(shown).encode()),
        Item("configuration.json", "configuration", run.document.canonical().encode()),
        Item(VERIFIER, "verifier", verifier()),
    ]
    hashes = hashes_of_document(run.document, run.code_version)
    subject = Subject(
        sources.named, "assessment", worst(one.status for one in found.snapshots).name.lower().replace("ok", "pass"),
        stamp_of(sources.moment),
        {"code": hashes.code, "config": hashes.config, "limits": hashes.limits, "models": hashes.models},
        address(canonical({one.assessment: one.policy_hash for one in found.snapshots})),
    )
    inputs = Inputs(environment=ENVIRONMENTS.get(sources.environment, "simulated"))
    ordered = sorted(items, key=lambda one: one.path)
    return pack(subject, ordered, folder, inputs, journal_head=head, page=folder.with_suffix(".html"))
