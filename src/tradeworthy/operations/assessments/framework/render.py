"""Snapshots for people, from their JSON alone: Markdown, and one offline page where the extra is installed."""

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import may_hold_secret, redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.report import Shown, moment_said, told_of
from tradeworthy.operations.dry_run.page import Page
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.research.backtest.report import source_hash, style_sheet

HEAD = ("rule", "status", "observed", "limit", "why", "what to do", "runbook")


def markdown(body: bytes) -> str:
    """Return a snapshot's canonical JSON as Markdown: the status, the findings, the components."""
    plain: dict[str, Any] = msgspec.json.decode(body)
    if may_hold_secret(body):
        plain = redact(plain)
    lines = [
        f"# {plain['assessment']}: {word(plain['status'])}", "",
        f"At {stamp_of(plain['generated_at'])} until {stamp_of(plain['expires_at'])}, {plain['environment']}, "
        f"`{plain['id']}`.", "",
    ]  # fmt: skip
    if plain["findings"]:
        lines += ["| code | component | status | observed | limit | what | runbook |", "|---|---|---|---|---|---|---|"]
        lines += [
            f"| {one['code']} | {_cell(one['component'])} | {word(one['severity'])} | "
            f"{_cell(one['observed'])} {one['unit']} | {_cell(one['limit'])} | {_cell(one['message'])} | "
            f"{one['runbook']} |"
            for one in plain["findings"]
        ]
        lines.append("")
    lines += ["| component | status | rules |", "|---|---|---|"]
    lines += [f"| {_cell(one['name'])} | {word(one['status'])} | {one['judged']} |" for one in plain["components"]]
    return "\n".join(lines) + "\n"


def html(body: bytes) -> str:
    """Return a snapshot's canonical JSON as a page; raises `UsageError` without the extra `operations`."""
    plain: dict[str, Any] = msgspec.json.decode(body)
    return html_page(Shown(
        title=plain["assessment"].replace("_", " ").capitalize(), bodies=(body,), titles={}, sections={},
        told=f"{plain['environment']}, judged at {moment_said(plain['generated_at'])}, "
        f"counts until {moment_said(plain['expires_at'])}",
    ))  # fmt: skip


def markdown_page(shown: Shown) -> str:
    """Return many snapshots as one page of Markdown: the verdict, what is not in order, what nobody told, the rest."""
    told = told_of(shown)
    page = Page(f"{told.title}: {told.status}")
    page.text(str(redact(told.told)))
    page.text(f"**{told.status}** – {redact(told.sentence)}")
    page.table([one["name"] for one in told.tiles], [[one["value"] for one in told.tiles]])
    if told.many and told.acts:
        page.heading("Do first")
        page.bullets([
            f"**{one['code']}**{' (' + one['where'] + ')' if one['where'] else ''} {one['word']}: {one['message']}. "
            f"{one['remedy']} ({one['owner']}, {_linked(one['runbook'], told.docs)})" for one in told.acts
        ])  # fmt: skip
    if told.issues:
        page.heading("What is not in order")
    for one in told.issues:
        page.heading(f"{one['name']}: {one['status']}", level=3)
        page.text(one["title"] + (" Judged while the desk ran." if one["recorded"] else ""))
        page.table(HEAD, [
            (f"{row['what']} ({row['where']})" if row["where"] else row["what"], row["word"], row["observed"],
             row["limit"].removeprefix("limit ") or None, row["message"], row["remedy"],
             _linked(row["runbook"], told.docs))
            for row in one["findings"]
        ])  # fmt: skip
    if told.absent:
        page.heading("Nobody brought facts")
        page.table(("assessment", "question", "what brings its facts", "runbook"), [
            (one["name"], one["title"], one["bring"], _linked(one["runbook"], told.docs)) for one in told.absent
        ])  # fmt: skip
    for part in told.parts:
        page.heading(f"In order: {part['name'].replace('_', ' ')}")
        page.table(("assessment", "question", "rules kept", "nearest to its limit"), [
            (one["name"], one["title"], one["kept"],
             f"{one['nearest']['name']}: {one['nearest']['said']}" if one["nearest"] else None)
            for one in part["assessments"]
        ])  # fmt: skip
    page.text(told.foot + ".")
    return page.render()


def html_page(shown: Shown) -> str:
    """Return snapshots as one file that needs nothing else, and may run and fetch nothing.

    Raises `UsageError` without the extra `operations`.
    """
    try:
        import jinja2
    except ImportError:
        raise UsageError("pages need the extra: pip install 'tradeworthy[operations]'") from None
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style = style_sheet() + _part("assessments.css")
    template = environment.from_string(_part("page.html"))
    return template.render(r=told_of(shown), style=style, style_hash=source_hash(style)) + "\n"


def word(severity: int) -> str:
    """Return the word of a severity."""
    return Severity(severity).name


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath("page_parts", name).read_text("utf-8")


def _linked(runbook: str, docs: str | None) -> str:
    return f"docs/{runbook}" if docs is None else f"[docs/{runbook}]({docs}{runbook})"


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
