"""Which relaxations of a run two people let stand: waivers handed over before the start (EV-15, EV-16)."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.journal.files import write_durably
from tradeworthy.operations.dry_run.model import Json, Relaxation
from tradeworthy.operations.dry_run.plan import RUN_ID
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.trust import read_trust
from tradeworthy.operations.evidence.waivers import SignedWaiver, place_of, read_waiver


class Waived(NamedTuple):
    """What valid waivers cover.

    scope      the run they were issued for, which takes it as its id
    covers     waiver id by the code of the relaxation; `documents` the waivers with their signers, for artefacts
    envelopes  the signed bytes by waiver id, for the bundle
    """

    scope: str
    covers: dict[str, str]
    documents: tuple[Json, ...]
    envelopes: dict[str, bytes]

    def keep(self, folder: Path) -> None:
        """Lay the signed waivers into a run's folder of evidence, where its bundle finds them."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.envelopes.items():
            write_durably(place_of(folder, name), data)


def waived(files: Sequence[Path], trust: Path | None, relaxations: Sequence[Relaxation], *, at: str) -> Waived:
    """Return what these waivers cover; raises `UsageError` with every reason why one may not be used.

    trust        whose signatures count
    relaxations  of the run; a waiver of anything else is refused, as nobody would notice what it is for
    at           YYYY-MM-DDTHH:MM:SSZ
    """
    if trust is None:
        raise UsageError("--waiver needs --trust, the file that says whose signatures count")
    known = read_trust(trust)
    wrong: list[str] = []
    envelopes: dict[str, bytes] = {}
    found: dict[str, SignedWaiver] = {}
    for path in files:
        try:
            data = path.read_bytes()
            one = read_waiver(data, known, at=at)
        except (OSError, InvalidInput) as problem:
            wrong.append(f"--waiver {path}: {problem}")
            continue
        name = one.waiver.waiver_id
        wrong += [f"--waiver {path}: {problem}" for problem in one.problems]
        if name in found:
            wrong.append(f"--waiver {path}: {name} was given already")
        found[name], envelopes[name] = one, data
    wrong += _together([one.waiver.finding_code for one in found.values()], relaxations)
    scopes = sorted({one.waiver.scope for one in found.values()})
    if len(scopes) > 1:
        wrong.append(f"--waiver: expected waivers for one run, found {', '.join(scopes)}")
    wrong += [f"--waiver: the run {one!r} cannot be an id of a run" for one in scopes if not RUN_ID.fullmatch(one)]
    if wrong:
        raise UsageError("the run was not started, nothing was spawned:" + "".join(f"\n  - {one}" for one in wrong))
    documents: list[Json] = [
        msgspec.to_builtins(one.waiver) | {"signers": list(one.signers)} for one in found.values()
    ]
    covers = {one.waiver.finding_code: name for name, one in found.items()}
    return Waived(scopes[0], covers, tuple(documents), envelopes)


def _together(codes: list[str], relaxations: Sequence[Relaxation]) -> list[str]:
    wrong = []
    relaxed = {one.code for one in relaxations}
    for code in sorted(set(codes)):
        if codes.count(code) > 1:
            wrong.append(f"--waiver: {code} is waived {codes.count(code)} times")
        if code not in relaxed:
            told = ", ".join(sorted(relaxed)) or "nothing"
            wrong.append(f"--waiver: {code} is waived, and this run relaxes {told}")
    if len(codes) > words.WAIVERS_ACTIVE_MAX:
        wrong.append(f"--waiver: at most {words.WAIVERS_ACTIVE_MAX} may be in force, found {len(codes)}")
    return wrong
