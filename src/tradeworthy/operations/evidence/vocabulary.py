"""The closed words and shapes of evidence; the library, the standalone verifier and the page read the same tables.

Shapes are plain data: `hex` is 64 lower-case hex digits, `id` a short name, `time` is YYYY-MM-DDTHH:MM:SSZ, `int` is
from 0 to 2^53 - 1, `?` in front allows null, a list is any number of its one element, an object has exactly these keys.
"""

from typing import Any

MANIFEST, PROOFS, LOG_PROOF, VERIFIER = "manifest.json", "proofs.json", "log.json", "verify_bundle.py"
CHUNK_BYTES = 1_048_576
OMITTED_BYTES_MIN = 262_144
"""The page may leave out an object of this size or more, never a smaller one; it shows it grey."""
DEPTH_MAX, INTEGER_MAX, DOCUMENT_BYTES_MAX = 16, 2**53 - 1, 64 * 1_048_576
WAIVER_DAYS_MAX, WAIVERS_ACTIVE_MAX, WAIVER_SIGNERS_MIN = 7, 3, 2
ENVIRONMENTS = ("simulated", "paper", "live")
PROVENANCES = ("attested", "simulated", "measured")
RUN_CLASSES = ("rehearsal", "release", "assessment")
STATUSES = ("pass", "warn", "unknown", "fail")
PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
BUILD, SIGN_OFF = "urn:tradeworthy:evidence-build/v1", "urn:tradeworthy:evidence-sign-off/v1"
WITNESS_MINUTE = "application/vnd.tradeworthy.witness-minute+json"
LOG_HEAD, WAIVER = "urn:tradeworthy:evidence-log-head/v1", "urn:tradeworthy:waiver/v1"
BUILDER, LOG_KEEPER, WITNESS = "builder", "log", "witness"
HUMAN_ROLES = ("strategy_owner", "risk", "operations", "compliance", "senior_management")
REHEARSAL_KINDS = (
    "summary", "sign_off", "review", "wrap_up", "incidents", "progress", "run_state", "log", "chunks", "diary",
    "performance", "clock_offset", "hashes", "verifier",
)  # fmt: skip
RELEASE_KINDS = (
    "progress_timeline", "witness", "journal_head", "journal_checkpoint", "configuration", "release_manifest", "sbom",
    "modules", "alert_canary", "drill", "flatness", "trust",
)  # fmt: skip
RELAXED_KINDS = {"relaxation.diary": "diary", "relaxation.performance": "performance"}
OTHER_KINDS = ("backlog", "waiver", "assessment", "assessments_page")
CLASS_KINDS = {
    "rehearsal": REHEARSAL_KINDS, "release": (*REHEARSAL_KINDS, *RELEASE_KINDS),
    "assessment": ("assessment", "assessments_page", "configuration", "verifier"),
}
"""What a bundle of each class must hold; one of assessments proves what was judged, and nothing to a live gate."""
QUORUM = {
    "rehearsal": (BUILDER,), "release": (BUILDER, "strategy_owner", "risk", "operations"), "assessment": (BUILDER,),
}  # fmt: skip
LIVE_QUORUM = ("compliance", "senior_management")
NEVER_WAIVABLE = (
    "kill_switch", "journal", "guard", "rearm", "reconciliation", "venue", "risk", "authentication", "secrets",
    "sanctions", "witness",
)  # fmt: skip
"""First words of codes that no waiver covers: `risk.limit.raised` is one of them."""

_ENTRY = {
    "path": "str", "media_type": "str", "bytes": "int", "sha256": "hex", "kind": "id", "provenance": "id",
    "environment": "id", "collected_at": "time", "expires_at": "time",
}  # fmt: skip
SHAPES: dict[str, Any] = {
    "manifest": {
        "schema": "=evidence.manifest@1", "run_id": "str", "run_class": "id", "status": "id", "environment": "id",
        "operator": "?str", "author": "?str", "desk": "?str", "commit": "?str",
        "hashes": {"code": "?str", "config": "?str", "limits": "?str", "models": "?str", "policy": "hex"},
        "journal_head": "?head", "lacking": ["id"], "relaxations": [{"code": "str", "waiver_id": "?str"}],
        "tree": {"size": "int", "root": "hex"}, "page_template_sha256": "hex", "entries": [_ENTRY],
    },
    "head": {"seq": "int", "hash": "hex"},
    "proofs": {"schema": "=evidence.proofs@1", "proofs": [{"path": "str", "index": "int", "audit_path": ["hex"]}]},
    "chunks": {
        "schema": "=evidence.chunks@1", "path": "str", "bytes": "int", "chunk_bytes": "int", "leaves": ["hex"],
        "root": "hex",
    },
    "envelope": {"payload": "str", "payloadType": "str", "signatures": [{"keyid": "str", "sig": "str"}]},
    "trust": {
        "schema": "=evidence.trust@1",
        "keys": [{
            "key_id": "str", "public_key": "hex", "holder": "str", "kind": "id", "roles": ["id"], "valid_from": "time",
            "valid_to": "time", "revoked_at": "?time",
        }],
        "quorum": {"rehearsal": ["id"], "release": ["id"]},
    },
    "log": {
        "schema": "=evidence.log_proof@1", "index": "int", "inclusion": ["hex"], "since": "?since",
        "consistency": ["hex"], "head": "envelope",
    },
    "since": {"size": "int", "root": "hex"},
    "waiver": {
        "waiver_id": "id", "finding_code": "str", "scope": "str", "reason": "str", "owner": "str", "author": "str",
        "issued_at": "time", "expires_at": "time",
    },
}  # fmt: skip
