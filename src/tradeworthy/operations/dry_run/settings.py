"""What one run is: its command, policy, places and labels; fixed before the spawn and repeated in every artefact."""

from pathlib import Path
from typing import Any

import msgspec

from tradeworthy.operations.dry_run.artefacts import Objective
from tradeworthy.operations.dry_run.model import Hashes, Json, Relaxation, stamp
from tradeworthy.operations.dry_run.policy import HarnessPolicy
from tradeworthy.operations.dry_run.preflight import RunPaths

LOG_DIR = "FINAL_DRY_RUN_LOG_DIR"
DIARY_PATH = "FINAL_DRY_RUN_DIARY_PATH"
PERFORMANCE_PATH = "FINAL_DRY_RUN_PERFORMANCE_PATH"
LABEL = "FINAL_DRY_RUN_LABEL"
HEARTBEAT_SECONDS = "FINAL_DRY_RUN_HEARTBEAT_SECONDS"
RUN_ID = "FINAL_DRY_RUN_RUN_ID"


class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One run; `name` is the stem of the log files, `user_environment` the `--env` pairs (names are printed only).

    folder              where the command is started
    waivers             waivers that were found valid, with their signers; `waived` maps the codes they cover to them
    trust               the file that says whose signatures count
    release             the hashes of the release manifest this run stands for; None when none was named
    author              of that release
    operator, account   who runs it, and what the command runs as;  commit  of the tree it runs from; None is not known
    gathered            a folder of what the bundle of a release holds beside the run
    """

    run_id: str
    name: str
    command: tuple[str, ...]
    policy: HarnessPolicy
    paths: RunPaths
    folder: str | None = None
    label: str | None = None
    metadata: dict[str, str] = {}
    user_environment: dict[str, str] = {}
    hashes: Hashes = Hashes()
    objectives: tuple[Objective, ...] = ()
    waivers: tuple[Json, ...] = ()
    waived: dict[str, str] = {}
    trust: str | None = None
    witness: str | None = None
    release: Hashes | None = None
    author: str | None = None
    operator: str | None = None
    account: str | None = None
    commit: str | None = None
    gathered: str | None = None

    def relaxations(self, *, at: int | None = None) -> tuple[Relaxation, ...]:
        """Return the relaxations of this run, each with the waiver that covers it.

        at   ns UTC of a judgement: a waiver that has ended by then covers nothing; None asks for the start
        """
        over = set() if at is None else {
            one["waiver_id"] for one in self.waivers if one["expires_at"] <= f"{stamp(at):%Y-%m-%dT%H:%M:%SZ}"
        }  # fmt: skip
        covers = {code: name for code, name in self.waived.items() if name not in over}
        return tuple(
            msgspec.structs.replace(one, waiver_id=covers.get(one.code)) for one in self.policy.relaxations()
        )

    def injected(self) -> dict[str, str]:
        """Return the variables that tell the command where its evidence goes; the user's own win."""
        paths = self.paths
        injected = {
            LOG_DIR: str(paths.log_dir), DIARY_PATH: str(paths.diary or ""),
            PERFORMANCE_PATH: str(paths.performance or ""), LABEL: self.label or "", RUN_ID: self.run_id,
            HEARTBEAT_SECONDS: f"{self.policy.heartbeat_interval_seconds:g}",
        }  # fmt: skip
        return {name: value for name, value in injected.items() if value} | self.user_environment

    def stored(self) -> Json:
        """Return the settings for the checkpoint, without values of the user's variables, which may be secret."""
        hidden = msgspec.structs.replace(self, user_environment=dict.fromkeys(self.user_environment, ""))
        built: Json = msgspec.to_builtins(hidden, enc_hook=str)
        return built


def restored(stored: Json) -> RunSettings:
    """Return the settings of a checkpoint; raises `msgspec.ValidationError`."""
    return msgspec.convert(stored, RunSettings, dec_hook=_path)


def _path(kind: type, value: Any) -> Any:
    return Path(value) if issubclass(kind, Path) else value
