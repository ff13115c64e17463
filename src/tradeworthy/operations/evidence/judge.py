"""Judge a bundle: manifest, tree, objects, claims, times. Part of the standalone verifier; the page mirrors it.

`judge` knows no files and no clock: it is given both. Each finding has a stable code; the same bundle gives the same
findings in the library, in the standalone verifier and on the page.
"""

import json
import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from tradeworthy.kernel.journal.verify import Merkle
from tradeworthy.operations.evidence.canonical import (
    Malformed,
    canonical_json,
    parse_canonical,
    root_by_inclusion,
    sha256_hex,
)
from tradeworthy.operations.evidence.vocabulary import (
    CHUNK_BYTES,
    CLASS_KINDS,
    DOCUMENT_BYTES_MAX,
    ENVIRONMENTS,
    LOG_PROOF,
    MANIFEST,
    OMITTED_BYTES_MIN,
    OTHER_KINDS,
    PROOFS,
    PROVENANCES,
    REHEARSAL_KINDS,
    RELAXED_KINDS,
    RELEASE_KINDS,
    RUN_CLASSES,
    STATUSES,
    VERIFIER,
)

FAIL, WARN, UNKNOWN = "fail", "warn", "unknown"
OBJECTS, SIGNATURES = "objects/", "signatures/"
_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
_SIGNATURE_NAME = re.compile(r"signatures/[a-z_]+-[0-9a-f]{16}\.dsse\.json")
Valid = Callable[[bytes, bytes, bytes], bool]
"""Ed25519: (public key, message, signature) to whether they fit."""


class BundleFinding(NamedTuple):
    """One thing that is not as it must be; `fail` is red, `unknown` grey."""

    severity: str
    code: str
    where: str
    message: str


class Ask(NamedTuple):
    """What a verifier wants to know.

    at               the time to judge for, as a stamp
    trust            the pinned trust file; None takes the bundle's own, which proves consistency only
    trust_sha256     the pinned fingerprint of the bundle's own trust file, in the place of `trust`
    run_id           the run it must be of;  environment  the lowest that is enough
    log_head         size and root of the evidence log as last seen
    template_sha256  the page's template, when the bundle came in a page; `omitted` what that page left out
    """

    at: str
    trust: bytes | None = None
    trust_sha256: str | None = None
    run_id: str | None = None
    environment: str | None = None
    log_head: tuple[int, str] | None = None
    template_sha256: str | None = None
    omitted: frozenset[str] = frozenset()


class Verdict(NamedTuple):
    """The judgement: `verified`, `verified_with_waivers`, `consistent` (nothing trusted was given) or `invalid`."""

    verdict: str
    bundle_id: str
    merkle_root: str
    run_id: str
    run_class: str
    findings: tuple[BundleFinding, ...]

    @property
    def exit_code(self) -> int:
        """0 verified, 1 with waivers, 2 invalid, 3 no trusted key."""
        return {"verified": 0, "verified_with_waivers": 1, "invalid": 2}.get(self.verdict, 3)


class Files(Protocol):
    """The files of a bundle by their names."""

    def names(self) -> Iterable[str]: ...
    def read(self, name: str) -> bytes: ...
    def digests(self, name: str) -> tuple[int, str, list[str]]:
        """Return length, SHA-256 and the SHA-256 of each chunk."""
        ...


class FileMap:
    """The files of a bundle in memory, as a page brings them."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def names(self) -> Iterable[str]:
        return self._files

    def read(self, name: str) -> bytes:
        return self._files[name]

    def digests(self, name: str) -> tuple[int, str, list[str]]:
        data = self._files[name]
        chunks = [sha256_hex(data[at : at + CHUNK_BYTES]) for at in range(0, len(data), CHUNK_BYTES)]
        return len(data), sha256_hex(data), chunks


class Findings:
    """A growing list of findings."""

    def __init__(self) -> None:
        self.all: list[BundleFinding] = []

    def add(self, code: str, where: str, message: str, severity: str = FAIL) -> None:
        self.all.append(BundleFinding(severity, code, where, message))


class Contents:
    """The parts of a bundle that its manifest vouches for, judged one after the other."""

    def __init__(self, files: Files, ask: Ask, found: Findings) -> None:
        self.files = files
        self.ask = ask
        self.found = found
        self.names = set(files.names())
        self.manifest: dict[str, Any] = {}
        self.bundle_id = ""
        self.chunks: dict[str, list[str]] = {}

    def judge(self) -> bool:
        """Judge everything but signatures and waivers; False when there is no manifest to go on from."""
        if not self._read_manifest():
            return False
        self._entries()
        self._kinds()
        self._tree()
        self._objects()
        self._chunk_indexes()
        self._claims()
        return True

    def object_of(self, entry: dict[str, Any]) -> bytes | None:
        """Return the bytes of an entry when they are there and are its own."""
        name = OBJECTS + entry["sha256"]
        if name not in self.names:
            return None
        if entry["bytes"] > DOCUMENT_BYTES_MAX:
            self.found.add("object.too_large", entry["path"], f"too large to be judged, {entry['bytes']} bytes")
            return None
        data = self.files.read(name)
        return data if sha256_hex(data) == entry["sha256"] else None

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Return the entries of a kind."""
        return [one for one in self.manifest["entries"] if one["kind"] == kind]

    def _read_manifest(self) -> bool:
        if MANIFEST not in self.names:
            self.found.add("manifest.missing", MANIFEST, "the bundle has no manifest")
            return False
        data = self.files.read(MANIFEST)
        self.bundle_id = sha256_hex(data)
        try:
            manifest = parse_canonical(data, "manifest")
            words = [(manifest["run_class"], RUN_CLASSES), (manifest["status"], STATUSES)]
            words.append((manifest["environment"], ENVIRONMENTS))
            for one in manifest["entries"]:
                words.append((one["kind"], (*REHEARSAL_KINDS, *RELEASE_KINDS, *OTHER_KINDS)))
                words += [(one["provenance"], PROVENANCES), (one["environment"], ENVIRONMENTS)]
            for word, known in words:
                if word not in known:
                    raise Malformed(f"expected one of {', '.join(known)}, found {word}")
        except Malformed as problem:
            self.found.add("manifest.malformed", MANIFEST, str(problem))
            return False
        self.manifest = manifest
        if self.ask.run_id is not None and manifest["run_id"] != self.ask.run_id:
            self.found.add("run.other", MANIFEST, f"expected run {self.ask.run_id}, found {manifest['run_id']}")
        least = self.ask.environment
        if least is not None and ENVIRONMENTS.index(manifest["environment"]) < ENVIRONMENTS.index(least):
            self.found.add("environment.lower", MANIFEST, f"expected {least}, found {manifest['environment']}")
        template = self.ask.template_sha256
        if template is not None and template != manifest["page_template_sha256"]:
            self.found.add("page.template", "bundle.html", "the page is not the template that was signed")
        return True

    def _entries(self) -> None:
        paths = [one["path"] for one in self.manifest["entries"]]
        if any(not first < second for first, second in pairwise(paths)):
            self.found.add("manifest.order", MANIFEST, "expected entries in the order of their paths, each once")
        if len({path.lower() for path in paths}) != len(paths):
            self.found.add("manifest.twin", MANIFEST, "two paths differ by case only, or not at all")
        rank = ENVIRONMENTS.index(self.manifest["environment"])
        for one in self.manifest["entries"]:
            if not _PATH.fullmatch(one["path"]):
                self.found.add("manifest.path", one["path"], "expected a plain relative path")
            if ENVIRONMENTS.index(one["environment"]) < rank:
                self.found.add("environment.lower", one["path"], f"{one['environment']} is not enough")
            if one["expires_at"] <= self.ask.at:
                self.found.add("entry.expired", one["path"], f"expired at {one['expires_at']}")
            if one["collected_at"] > self.ask.at:
                self.found.add("entry.future", one["path"], f"collected at {one['collected_at']}, in the future")

    def _kinds(self) -> None:
        manifest = self.manifest
        present = {one["kind"] for one in manifest["entries"]}
        relaxed = {RELAXED_KINDS.get(one["code"]) for one in manifest["relaxations"]}
        for kind in (one for one in CLASS_KINDS[manifest["run_class"]] if one not in relaxed):
            if kind not in present:
                self.found.add("kind.missing", kind, f"class {manifest['run_class']} needs {kind}")
        if manifest["lacking"] != sorted(kind for kind in RELEASE_KINDS if kind not in present):
            self.found.add("kind.lacking", MANIFEST, "the kinds said to be lacking are not those that are")

    def _tree(self) -> None:
        entries = self.manifest["entries"]
        tree = Merkle()
        digests = [sha256_hex(canonical_json(one)) for one in entries]
        for digest in digests:
            tree.add(digest)
        if self.manifest["tree"] != {"size": len(entries), "root": tree.root()}:
            self.found.add("merkle.root", MANIFEST, "the entries do not have the root that is stated")
        if PROOFS not in self.names:
            self.found.add("proof.missing", PROOFS, "the bundle has no inclusion proofs")
            return
        try:
            proofs = parse_canonical(self.files.read(PROOFS), "proofs")["proofs"]
        except Malformed as problem:
            self.found.add("proof.malformed", PROOFS, str(problem))
            return
        if len(proofs) != len(entries):
            self.found.add("proof.missing", PROOFS, f"expected {len(entries)} proofs, found {len(proofs)}")
            return
        for index, (entry, proof, digest) in enumerate(zip(entries, proofs, digests, strict=True)):
            root = root_by_inclusion(digest, proof["index"], len(entries), proof["audit_path"])
            if (proof["path"], proof["index"], root) != (entry["path"], index, self.manifest["tree"]["root"]):
                self.found.add("proof.invalid", proof["path"], "the proof does not lead to the root")

    def _objects(self) -> None:
        known = {MANIFEST, PROOFS, LOG_PROOF}
        for one in self.manifest["entries"]:
            name = OBJECTS + one["sha256"]
            known.add(name)
            if name in self.names:
                size, digest, chunks = self.files.digests(name)
                self.chunks[one["path"]] = chunks
                if (size, digest) != (one["bytes"], one["sha256"]):
                    self.found.add("object.changed", one["path"], "the bytes are not those that were collected")
            elif name in self.ask.omitted and one["bytes"] >= OMITTED_BYTES_MIN:
                self.found.add("object.omitted", one["path"], "too large for this page", UNKNOWN)
            else:
                self.found.add("object.missing", one["path"], "listed and not there")
            if one["path"] == VERIFIER:
                self._verifier(one["sha256"])
        for name in sorted(self.names - known - {VERIFIER}):
            if not _SIGNATURE_NAME.fullmatch(name):
                self.found.add("file.unlisted", name, "there and not listed")

    def _verifier(self, sha256: str) -> None:
        if VERIFIER in self.names:
            if sha256_hex(self.files.read(VERIFIER)) != sha256:
                self.found.add("file.changed", VERIFIER, "the verifier is not the one that was collected")
        elif self.ask.template_sha256 is None:
            self.found.add("file.missing", VERIFIER, "the bundle has no verifier")

    def _chunk_indexes(self) -> None:
        entries = {one["path"]: one for one in self.manifest["entries"]}
        for one in self.entries("chunks"):
            data = self.object_of(one)
            if data is None:
                continue
            try:
                index = parse_canonical(data, "chunks")
            except Malformed as problem:
                self.found.add("chunk.malformed", one["path"], str(problem))
                continue
            tree = Merkle()
            for leaf in index["leaves"]:
                tree.add(leaf)
            of = entries.get(index["path"])
            count = -(-index["bytes"] // CHUNK_BYTES)
            shape = (index["chunk_bytes"], len(index["leaves"]), index["root"])
            if of is None or of["bytes"] != index["bytes"] or shape != (CHUNK_BYTES, count, tree.root()):
                self.found.add("chunk.index", one["path"], "the index is not one of a listed file")
            elif self.chunks.get(index["path"], index["leaves"]) != index["leaves"]:
                self.found.add("chunk.changed", index["path"], "a chunk is not the one that was collected")

    def _claims(self) -> None:
        """Compare what the manifest says of the run with the summary it holds."""
        for one in self.entries("summary"):
            data = self.object_of(one) if one["path"].endswith(".json") else None
            if data is None:
                continue
            try:
                summary = json.loads(data)
                told = {name: summary[name] for name in ("run_id", "run_class", "status")}
                told["relaxations"] = [relaxation["code"] for relaxation in summary["relaxations"]]
            except (ValueError, KeyError, TypeError):
                self.found.add("claim.summary", one["path"], "the summary cannot be read")
                continue
            said = {name: self.manifest[name] for name in ("run_id", "run_class", "status")}
            said["relaxations"] = [relaxation["code"] for relaxation in self.manifest["relaxations"]]
            for name in told:
                if told[name] != said[name]:
                    self.found.add(f"claim.{name}", one["path"], f"the summary says {told[name]}, not {said[name]}")
