"""The switches that every verb takes which starts a desk, read once (section 5 of the runtime's page)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradeworthy.app import config
from tradeworthy.app.config import Document
from tradeworthy.app.runtime.desk_process import Switches
from tradeworthy.app.runtime.faults import parsed_fault
from tradeworthy.kernel.errors import UsageError

DEFAULT_RUNS = Path("runs")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@Parameter(name="*")
@dataclass(frozen=True)
class Start:
    """What a start may be told on the command line.

    Attributes
    ----------
    config
        A TOML document, e.g. config/paper.toml.
    environment
        backtest, paper or live, laid over the document.
    paper_mode
        Short for --environment paper.
    live_mode
        Short for --environment live; it selects the environment and confirms nothing.
    log_level
        DEBUG, INFO, WARNING, ERROR or CRITICAL.
    skip_ingest
        Run without taking in data.
    symbols
        Trade these instruments only, e.g. EURUSD,GBPUSD.
    duckdb_path
        Where embedded ingest keeps what it takes in.
    runs
        Where run folders go.
    set_
        Override one key, e.g. --set desk.speed=10; may be given several times.
    fault
        Break a component on purpose, COMPONENT:KIND[@SECONDS[xTIMES]] with crash, hang, block, swallow-cancel,
        raise-timeout or leak; in each attempt, or in its first TIMES ones. Refused in live.
    """

    config: Path | None = None
    environment: str | None = None
    paper_mode: Annotated[bool, Parameter(negative="")] = False
    live_mode: Annotated[bool, Parameter(negative="")] = False
    log_level: str | None = None
    skip_ingest: Annotated[bool, Parameter(negative="")] = False
    symbols: str = ""
    duckdb_path: Path = Path("data/tier0.duckdb")
    runs: Path = DEFAULT_RUNS
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = ()
    fault: Annotated[tuple[str, ...], Parameter(negative="")] = ()

    def document(self, configuration: Path | None = None) -> Document:
        """Load the document that the words name; raises `UsageError` for a contradiction between them."""
        path = configuration or self.config
        if path is None:
            raise UsageError("expected a configuration, e.g. --config config/paper.toml, found none")
        if configuration is not None and self.config is not None and configuration != self.config:
            raise UsageError(f"expected one configuration, found {configuration} and --config {self.config}")
        overrides = parsed(self.set_)
        if self.log_level is not None and self.log_level.upper() not in LEVELS:
            raise UsageError(f"--log-level must be one of {', '.join(LEVELS)}, was {self.log_level}")
        document = config.load(path, overrides=overrides, environment=self._environment())
        return document if not self.symbols else config.only_symbols(document, tuple(self.symbols.split(",")))

    def switches(self, *, no_trading: bool = False, declared_in: Path | None = None) -> Switches:
        """Return what the process leaves out and breaks."""
        faults = tuple(parsed_fault(one) for one in self.fault)
        return Switches(
            no_trading, self.skip_ingest, faults, declared_in=declared_in, duckdb_path=self.duckdb_path,
            symbols=self.only(),
        )  # fmt: skip

    def only(self) -> tuple[str, ...]:
        """Return the symbols that were named, none = all."""
        return tuple(one.strip() for one in self.symbols.split(",") if one.strip())

    def environ(self, variables: dict[str, str]) -> dict[str, str]:
        """Return the variables with the command line's on top."""
        return variables if self.log_level is None else {**variables, "RUNTIME_LOG_LEVEL": self.log_level}

    def _environment(self) -> str | None:
        if self.paper_mode and self.live_mode:
            raise UsageError("expected --paper-mode or --live-mode, found both")
        mode = "paper" if self.paper_mode else "live" if self.live_mode else None
        if mode is not None and self.environment not in (None, mode):
            raise UsageError(f"--{mode}-mode contradicts --environment {self.environment}")
        return mode or self.environment


def parsed(words: tuple[str, ...]) -> dict[str, str]:
    """Split `section.key=value` words."""
    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"--set takes section.key=value, was {word!r}")
        pairs[key] = value
    return pairs
