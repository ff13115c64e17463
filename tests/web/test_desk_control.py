"""What the address does to a desk: the flag and the sentinel, the folder of acts, and every refusal told (KS-01)."""

import asyncio
import threading

import msgspec
import pytest
from live_documents import LIVE, parsed
from trusted import GO, by, public, trusting

from tradeworthy.adapters.sentinel_file import SentinelFile
from tradeworthy.app.configuration.change_control import CHANGES, changes_of, pack_of, propose
from tradeworthy.app.halting.guard_memory import guard_memory
from tradeworthy.app.halting.kill import flag_holds
from tradeworthy.app.people.operator_acts import CONTROL, PersonAct
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import EventClock, SystemClock
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.trading.control import sentinel
from tradeworthy.trading.control.approvals import Act, SignedPack, draft
from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.model import GuardLevel
from tradeworthy.web import desk_control
from tradeworthy.web.desk_control import GATE_RUNS, DeskControl

NOW = 2 * 10**18


@pytest.fixture
def state(tmp_path):
    made = tmp_path / "state" / "made"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def control(tmp_path, state):
    made = DeskControl(tmp_path, "made", EventClock(NOW))
    yield made
    made.close()


def held(state):
    return sentinel.restore((), guard_memory(state).read(), first_run=True, now=NOW)


@pytest.mark.parametrize(("scope", "meant"), [("desk", "desk"), ("strategy:a", "strategy:a"), ("nonsense", "desk")])
def test_a_kill_trips_flag_and_sentinel_by_name_and_is_never_done_on_dispatch(control, state, scope, meant):
    answer = asyncio.run(control.kill("smoke", scope, True, "ada"))
    assert (answer.outcome, answer.text.startswith(f"{meant}: stopped; no watchdog lives")) == ("accepted", True)
    flag = halt_flag(state, SystemClock())
    (halt,) = flag.halts()
    flag.close()
    assert (halt.owner, halt.code, halt.scope, halt.flatten, halt.evidence) == (
        "operator", "kill", meant, True, "ada: smoke",
    )  # fmt: skip
    assert [(one.owner, one.level, one.scope) for one in held(state)] == [("operator", GuardLevel.STOPPED, meant)]


def test_a_kill_does_not_wait_for_an_act_that_hangs(control, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(desk_control, "write_durably", lambda path, data: release.wait(30))

    async def main():
        stuck = asyncio.ensure_future(control.pause("lunch", "desk", None, "ada"))
        await asyncio.sleep(0.05)
        answer = await asyncio.wait_for(control.kill("smoke", "desk", False, "ada"), 10)
        waited = not stuck.done()
        release.set()
        await stuck
        return answer.outcome, waited

    assert asyncio.run(main()) == ("accepted", True)


def test_a_disk_that_refuses_leaves_it_unknown(control, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(desk_control, "kill_desk", refuse)
    answer = asyncio.run(control.kill("smoke", "desk", False, "ada"))
    assert (answer.outcome, answer.faults) == ("unknown", ("OSError: No space left on device",))


def test_a_full_disk_keeps_no_kill_from_the_flag(control, state, monkeypatch):
    def refuse(*_, **__):
        raise OSError(27, "File too large")

    monkeypatch.setattr(SentinelFile, "write", refuse)
    answer = asyncio.run(control.kill("smoke", "desk", False, "ada"))
    assert (answer.outcome, answer.faults) == (
        "accepted", ("the flag is up, the sentinel was not written here: OSError: File too large",),
    )  # fmt: skip
    assert flag_holds(state, "desk", SystemClock())


def test_a_pause_is_handed_to_the_desk_in_the_name_of_the_token(control, state):
    answer = asyncio.run(control.pause("lunch", "venue:x", NOW + 5, "ada"))
    (path,) = (state / CONTROL).glob("*.json")
    assert answer.outcome == "accepted"
    assert msgspec.json.decode(path.read_bytes(), type=PersonAct) == PersonAct(
        "pause", "ada", "venue:x", "lunch", NOW + 5
    )


def test_a_resume_ends_an_operators_pause_and_refuses_where_there_is_none_or_a_stop(control, state):
    refused = asyncio.run(control.resume("desk", None, "ada"))
    assert (refused.outcome, refused.faults) == ("refused", ("no pause of an operator is in force for desk",))
    pause = HeldReason("operator", "pause", GuardLevel.PAUSED, "desk", 5, None, "ada: lunch")
    guard_memory(state).write(sentinel.encode((pause,)))
    assert asyncio.run(control.resume("desk", None, "ada")).outcome == "done"
    assert held(state) == ()
    asyncio.run(control.kill("smoke", "desk", False, "ada"))
    stopped = asyncio.run(control.resume("desk", None, "ada"))
    assert stopped.outcome == "refused"
    assert "two people" in stopped.faults[0]


@pytest.mark.parametrize("pack", [b"{}", b"[]", b'"x"', b"7"])
def test_what_is_no_pack_is_refused_and_ends_nothing(control, state, pack):
    asyncio.run(control.kill("smoke", "desk", False, "ada"))
    answer = asyncio.run(control.resume("desk", pack, "ada"))
    assert answer.outcome == "refused"
    assert "signed approval pack" in answer.faults[0]
    assert held(state)


@pytest.mark.parametrize("scope", ["desk", "venue:x"])
def test_a_pack_is_judged_for_the_scope_it_was_signed_for_and_no_other(control, state, scope):
    asyncio.run(control.kill("smoke", "desk", False, "ada"))
    pack = draft(desk="made", act=Act.RESUME, subject="venue:x", details={}, reason="again", now=NOW)
    answer = asyncio.run(control.resume(scope, SignedPack(pack).encoded(), "ada"))
    assert answer.outcome == "refused"
    assert answer.faults
    assert ("the pack is for" in " ".join(answer.faults)) == (scope == "desk")
    assert held(state)


def test_a_desk_that_is_not_known_is_refused(tmp_path):
    control = DeskControl(tmp_path, "nobody", EventClock(NOW))
    answer = asyncio.run(control.resume("desk", None, "ada"))
    control.close()
    assert answer.outcome == "refused"
    assert "none named 'nobody'" in answer.faults[0]


def test_a_change_is_approved_by_the_pack_that_people_signed_and_by_nothing_else(tmp_path):
    state = trusting(tmp_path / "state" / "made")
    control = DeskControl(tmp_path, "made", EventClock(NOW), GO)
    proposal = propose(state / CHANGES, parsed(LIVE), person="carol", reason="start", clock=EventClock(NOW - 1))
    wanted = pack_of(proposal, desk="made", proposer=key_id_of(public(3)), now=NOW)

    def approve(held, gate=b'{"gate":1}'):
        return asyncio.run(control.approve(proposal.config_hash, held.encoded(), gate, "ada"))

    refused = approve(by(wanted))
    assert (refused.outcome, bool(refused.faults)) == ("refused", True)
    assert changes_of(state / CHANGES).approved is None
    held = by(wanted, 1, 2, 3)
    done = approve(held)
    assert done.outcome == "done", done.faults
    approved = changes_of(state / CHANGES).approved
    assert (approved.config_hash, sorted(approved.people)) == (proposal.config_hash, ["ann", "bob"])
    assert (state / GATE_RUNS / f"{approved.gate_run}.json").read_bytes() == b'{"gate":1}'
    assert approve(held, b'{"gate":2}').outcome == "refused"  # a pack is used once
    control.close()


def test_an_unknown_change_is_refused(control):
    pack = draft(desk="made", act=Act.CONFIGURATION, subject="x" * 64, details={}, reason="again", now=NOW)
    answer = asyncio.run(control.approve("x" * 64, SignedPack(pack).encoded(), b"{}", "ada"))
    assert (answer.outcome, "no change with hash" in answer.faults[0]) == ("refused", True)
