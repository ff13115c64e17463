"""The id of everything a verdict rests on: the same content gives the same id, one byte another (GE-06)."""

from functools import lru_cache

import msgspec

from tradeworthy.kernel.report import address
from tradeworthy.operations.assessments.framework.canonical import canonical
from tradeworthy.operations.gates.model import Artefact, Context, Gate, Verdict


def bundle_id(artefacts: tuple[Artefact, ...], context: Context, policy_hash: str) -> str:
    """Return the SHA-256 over the sorted artefacts, commit, hashes, the gate's table and the journal's head."""
    return address(canonical({
        "artefacts": [[one.name, one.sha256, one.size] for one in sorted(artefacts)],
        "commit": context.commit, "hashes": dict(sorted(context.binding.hashes.items())), "policy": policy_hash,
        "journal_head": None if context.journal_head is None else list(context.journal_head),
    }))  # fmt: skip


@lru_cache(maxsize=64)
def table_hash(gate: Gate) -> str:
    """Return the SHA-256 of a gate's table."""
    return address(encoded_gate(gate))


def encoded_gate(gate: Gate) -> bytes:
    """Return a gate's table as canonical JSON, to keep beside verdicts that rest on it."""
    return canonical(gate)


def encoded(verdict: Verdict) -> bytes:
    """Return a verdict's canonical JSON, which its id addresses and which is signed."""
    ordered = msgspec.structs.replace(verdict.context, proven=frozenset())
    plain = msgspec.to_builtins(msgspec.structs.replace(verdict, context=ordered))
    plain["context"]["proven"] = sorted(verdict.context.proven)
    return canonical(plain)


def verdict_id(verdict: Verdict) -> str:
    """Return the id of a verdict."""
    return address(encoded(verdict))
