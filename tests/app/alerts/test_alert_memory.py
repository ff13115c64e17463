"""What an alert path's next process remembers: silences, threads of a chat, drills (AR-12, AR-13, AR-17)."""

import asyncio

import msgspec
import pytest
from test_alerting import CLOCK, Running, document, lines

from tradeworthy.app.alerts.journal import JOURNAL, THREADS_MAX, AlertJournal, Before
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_SECOND
from tradeworthy.operations.incidents.acts import Request, Verb
from tradeworthy.operations.incidents.lifecycle import Phase
from tradeworthy.operations.incidents.model import (
    AlertSeverity,
    Outcome,
    PathOpened,
    Purpose,
    Receipt,
    Signal,
    Silence,
)
from tradeworthy.operations.incidents.policy import IncidentPolicy

HOUR = 3_600 * NANOS_PER_SECOND


def told(folder, *facts, run_id="t"):
    """Return what a next process knows after these facts."""
    journal = AlertJournal(folder / JOURNAL, CLOCK, run_id=run_id)
    journal.tell_all(facts)
    journal.close()
    return Before(folder, IncidentPolicy())


def silence(number=1, *, codes="venue.", until=HOUR):
    return Silence(id=f"s{number}", codes=codes, owner="ann", reason="known", since=0, until=until)


def receipt(number, dedup="a", *, channel="chat", purpose=Purpose.ALERT, outcome=Outcome.ACCEPTED, name=""):
    return Receipt(
        notice=f"n{number}", channel=channel, outcome=outcome, purpose=purpose, severity=AlertSeverity.CRITICAL,
        alerts=(), attempts=1, latency_ns=1, at=1, provider_id=name or f"{number}.0", dedup=dedup,
    )  # fmt: skip


def test_a_silence_holds_in_the_next_process_and_is_listed_there(tmp_path):
    running = Running(document(), tmp_path)
    asked = Request(id="s1", verb=Verb.SILENCE, person="ann", target="venue.", text="known", hours=1.0)

    async def give():
        assert running.alerting.path.act(asked).fault == ""

    running.run(give)
    again = Running(document(), tmp_path, run_id="life-2")

    async def look():
        assert [one.id for one in again.alerting.path.book.silences] == ["s1"]
        for code in ("venue.down", "kill.now"):
            again.alerting.tell(Signal(code=code, category=code, message=code, severity=AlertSeverity.CRITICAL))
        await again.until(lambda: any(one["alerts"][0]["code"] == "kill.now" for one in lines(tmp_path)))
        await asyncio.sleep(0)

    again.run(look)
    assert all(alert["code"] != "venue.down" for one in lines(tmp_path) for alert in one["alerts"])


@pytest.mark.parametrize(("now", "holds"), [(HOUR - 1, ["s1"]), (HOUR, []), (HOUR + 1, [])])
def test_a_silence_that_ended_speaks_again(tmp_path, now, holds):
    assert [one.id for one in told(tmp_path, silence()).silences(now)] == holds


def test_a_silence_that_may_not_be_any_more_is_dropped_and_the_path_opens(tmp_path):
    now = CLOCK.now()
    told(tmp_path / "alerts", msgspec.structs.replace(silence(codes="kill"), since=now, until=now + HOUR))
    running = Running(document(), tmp_path)

    async def look():
        assert running.alerting.path.book.silences == ()

    running.run(look)


def test_a_thread_goes_on_until_what_it_is_about_is_over(tmp_path):
    found = told(
        tmp_path, receipt(1), receipt(2, name="1.0"), receipt(3, "b"), receipt(4, "b", purpose=Purpose.RESOLVED),
        receipt(5, "c", outcome=Outcome.UNDELIVERED), receipt(6, "digest", purpose=Purpose.DIGEST),
        receipt(7, "a", channel="other"),
    )  # fmt: skip
    assert found.threads == {("chat", "a"): "1.0", ("other", "a"): "7.0"}


def test_only_so_many_threads_are_kept_the_newest(tmp_path):
    found = told(tmp_path, *(receipt(n, f"d{n}") for n in range(THREADS_MAX + 2)))
    assert len(found.threads) == THREADS_MAX
    assert ("chat", "d0") not in found.threads


def test_a_drill_is_due_from_the_first_opening_of_a_path_or_from_the_last_one_that_was_answered(tmp_path):
    first = told(tmp_path, PathOpened("r1", 5, ()), PathOpened("r2", 7, ()))
    assert first.drilled_at == 5
    book = first.incidents
    drill = book.open_by("ann", "drill", 2, 8, drill=True)
    book.fold(drill)
    after = told(tmp_path, drill, book.move(drill.incident, Phase.ACKNOWLEDGED, "bob", 9), run_id="u")
    assert after.drilled_at == 9


def test_a_running_path_asks_for_a_drill_that_is_due(tmp_path):
    told(tmp_path / "alerts", PathOpened("r1", CLOCK.now() - 91 * NANOS_PER_DAY, ()))
    running = Running(document(), tmp_path, run_id="life-2")

    async def look():
        await running.until(
            lambda: any(one.code == "incident_response.drill_due" for one in running.alerting.path.book.firing), 15.0
        )

    running.run(look)
