"""How incidents were answered, told out of the book: drills apart, nothing said of what did not happen."""

import pytest

from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.collectors.incidents import alert_path_facts, incident_facts, missing_of
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.framework.registry import registry
from tradeworthy.operations.assessments.framework.snapshot import take
from tradeworthy.operations.incidents.actions import Stand
from tradeworthy.operations.incidents.channel import ChannelFacts
from tradeworthy.operations.incidents.latency import Quantile
from tradeworthy.operations.incidents.lifecycle import IncidentBook, Phase
from tradeworthy.operations.incidents.path_model import PathFacts
from tradeworthy.operations.incidents.policy import IncidentPolicy
from tradeworthy.operations.incidents.roster import RosterFacts

AT = 1_750_000_000 * NANOS_PER_SECOND
MINUTE = 60 * NANOS_PER_SECOND
HOUR = 60 * MINUTE
COVERED = RosterFacts(age_hours=1.0, primary_gap_hours=float("inf"), secondary_gap_hours=float("inf"))


class Told:
    """A book whose incidents open and move at given times."""

    def __init__(self):
        self.book = IncidentBook(IncidentPolicy())

    def open(self, at, *, sev=1, drill=False):
        opened = self.book.open_by("ann", "test", sev, at, drill=drill)
        self.book.fold(opened)
        return opened.incident

    def move(self, incident, phase, at, **words):
        self.book.fold(self.book.move(incident, phase, "ann", at, **words))


def judged(book, *, roster=COVERED, gone=(), last_told=AT, now=AT):
    one = registry().get("incident_response")
    facts = incident_facts(
        book.all, book.late(now), roster, Teller("test", now, environment="paper"), now=now, last_told=last_told,
        window_days=30, hours_ahead=336.0, missing_runbooks=gone, actions=book.actions,
    )  # fmt: skip
    snapshot = take(one, facts, one.policy, now, environment="paper", code_version="1")
    return {found.code.partition(".")[2]: found.severity for found in snapshot.findings}


def test_where_nothing_happened_only_what_nobody_did_is_unknown():
    assert judged(Told().book) == {"drill": Severity.UNKNOWN, "training": Severity.UNKNOWN}


def test_an_open_one_warns_two_fail_and_a_drill_counts_as_none():
    told = Told()
    told.open(AT - MINUTE, drill=True)
    assert "open_incidents" not in judged(told.book)
    told.open(AT - MINUTE)
    assert judged(told.book)["open_incidents"] is Severity.WARN
    told.open(AT - MINUTE)
    assert judged(told.book)["open_incidents"] is Severity.FAIL


def test_who_was_not_answered_yet_has_no_mean_and_is_late_after_five_minutes():
    told = Told()
    told.open(AT - 5 * MINUTE)
    found = judged(told.book)
    assert (found["mtta"], found["mttr"], found["late_answer"]) == (Severity.UNKNOWN, Severity.UNKNOWN, Severity.FAIL)


def test_a_slow_answer_and_a_review_that_waits_are_told():
    told = Told()
    one = told.open(AT - 30 * HOUR)
    told.move(one, Phase.ACKNOWLEDGED, AT - 30 * HOUR + 30 * MINUTE)
    told.move(one, Phase.RESOLVED, AT - 24 * HOUR)
    found = judged(told.book)
    assert found["mtta"] is Severity.WARN
    assert found["mttr"] is Severity.FAIL
    assert found["postmortem_backlog"] is Severity.WARN


def test_a_gap_in_the_roster_warns_from_three_days_off_and_fails_now():
    for hours, severity in ((72.0, None), (71.9, Severity.WARN), (0.0, Severity.FAIL)):
        roster = COVERED._replace(primary_gap_hours=hours)
        assert judged(Told().book, roster=roster).get("primary_roster") is severity
    assert judged(Told().book, roster=RosterFacts())["primary_roster"] is Severity.UNKNOWN


def test_an_answered_drill_and_a_silent_path_have_an_age():
    told = Told()
    one = told.open(AT - 60 * NANOS_PER_DAY, drill=True)
    told.move(one, Phase.ACKNOWLEDGED, AT - 60 * NANOS_PER_DAY)
    found = judged(told.book, last_told=AT - 2 * NANOS_PER_DAY)
    assert (found["drill"], found["metrics_staleness"]) == (Severity.WARN, Severity.FAIL)


def test_a_runbook_that_is_not_there_fails(tmp_path):
    assert missing_of(["runbooks/a.md"], tmp_path) is None
    (tmp_path / "runbooks").mkdir()
    assert missing_of(["runbooks/a.md", "runbooks/a.md"], tmp_path) == ("runbooks/a.md",)
    assert judged(Told().book, gone=("runbooks/a.md",))["missing_runbooks"] is Severity.FAIL


def path(*configured, p99=10.0, most=20.0, n=100, canary_s=60, **more):
    channels = tuple(ChannelFacts(name, True, 0, 1, 0, "") for name in (*configured, "canary"))
    fields = dict.fromkeys(PathFacts._fields, 0) | {"generation": Quantile(p99, most, n)} | more
    return PathFacts(**fields | {"channels": channels, "canary_age_ns": round(canary_s * NANOS_PER_SECOND)})


def of_path(facts, book, nobody=0, now=AT):
    one = registry().get("alert_path")
    told = alert_path_facts(facts, book.all, nobody, Teller("test", now, environment="paper"))
    snapshot = take(one, told, one.policy, now, environment="paper", code_version="1")
    return {found.code.partition(".")[2]: found.severity for found in snapshot.findings}


def drilled(at):
    told = Told()
    told.move(told.open(at, drill=True), Phase.ACKNOWLEDGED, at + MINUTE)
    return told.book


def test_a_path_that_lives_reaches_somebody_and_was_drilled_is_sound():
    assert of_path(path("ops-email"), drilled(AT - HOUR)) == {}


def test_the_canary_s_own_file_is_nobody_to_tell():
    assert of_path(path(), drilled(AT - HOUR)) == {"no_endpoints": Severity.FAIL}


def test_lost_canaries_refused_alerts_and_slow_ones_are_found():
    book = drilled(AT - HOUR)
    assert of_path(path("a", canary_s=119.9), book) == {}
    assert of_path(path("a", canary_s=120), book) == {"canary": Severity.FAIL}
    assert of_path(path("a"), book, nobody=1) == {"undelivered": Severity.FAIL}
    assert of_path(path("a", p99=1_000.0, most=4_999.0), book) == {"to_alert_p99": Severity.WARN}
    assert of_path(path("a", p99=None, most=4_999.0, n=99), book) == {}
    assert of_path(path("a", p99=None, most=5_000.0, n=99), book) == {"to_alert_max": Severity.FAIL}


def test_where_no_alert_left_and_nobody_drilled_nothing_is_known():
    found = of_path(path("a", p99=None, most=None, n=0), Told().book)
    assert found == dict.fromkeys(("to_alert_p99", "to_alert_max", "drill"), Severity.UNKNOWN)
    assert of_path(path("a"), drilled(AT - 90 * NANOS_PER_DAY)) == {"drill": Severity.WARN}


@pytest.mark.parametrize(("days", "codes"), [
    (2.999, {}), (3, {"reviews_overdue": Severity.WARN}),
    (8, {"reviews_overdue": Severity.WARN, "reviews_overdue_long": Severity.FAIL}),
])
def test_a_review_that_is_owed_warns_from_its_day_on_and_fails_five_days_later(days, codes):
    told = Told()
    at = AT - round(days * 24 * HOUR)
    one = told.open(at - MINUTE)
    told.move(one, Phase.ACKNOWLEDGED, at - MINUTE)
    told.move(one, Phase.RESOLVED, at)
    found = judged(told.book)
    assert {name: severity for name, severity in found.items() if name.startswith("reviews_")} == codes


@pytest.mark.parametrize(("days", "codes"), [
    (-0.001, {}), (0, {"actions_overdue": Severity.WARN}),
    (5, {"actions_overdue": Severity.WARN, "actions_overdue_long": Severity.FAIL}),
])
def test_an_action_that_is_overdue_warns_and_fails_five_days_later(days, codes):
    told = Told()
    one = told.open(AT - 60 * 24 * HOUR, drill=True)
    due = AT - round(days * 24 * HOUR)
    told.book.fold(told.book.actions.add(one, "bob", "fix it", due, "ann", AT - 60 * 24 * HOUR))
    found = judged(told.book)
    assert {name: severity for name, severity in found.items() if name.startswith("actions_")} == codes
    told.book.fold(told.book.actions.end("ACT-00001", Stand.DONE, "bob", "fixed", AT))
    assert not {name for name in judged(told.book) if name.startswith("actions_")}
