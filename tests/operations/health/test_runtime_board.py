"""The board answers from memory whatever its sources do (HLT-07)."""

import asyncio

import pytest
from health_facts import NOW, well

from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.supervision import Pulse
from tradeworthy.operations.health.board import RuntimeBoard
from tradeworthy.operations.health.facts import Dependency, Readiness
from tradeworthy.operations.health.judge import CHECKS
from tradeworthy.operations.health.policy import HealthPolicy


@pytest.fixture
def clock():
    return EventClock(NOW)


@pytest.fixture
def board(clock):
    made = RuntimeBoard(clock, HealthPolicy(), run_id="r", environment="paper", not_applicable={"disk": "none"})
    facts = well()
    for name in CHECKS:
        made.put(name, getattr(facts, name))
    return made


def test_a_new_board_knows_nothing_and_says_so():
    empty = RuntimeBoard(EventClock(NOW), HealthPolicy(), run_id="r", environment="paper")
    assert empty.health().status is Severity.UNKNOWN
    assert empty.ready().missing == ("started", "journal_restored", "guard_restored")
    assert empty.summary() is None
    assert empty.guard() is None


def test_what_is_put_is_judged_and_what_is_not_refreshed_grows_unknown(board, clock):
    assert board.health().status is Severity.OK
    assert board.health().check("disk").status is None
    clock.sleep(30 * NANOS_PER_SECOND)
    assert board.health().check("database").status is Severity.UNKNOWN


def test_a_source_that_hangs_ages_its_own_facts_alone(board, clock):
    async def main():
        loops = [
            board.refresh(read, lambda seen, name=name: board.put(name, seen), 0)(Pulse(clock, False))
            for name, read in (("database", hanging), ("cache", answering))
        ]
        gathered = asyncio.gather(*loops)
        await asyncio.sleep(0)
        clock.sleep(31 * NANOS_PER_SECOND)
        for _ in range(5):
            await asyncio.sleep(0)
        report = board.health()
        gathered.cancel()
        return report

    async def hanging():
        await asyncio.Event().wait()

    async def answering():
        return Dependency(at=clock.now(), reachable=True)

    report = asyncio.run(main())
    assert report.check("database").status is Severity.UNKNOWN
    assert report.check("cache").status is Severity.OK


def test_readiness_names_what_is_missing(board):
    board.mark(Readiness(started=True, journal_restored=True))
    assert board.ready().missing == ("guard_restored",)
    board.mark(Readiness(started=True, journal_restored=True, guard_restored=True))
    assert board.ready().missing == ()


def test_a_check_that_there_is_not_is_refused(board, clock):
    with pytest.raises(ValueError, match="databse"):
        board.put("databse", Dependency(at=NOW))
    with pytest.raises(ValueError, match="nonsense"):
        RuntimeBoard(clock, HealthPolicy(), run_id="r", environment="paper", not_applicable={"nonsense": "x"})


def test_one_task_reads_every_source_of_memory_and_a_failing_one_harms_itself_alone(board, clock):
    def broken():
        raise LookupError("nothing there")

    def cache():
        return Dependency(at=clock.now(), reachable=False)

    watching = board.watch({"database": broken, "cache": cache, "scheduler": lambda: None}, 0)
    before = board.facts().scheduler
    with pytest.raises(LookupError, match="nothing there"):
        asyncio.run(watching(Pulse(clock, False)))
    assert board.health().check("cache").status is Severity.FAIL
    assert board.facts().scheduler is before
    with pytest.raises(ValueError, match="nonsense"):
        board.watch({"nonsense": cache})
