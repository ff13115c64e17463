"""`tradeworthy backtest run CONFIG`: the same desk on event time."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from tradeworthy.app import config
from tradeworthy.app.runner import RunSession
from tradeworthy.cli.run import DEFAULT_RUNS, parsed, present

app = App(name="backtest", help="Test an idea on recorded data: the same desk, journal and venue as on paper.")


@app.command
def run(
    configuration: Path, /, *, runs: Path = DEFAULT_RUNS, instance: str | None = None, capital: str | None = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
) -> int:
    """Run a backtest; the run id is the hash of code, configuration, data and seed.

    Parameters
    ----------
    configuration
        A TOML document; its environment is taken as backtest.
    runs
        Where run folders go.
    instance
        Run this instance alone.
    capital
        Capital in base currency.
    set_
        Override one key, e.g. --set venue.submit_ms=50; may be given several times.
    """
    words = {**parsed(set_), "desk.environment": "backtest"}
    if capital is not None:
        words["desk.capital"] = capital
    document = config.only(config.load(configuration, overrides=words), instance)
    return present(RunSession(document, root=runs), Console())
