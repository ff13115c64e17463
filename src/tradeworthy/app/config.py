"""The one typed document (CA-01, CFG-01): everything a run is made of; all else is derived from it."""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import Any, Literal

import msgspec

from tradeworthy.app import environments
from tradeworthy.app.configuration import instances
from tradeworthy.app.configuration.document_shape import faults_of
from tradeworthy.app.market_data.data_root import DATA_PREFIX, data_root
from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import ConfigurationRefused, UsageError
from tradeworthy.kernel.journal.verify import BATCH_EVENTS_MAX
from tradeworthy.operations.assessments.framework.registry import registry

ENVIRONMENT_PREFIX = "TRADEWORTHY__"
TIME_END = 1 << 63
"""Later than any stamp."""
SECONDS_MIN = 0.001
"""Shortest period of a timer."""
SPEED_MIN = 0.1
"""Slowest speed of a recorded feed, tape seconds a wall second (RP-06)."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
BAR_SECONDS_MIN = 2
"""Bars close one second late, so they must be longer than that."""

EnvironmentName = Literal["backtest", "replay", "paper", "live"]
Duty = Literal["", "live_microcap", "paper_validation", "connector_validation", "reserved"]
Mode = Literal[
    "", "live_microcap", "live_notrade", "paper_smoke", "paper_notrade", "testnet_smoke", "testnet_notrade"
]  # fmt: skip


class DeskSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The desk: what it is called, where it runs, what it starts with, and how often it looks.

    name             label of the run folder
    environment      decides clock, feed and venue
    base_currency    what all instruments settle in;  capital  in base currency
    seed             of everything that is drawn
    speed            of a recorded feed, tape seconds a wall second; 0 = as fast as possible
    rollover_hour    when the day of the ledger ends
    evaluate_seconds, sample_seconds  period of the timer of that name, where a strategy listens to it
    memory_hours     between two samples of the process's memory; 0 = never
    minute_seconds  between two rows of each instance with its books (60 for consoles and soaks); absent or 0 = none
    start, end   rows that arrive in this half-open window are played: ISO dates or times, UTC; empty = no bound
    """

    name: str
    environment: EnvironmentName
    base_currency: str = "USD"
    capital: Decimal = Decimal(100_000)
    seed: int = 7
    speed: float = 0.0
    rollover_hour: int = 0
    evaluate_seconds: float = 1.0
    sample_seconds: float = 10.0
    minute_seconds: float | None = None
    memory_hours: float = 0.0
    start: str = ""
    end: str = ""


class TapeSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One feed: a format known to the tape readers, where it lies, and how many rows at most.

    name              of the source: `tape.NAME`;  format  of the reader
    instrument        whose rows they are
    rows_max          rows that are read at most; 0 = all
    label             real, derived from real prices, or synthetic; a synthetic tape must say so
    path              a file, a folder or a pattern; the catalog's root for `catalog`, a run's folder for `journal`;
                      it may begin with `$TRADEWORTHY_DATA/`
    data_root         the folder that this variable stands for; found by `load`, no part of the canonical text
    kind              `catalog`: quote, trade, bar, ...;  `synthetic`: quotes or l2_flow
    interval_seconds  length of a bar, for `csv_bars`
    bar_seconds       build bars of this length from mids and trades, as a source of their own; 0 = none
    seed, walk        the made market of format `synthetic`; `walk` holds the walk's own fields
    """

    name: str
    format: str
    instrument: str
    path: str = ""
    rows_max: int = 0
    label: Literal["real", "derived", "synthetic"] = "real"
    kind: str = ""
    interval_seconds: int = 0
    bar_seconds: int = 0
    seed: int = 1
    walk: dict[str, Any] = {}
    data_root: str = ""

    @property
    def location(self) -> str:
        """Return where the tape lies: `path` with the data folder in place of its variable."""
        if not self.path.startswith(DATA_PREFIX):
            return self.path
        root = self.data_root or data_root(Path(), os.environ)
        return str(Path(root) / self.path.removeprefix(DATA_PREFIX))


class InstanceSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One strategy with its instrument and role; `policy` holds the strategy's own fields (CA-02).

    id        of the instance, also its budget's;  strategy  by the name of its file
    instrument  what it trades;  role  a maker quotes, a directional one takes a side
    enabled   False leaves it out of the desk;  policy  the strategy's own fields
    venue     that of its instrument, where it is written down
    version   of the strategy's configuration, part of the derived name
    duty      what the instance is for;  mode  what it may do; both empty in research
    account   of the accounts below;  cap  on its notional in quote currency, absent = its budget alone
    name      derived from the rest (CA-04); where it is written down, it must be that
    """

    id: str
    strategy: str
    instrument: str
    role: Literal["maker", "directional"] = "directional"
    enabled: bool = True
    policy: dict[str, Any] = {}
    version: str = "v1"
    duty: Duty = ""
    mode: Mode = ""
    venue: str = ""
    account: str = ""
    cap: Decimal | None = None
    name: str = ""


class AccountSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account at a venue.

    id           what instances call it;  venue  where it is
    credentials  `secret://NAME` of the secret that opens it, empty for paper
    """

    id: str
    venue: str
    credentials: str = ""


class VenueSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The simulated venue: matching and queue model, and one-way delays in milliseconds.

    matching    against quotes, the book or bars;  queue  where an order stands in its level
    submit_ms, cancel_ms, report_ms  one-way delay of orders, of cancels, and of what the venue tells
    connection  where a venue in a process of its own listens, e.g. `unix:///run/venue.sock`; empty = in this process
    """

    matching: Literal["l1", "l2", "bars"] = "l1"
    submit_ms: float = 150.0
    cancel_ms: float = 150.0
    report_ms: float = 0.0
    queue: Literal["risk_averse", "pro_rata"] = "risk_averse"
    connection: str = ""


class JournalSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the run is kept.

    batch_events       events that are sealed together
    sign_checkpoints   needs a witness, else keeps a key in the process
    witness            socket of the witness process, which holds the key; without it checkpoints only attest
    checkpoint_copies  further folders that get a copy of each checkpoint
    """

    batch_events: int = 512
    sign_checkpoints: bool = True
    witness: str = ""
    checkpoint_copies: tuple[str, ...] = ()


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration.

    schema     version of this form
    risk       limits;  allocation  capital across instances;  drawdown_tiers  what a drawdown takes off
    execution  orders on their way;  unwind  closing positions;  market_data  what of the feeds is watched
    timing     durations of the loop;  runtime  supervision, clock and end of the process
    telemetry  logs, bus and spool;  health  what is answered about fitness;  control  approvals and kills
    assessments  other limits of assessments, by their names: [assessments.data_feed.gap_s] warn = 900
    exempt     instances outside the live risk scope and reconciliation, paper ones at most
    catalogue  path of the approved bundles (CA-04); an instance that trades live needs it
    """

    schema: Literal["desk@1"]
    desk: DeskSection
    tapes: tuple[TapeSection, ...]
    instances: tuple[InstanceSection, ...]
    venue: VenueSection = VenueSection()
    journal: JournalSection = JournalSection()
    risk: dict[str, Any] = {}
    allocation: dict[str, Any] = {}
    drawdown_tiers: dict[str, Any] = {}
    execution: dict[str, Any] = {}
    unwind: dict[str, Any] = {}
    market_data: dict[str, Any] = {}
    timing: dict[str, Any] = {}
    runtime: dict[str, Any] = {}
    telemetry: dict[str, Any] = {}
    health: dict[str, Any] = {}
    control: dict[str, Any] = {}
    assessments: dict[str, dict[str, Any]] = {}
    accounts: tuple[AccountSection, ...] = ()
    exempt: tuple[str, ...] = ()
    catalogue: str = ""

    def canonical(self) -> str:
        """Return the document as JSON with sorted keys: what the journal keeps and the hash covers."""
        here = tuple(msgspec.structs.replace(tape, data_root="") for tape in self.tapes)
        return msgspec.json.encode(msgspec.structs.replace(self, tapes=here), order="sorted").decode()

    def hash(self) -> str:
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def load(
    path: Path, *, overrides: Mapping[str, str] | None = None, environ: Mapping[str, str] = os.environ,
    defaults: Mapping[str, str] | None = None, environment: str | None = None,
) -> Document:
    """Read a document, TOML or what `config show --json` printed.

    Precedence: overrides (`section.key=value`, the command line) > variables `TRADEWORTHY__SECTION__KEY` > the layer
    of `environment` > file > `defaults` > default. An `environment` that another of these contradicts is an error.

    Raises `UsageError` for a file that cannot be read or an unknown key, wrong type or contradiction.
    """
    raw = _plain(path)
    if environment is not None:
        raw = environments.layered(raw, environments.layer(environment, path.parent))
    for key, text in (defaults or {}).items():
        _default(raw, key.split("."), text)
    for key, text in sorted(environ.items()):
        if key.startswith(ENVIRONMENT_PREFIX):
            _put(raw, key[len(ENVIRONMENT_PREFIX) :].lower().split("__"), text)
    for key, text in (overrides or {}).items():
        _put(raw, key.split("."), text)
    found = raw.get("desk")
    named = found.get("environment") if isinstance(found, dict) else None
    if environment is not None and named != environment:
        raise UsageError(f"desk.environment: expected {environment!r}, as --environment says, found {named!r}")
    return _located(parse(raw, origin=str(path)), path.parent, environ)


def _plain(path: Path) -> dict[str, Any]:
    try:
        if path.suffix == ".json":
            return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        return tomllib.loads(path.read_text())
    except OSError as problem:
        raise UsageError(f"cannot read the configuration {path}: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path}: {problem}") from None


def parse(raw: object, *, origin: str) -> Document:
    """Turn plain data into a checked `Document`; unknown keys and wrong types are told all at once."""
    faults = faults_of(raw, Document)
    if faults:
        raise UsageError(f"{origin}: " + "; ".join(str(one) for one in faults))
    try:
        document = msgspec.convert(raw, Document, strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"{origin}: {problem}") from None
    check(document)
    if document.assessments:
        registry().policies(document.assessments)
    return document


def check(document: Document) -> None:
    """Refuse contradictions and values that are not allowed; all of them are told at once (CA-03).

    Raises `UsageError` where the document contradicts itself (CFG-01), else `ConfigurationRefused`.
    """
    window_of(document)
    contradictions = _contradictions(document)
    ids = [instance.id for instance in document.instances]
    problems = [f"instance id {one!r} stands twice" for one in _repeated(ids)]
    fed = {tape.instrument for tape in document.tapes}
    for instance in document.instances:
        if instance.enabled and instance.instrument not in fed:
            problems.append(f"instance {instance.id!r}: no tape feeds {instance.instrument!r}; fed are {sorted(fed)}")
    if not document.desk.capital.is_finite() or document.desk.capital <= 0:
        problems.append(f"desk.capital must be above zero, was {document.desk.capital}")
    if not 0 <= document.desk.rollover_hour <= 23:
        problems.append(f"desk.rollover_hour must be 0 to 23, was {document.desk.rollover_hour}")
    if document.desk.speed != 0 and not SPEED_MIN <= document.desk.speed < inf:
        problems.append(f"desk.speed must be 0 (full speed) or {SPEED_MIN:g} and above, was {document.desk.speed:g}")
    for tape in document.tapes:
        too_short = tape.bar_seconds != 0 and tape.bar_seconds < BAR_SECONDS_MIN
        if tape.rows_max < 0 or tape.interval_seconds < 0 or too_short:
            problems.append(
                f"tape {tape.name!r}: rows_max and interval_seconds must be 0 or above, bar_seconds 0 or at least "
                f"{BAR_SECONDS_MIN}, were {tape.rows_max}, {tape.interval_seconds} and {tape.bar_seconds}"
            )
    for name in ("evaluate_seconds", "sample_seconds"):
        seconds = getattr(document.desk, name)
        if not SECONDS_MIN <= seconds < inf:
            problems.append(f"desk.{name} must be {SECONDS_MIN} or above, was {seconds}")
    if not 0 <= (document.desk.minute_seconds or 0) < inf:
        problems.append(f"desk.minute_seconds must be 0 (none) or above, was {document.desk.minute_seconds}")
    if not 0 <= document.desk.memory_hours < inf:
        problems.append(f"desk.memory_hours must be 0 (never) or above, was {document.desk.memory_hours}")
    for name in ("submit_ms", "cancel_ms", "report_ms"):
        delay = getattr(document.venue, name)
        if not 0 <= delay < inf:
            problems.append(f"venue.{name} must be 0 or above, was {delay}")
    if not _NAME.fullmatch(document.desk.name):
        problems.append(f"desk.name must be letters, digits, dot, dash and underscore, was {document.desk.name!r}")
    if not 1 <= document.journal.batch_events <= BATCH_EVENTS_MAX:
        problems.append(f"journal.batch_events must be 1 to {BATCH_EVENTS_MAX}, was {document.journal.batch_events}")
    problems += instances.faults_of(document)
    if not document.tapes:
        problems.append("at least one [[tapes]] entry is needed")
    if contradictions:
        raise UsageError("; ".join((*contradictions, *problems)))
    if problems:
        raise ConfigurationRefused("; ".join(problems))


def _contradictions(document: Document) -> list[str]:
    """Return what one place of the document says against another, each with path, expected and found."""
    names = [tape.name for tape in document.tapes]
    found = [f"tapes.{one}: expected each name once, found it {names.count(one)} times" for one in _repeated(names)]
    return found + [
        f"tapes.{tape.name}.label: expected 'synthetic', as a synthetic tape must be labelled synthetic, "
        f"found {tape.label!r}"
        for tape in document.tapes
        if tape.format == "synthetic" and tape.label != "synthetic"
    ]


def _repeated(names: list[str]) -> list[str]:
    return sorted({one for one in names if names.count(one) > 1})


def window_of(document: Document) -> tuple[int, int]:
    """Return the run's window in nanoseconds UTC; raises `UsageError` unless start is before end (BT-01)."""
    desk = document.desk
    start = _instant("desk.start", desk.start) if desk.start else 0
    end = _instant("desk.end", desk.end) if desk.end else TIME_END
    if start >= end:
        raise UsageError(f"desk.start must be before desk.end, were {desk.start or 'none'} and {desk.end or 'none'}")
    return start, end


def _instant(name: str, text: str) -> int:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name} must be an ISO date or time, was {text!r}") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    since = when - datetime.fromtimestamp(0, UTC)
    return (since.days * 86_400 + since.seconds) * NANOS_PER_SECOND + since.microseconds * 1000


def only(document: Document, instance: str | None) -> Document:
    """Return the document with one instance and the tapes it needs; None leaves all."""
    if instance is None:
        return document
    kept = tuple(one for one in document.instances if one.id == instance)
    if not kept:
        raise UsageError(f"no instance {instance!r}; there are {sorted(one.id for one in document.instances)}")
    tapes = tuple(tape for tape in document.tapes if tape.instrument == kept[0].instrument)
    return msgspec.structs.replace(document, instances=kept, tapes=tapes)


def only_symbols(document: Document, symbols: tuple[str, ...]) -> Document:
    """Return the document with the instruments of these symbols alone, e.g. `EURUSD` for `EURUSD.DEMO`.

    Raises `UsageError` for a symbol that no instance trades.
    """
    wanted = {one.strip().upper() for one in symbols if one.strip()}
    traded = {one.instrument.partition(".")[0].upper() for one in document.instances}
    if wanted - traded:
        raise UsageError(f"unknown symbol {', '.join(sorted(wanted - traded))}; traded are {', '.join(sorted(traded))}")
    instances = tuple(one for one in document.instances if one.instrument.partition(".")[0].upper() in wanted)
    names = {one.instrument for one in instances}
    tapes = tuple(one for one in document.tapes if one.instrument in names)
    return msgspec.structs.replace(document, instances=instances, tapes=tapes)


def _default(raw: dict[str, Any], path: list[str], text: str) -> None:
    section = raw.get(path[0])
    if not (isinstance(section, dict) and path[1] in section):
        _put(raw, path, text)


def _located(document: Document, folder: Path, environ: Mapping[str, str]) -> Document:
    """Tell each tape that needs it where the market data lies."""
    if not any(tape.path.startswith(DATA_PREFIX) for tape in document.tapes):
        return document
    root = data_root(folder, environ)
    tapes = tuple(
        msgspec.structs.replace(tape, data_root=root) if tape.path.startswith(DATA_PREFIX) else tape
        for tape in document.tapes
    )
    return msgspec.structs.replace(document, tapes=tapes)


def _put(raw: dict[str, Any], path: list[str], text: str) -> None:
    node = raw
    for part in path[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise UsageError(f"{'.'.join(path)}: {part!r} is no section")
    node[path[-1]] = text
