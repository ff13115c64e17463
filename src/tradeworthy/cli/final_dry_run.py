"""`tradeworthy final-dry-run [switches] -- COMMAND`: run a command for days under outside observation."""

from tradeworthy.cli.dry_run_session import continued, finish, hide_secrets, planned, play, recover
from tradeworthy.cli.dry_run_switches import (
    DEFAULT_PACKET,
    DEFAULT_REVIEW,
    DEFAULT_SWITCHES,
    HarnessSwitches,
    PacketSwitches,
    ReviewSwitches,
)
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.operations.dry_run.deliver import Deliveries
from tradeworthy.operations.dry_run.plan import harness_paths
from tradeworthy.operations.dry_run.recover import left_in


def final_dry_run(
    *command: str, switches: HarnessSwitches = DEFAULT_SWITCHES, review: ReviewSwitches = DEFAULT_REVIEW,
    packet: PacketSwitches = DEFAULT_PACKET,
) -> int:  # fmt: skip
    """Run COMMAND, watch it from outside, and judge what was measured.

    Parameters
    ----------
    command
        The command and its words, after `--`.
    """
    clock = SystemClock()
    hide_secrets(switches)
    review.refuse_without_review()
    deliveries = Deliveries(
        summary_json=switches.json_report, summary_markdown=switches.markdown_report, packet=packet.inputs(),
        review=review.inputs() if review.review else None,
    )
    if switches.recover is not None:
        left = left_in(switches.recover)
        settings = left.settings
        result = recover(left, clock=clock, deliveries=deliveries)
    elif switches.resume is not None:
        left = left_in(switches.resume)
        settings = continued(left, command, switches)
        result = play(settings, clock=clock, summary=switches.json_report, carried=left.state)
    else:
        if switches.log_dir is None:
            raise UsageError("--log-dir is required: the evidence folder of the run")
        now = clock.now()
        paths = harness_paths(
            switches.log_dir, now, progress=switches.progress_path, timeline=switches.progress_timeline_dir,
            diary=switches.diary, performance=switches.performance,
        )  # fmt: skip
        settings = planned(
            command, switches, paths, switches.policy(), now=now, label=review.review_run_label,
            folder=switches.log_dir,
        )  # fmt: skip
        result = play(settings, clock=clock, summary=switches.json_report)
    return finish(result, settings, deliveries, review)
