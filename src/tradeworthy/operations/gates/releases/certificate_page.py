"""The certificate of a verdict: one page for the board, waivers first, that can be checked again any time (GT-21)."""

from collections.abc import Sequence

from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.page import Page
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.gates.model import Grade, Standing
from tradeworthy.operations.gates.page import headline
from tradeworthy.operations.gates.sign_off import Signature
from tradeworthy.operations.gates.store import GivenVerdict


def certificate_page(given: GivenVerdict, signers: Sequence[Signature], lacking: Sequence[str], at: int) -> str:
    """Return the certificate as it stands at `at`: the answer of that instant, and everything that it rests on.

    signers  every signature that was found, those that do not count with their reason;  lacking  roles still to sign
    """
    verdict, name = given.verdict, given.verdict_id
    bound, ends = verdict.context.binding, verdict.ends_first
    standing = verdict.standing(at)
    page = Page(f"Certificate: gate {verdict.gate}, {standing}")
    if standing is verdict.answer:
        page.text(headline(verdict))
    else:
        why = "it is of a later time" if ends is None or at < ends.at else f"{ends.requirement} ended it: {ends.reason}"
        page.text(f"{standing} at {stamp_of(at)}; it was {verdict.answer} at {stamp_of(verdict.evaluated_at)}, {why}")
    waived = [row for row in verdict.rows if row.standing is Standing.WAIVED]
    page.heading("Waivers")
    page.bullets([f"{row.id}: {row.reason}" for row in waived] or ["none is in force"])
    page.bullets([f"refused: {one}" for one in verdict.refused_waivers])
    page.facts((
        ("release", bound.release), ("tier", bound.tier), ("environment", bound.environment), ("scope", bound.scope),
        ("evaluated", stamp_of(verdict.evaluated_at)), ("looked at", stamp_of(at)),
        ("ends", "nothing ends it" if ends is None else f"{stamp_of(ends.at)} by {ends.requirement}: {ends.reason}"),
        ("bundle", verdict.bundle_id), ("verdict", name), ("table", verdict.table_hash),
        *((f"{part} hash", digest) for part, digest in sorted(bound.hashes.items())),
    ))  # fmt: skip
    page.heading("Signatures")
    page.table(("role", "who", "when", "counts"), [
        (one.role or "–", one.holder or one.key_id, one.signed_at, one.problem or "yes") for one in signers
    ])  # fmt: skip
    page.bullets([f"still to sign: {role}" for role in lacking] or ["every role signed"])
    page.heading("Rows")
    critical = sorted(verdict.rows, key=lambda row: (row.met, row.grade is not Grade.CRITICAL, row.id))
    page.table(("requirement", "class", "stands", "observed", "evidence"), [
        (row.id, row.grade.value, row.standing.value, row.observed, ", ".join(one[:12] for one in row.evidence))
        for row in critical
    ])  # fmt: skip
    page.text(f"Check it again: `tradeworthy gate verify {verdict.gate} {name[:12]}`.")
    return str(redact(page.render()))
