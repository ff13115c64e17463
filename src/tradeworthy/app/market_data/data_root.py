"""Where market data lies: a tape's path may begin with `$TRADEWORTHY_DATA/`, so a document fits every machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from tradeworthy.kernel.errors import UsageError

DATA_VARIABLE = "TRADEWORTHY_DATA"
DATA_PREFIX = f"${DATA_VARIABLE}/"
DATA_DEFAULTS = ("../shared/data", "../../shared/data")
"""Seen from the folder of the configuration: beside it, else beside the checkout that holds it; the first that is."""


def data_root(folder: Path, environ: Mapping[str, str]) -> str:
    """Return the folder that the variable stands for, seen from a configuration in `folder`.

    Raises `UsageError` where neither the variable nor a default names a folder.
    """
    told = environ.get(DATA_VARIABLE)
    places = [Path(told)] if told else [Path(os.path.normpath(folder / one)) for one in DATA_DEFAULTS]
    for place in places:
        if place.is_dir():
            return str(place)
    looked = " and ".join(str(place) for place in places)
    told_by = DATA_VARIABLE if told else "the default, as the variable is not set"
    raise UsageError(
        f"expected a folder with market data at {looked} ({told_by}), found none: set {DATA_VARIABLE} to the folder"
    )
