"""The one layout of a run folder (section 3)."""

from pathlib import Path

from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.preflight import RunPaths, absolute
from tradeworthy.operations.dry_run.recover import STATE_NAME, left_in

DEFAULT_ROOT = Path("artifacts/final_dry_run")


class RunFolder:
    """Names of everything in a run folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.logs = root / "logs"
        self.progress = root / "progress.json"
        self.timeline = root / "progress_timeline"
        self.run_state = root / STATE_NAME
        self.incidents = root / "incidents.jsonl"
        self.witness = root / "witness.jsonl"
        self.summary_json = root / "summary.json"
        self.summary_markdown = root / "summary.md"
        self.diary = root / "decision_diary.jsonl"
        self.performance = root / "performance_metrics.json"
        self.review_json = root / "review.json"
        self.review_markdown = root / "review.md"
        self.wrap_up_json = root / "wrap_up.json"
        self.wrap_up_markdown = root / "wrap_up.md"
        self.backlog = root / "backlog.json"
        self.packet = root / "packet"
        self.packet_archive = root / "packet.tar.gz"
        self.evidence = root / "evidence"
        self.waivers = self.evidence / "waivers"
        self.release_manifest = self.evidence / "release_manifest.json"
        self.configuration = self.evidence / "configuration.json"
        self.bundle = root / "bundle"
        self.bundle_page = root / "bundle.html"

    def paths(
        self, *, log_dir: Path | None = None, progress: Path | None = None, timeline: Path | None,
        diary: Path | None, performance: Path | None,
    ) -> RunPaths:  # fmt: skip
        """Return the harness's places; what is not given lies in the folder."""
        return absolute(
            RunPaths(
                log_dir=log_dir or self.logs, progress=progress or self.progress, run_state=self.run_state,
                incidents=self.incidents, timeline_dir=timeline, diary=diary, performance=performance,
            )
        )  # fmt: skip


def refuse_known_run(root: Path, run_id: str) -> None:
    """Refuse an id that a run below `root` has: what was signed for one run covers no second one."""
    for path in sorted(root.glob(f"*/{STATE_NAME}")):
        if left_in(path.parent).state.run_id == run_id:
            raise UsageError(f"the run {run_id} has been already, in {path.parent}; waivers are for one run")


def fresh_folder(root: Path, name: str) -> RunFolder:
    """Return the folder of a new run; raises `UsageError` when there is one of that name."""
    folder = root / name
    if folder.exists() or Path(name).name != name:
        raise UsageError(f"expected the name of a new run folder in {root}, found {name!r}, which exists or is no name")
    return RunFolder(folder)
