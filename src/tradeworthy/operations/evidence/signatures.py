"""Judge who signed: keys, roles, quorum, waivers, log. Part of the standalone verifier; the page mirrors it."""

import json
from typing import Any

from tradeworthy.kernel.journal.verify import pre_authentication
from tradeworthy.operations.evidence.canonical import (
    Malformed,
    canonical_json,
    consistent,
    later,
    parse_canonical,
    require_shape,
    root_by_inclusion,
    sha256_hex,
    stamp_of,
    unbase64,
)
from tradeworthy.operations.evidence.judge import (
    FAIL,
    SIGNATURES,
    UNKNOWN,
    WARN,
    Ask,
    Contents,
    Files,
    Findings,
    Valid,
    Verdict,
)
from tradeworthy.operations.evidence.vocabulary import (
    BUILD,
    BUILDER,
    HUMAN_ROLES,
    LIVE_QUORUM,
    LOG_HEAD,
    LOG_KEEPER,
    LOG_PROOF,
    MANIFEST,
    NEVER_WAIVABLE,
    PAYLOAD,
    QUORUM,
    SHAPES,
    SIGN_OFF,
    STATEMENT,
    WAIVER,
    WAIVER_DAYS_MAX,
    WAIVER_SIGNERS_MIN,
    WAIVERS_ACTIVE_MAX,
    WITNESS,
    WITNESS_MINUTE,
)

TRUST = "trust.json"
ACCOUNTS = ("desk", "operator", "author")
"""Who may not sign: what the desk runs as, who ran it, who wrote the release."""


def judge(files: Files, ask: Ask, valid: Valid) -> Verdict:
    """Judge a bundle; never raises for what is in it."""
    found = Findings()
    contents = Contents(files, ask, found)
    whole = contents.judge()
    if whole:
        Signers(contents, valid).judge()
    findings = tuple(sorted(set(found.all), key=lambda one: (one.code, one.where, one.message)))
    manifest = contents.manifest
    return Verdict(
        _word(findings), contents.bundle_id, manifest["tree"]["root"] if whole else "",
        manifest["run_id"] if whole else "", manifest["run_class"] if whole else "", findings,
    )  # fmt: skip


def _word(findings: tuple[Any, ...]) -> str:
    severities = {one.severity for one in findings}
    if FAIL in severities:
        return "invalid"
    if any(one.code.startswith("trust.") for one in findings):
        return "consistent"
    return "verified_with_waivers" if WARN in severities else "verified"


class Signers:
    """The signatures of a bundle against a trust file."""

    def __init__(self, contents: Contents, valid: Valid) -> None:
        self._contents = contents
        self._manifest = contents.manifest
        self._ask = contents.ask
        self._found = contents.found
        self._valid = valid
        self._keys: dict[str, dict[str, Any]] = {}
        self._quorum: dict[str, list[str]] = {}
        self._signed: dict[str, str] = {}

    def judge(self) -> None:
        """Judge trust, bundle signatures, quorum, waivers and log."""
        if not self._read_trust():
            return
        for name in sorted(self._contents.names):
            if name.startswith(SIGNATURES):
                self._bundle_signature(name)
        self._enough()
        self._waivers()
        self._log()
        for entry in self._contents.entries("witness"):
            data = self._contents.object_of(entry)
            if data is not None:
                self._witness(data, entry["path"])

    def _read_trust(self) -> bool:
        data = self._ask.trust
        if data is None:
            own = self._contents.entries("trust")
            data = self._contents.object_of(own[0]) if own else None
            if data is None:
                self._found.add("trust.absent", TRUST, "no trust file was given and the bundle has none", UNKNOWN)
                return False
            if self._ask.trust_sha256 is None:
                self._found.add("trust.unpinned", TRUST, "the keys are the bundle's own word", UNKNOWN)
            elif self._ask.trust_sha256 != sha256_hex(data):
                self._found.add("trust.other", TRUST, "the bundle's keys are not those of the pinned fingerprint")
        try:
            trust = parse_canonical(data, "trust")
            for key in trust["keys"]:
                if key["key_id"] != sha256_hex(bytes.fromhex(key["public_key"]))[:16] or key["key_id"] in self._keys:
                    raise Malformed(f"expected a key once, under its own id, found {key['key_id']}")
                self._keys[key["key_id"]] = key
        except Malformed as problem:
            self._found.add("trust.malformed", TRUST, str(problem))
            return False
        self._quorum = trust["quorum"]
        return True

    def _bundle_signature(self, where: str) -> None:
        before = len(self._found.all)
        try:
            envelope = parse_canonical(self._contents.files.read(where), "envelope")
            payload, keys = self._opened(envelope, where)
        except Malformed as problem:
            self._found.add("signature.malformed", where, str(problem))
            return
        if len(keys) != 1:
            if len(self._found.all) == before:
                self._found.add("signature.malformed", where, "expected one signature")
            return
        key = keys[0]
        statement = self._statement(payload, where)
        if statement is None:
            return
        predicate = statement["predicate"]
        role = predicate["role"]
        if where != f"{SIGNATURES}{role}-{key['key_id']}.dsse.json":
            self._found.add("signature.name", where, f"the file is not named for {role} and its key")
        if statement["predicateType"] != (BUILD if role == BUILDER else SIGN_OFF):
            self._found.add("statement.type", where, f"{role} does not sign {statement['predicateType']}")
        if role != BUILDER and role not in HUMAN_ROLES:
            self._found.add("role.unknown", where, f"{role} signs no bundle")
        self._may(key, role, predicate["signed_at"], where)
        if predicate.get("run_id") != self._manifest["run_id"]:
            self._found.add("statement.run", where, "the signature is of another run")
        if statement["subject"] != subjects_of(self._manifest, self._contents.bundle_id, role):
            self._found.add("statement.subject", where, "the signature is of another bundle")
        self._apart(key, where)
        if len(self._found.all) == before:
            if role in self._signed or (role != BUILDER and key["holder"] in self._signed.values()):
                self._found.add("signer.not_distinct", where, f"{key['holder']} signed already, or another {role}")
            self._signed[role] = key["holder"]

    def _opened(
        self, envelope: dict[str, Any], where: str, payload_type: str = PAYLOAD
    ) -> tuple[bytes, list[dict[str, Any]]]:
        """Return payload and the trusted keys whose signature holds; raises `Malformed`."""
        if envelope["payloadType"] != payload_type:
            raise Malformed(f"expected {payload_type}")
        payload = unbase64(envelope["payload"])
        message = pre_authentication(payload, payload_type)
        keys = []
        for one in envelope["signatures"]:
            signature = unbase64(one["sig"])
            key = self._keys.get(one["keyid"])
            if key is None:
                self._found.add("signature.untrusted", where, f"{one['keyid'][:16]} is not in the trust file")
            elif not self._valid(bytes.fromhex(key["public_key"]), message, signature):
                self._found.add("signature.invalid", where, f"the signature of {key['holder']} does not hold")
            else:
                keys.append(key)
        return payload, keys

    def _statement(self, payload: bytes, where: str) -> dict[str, Any] | None:
        try:
            statement: dict[str, Any] = json.loads(payload)
            if statement["_type"] != STATEMENT:
                raise Malformed("expected an in-toto statement")
            require_shape(statement["predicate"]["signed_at"], "time")
            require_shape(statement["predicate"]["role"], "str")
            require_shape(statement["predicateType"], "str")
            require_shape(statement["subject"], [{"name": "str", "digest": {"sha256": "str"}}])
        except (Malformed, ValueError, KeyError, TypeError):
            self._found.add("statement.malformed", where, "expected an in-toto statement with role and time")
            return None
        return statement

    def _may(self, key: dict[str, Any], role: str, signed_at: str, where: str) -> None:
        person = role in HUMAN_ROLES
        if role not in key["roles"] or (key["kind"] == "person") != person:
            self._found.add("role.denied", where, f"{key['holder']} may not sign as {role}")
        if not key["valid_from"] <= signed_at < key["valid_to"]:
            self._found.add("key.expired", where, f"the key of {key['holder']} was not valid at {signed_at}")
        if key["revoked_at"] is not None and signed_at >= key["revoked_at"]:
            self._found.add("key.revoked", where, f"the key of {key['holder']} is revoked since {key['revoked_at']}")
        if signed_at > self._ask.at:
            self._found.add("signature.future", where, f"signed at {signed_at}, in the future")

    def _apart(self, key: dict[str, Any], where: str) -> None:
        for account in ACCOUNTS:
            if key["holder"] == self._manifest[account] and (account == "desk" or key["kind"] == "person"):
                self._found.add(f"signer.is_{account}", where, f"{key['holder']} is the {account} of this run")

    def _enough(self) -> None:
        manifest = self._manifest
        if manifest["run_class"] == "release":
            for account in ACCOUNTS:
                if manifest[account] is None:
                    self._found.add("account.unknown", account, f"without the {account} nobody can say who is apart")
        needed = {*QUORUM[manifest["run_class"]], *self._quorum.get(manifest["run_class"], ())}
        if manifest["run_class"] == "release" and manifest["environment"] == "live":
            needed.update(LIVE_QUORUM)
        for role in sorted(needed - self._signed.keys()):
            self._found.add("quorum.missing", role, f"no valid signature as {role}")

    def _waivers(self) -> None:
        active: dict[str, str] = {}
        for entry in self._contents.entries("waiver"):
            data = self._contents.object_of(entry)
            waiver = None if data is None else self._waiver(data, entry["path"])
            if waiver is not None:
                active[waiver["finding_code"]] = waiver["scope"]
                told = f"{waiver['finding_code']} is waived until {waiver['expires_at']}: {waiver['reason']}"
                self._found.add("waiver.active", entry["path"], told, WARN)
        if len(active) > WAIVERS_ACTIVE_MAX:
            self._found.add("waiver.too_many", MANIFEST, f"expected at most {WAIVERS_ACTIVE_MAX}, found {len(active)}")
        if self._manifest["run_class"] == "release":
            for one in self._manifest["relaxations"]:
                if active.get(one["code"]) != self._manifest["run_id"]:
                    self._found.add("relaxation.bare", one["code"], "relaxed without a valid waiver of this run")

    def _waiver(self, data: bytes, where: str) -> dict[str, Any] | None:
        """Return a waiver that holds at the asked time, None with findings otherwise."""
        before = len(self._found.all)
        try:
            envelope = parse_canonical(data, "envelope")
            payload, keys = self._opened(envelope, where)
            statement = json.loads(payload)
            waiver: dict[str, Any] = statement["predicate"]
            require_shape(waiver, SHAPES["waiver"])
            if statement["predicateType"] != WAIVER or statement["_type"] != STATEMENT:
                raise Malformed("expected a waiver")
            longest = later(waiver["issued_at"], days=WAIVER_DAYS_MAX)
        except (Malformed, ValueError, KeyError, TypeError):
            self._found.add("waiver.malformed", where, "expected a signed waiver")
            return None
        at = self._ask.at
        for key in keys:
            roles = [role for role in key["roles"] if role in HUMAN_ROLES]
            self._may(key, roles[0] if roles else "", waiver["issued_at"], where)
        holders = {key["holder"] for key in keys}
        table = (
            (waiver["author"] in holders, "waiver.own", "the author signed it"),
            (len(holders) < WAIVER_SIGNERS_MIN, "waiver.quorum", f"expected {WAIVER_SIGNERS_MIN} signers"),
            (waiver["expires_at"] > longest, "waiver.too_long", f"longer than {WAIVER_DAYS_MAX} days"),
            (waiver["finding_code"].split(".")[0] in NEVER_WAIVABLE, "waiver.never", "this is never waived"),
            (waiver["expires_at"] <= at, "waiver.expired", f"ended at {waiver['expires_at']}"),
            (waiver["issued_at"] > at, "waiver.future", f"issued at {waiver['issued_at']}, in the future"),
        )
        for broken, code, message in table:
            if broken:
                self._found.add(code, where, message)
        return waiver if len(self._found.all) == before else None

    def _log(self) -> None:
        if LOG_PROOF not in self._contents.names:
            if self._manifest["run_class"] == "release":
                self._found.add("log.missing", LOG_PROOF, "class release needs a proof of the evidence log")
            return
        before = len(self._found.all)
        try:
            proof = parse_canonical(self._contents.files.read(LOG_PROOF), "log")
            payload, keys = self._opened(proof["head"], LOG_PROOF)
        except Malformed as problem:
            self._found.add("log.malformed", LOG_PROOF, str(problem))
            return
        if len(keys) != 1:
            if len(self._found.all) == before:
                self._found.add("log.malformed", LOG_PROOF, "expected one signature")
            return
        head = self._head(payload, keys[0])
        if head is None:
            return
        size, root = head
        if root_by_inclusion(self._contents.bundle_id, proof["index"], size, proof["inclusion"]) != root:
            self._found.add("log.inclusion", LOG_PROOF, "the bundle is not shown to be in the log")
        since = proof["since"] or {"size": 0, "root": sha256_hex(b"")}
        if not consistent(since["size"], size, since["root"], root, proof["consistency"]):
            self._found.add("log.forked", LOG_PROOF, "the log does not continue the head before it")
        self._pinned(size, root, since)

    def _witness(self, data: bytes, where: str) -> None:
        """Follow the chain of minutes; as each names the line before it, the last signature speaks for all."""
        if not data.endswith(b"\n"):
            self._found.add("witness.malformed", where, "expected whole lines")
            return
        before = "0" * 64
        envelope: dict[str, Any] = {}
        minute: dict[str, Any] = {}
        for number, line in enumerate(data[:-1].split(b"\n"), 1):
            try:
                envelope = parse_canonical(line + b"\n", "envelope")
                minute = json.loads(unbase64(envelope["payload"]))
                require_shape(minute["run_id"], "str")
                require_shape(minute["prev"], "hex")
                if type(minute["minute"]) is not int or minute["minute"] < 0:
                    raise Malformed("expected a minute")
            except (Malformed, ValueError, KeyError, TypeError):
                self._found.add("witness.malformed", where, f"line {number} is no minute of a witness")
                return
            if minute["prev"] != before:
                self._found.add("witness.chain", where, f"line {number} does not continue the minute before")
                return
            if minute["run_id"] != self._manifest["run_id"]:
                self._found.add("witness.run", where, f"line {number} is of another run")
                return
            before = sha256_hex(line)
        try:
            _, keys = self._opened(envelope, where, WITNESS_MINUTE)
            at = stamp_of(minute["minute"])
        except (Malformed, ValueError, OverflowError):
            self._found.add("witness.malformed", where, "the last line is no signed minute")
            return
        for key in keys:
            self._may(key, WITNESS, at, where)
        if not keys and not envelope["signatures"]:
            self._found.add("witness.malformed", where, "the last minute is not signed")

    def _head(self, payload: bytes, key: dict[str, Any]) -> tuple[int, str] | None:
        statement = self._statement(payload, LOG_PROOF)
        if statement is None:
            return None
        predicate = statement["predicate"]
        size, root = predicate.get("size"), statement["subject"][0]["digest"]["sha256"] if statement["subject"] else ""
        if statement["predicateType"] != LOG_HEAD or predicate["role"] != LOG_KEEPER or type(size) is not int:
            self._found.add("log.malformed", LOG_PROOF, "expected a signed head of the evidence log")
            return None
        self._may(key, LOG_KEEPER, predicate["signed_at"], LOG_PROOF)
        return size, root

    def _pinned(self, size: int, root: str, since: dict[str, Any]) -> None:
        if self._ask.log_head is None:
            return
        known_size, known_root = self._ask.log_head
        if size < known_size:
            self._found.add("log.rolled_back", LOG_PROOF, f"the log had {known_size} bundles, now {size}")
        elif (size == known_size and root != known_root) or (
            since["size"] == known_size and since["root"] != known_root
        ):
            self._found.add("log.forked", LOG_PROOF, "the log is not the one that was seen before")
        elif size != known_size and since["size"] != known_size:
            self._found.add("log.unproved", LOG_PROOF, f"expected a consistency proof since {known_size}")


def subjects_of(manifest: dict[str, Any], bundle_id: str, role: str) -> list[dict[str, Any]]:
    """Return what a signature of `role` names: a builder every artefact and the page, a person the manifest."""
    named = [(MANIFEST, bundle_id)]
    if role == BUILDER:
        named.append(("page_template", manifest["page_template_sha256"]))
        named += [(one["path"], one["sha256"]) for one in manifest["entries"]]
    return [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in named]


def statement_bytes(subjects: list[dict[str, Any]], kind: str, predicate: dict[str, Any]) -> bytes:
    """Return the payload of a statement; what is signed are these bytes, never the object."""
    return canonical_json(
        {"_type": STATEMENT, "subject": subjects, "predicateType": kind, "predicate": predicate}
    )
