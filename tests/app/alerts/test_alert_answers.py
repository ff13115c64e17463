"""What the HTTP address is told of a running path, and drills and words of people over the verbs."""

import json
import threading
import time

from test_alerting import Running, document, killed, lines

from tradeworthy.app.alerts.answers import AlertAnswers
from tradeworthy.app.alerts.desk import AlertDesk
from tradeworthy.app.alerts.drill import drills_of, raise_alert, run_drill
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.model import AlertSeverity, Outcome

CLOCK = SystemClock()
PUSHED = json.dumps({"version": "4", "alerts": [
    {"status": "firing", "labels": {"alertname": "VenueDown", "severity": "critical", "category": "venue.down"}},
]}).encode()  # fmt: skip


def test_what_fires_is_listed_and_taken_in_a_name_and_prometheus_meets_it(tmp_path):
    running = Running(document(), tmp_path)
    answers = AlertAnswers(running.alerting, CLOCK)
    assert answers.firing() is None
    assert answers.acknowledge("x", "ada") is None

    async def play():
        running.alerting.tell(killed("kill.now"))
        assert answers.take(PUSHED) == 1
        await running.until(lambda: len(lines(tmp_path)) >= 2)
        shown = json.loads(answers.firing())
        assert shown["schema"] == "tradeworthy.alerts/1"
        assert {one["code"] for one in shown["firing"]} == {"kill.now", "prometheus.VenueDown"}
        first = shown["firing"][0]["id"]
        assert answers.acknowledge(first, "ada").fault == ""
        assert "expected an alert" in answers.acknowledge("none", "ada").fault

    running.run(play)


def test_tickets_are_listed_and_one_is_told_whole_while_the_path_runs(tmp_path):
    running = Running(document(), tmp_path)
    answers = AlertAnswers(running.alerting, CLOCK)
    assert answers.incidents() is None

    async def play():
        running.alerting.tell(killed("kill.now"))
        await running.until(lambda: running.alerting.path.incidents.all)
        act = running.alerting.path.act
        act(Request(id="q1", verb=Verb.ACTION, person="ann", target="INC-00001", owner="bob", text="fix", due=2**62))
        status, body = answers.incidents()
        (one,) = json.loads(body)["incidents"]
        assert (status, one["incident"], one["sev"], one["phase"], one["actions"]) == (200, "INC-00001", 1, "open", 1)
        status, body = answers.incidents("INC-00001")
        found = json.loads(body)
        assert found["incident"]["began"]["why"] == "no run of the desk was open"
        assert [one["told"]["owner"] for one in found["actions"]] == ["bob"]
        assert answers.incidents("INC-00009")[0] == 404

    running.run(play)


def desk_of(tmp_path):
    desk = AlertDesk(tmp_path, "paper", clock=CLOCK)
    desk.state.mkdir(parents=True)
    return desk


def test_a_drill_of_a_desk_at_rest_has_receipts_and_times(tmp_path):
    desk, found = desk_of(tmp_path), []
    other = AlertDesk(tmp_path, "paper", clock=CLOCK)

    def take(report):
        found.append(report)
        act = Request(id="ack-1", verb=Verb.ACK, person="bob", target=report.alert)
        threading.Thread(target=lambda: other.ask(act)).start()

    report = run_drill(
        desk, document(), Request(id="d-1", verb=Verb.DRILL, person="ada"), environ={}, clock=CLOCK, wait_s=20,
        raised=take,
    )  # fmt: skip
    assert report.passed
    assert (report.person, list(report.reached)) == ("bob", ["lines"])
    assert 0 < report.answered_ns < 20 * 10**9
    assert drills_of(desk) == (report,)


def test_a_drill_that_nobody_takes_ends_in_time(tmp_path):
    asked = Request(id="d-1", verb=Verb.DRILL, person="ada")
    began = time.monotonic()
    report = run_drill(
        desk_of(tmp_path), document(), asked, environ={}, clock=CLOCK, wait_s=0.8, raised=lambda report: None
    )
    assert not report.passed
    assert report.alert
    assert time.monotonic() - began < 10


def test_an_alert_in_a_persons_words_takes_the_way_of_every_other(tmp_path):
    asked = Request(
        id="s-1", verb=Verb.SEND, person="ada", target="kill.by_telephone", text="the venue called",
        severity=AlertSeverity.CRITICAL,
    )  # fmt: skip
    found = raise_alert(desk_of(tmp_path), document(), asked, environ={}, clock=CLOCK, wait_s=10)
    assert [one.outcome for one in found.receipts] == [Outcome.ACCEPTED]
    assert "ada: the venue called" in lines(tmp_path / "state" / "paper")[0]["text"]
