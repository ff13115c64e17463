"""`tradeworthy calibration …`: what fills kept, and how far a session is from its simulation (CR-01 to CR-07)."""

from pathlib import Path

from cyclopts import App

from tradeworthy.app.research import calibration
from tradeworthy.cli.regression import present

app = App(name="calibration", help="Judge what fills kept and whether live and simulation agree.")


@app.command(name="fill-factor")
def fill_factor(run: Path, /, *, out: Path | None = None) -> int:
    """Report what part of the quoted spread fills keep; exit 3 below 100 fills.

    Parameters
    ----------
    run
        A run folder.
    out
        Where `fill-factor.json` goes; the run folder if absent.
    """
    return present(calibration.fill_factor_report(run), out or run)


@app.command
def edge(run: Path, /, *, out: Path | None = None) -> int:
    """Judge the edge after fees and adverse selection; exit 1 inconclusive, 2 negative, 3 too few fills.

    Parameters
    ----------
    run
        A run folder.
    out
        Where `edge.json` goes; the run folder if absent.
    """
    return present(calibration.edge_report(run), out or run)


@app.command
def markout(run: Path, /, *, out: Path | None = None) -> int:
    """Report adverse selection after 1, 5, 30 and 300 s by side, regime, level and hour.

    Parameters
    ----------
    run
        A run folder.
    out
        Where `markout.json` goes; the run folder if absent.
    """
    return present(calibration.markout_report(run), out or run)


@app.command(name="post-trade")
def post_trade(*runs: Path, out: Path | None = None) -> int:
    """Judge the last session against the model; failed live sessions in a row hold the capital ramp.

    Parameters
    ----------
    runs
        Run folders, the oldest session first.
    out
        Where `post-trade.json` goes; the last run folder if absent.
    """
    return present(calibration.post_trade_report(runs), out or runs[-1])


@app.command
def shadow(run: Path, /, *, out: Path | None = None) -> int:
    """Compare a session with the simulated venue on the same tape; exit 2 when they drift apart.

    Parameters
    ----------
    run
        A run folder.
    out
        Where `shadow-parity.json` goes; the run folder if absent.
    """
    return present(calibration.shadow_report(run), out or run)


@app.command
def environments(first: Path, second: Path, /, *, out: Path | None = None) -> int:
    """Score how alike two environments of a strategy are; 8 of 10 accepts, below 7 holds the capital ramp.

    Parameters
    ----------
    first
        The run folder that is the reference.
    second
        The run folder that is compared with it.
    out
        Where `environment-parity.json` goes; the second run folder if absent.
    """
    return present(calibration.environments_report(first, second), out or second)


@app.command
def recalibrate(run: Path, /, *, out: Path | None = None) -> int:
    """Propose fill factor, latency, queue and fill probability from 100 live fills or more; applies nothing.

    Parameters
    ----------
    run
        A run folder.
    out
        Where `recalibration.json` goes; the run folder if absent.
    """
    return present(calibration.recalibration_report(run), out or run)
