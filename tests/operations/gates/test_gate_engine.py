"""A gate fails closed: only evidence that is there, whole, young, fitting and good enough gives GO, and GO ends."""

import itertools
from random import Random

import gate_scene as scene
import msgspec
import pytest
from gate_scene import DAY, HOUR, NOW, S, ask, gate, need, row, say, waive
from hypothesis import given
from hypothesis import strategies as st

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.gates.bundle import encoded, verdict_id
from tradeworthy.operations.gates.model import (
    Answer,
    Artefact,
    Condition,
    Ends,
    Grade,
    Mode,
    SessionTimes,
    Standing,
)

STATES = ("ok", "unknown", "stale", "missing", "failing")
MORE = (*STATES, "warn", "error", "future", "void")


def of_state(name, state):
    match state:
        case "ok":
            return say(name)
        case "warn":
            return say(name, Severity.WARN)
        case "unknown":
            return say(name, Severity.UNKNOWN)
        case "failing":
            return say(name, Severity.FAIL)
        case "stale":
            return say(name, age_s=20 * 60)
        case "error":
            return say(name, None, error="unreadable")
        case "future":
            return say(name, stamp=NOW + 1, recorded_at=NOW)
        case "void":
            return say(name, hashes={})
    return None


def table_of(count, *, critical=None, **rest):
    names = [f"r{at}" for at in range(count)]
    kept = count if critical is None else critical
    return gate(*(
        need(name, grade=Grade.CRITICAL if at < kept else Grade.WARNING, depends_on=("code",), **rest)
        for at, name in enumerate(names)
    ))  # fmt: skip


def vector_of(table, states):
    said = (of_state(one.id, state) for one, state in zip(table.requirements, states, strict=True))
    return [one for one in said if one is not None]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_only_the_vector_where_all_critical_rows_are_good_is_go(count):
    table = table_of(count)
    asked = 0
    for states in itertools.product(STATES, repeat=count):
        answer = ask(table, vector_of(table, states)).answer
        assert (answer is Answer.GO) == (set(states) == {"ok"}), states
        asked += 1
    assert asked == len(STATES) ** count


def test_every_state_of_a_warning_row_leaves_the_answer_to_the_critical_ones():
    table = table_of(4, critical=2)
    for states in itertools.product(MORE, repeat=4):
        verdict = ask(table, vector_of(table, states))
        go = set(states[:2]) <= {"ok", "warn"}
        assert (verdict.answer is Answer.GO) == go, states
        clean = set(states) == {"ok"}
        assert verdict.exit_code == (0 if clean else 1 if go else 2)


@given(st.lists(st.sampled_from(MORE), min_size=7, max_size=40))
def test_no_larger_table_is_go_with_a_row_that_is_not_good(states):
    table = table_of(len(states))
    verdict = ask(table, vector_of(table, states))
    assert (verdict.answer is Answer.GO) == (set(states) <= {"ok", "warn"})


@pytest.mark.parametrize("state", MORE[1:])
def test_breaking_one_input_flips_that_row_alone(state):
    table = table_of(5)
    states = ["ok"] * 5
    states[2] = state
    verdict = ask(table, vector_of(table, states))
    assert [one.id for one in verdict.rows if one.standing is not Standing.MET] == ["r2"]


def test_an_empty_table_a_repeated_row_and_an_unknown_source_cannot_be_used():
    once = need("a")
    for table, known in ((gate(), None), (gate(once, once), None), (gate(once), frozenset({"b"}))):
        verdict = ask(table, [say("a")], known=known)
        assert (verdict.answer, verdict.exit_code, verdict.rows) == (Answer.NO_GO, 3, ())
        assert verdict.problem


def test_a_requirement_without_mutation_or_with_an_endless_life_is_refused():
    with pytest.raises(ValueError, match="mutation"):
        need("a", mutation=())
    with pytest.raises(ValueError, match="never ends"):
        need("a", age_max_s=None)
    with pytest.raises(ValueError, match="never waivable"):
        need("reconciliation", waivable=True)
    with pytest.raises(ValueError, match="OK or WARN"):
        need("a", accept=Severity.UNKNOWN)


@pytest.mark.parametrize(("age_s", "ci", "standing"), [
    (1_200 - 1e-9, False, Standing.MET), (1_200, False, Standing.STALE),
    (900 - 1e-9, True, Standing.MET), (900, True, Standing.STALE), (900, False, Standing.MET),
])  # fmt: skip
def test_evidence_is_stale_when_it_reaches_its_age(age_s, ci, standing):
    table = gate(need("a", ci_age_max_s=900))
    assert row(ask(table, [say("a", age_s=age_s)], mode=Mode(ci=ci)), "a").standing is standing


def test_evidence_from_the_future_never_counts_however_long_one_waits():
    table = gate(need("a", age_max_s=DAY))
    ahead = say("a", stamp=NOW + S, recorded_at=NOW)
    for wait in (0, S, 2 * S, HOUR * S):
        assert row(ask(table, [ahead], now=NOW + wait), "a").standing is Standing.FUTURE


def test_what_was_recorded_later_is_not_known_yet():
    table = gate(need("a"))
    later = say("a", stamp=NOW + S, recorded_at=NOW + S)
    assert row(ask(table, [later]), "a").standing is Standing.ABSENT
    assert row(ask(table, [later], now=NOW + S), "a").standing is Standing.MET


def test_the_newest_evidence_counts_though_an_older_one_was_better():
    table = gate(need("a"))
    assert ask(table, [say("a", age_s=60), say("a", Severity.FAIL, age_s=30)]).answer is Answer.NO_GO
    assert ask(table, [say("a", Severity.FAIL, age_s=60), say("a", age_s=30)]).answer is Answer.GO


@pytest.mark.parametrize(("made_in", "standing"), [
    ("simulated", Standing.LOWER_ENVIRONMENT), ("paper", Standing.LOWER_ENVIRONMENT), ("testnet", Standing.MET),
    ("live_micro", Standing.MET), ("live", Standing.MET), ("file", Standing.LOWER_ENVIRONMENT),
])  # fmt: skip
def test_evidence_of_a_lower_environment_is_not_enough(made_in, standing):
    table = gate(need("a", environment_min="testnet"))
    assert row(ask(table, [say("a", environment=made_in)]), "a").standing is standing


def test_what_people_say_is_never_better_than_a_warning():
    table = gate(need("a"), need("b", accept=Severity.OK))
    verdict = ask(table, [say("a", provenance="attested"), say("b", provenance="attested")])
    assert (row(verdict, "a").standing, row(verdict, "b").standing) == (Standing.WARNED, Standing.FAILED)
    assert verdict.answer is Answer.NO_GO
    measured = gate(need("a", provenance_min="measured"))
    assert row(ask(measured, [say("a", provenance="attested")]), "a").standing is Standing.LOWER_PROVENANCE
    assert ask(gate(need("a")), [say("a", provenance="attested")]).exit_code == 1


def test_a_changed_hash_voids_what_depends_on_it_whatever_its_age():
    table = gate(need("a", age_max_s=None, depends_on=("limits",)), need("b", age_max_s=None, depends_on=("code",)))
    other = msgspec.structs.replace(scene.BINDING, hashes={**scene.BINDING.hashes, "limits": "x" * 64})
    verdict = ask(table, [say("a"), say("b")], binding=other)
    assert (row(verdict, "a").standing, row(verdict, "b").standing) == (Standing.VOIDED, Standing.MET)
    assert "limits" in row(verdict, "a").reason


def test_evidence_of_another_cycle_does_not_count():
    table = gate(need("a", age_max_s=None, same_cycle=True))
    assert ask(table, [say("a", cycle="c1")], cycle="c1").answer is Answer.GO
    assert row(ask(table, [say("a", cycle="c1")], cycle="c2"), "a").standing is Standing.OTHER_RUN
    assert row(ask(table, [say("a")]), "a").standing is Standing.OTHER_RUN


def test_a_gate_does_not_judge_evidence_of_its_own_run():
    assert row(ask(gate(need("a")), [say("a", run_id="verdict")]), "a").standing is Standing.ERROR


def test_a_row_reads_one_component_and_an_absent_one_is_not_met():
    table = gate(need("a", source="parts", component="one"), need("b", source="parts", component="two"))
    verdict = ask(table, [say("parts", Severity.FAIL, components={"one": Severity.OK})])
    assert (row(verdict, "a").standing, row(verdict, "b").standing) == (Standing.MET, Standing.ABSENT)


def test_a_row_whose_check_was_not_seen_to_fail_is_not_met():
    table = gate(need("a"), need("b"))
    verdict = ask(table, [say("a"), say("b")], proven=frozenset({"a"}))
    assert (verdict.answer, row(verdict, "b").standing) == (Answer.NO_GO, Standing.UNPROVEN)


def test_a_condition_makes_a_warning_critical_and_counts_where_nobody_states_it():
    table = gate(need("a"), need("b", grade=Grade.WARNING, critical_when=(Condition.IN_SESSION,)))
    said = [say("a"), say("b", Severity.FAIL)]
    assert ask(table, said).answer is Answer.GO
    assert ask(table, said, conditions={Condition.IN_SESSION: True}).answer is Answer.NO_GO
    assert ask(table, said, conditions={}).answer is Answer.NO_GO


def test_strict_makes_warnings_critical_and_takes_only_ok_where_the_row_says_so():
    table = gate(need("a"), need("b", grade=Grade.WARNING), need("c", strict_ok=True))
    said = [say("a"), say("b", Severity.FAIL), say("c", Severity.WARN)]
    assert ask(table, said).answer is Answer.GO
    strict = ask(table, said, mode=Mode(strict=True))
    assert [one.id for one in strict.unmet()] == ["b", "c"]
    assert ask(table, said, mode=Mode(tightened=("b",))).answer is Answer.NO_GO


def test_go_ends_with_what_ends_first_and_says_so():
    table = gate(need("a", age_max_s=HOUR), need("b", age_max_s=DAY), need("c", age_max_s=60, grade=Grade.WARNING))
    verdict = ask(table, [say("a", age_s=600), say("b"), say("c")])
    assert (verdict.ends_first.requirement, verdict.ends_first.seconds) == ("a", 3_000.0)
    assert verdict.ends_first.remedy == "renew a"
    end = NOW + 3_000 * S
    assert (verdict.standing(end - 1), verdict.standing(end)) == (Answer.GO, Answer.NO_GO)
    assert verdict.standing(NOW - 1) is Answer.NO_GO


def test_an_end_of_its_own_ends_evidence_before_its_age():
    table = gate(need("a", age_max_s=DAY))
    short = say("a", ends_at=NOW + 60 * S, end_reason="a gap in the roster")
    verdict = ask(table, [short])
    assert (verdict.ends_first.seconds, verdict.ends_first.reason) == (60.0, "a gap in the roster")
    assert row(ask(table, [short], now=NOW + 60 * S), "a").standing is Standing.STALE


def test_a_declared_close_ends_the_answer():
    table = gate(need("a", age_max_s=DAY))
    close = Ends(name="session_close", at=NOW + 10 * S, reason="the session closes", remedy="judge again")
    assert ask(table, [say("a")], ends=(close,)).ends_first.requirement == "session_close"
    after = ask(table, [say("a")], ends=(close,), now=NOW + 10 * S)
    assert (after.answer, row(after, "session_close").standing) == (Answer.NO_GO, Standing.STALE)


@pytest.mark.parametrize(("closes_s", "standing"), [
    (3_599, Standing.MET), (3_600, Standing.FAILED), (3_601, Standing.FAILED),
    (None, Standing.UNKNOWN), (0, Standing.UNKNOWN),
])  # fmt: skip
def test_nothing_may_lapse_before_the_next_session_closes_but_what_renews_itself(closes_s, standing):
    table = gate(need("a", age_max_s=HOUR), need("clock", age_max_s=10), covers_session=True)
    session = None if closes_s is None else SessionTimes(opens_at=NOW, closes_at=NOW + closes_s * S)
    assert row(ask(table, [say("a"), say("clock")], session=session), "time").standing is standing


def test_a_waiver_lets_a_waivable_row_stand_until_its_end_and_is_a_warning():
    table = gate(need("a", waivable=True, age_max_s=DAY))
    stands = waive("a", days=1)
    verdict = ask(table, [say("a", Severity.FAIL)], waivers=[stands])
    assert (verdict.answer, verdict.exit_code, verdict.waivers) == (Answer.GO, 1, ("w1",))
    assert (verdict.ends_first.requirement, verdict.ends_first.seconds) == ("a", float(DAY))
    just = ask(table, [say("a", Severity.FAIL)], waivers=[stands], now=NOW + DAY * S - 1)
    over = ask(table, [say("a", Severity.FAIL)], waivers=[stands], now=NOW + DAY * S)
    assert (just.answer, over.answer) == (Answer.GO, Answer.NO_GO)


@pytest.mark.parametrize(("waiver", "told"), [
    (waive("never"), "never waived"), (waive("a", days=7.001), "longer than 7 days"),
    (waive("a", issued_s=10, recorded_s=0), "dated after it arrived"),
])  # fmt: skip
def test_a_waiver_that_may_not_stand_is_refused_by_name(waiver, told):
    table = gate(need("a", waivable=True), need("never"))
    verdict = ask(table, [say("a", Severity.FAIL), say("never", Severity.FAIL)], waivers=[waiver], now=NOW + 20 * S)
    assert (verdict.answer, verdict.waivers) == (Answer.NO_GO, ())
    assert told in verdict.refused_waivers[0]


def test_no_waiver_counts_in_a_build():
    table = gate(need("a", waivable=True))
    verdict = ask(table, [], waivers=[waive("a")], mode=Mode(ci=True))
    assert (verdict.answer, len(verdict.refused_waivers)) == (Answer.NO_GO, 1)


def test_a_fourth_waiver_is_void_even_after_another_ended():
    table = gate(*(need(name, waivable=True) for name in "abcd"))
    some = [waive(name, waiver_id=name, issued_s=at, days=1 if name == "a" else 7) for at, name in enumerate("abcd")]
    renewed = say("a", stamp=NOW + DAY * S + 3 * S, recorded_at=NOW + DAY * S + 3 * S)
    for now in (NOW + 5 * S, NOW + DAY * S + 5 * S):
        verdict = ask(table, [renewed], waivers=some, now=now)
        assert row(verdict, "d").standing is Standing.ABSENT
        assert any(one.startswith("d: 3 were in force") for one in verdict.refused_waivers)


def test_the_same_content_has_the_same_id_and_one_byte_another():
    table = gate(need("a"))
    first = ask(table, [say("a", artefacts=(Artefact("x", "1" * 64, 10),))])
    same = ask(table, [say("a", artefacts=(Artefact("x", "1" * 64, 10),))])
    other = ask(table, [say("a", artefacts=(Artefact("x", "2" * 64, 10),))])
    assert (first.bundle_id, verdict_id(first)) == (same.bundle_id, verdict_id(same))
    assert first.bundle_id != other.bundle_id
    assert first.bundle_id != ask(table, [say("a", artefacts=(Artefact("x", "1" * 64, 10),))], commit="c").bundle_id


def test_a_verdict_survives_its_canonical_form():
    table = gate(need("a", waivable=True), need("b"))
    verdict = ask(table, [say("b")], waivers=[waive("a")])
    again = msgspec.json.decode(encoded(verdict), type=type(verdict))
    assert encoded(again) == encoded(verdict)


WORSE = {"ok": ("warn", "unknown", "failing", "error", "stale", "future", "void", "missing"),
         "warn": ("unknown", "failing", "error", "stale", "future", "void", "missing")}  # fmt: skip


@given(st.lists(st.sampled_from(MORE), min_size=1, max_size=6), st.data())
def test_worse_evidence_never_improves_an_answer(states, data):
    at = data.draw(st.integers(0, len(states) - 1))
    worse = list(states)
    worse[at] = data.draw(st.sampled_from(WORSE.get(states[at], (states[at],))))
    table = table_of(len(states))
    before, after = ask(table, vector_of(table, states)), ask(table, vector_of(table, worse))
    assert after.exit_code >= before.exit_code


def timeline(random, *, steps):
    """Return evidence and waivers that arrive over some minutes, good and bad, honest and not."""
    evidence, waivers = [], []
    for at in range(steps):
        name = f"r{random.randrange(3)}"
        recorded = NOW + random.randrange(3_000) * S
        if random.random() < 0.2:
            came_s = (recorded - NOW) / S
            waivers.append(waive(
                name, waiver_id=f"w{at}", issued_s=came_s + random.choice((-60, 0, 60)),
                days=random.choice((0.005, 0.01, 6.9, 8)), recorded_s=came_s,
            ))  # fmt: skip
            continue
        evidence.append(say(
            name, random.choice([*Severity, None]), stamp=recorded + random.choice((-600, 0, 0, 0, 60)) * S,
            recorded_at=recorded, provenance=random.choice(("attested", "simulated", "measured")),
            environment=random.choice(("simulated", "paper", "live")), run_id=random.choice(("verdict", "r", "r", "r")),
            ends_at=random.choice((None, recorded + 300 * S)), evidence_id=str(at),
        ))  # fmt: skip
    return evidence, waivers


def turns_without_news(seed):
    """Return moments at which a NO-GO became GO though nothing arrived since."""
    random = Random(seed)
    table = table_of(3, waivable=True)
    evidence, waivers = timeline(random, steps=8)
    news = sorted({one.recorded_at for one in evidence} | {one.recorded_at for one in waivers})
    found, before, last = [], None, NOW
    for moment in sorted({NOW + random.randrange(4_000) * S for _ in range(8)} | set(news)):
        answer = ask(table, evidence, waivers=waivers, now=moment).answer
        if before is Answer.NO_GO and answer is Answer.GO and not any(last < one <= moment for one in news):
            found.append(moment)
        before, last = answer, moment
    return found


def test_the_passing_of_time_alone_never_begins_a_go():
    assert [seed for seed in range(300) if turns_without_news(seed)] == []


@pytest.mark.proof
def test_no_timeline_of_very_many_begins_a_go_by_waiting():
    assert [seed for seed in range(100_000) if turns_without_news(seed)] == []


@pytest.mark.parametrize(("mode", "answer"), [
    (Mode(), Answer.GO), (Mode(warn_components=("other",)), Answer.GO), (Mode(warn_components=("part",)), Answer.NO_GO),
    (Mode(warn_components=("a",)), Answer.NO_GO), (Mode(block_on_warn=True), Answer.NO_GO),
])  # fmt: skip
def test_a_warning_blocks_where_it_is_asked_to(mode, answer):
    item = say("a", Severity.WARN, components={"part": Severity.WARN, "rest": Severity.OK})
    verdict = ask(gate(need("a")), [item], mode=mode)
    assert verdict.answer is answer
    blocks = "warn_blocked" if answer is Answer.NO_GO else "warn"
    assert verdict.rows[0].codes == (f"issue.part.{blocks}",)
    assert (len(verdict.blocking) == 1) is (answer is Answer.NO_GO)


def test_the_verdict_says_by_code_and_in_words_why_it_blocks():
    parts = {"x": Severity.FAIL, "y": Severity.UNKNOWN, "z": Severity.OK}
    item = say("a", Severity.FAIL, reason="the roster has a hole", components=parts)
    verdict = ask(gate(need("a"), need("b")), [item])
    assert verdict.blocking == ("a: the roster has a hole", "b: there is no evidence")
    assert [row.codes for row in verdict.rows] == [("issue.x.fail", "issue.y.fail"), ("issue.b.fail",)]
    assert ask(gate(need("a")), [say("a")]).rows[0].codes == ()


def test_a_risk_control_is_never_waived_and_a_grace_is_no_debt():
    with pytest.raises(ValueError, match="overridden by break-glass, for one session"):
        need("a", waivable=True, owner="risk")
    with pytest.raises(ValueError, match="grace_s must be at least 0"):
        need("a", grace_s=-1)
