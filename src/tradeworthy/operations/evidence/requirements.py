"""What a certificate requires, how long each proof lasts, and what voids it (EV-21, EV-22)."""

import msgspec

SECOND, HOUR, DAY = 1, 3_600, 86_400
ALL_HASHES = ("code", "config", "limits", "models")


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a certificate.

    lifetime_seconds  age at which its evidence is stale; None lasts as long as the hashes it depends on
    depends_on        hashes whose change voids it, whatever its age
    environment       the lowest environment whose evidence counts;  measured  whether attested evidence does not
    waivable          whether a waiver may stand in for it, for a while
    remedy            what to do when it lapses
    """

    id: str
    critical: bool = True
    lifetime_seconds: int | None
    depends_on: tuple[str, ...] = ()
    environment: str = "paper"
    measured: bool = True
    waivable: bool = False
    remedy: str


class CertificatePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The table, and how early people are told.

    session_lead_seconds  how long before the lapse or the open, whichever is first, a lapse before the next close pages
    """

    requirements: tuple[Requirement, ...]
    notice_seconds: int = DAY
    warn_seconds: int = HOUR
    page_seconds: int = 15 * 60
    session_lead_seconds: int = 8 * HOUR
    recompute_seconds: int = 60


def _row(
    name: str, seconds: int | None, remedy: str, *, depends_on: tuple[str, ...] = (), measured: bool = True,
    waivable: bool = False, environment: str = "paper",
) -> Requirement:  # fmt: skip
    return Requirement(
        id=name, lifetime_seconds=seconds, depends_on=depends_on, measured=measured, waivable=waivable,
        environment=environment, remedy=remedy,
    )  # fmt: skip


STANDARD = CertificatePolicy(
    requirements=(
        _row("clock_offset", 10 * SECOND, "start the time service and let the offset be read"),
        _row("roster", DAY, "fill the gap in the roster", measured=False),
        _row("sanctions_list", DAY, "fetch the list of today"),
        _row("vulnerability_scan", DAY, "scan the image again", depends_on=("code",), waivable=True),
        _row("restore", DAY, "restore the newest backup and compare it"),
        _row("rollback_rehearsal", DAY, "rehearse the rollback of this release", depends_on=("code", "config")),
        _row("kill_switch_drill", 7 * DAY, "drill the kill switch", depends_on=("code", "limits")),
        _row("disaster_recovery", 30 * DAY, "rehearse disaster recovery", waivable=True),
        _row("venue_failover", 30 * DAY, "fail over each venue once", depends_on=("config",), waivable=True),
        _row("stress", 90 * DAY, "run the desk at twice the peak", depends_on=("code", "limits"), waivable=True),
        _row("access_review", 90 * DAY, "review who has access", measured=False, waivable=True),
        _row("penetration_test", 365 * DAY, "have the desk attacked", measured=False, waivable=True),
        _row("self_assessment", 365 * DAY, "write the annual self-assessment", measured=False, waivable=True),
        _row("secret_scan", None, "scan this commit for secrets", depends_on=("code",)),
        _row("sbom", None, "write the bill of materials of this build", depends_on=("code",)),
        _row("dry_run", 14 * DAY, "run the final dry run of this release", depends_on=ALL_HASHES),
    )
)
