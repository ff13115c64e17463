"""Verify a bundle in the library: the standalone verifier's own judgement, with the compiled signature check."""

from pathlib import Path

from tradeworthy.kernel.dsse import signature_valid
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.evidence.canonical import Malformed
from tradeworthy.operations.evidence.judge import Ask, FileMap, Verdict
from tradeworthy.operations.evidence.signatures import judge
from tradeworthy.operations.evidence.verify_bundle import verify_at


def verify(bundle: Path, ask: Ask) -> Verdict:
    """Judge a bundle folder or page; raises `UsageError` when there is nothing to judge."""
    try:
        return verify_at(bundle, ask, signature_valid)
    except (OSError, Malformed) as problem:
        raise UsageError(f"expected a bundle folder or page at {bundle}, found {problem}") from None


def verify_files(files: dict[str, bytes], ask: Ask) -> Verdict:
    """Judge a bundle in memory."""
    return judge(FileMap(files), ask, signature_valid)
