"""Judge recorded facts again by the recorded policy: the same id, or the difference code by code (FW-22)."""

import msgspec

from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.snapshot import Snapshot, take, with_id


class Replayed(msgspec.Struct, frozen=True):
    """What today's rules say of a recorded snapshot; `differs` is `code|component: then, now`, empty = the same id."""

    recorded: str
    found: str
    status: Severity
    differs: tuple[str, ...]


def replay(assessment: Assessment, recorded: Snapshot) -> Replayed:
    """Judge a snapshot's facts again; raises `InvalidInput` for a composite's, whose facts are its children's."""
    if assessment.children:
        raise InvalidInput(f"{assessment.name} is a composite: replay its children")
    policy = msgspec.convert(recorded.policy, type(assessment.policy))
    metadata = {name: value for name, value in recorded.metadata.items() if name != "utilisation"}
    fresh = take(
        assessment, recorded.facts, policy, recorded.generated_at, environment=recorded.environment,
        code_version=recorded.code_version, failed=recorded.failed, metadata=metadata,
    )  # fmt: skip
    fresh = with_id(msgspec.structs.replace(fresh, delta_vs_last=recorded.delta_vs_last))
    then, now = ({one.key: one.severity for one in side.findings} for side in (recorded, fresh))
    differs = tuple(
        f"{'|'.join(key)}: {then.get(key, Severity.OK).name}, {now.get(key, Severity.OK).name}"
        for key in sorted(then.keys() | now.keys()) if then.get(key) is not now.get(key)
    )  # fmt: skip
    if fresh.id != recorded.id and not differs:
        differs = ("the same findings, in other words",)
    return Replayed(recorded.id, fresh.id, fresh.status, differs)
