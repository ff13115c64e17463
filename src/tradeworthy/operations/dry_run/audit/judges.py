"""The audit as the harness asks for it at the end of a run."""

from pathlib import Path

from tradeworthy.operations.dry_run.artefacts import Sections
from tradeworthy.operations.dry_run.audit.diary import DiaryPolicy, JournalDecisions, audit_diary
from tradeworthy.operations.dry_run.audit.log_section import audit_logs
from tradeworthy.operations.dry_run.audit.performance import audit_performance
from tradeworthy.operations.dry_run.audit.policy import AuditPolicy, Window
from tradeworthy.operations.dry_run.conclude import RunWindow
from tradeworthy.operations.dry_run.desk_facts import DeskFacts
from tradeworthy.operations.dry_run.model import (
    DiarySection,
    LogSection,
    PerformanceSection,
    SignOff,
    SignOffCriteria,
)
from tradeworthy.operations.dry_run.policy import HarnessPolicy
from tradeworthy.operations.dry_run.sign_off import sign_off


class AuditJudges:
    """Judge a run's evidence by the harness's own policy and its measured window."""

    def logs(self, paths: tuple[Path, ...], policy: HarnessPolicy, window: RunWindow, *, now: int) -> LogSection:
        """Judge the structured segments, in order."""
        return audit_logs(paths, audit_policy(policy), now=now, window=_measured(window))

    def diary(
        self, path: Path, policy: HarnessPolicy, window: RunWindow, *, now: int, desk: DeskFacts | None
    ) -> DiarySection:
        """Judge the decision diary, against the desk's journal when the command was our desk (DR-30)."""
        journal = None if desk is None else JournalDecisions(count=desk.decisions, last_seq=desk.last_decision_seq)
        return audit_diary(path, DiaryPolicy(), now=now, window=_measured(window), journal=journal)

    def performance(
        self, path: Path, policy: HarnessPolicy, window: RunWindow, *, now: int
    ) -> PerformanceSection:
        """Judge the performance file."""
        return audit_performance(path, now=now)

    def sign_off(self, sections: Sections, criteria: SignOffCriteria, *, now: int) -> SignOff:
        """Compute the sign-off."""
        return sign_off(sections, criteria, now=now)


def audit_policy(policy: HarnessPolicy) -> AuditPolicy:
    """Return the audit's policy that goes with a run's."""
    return AuditPolicy(
        gaps=policy.gaps, heartbeat_interval_seconds=policy.heartbeat_interval_seconds,
        silence_intervals=policy.silence_intervals, uptime_ratio_min=policy.uptime_ratio_min,
        duration_seconds_min=policy.required_seconds, duration_slack_seconds=policy.duration_slack_seconds,
        stderr_plain_severity=policy.stderr_plain_severity, fingerprints_kept_max=policy.fingerprints_max,
    )  # fmt: skip


def _measured(window: RunWindow) -> Window:
    return Window(start=window.start, stop=window.stop, source="harness", run_seconds=window.run_seconds)
