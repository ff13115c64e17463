"""`tradeworthy soak RUN --kind paper`: judge a run's journal as a soak."""

from pathlib import Path

from tradeworthy.app.research.soak import Kind, judge_soak
from tradeworthy.cli.regression import present


def soak(
    run: Path, /, *, kind: Kind, reference: Path | None = None, wire: Path | None = None, out: Path | None = None
) -> int:
    """Judge a run as a soak; exit 2 names the KPI and its value, 3 says that it could not be judged.

    Parameters
    ----------
    run
        A run folder.
    kind
        smoke, paper, live-data, multi-day, family (a directional strategy's day) or out-of-sample (its Sharpe gate).
    reference
        A testnet run to compare with, for live-data.
    wire
        The exchange's request log, for live-data.
    out
        Where the report goes; the run folder if absent.
    """
    return present(judge_soak(run, kind, reference=reference, wire=wire), out or run)
