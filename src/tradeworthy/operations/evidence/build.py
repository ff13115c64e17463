"""Build a bundle: objects by digest, manifest, tree, proofs, verifier; same inputs, same bytes (EV-01, EV-07).

No key is needed: a bundle is built first and signed after, by others (EV-05).
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.journal.files import sync_directory, write_durably
from tradeworthy.operations.evidence import vocabulary as words
from tradeworthy.operations.evidence.canonical import (
    Malformed,
    canonical_json,
    later,
    parse_canonical,
    sha256_hex,
)
from tradeworthy.operations.evidence.collect import (
    Inputs,
    Item,
    canonical_text,
    collect,
    moment_of,
    status_word,
)
from tradeworthy.operations.evidence.judge import OBJECTS, SIGNATURES
from tradeworthy.operations.evidence.page import PAGE_BYTES_MAX, page_of, template_sha256
from tradeworthy.operations.evidence.shipped import verifier
from tradeworthy.operations.evidence.tree import inclusion_paths, root_of


class Subject(NamedTuple):
    """What a bundle is of: a run or a look at a desk, its class, its status and the moment that all of it carries.

    hashes  of code, config, limits and models, each a text or None;  policy  the digest of what it was judged by
    relaxations  codes with the ids of their waivers
    """

    run_id: str
    run_class: str
    status: str
    collected_at: str
    hashes: dict[str, str | None]
    policy: str
    relaxations: tuple[tuple[str, str | None], ...] = ()


class Built(NamedTuple):
    """A bundle on disk: its id, its root, how many entries, and the release kinds that it lacks."""

    folder: Path
    bundle_id: str
    merkle_root: str
    entries: int
    lacking: tuple[str, ...]


def build(run: Path, folder: Path, inputs: Inputs, *, page: Path | None = None) -> Built:
    """Build the bundle of a run folder.

    folder  becomes the bundle; an earlier bundle in it is replaced, anything else is refused
    page    where the one-file page goes

    Raises `UsageError` that names every required kind that is missing.
    """
    collected = collect(run, inputs)
    summary = collected.summary
    hashes = summary.summary.metadata.hashes
    criteria = None if summary.sign_off is None else summary.sign_off.criteria
    subject = Subject(
        summary.run_id, str(summary.run_class), status_word(summary.status), moment_of(summary),
        {"code": hashes.code, "config": hashes.config, "limits": hashes.limits, "models": hashes.models},
        sha256_hex(canonical_text(criteria)), tuple((one.code, one.waiver_id) for one in summary.relaxations),
    )
    return pack(subject, collected.items, folder, inputs, journal_head=collected.journal_head, page=page)


def pack(
    subject: Subject, items: Sequence[Item], folder: Path, inputs: Inputs, *,
    journal_head: dict[str, Any] | None = None, page: Path | None = None,
) -> Built:  # fmt: skip
    """Build the bundle of these items, in the order of their paths.

    Raises `UsageError` that names every kind that the subject's class needs and the items lack.
    """
    if inputs.environment not in words.ENVIRONMENTS:
        raise UsageError(f"expected one of {', '.join(words.ENVIRONMENTS)}, found {inputs.environment!r}")
    _require_kinds(subject, items)
    _make_room(folder)
    (folder / OBJECTS).mkdir(parents=True)
    entries = []
    for item in items:
        entry, chunks = _store(folder, item, subject.collected_at, inputs)
        entries.append(entry)
        if item.kind == "log":
            entries.append(_store(folder, _chunk_index(entry, chunks), subject.collected_at, inputs)[0])
    entries.sort(key=lambda one: str(one["path"]))
    digests = [sha256_hex(canonical_json(one)) for one in entries]
    manifest = _manifest(subject, journal_head, inputs, entries, root_of(digests))
    try:
        data = canonical_json(manifest)
        parse_canonical(data, "manifest")
    except Malformed as problem:
        raise UsageError(f"the run cannot be described: {problem}") from None
    proofs = [
        {"path": entry["path"], "index": index, "audit_path": path}
        for index, (entry, path) in enumerate(zip(entries, inclusion_paths(digests), strict=True))
    ]
    write_durably(folder / words.VERIFIER, verifier())
    write_durably(folder / words.PROOFS, canonical_json({"schema": "evidence.proofs@1", "proofs": proofs}))
    sync_directory(folder / OBJECTS)
    write_durably(folder / words.MANIFEST, data)
    if page is not None:
        write_page(folder, page)
    return Built(folder, sha256_hex(data), manifest["tree"]["root"], len(entries), tuple(manifest["lacking"]))


def write_page(folder: Path, page: Path) -> None:
    """Write the one-file page of a bundle as it is now; objects that no page could hold are not even read."""
    files = {}
    oversized: list[str] = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = path.relative_to(folder).as_posix()
        if name == words.VERIFIER:
            continue
        if path.stat().st_size > PAGE_BYTES_MAX:
            oversized.append(name)
        else:
            files[name] = path.read_bytes()
    write_durably(page, page_of(files, oversized))


def read_manifest(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """Return a bundle's manifest, bytes and document; raises `UsageError`."""
    try:
        data = (folder / words.MANIFEST).read_bytes()
        return data, parse_canonical(data, "manifest")
    except (OSError, Malformed) as problem:
        raise UsageError(f"expected a bundle in {folder}, found {problem}") from None


def _require_kinds(subject: Subject, items: Sequence[Item]) -> None:
    present = {one.kind for one in items} | {"chunks" for one in items if one.kind == "log"}
    relaxed = {words.RELAXED_KINDS.get(code) for code, _ in subject.relaxations}
    needed = [kind for kind in words.CLASS_KINDS[subject.run_class] if kind not in relaxed]
    missing = [kind for kind in needed if kind not in present]
    if missing:
        raise UsageError(f"a bundle of class {subject.run_class} needs {', '.join(missing)}; not found in the run")


def _make_room(folder: Path) -> None:
    """Take an earlier bundle away; a folder of anything else is refused."""
    if not folder.exists():
        return
    if any(folder.iterdir()) and not ((folder / words.MANIFEST).is_file() or (folder / OBJECTS).is_dir()):
        raise UsageError(f"the bundle's folder {folder} must be new, empty or an earlier bundle")
    foreign = {one.name for one in folder.iterdir()} - {
        words.MANIFEST, words.PROOFS, words.LOG_PROOF, words.VERIFIER, OBJECTS.strip("/"), SIGNATURES.strip("/"),
    }  # fmt: skip
    if foreign:
        told = ", ".join(sorted(foreign)[:3])
        raise UsageError(f"the bundle's folder {folder} holds {told}, which is no part of one")
    shutil.rmtree(folder)


def _store(folder: Path, item: Item, collected_at: str, inputs: Inputs) -> tuple[dict[str, Any], list[str]]:
    """Copy one item under its digest; return its entry and the digest of each chunk, all hashed while written."""
    aside = folder / OBJECTS / "object.part"
    whole, chunks, size = hashlib.sha256(), [], 0
    with aside.open("wb") as copy:
        for chunk in _chunks(item.source):
            copy.write(chunk)
            whole.update(chunk)
            chunks.append(hashlib.sha256(chunk).hexdigest())
            size += len(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    digest = whole.hexdigest()
    aside.replace(folder / OBJECTS / digest)
    entry = {
        "path": item.path, "media_type": item.media_type, "bytes": size, "sha256": digest, "kind": item.kind,
        "provenance": item.provenance, "environment": inputs.environment, "collected_at": collected_at,
        "expires_at": later(collected_at, days=item.days),
    }  # fmt: skip
    return entry, chunks


def _chunks(source: bytes | Path) -> Any:
    if isinstance(source, bytes):
        yield from (source[at : at + words.CHUNK_BYTES] for at in range(0, len(source), words.CHUNK_BYTES))
        return
    try:
        with source.open("rb") as file:
            while chunk := file.read(words.CHUNK_BYTES):
                yield chunk
    except OSError as problem:
        raise UsageError(f"cannot pack {source}: {problem.strerror or problem}") from None


def _chunk_index(entry: dict[str, Any], chunks: list[str]) -> Item:
    index = {
        "schema": "evidence.chunks@1", "path": entry["path"], "bytes": entry["bytes"],
        "chunk_bytes": words.CHUNK_BYTES, "leaves": chunks, "root": root_of(chunks),
    }  # fmt: skip
    return Item(f"chunks/{entry['path']}.json", "chunks", canonical_json(index))


def _manifest(
    subject: Subject, journal_head: dict[str, Any] | None, inputs: Inputs, entries: list[dict[str, Any]], root: str
) -> dict[str, Any]:
    present = {one["kind"] for one in entries}
    return {
        "schema": "evidence.manifest@1", "run_id": subject.run_id, "run_class": subject.run_class,
        "status": subject.status, "environment": inputs.environment, "operator": inputs.operator,
        "author": inputs.author, "desk": inputs.desk, "commit": inputs.commit,
        "hashes": {**subject.hashes, "policy": subject.policy}, "journal_head": journal_head,
        "lacking": sorted(kind for kind in words.RELEASE_KINDS if kind not in present),
        "relaxations": [{"code": code, "waiver_id": waiver} for code, waiver in subject.relaxations],
        "tree": {"size": len(entries), "root": root}, "page_template_sha256": template_sha256(), "entries": entries,
    }  # fmt: skip
