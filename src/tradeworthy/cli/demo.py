"""`tradeworthy demo`: a three-strategy paper desk at full speed on real data that ships with the package."""

from importlib.resources import as_file, files
from pathlib import Path

from rich.console import Console

from tradeworthy.app import config
from tradeworthy.app.runs.runner import RunSession
from tradeworthy.cli.run import DEFAULT_RUNS, present


def demo(*, runs: Path = DEFAULT_RUNS) -> int:
    """Run the demo desk: trend, mean reversion and a market maker on shipped data, no service, no network.

    Parameters
    ----------
    runs
        Where run folders go.
    """
    with as_file(files("tradeworthy.demo") / "demo.toml") as path:
        document = config.load(path)
    return present(RunSession(document, root=runs), Console())
