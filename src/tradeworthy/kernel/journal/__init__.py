"""The journal: one append-only, hash-chained file of everything that happens."""

from tradeworthy.kernel.journal.checkpoint import CheckpointSigner as CheckpointSigner
from tradeworthy.kernel.journal.checkpoint import LocalSigner as LocalSigner
from tradeworthy.kernel.journal.checkpoint import WitnessSigner as WitnessSigner
from tradeworthy.kernel.journal.codec import decode_event as decode_event
from tradeworthy.kernel.journal.journal import Accepted as Accepted
from tradeworthy.kernel.journal.journal import Duplicate as Duplicate
from tradeworthy.kernel.journal.journal import Journal as Journal
from tradeworthy.kernel.journal.journal import JournalConflict as JournalConflict
from tradeworthy.kernel.journal.journal import JournalPolicy as JournalPolicy
from tradeworthy.kernel.journal.journal import fence as fence
from tradeworthy.kernel.journal.quarantine import Quarantine as Quarantine
from tradeworthy.kernel.journal.reader import Cursor as Cursor
from tradeworthy.kernel.journal.reader import read as read
from tradeworthy.kernel.journal.reader import read_raw as read_raw
from tradeworthy.kernel.journal.reader import tail as tail
