"""`tradeworthy evidence seal STORE FILE --requirement NAME`: a report or a snapshot becomes signed evidence."""

from pathlib import Path

from rich.console import Console

from tradeworthy.app.gates.release import item_of, keep
from tradeworthy.cli.evidence import private_key
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.dry_run.release_manifest import read_release
from tradeworthy.operations.evidence.certificate_store import sealed_item
from tradeworthy.operations.evidence.release import Proof
from tradeworthy.operations.evidence.requirements import STANDARD
from tradeworthy.operations.evidence.vocabulary import ENVIRONMENTS


def seal(
    store: Path, file: Path, /, *, requirement: str, release: Path, key: Path, environment: str = ENVIRONMENTS[0]
) -> int:
    """Sign a report of a verb or a snapshot of an assessment as evidence; its status is its own, nobody types it.

    Parameters
    ----------
    store
        The evidence store.
    file
        The report's or the snapshot's JSON.
    requirement
        What it proves: a row of the certificate, or a proof of a release.
    release
        The release manifest that it was made with.
    key
        Your private key.
    environment
        Where a report was made: simulated, paper or live; a snapshot says so itself.
    """
    known = {*(one.id for one in STANDARD.requirements), *Proof}
    if requirement not in known:
        raise UsageError(f"expected a requirement of {', '.join(sorted(known))}, found {requirement!r}")
    if environment not in ENVIRONMENTS:
        raise UsageError(f"expected one of {', '.join(ENVIRONMENTS)}, found {environment!r}")
    try:
        data = file.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror or problem}") from None
    manifest, _ = read_release(release)
    item = item_of(data, requirement, manifest.hashes(), environment=environment, now=SystemClock().now())
    place = keep(store, item, sealed_item(item, private_key(key)), data)
    Console(highlight=False, markup=False, soft_wrap=True).print(
        f"sealed      {place}\nstatus      {item.status} ({item.provenance}, {item.environment})"
    )
    return ExitCode.PASS
