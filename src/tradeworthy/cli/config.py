"""`tradeworthy config check|show|diff|schema|history|propose|approve`: the one document and how it may change."""

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from tradeworthy.app import config, identity
from tradeworthy.app.bootstrap import instruments_of, policies_of
from tradeworthy.app.configuration.audit import AUDIT, Audited, audit_markdown, changes_table, history, told
from tradeworthy.app.configuration.bundles import drift_of, instance_hash
from tradeworthy.app.configuration.change_control import CHANGES, changes_of, diff_of, widens
from tradeworthy.app.configuration.changes import ConfigurationChange, changes_between, flat
from tradeworthy.app.configuration.instances import caps, live_scope, name_of, reconciled
from tradeworthy.app.configuration.schema import configuration_page, schema_of_document
from tradeworthy.app.configuration.secret_references import references_of, store_of
from tradeworthy.app.runs.folder import state_of
from tradeworthy.cli.config_changes import approve, propose
from tradeworthy.cli.config_identity import identity as identity_of_nodes
from tradeworthy.cli.run import DEFAULT_RUNS, parsed
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity, worst

app = App(name="config", help="Check and show the configuration, see what a change does, propose and approve it.")
app.command(propose)
app.command(approve)
app.command(identity_of_nodes, name="identity")
Overrides = Annotated[tuple[str, ...], Parameter(name="--set", negative="")]
EXIT_OF = {
    Severity.OK: ExitCode.PASS, Severity.WARN: ExitCode.WARN, Severity.UNKNOWN: ExitCode.COULD_NOT_JUDGE,
    Severity.FAIL: ExitCode.FAIL,
}  # fmt: skip


@app.command
def check(configuration: Path, /, *, environment: str | None = None, set_: Overrides = ()) -> int:
    """Check a document, print what follows from it, and compare it with the approved bundles; exit 2 on drift.

    Parameters
    ----------
    configuration
        A TOML document.
    environment
        Lay this environment over the document: backtest, replay, paper or live.
    set_
        Override one key, e.g. --set desk.speed=10; may be given several times.
    """
    document = config.load(configuration, overrides=parsed(set_), environment=environment)
    instruments_of(document)
    policies_of(document)
    console = Console()
    console.print(f"hash {document.hash()}", highlight=False, soft_wrap=True)
    for one in document.instances:
        state = "enabled" if one.enabled else "disabled"
        name = name_of(one) if one.mode else one.id
        console.print(f"{name}  {state}  hash {instance_hash(document, one)}", highlight=False, soft_wrap=True)
    console.print(f"live risk scope  {', '.join(live_scope(document)) or 'none'}", highlight=False)
    console.print(f"reconciled       {', '.join('/'.join(pair) for pair in reconciled(document)) or 'none'}")
    console.print(f"caps             {', '.join(f'{name} {cap}' for name, cap in caps(document).items()) or 'none'}")
    hashes = identity.identified(document, identity.code_hash())
    for part in ("code", "limits", "models"):
        console.print(f"{part:<16} {getattr(hashes, part)}", highlight=False, soft_wrap=True)
    store = store_of(os.environ)
    for field, reference in references_of(document).items():
        found = "found" if _resolves(store.resolve, reference) else "not found"
        console.print(f"secret           {field} {reference} {found}", highlight=False, markup=False, soft_wrap=True)
    drifted = drift_of(document)
    for fact in drifted:
        console.print(f"{fact.reason} {fact.instance}: expected {fact.expected}, found {fact.observed}", style="red")
    return ExitCode.FAIL if drifted else ExitCode.PASS


@app.command
def show(
    configuration: Path, /, *, json: bool = False, environment: str | None = None, set_: Overrides = ()
) -> int:
    """Print a document as it counts, all layers applied, defaults written out and no secret: Markdown, or JSON.

    Parameters
    ----------
    configuration
        A TOML document.
    json
        Print the canonical JSON, which is a document again.
    environment
        Lay this environment over the document: backtest, replay, paper or live.
    set_
        Override one key, e.g. --set desk.speed=10; may be given several times.
    """
    document = config.load(configuration, overrides=parsed(set_), environment=environment)
    plain = _plain(document)
    if json:
        _give(msgspec.json.format(msgspec.json.encode(plain, order="sorted")).decode())
        return ExitCode.PASS
    lines = [f"# Configuration of {document.desk.name}", "", f"hash {document.hash()}", ""]
    lines += ["| key | value |", "|---|---|"]
    lines += [f"| {field} | {_cell(value)} |" for field, value in sorted(flat(plain))]
    _give("\n".join(lines))
    return ExitCode.PASS


@app.command
def diff(
    before: Path, after: Path | None = None, /, *, json: bool = False, markdown: bool = False,
    environment: str | None = None, runs: Path = DEFAULT_RUNS,
) -> int:  # fmt: skip
    """Print what changes from one document to another with the severity of each change: exit 0, 1 or 2 by the worst.

    With one document: what it changes against the approved one, and what of it widens live risk; exit 1 where it does.

    Parameters
    ----------
    before
        A document, TOML or what `config show --json` printed.
    after
        Another one.
    json
        Print JSON.
    markdown
        Print a Markdown table.
    environment
        Lay this environment over both documents.
    runs
        Where the desk's state is kept.
    """
    if json and markdown:
        raise UsageError("expected --json or --markdown, found both")
    first = config.load(before, environment=environment)
    if after is None:
        old = changes_of(state_of(runs, first.desk.name) / CHANGES).approved_document
        wider = widens(old, _plain(first))
        _tell(changes_between(old, _plain(first)), diff_of(old, _plain(first)), wider, json=json, markdown=markdown)
        return ExitCode.WARN if wider else ExitCode.PASS
    second = config.load(after, environment=environment)
    old, new = _plain(first), _plain(second)
    changes = changes_between(old, new)
    lines = [f"{one.severity:<4} {one.field}: {one.previous} -> {one.current}  {one.note}".rstrip() for one in changes]
    _tell(changes, lines, (), json=json, markdown=markdown)
    return EXIT_OF[worst((Severity.OK, *(Severity[one.severity] for one in changes)))]


@app.command
def schema(*, markdown: bool = False) -> int:
    """Print the JSON schema of the document.

    Parameters
    ----------
    markdown
        Print the page of every key and every environment variable instead.
    """
    if markdown:
        _give(configuration_page().rstrip("\n"))
    else:
        _give(msgspec.json.format(msgspec.json.encode(schema_of_document())).decode())
    return ExitCode.PASS


@app.command(name="history")
def history_of(desk: str, /, *, json: bool = False, runs: Path = DEFAULT_RUNS) -> int:
    """Print every change of a desk's configuration that a start found, oldest first; exit 3 where there is none.

    Parameters
    ----------
    desk
        The desk's name.
    json
        Print JSON.
    runs
        Where the desk's state is kept.
    """
    directory = state_of(runs, desk) / AUDIT
    entries = history(directory)
    if not entries:
        raise UsageError(f"expected the audit of the desk's configuration in {directory}, found none")
    if json:
        _give(msgspec.json.format(msgspec.json.encode([_entry(one) for one in entries])).decode())
    else:
        _give(audit_markdown(entries).rstrip("\n"))
    return ExitCode.PASS


def _entry(one: Audited) -> dict[str, Any]:
    return {"seq": one.seq, "at": one.at, **told(one.found)}


def _plain(document: config.Document) -> dict[str, Any]:
    found: dict[str, Any] = redact(msgspec.json.decode(document.canonical()))
    return found


def _resolves(resolve: Any, reference: str) -> bool:
    try:
        resolve(reference)
    except UsageError:
        return False
    return True


def _tell(
    changes: tuple[ConfigurationChange, ...], lines: Any, wider: tuple[str, ...], *, json: bool, markdown: bool
) -> None:
    if json:
        _give(msgspec.json.format(msgspec.json.encode({"changes": changes, "widens": wider})).decode())
        return
    for line in changes_table(changes) if markdown else lines:
        _give(line)
    for path in wider:
        Console().print(f"widens live risk: {path}", style="yellow", markup=False, soft_wrap=True)


def _give(text: str) -> None:
    Console().print(text, highlight=False, markup=False, soft_wrap=True)


def _cell(value: Any) -> str:
    return msgspec.json.encode(value).decode().replace("|", "\\|")
