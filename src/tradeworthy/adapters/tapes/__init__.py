"""Recorded markets from files; each reader yields `(ts_event, ts_init, market event)` in bounded memory."""

from tradeworthy.adapters.tapes.lines import OnBad as OnBad
from tradeworthy.adapters.tapes.lines import TapeRow as TapeRow
from tradeworthy.adapters.tapes.open import FORMATS as FORMATS
from tradeworthy.adapters.tapes.open import TapeSpec as TapeSpec
from tradeworthy.adapters.tapes.open import open_tape as open_tape
