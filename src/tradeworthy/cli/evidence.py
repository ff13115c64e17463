"""`tradeworthy evidence build|verify|show|sign|key|trust|log`: bundles that a gate can rely on."""

from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cyclopts import App, Parameter
from rich.console import Console

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, InvalidInput, UsageError
from tradeworthy.kernel.journal.witness import load_key
from tradeworthy.operations.dry_run.run_folder import RunFolder
from tradeworthy.operations.evidence import log as evidence_log
from tradeworthy.operations.evidence import trust as trust_file
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.build import build as build_bundle
from tradeworthy.operations.evidence.build import read_manifest, write_page
from tradeworthy.operations.evidence.canonical import Malformed, sha256_hex, stamp_of
from tradeworthy.operations.evidence.collect import Inputs
from tradeworthy.operations.evidence.sign import sign as sign_bundle
from tradeworthy.operations.evidence.verify import verify as verify_bundle
from tradeworthy.operations.evidence.verify_bundle import as_json, as_text, ask_of

app = App(name="evidence", help="Build, sign, verify and log evidence bundles.")
log = App(name="log", help="Keep bundle ids in an append-only, signed Merkle log.")
trust = App(name="trust", help="Say whose keys count.")
app.command(log)
app.command(trust)
Flag = Annotated[bool, Parameter(negative="")]


@app.command
def build(
    run: Path, /, *, output: Path | None = None, page: Path | None = None, environment: str = words.ENVIRONMENTS[0],
    operator: str | None = None, author: str | None = None, desk: str | None = None, commit: str | None = None,
    journal: Path | None = None, trust: Path | None = None, key: Path | None = None,
) -> int:  # fmt: skip
    """Build the bundle of a finished run and its one-file page; the same run gives the same bundle.

    Parameters
    ----------
    run
        The folder that the orchestrator left.
    output
        The bundle's folder; bundle/ in the run when not given.
    page
        The page; bundle.html beside the bundle when not given.
    environment
        Where the run took place: simulated, paper or live.
    operator
        Who ran it; this person may not sign.
    author
        Who wrote the release; this person may not sign.
    desk
        The account that the desk runs as; it may not sign.
    commit
        The commit that ran.
    journal
        The desk's journal; it is verified and its head goes into the bundle.
    trust
        The trust file, to go into the bundle.
    key
        The builder's private key, to sign at once.
    """
    signer = None if key is None else private_key(key)
    known = None if trust is None else trust_file.read_trust(trust)
    inputs = Inputs(
        environment=environment, operator=operator, author=author, desk=desk, commit=commit, journal=journal,
        trust=None if known is None else known.encoded(),
    )  # fmt: skip
    folder = output or RunFolder(run).bundle
    place = page or folder.with_suffix(".html")
    built = build_bundle(run, folder, inputs, page=place)
    if signer is not None:
        sign_bundle(folder, words.BUILDER, signer, at=_now(), trust=known)
        write_page(folder, place)
    console = _console()
    console.print(f"bundle  {folder}\npage    {place}\nid      {built.bundle_id}\nroot    {built.merkle_root}")
    console.print(f"holds   {built.entries} entries")
    if built.lacking:
        console.print(f"lacks   {', '.join(built.lacking)} (a release would need them)")
    return ExitCode.PASS


@app.command
def verify(
    bundle: Path, /, *, key: str | None = None, at: str | None = None, run_id: str | None = None,
    environment: str | None = None, log_head: str | None = None, json: Flag = False,
) -> int:  # fmt: skip
    """Verify a bundle: 0 verified, 1 with waivers, 2 invalid, 3 no trusted key or nothing to judge.

    Parameters
    ----------
    bundle
        A bundle folder or a bundle.html.
    key
        The trust file you hold, or the fingerprint of the one in the bundle.
    at
        The time to judge for, like 2026-01-31T00:00:00Z; now when not given.
    run_id
        The run it must be of.
    environment
        The lowest environment that is enough: simulated, paper or live.
    log_head
        SIZE:ROOT of the evidence log as last seen.
    json
        Print JSON.
    """
    try:
        ask = ask_of(at or _now(), key, run_id=run_id, environment=environment, log_head=log_head)
    except (OSError, ValueError, Malformed) as problem:
        raise UsageError(f"could not judge: {problem}") from None
    verdict = verify_bundle(bundle, ask)
    _console().print(as_json(verdict) if json else as_text(verdict))
    return verdict.exit_code


@app.command
def show(bundle: Path, /) -> int:
    """Print what a bundle says it holds, without judging it.

    Parameters
    ----------
    bundle
        A bundle folder.
    """
    data, manifest = read_manifest(bundle)
    console = _console()
    console.print(f"id          {sha256_hex(data)}\nroot        {manifest['tree']['root']}")
    console.print(f"run         {manifest['run_id']} ({manifest['run_class']}, {manifest['environment']})")
    console.print(f"status      {manifest['status']}")
    for one in manifest["relaxations"]:
        console.print(f"relaxed     {one['code']} ({one['waiver_id'] or 'no waiver'})")
    if manifest["lacking"]:
        console.print(f"lacks       {', '.join(manifest['lacking'])}")
    for path in sorted((bundle / "signatures").glob("*.dsse.json")):
        console.print(f"signature   {path.name.removesuffix('.dsse.json')}")
    for entry in manifest["entries"]:
        console.print(f"{entry['sha256'][:16]} {entry['bytes']:>12,} {entry['kind']:<18} {entry['path']}")
    return ExitCode.PASS


@app.command
def sign(
    bundle: Path, /, *, role: str, key: Path, trust: Path | None = None, page: Path | None = None
) -> int:
    """Sign a bundle in a role, and renew its page.

    Parameters
    ----------
    bundle
        The bundle folder.
    role
        builder, strategy_owner, risk, operations, compliance or senior_management.
    key
        Your private key.
    trust
        The trust file; a signature that it would not accept is refused.
    page
        The page; bundle.html beside the bundle when not given.
    """
    known = None if trust is None else trust_file.read_trust(trust)
    place = sign_bundle(bundle, role, private_key(key), at=_now(), trust=known)
    write_page(bundle, page or bundle.with_suffix(".html"))
    _console().print(f"signed      {place}")
    return ExitCode.PASS


@app.command
def key(path: Path, /) -> int:
    """Make a key pair: the private key in PATH, the public one in PATH.pub; an existing key is kept.

    Parameters
    ----------
    path
        Where the private key goes; only its owner can read it.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        load_key(path)
    except (OSError, InvalidInput) as problem:
        raise UsageError(str(problem)) from None
    _console().print(f"public      {path}.pub")
    return ExitCode.PASS


@trust.command
def add(
    file: Path, /, *, key: Path, holder: str, role: tuple[str, ...], valid_from: str, valid_to: str
) -> int:
    """Add a public key to a trust file, which is made when absent.

    Parameters
    ----------
    file
        The trust file.
    key
        The public key: 64 hex digits.
    holder
        Person or machine that holds the private key.
    role
        A role of the key; may be given several times.
    valid_from
        First moment, like 2026-01-31T00:00:00Z.
    valid_to
        First moment at which it is not valid any more.
    """
    known = trust_file.read_trust(file) if file.exists() else trust_file.TrustFile()
    try:
        public = bytes.fromhex(key.read_text().strip())
    except (OSError, ValueError) as problem:
        raise UsageError(f"expected a public key of 64 hex digits in {key}, found {problem}") from None
    one = trust_file.trusted_key(public, holder=holder, roles=role, valid_from=valid_from, valid_to=valid_to)
    known = trust_file.with_key(known, one)
    trust_file.write_trust(file, known)
    _console().print(f"key         {one.key_id}\nfingerprint {known.fingerprint()}")
    return ExitCode.PASS


@trust.command
def revoke(file: Path, key_id: str, /, *, at: str | None = None) -> int:
    """Revoke a key: what it signs from that moment on is void.

    Parameters
    ----------
    file
        The trust file.
    key_id
        The key's id.
    at
        From when on; now when not given.
    """
    known = trust_file.revoked(trust_file.read_trust(file), key_id, at or _now())
    trust_file.write_trust(file, known)
    _console().print(f"fingerprint {known.fingerprint()}")
    return ExitCode.PASS


@log.command
def append(folder: Path, bundle: Path, /, *, key: Path) -> int:
    """Add a bundle to a log and sign the new head.

    Parameters
    ----------
    folder
        The log.
    bundle
        The bundle folder.
    key
        The log keeper's private key.
    """
    data, _ = read_manifest(bundle)
    head = evidence_log.append(folder, sha256_hex(data), private_key(key), at=_now())
    _console().print(f"head        {head}")
    return ExitCode.PASS


@log.command
def prove(folder: Path, bundle: Path, /, *, since: str | None = None) -> int:
    """Put the proof into a bundle that the log holds it, and renew its page.

    Parameters
    ----------
    folder
        The log.
    bundle
        The bundle folder.
    since
        SIZE:ROOT of an earlier head, which the log must continue.
    """
    data, _ = read_manifest(bundle)
    (bundle / words.LOG_PROOF).write_bytes(evidence_log.prove(folder, sha256_hex(data), since=_head(since)))
    write_page(bundle, bundle.with_suffix(".html"))
    _console().print(f"proof       {bundle / words.LOG_PROOF}")
    return ExitCode.PASS


@log.command
def anchor(folder: Path, second: Path, /) -> int:
    """Copy the newest head to a second place; a log that does not continue what lies there is refused.

    Parameters
    ----------
    folder
        The log.
    second
        The second place.
    """
    _console().print(f"anchored    {evidence_log.anchor(folder, second)}")
    return ExitCode.PASS


@log.command(name="verify")
def verify_log(folder: Path, /, *, key: Path, second: Path | None = None) -> int:
    """Check that a log continues each of its signed heads, and those of a second place.

    Parameters
    ----------
    folder
        The log.
    key
        The trust file.
    second
        Where heads were copied to.
    """
    found = evidence_log.verify_log(folder, trust_file.read_trust(key))
    if second is not None:
        found += evidence_log.compare(folder, second)
    for one in found:
        _console().print(f"fail    {one.code}: {one.message}", style="red")
    if not found:
        _console().print(f"sound   {evidence_log.head_of(folder)}")
    return ExitCode.FAIL if found else ExitCode.PASS


def private_key(path: Path) -> Ed25519PrivateKey:
    """Return an existing private key; raises `UsageError`, and never makes one."""
    if not path.is_file():
        raise UsageError(f"expected a private key in {path}, found no file; `tradeworthy evidence key` makes one")
    try:
        return load_key(path)
    except (OSError, InvalidInput) as problem:
        raise UsageError(str(problem)) from None


def _head(text: str | None) -> evidence_log.LogHead | None:
    if text is None:
        return None
    size, _, root = text.partition(":")
    if not size.isdigit():
        raise UsageError(f"expected SIZE:ROOT, found {text!r}")
    return evidence_log.LogHead(int(size), root)


def _now() -> str:
    return stamp_of(SystemClock().now())


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
