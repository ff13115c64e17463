"""Certificate, summary, scorecard, game day and week are folds over verdicts: each fact shows, none is invented."""

import gate_scene as scene
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gate_scene import DAY, HOUR, NOW, S, gate, need, say, waive

from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, with_key
from tradeworthy.operations.gates.model import Grade
from tradeworthy.operations.gates.readiness import Decision, ReadinessDecided
from tradeworthy.operations.gates.releases.certificate_page import certificate_page
from tradeworthy.operations.gates.releases.game_day import GameDay, game_day_report
from tradeworthy.operations.gates.releases.scorecard import FIELDS, SERVICES, Service, gaps, scorecard_page, scores
from tradeworthy.operations.gates.releases.step_summary import step_summary
from tradeworthy.operations.gates.sign_off import lacking, of_verdict, sign, signatures
from tradeworthy.operations.gates.store import GateAnswered, GateStore, GateTurned, GivenVerdict
from tradeworthy.operations.gates.weekly_review import monday_before, week_of, weekly_review

TABLE = gate(need("a", age_max_s=HOUR), need("b", age_max_s=2 * HOUR, waivable=True))
KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)


def given(verdict):
    return GivenVerdict("f" * 64, verdict)


def test_a_certificate_says_at_each_instant_what_holds_then_and_shows_waivers_first(tmp_path):
    verdict = scene.ask(TABLE, [say("a")], waivers=(waive("b"),))
    now = certificate_page(given(verdict), (), ("risk",), NOW)
    assert now.startswith("# Certificate: gate small, GO")
    assert now.index("waiver w1") < now.index("## Rows")
    assert "ends in 1 h: a" in now
    assert "still to sign: risk" in now
    later = certificate_page(given(verdict), (), (), NOW + HOUR * S)
    assert later.startswith("# Certificate: gate small, NO-GO")
    assert "a ended it" in later
    assert now == certificate_page(given(verdict), (), ("risk",), NOW)


def test_signers_stand_on_the_certificate_and_those_that_do_not_count_with_their_reason(tmp_path):
    store = GateStore(tmp_path, EventClock(NOW))
    store.keep(scene.ask(TABLE, [say("a"), say("b")]), TABLE)
    (one,) = store.read().verdicts
    key = trusted_key(KEY.public_key().public_bytes_raw(), holder="ann", roles=("risk",),
                      valid_from="2026-01-01T00:00:00Z", valid_to="2027-01-01T00:00:00Z")  # fmt: skip
    trust = with_key(TrustFile(), key)
    sign(tmp_path / "small", of_verdict(one), "risk", KEY, trust, at="2026-03-04T00:00:00Z")
    about = (tmp_path / "small", of_verdict(one), trust)
    told = certificate_page(one, signatures(*about), lacking(*about), NOW)
    assert "| risk | ann | 2026-03-04T00:00:00Z | yes |" in told
    assert "still to sign: operations" in told
    refused = signatures(tmp_path / "small", of_verdict(one), trust, barred=("ann",))
    assert "ann wrote the change" in certificate_page(one, refused, (), NOW)


def test_a_summary_has_the_blocks_of_what_was_asked():
    table = gate(need("portfolio_risk"), need("log_integrity"), need("shadow_parity"), need("tests"))
    bad = scene.ask(table, [say("portfolio_risk", Severity.FAIL), say("log_integrity"), say("shadow_parity")])
    text = step_summary(given(bad))
    for block in ("Risk", "Ingest", "Sensing", "Build", "Not met"):
        assert f"## {block}" in text
    assert "2 of 4" in text
    assert "## Not met" not in step_summary(given(scene.ask(gate(need("x")), [say("x")])))


SERVICE = Service(name="desk", owner="ann", probes={"build": (("a",), ("b", "c"), ("d",))})


def levels(*evidence, now=NOW):
    newest = {one.source: one for one in evidence}
    return {one.field: one for one in scores(newest, now, (SERVICE,))}


def test_a_level_needs_all_below_it_and_a_health_check_that_stops_lowers_it():
    whole = [say(name) for name in "abcd"]
    assert levels(*whole)["build"].level == 3
    assert levels(*whole[:3])["build"].missing == ("d absent",)
    stopped = [msgspec.structs.replace(one, ends_at=NOW) if one.source == "b" else one for one in whole]
    assert (levels(*stopped)["build"].level, levels(*stopped)["build"].missing) == (1, ("b over",))
    assert levels(*whole[1:])["build"].level == 0
    assert levels(say("a", Severity.UNKNOWN))["build"].missing == ("a UNKNOWN",)
    assert levels(say("a", error="torn"))["build"].missing == ("a unreadable",)
    assert levels()["security"].missing == ("no probe",)


def test_the_three_largest_gaps_are_the_lowest_fields():
    found = scores({one.source: one for one in [say("a")]}, NOW, (SERVICE,))
    assert [one.field for one in gaps(found, "desk")] == ["reliability", "observability", "integrity"]
    text = scorecard_page(scores({}, NOW))
    assert all(f"Largest gaps of {one.name}" in text for one in SERVICES)
    assert all(set(one.probes) == set(FIELDS) for one in SERVICES)


def asked(status=Severity.OK, *, at, other=Severity.OK):
    now = NOW + at * S
    said = [say("a", status, age_s=-at), say("b", other, age_s=-at)]
    return scene.ask(TABLE, said, now=now)


@pytest.mark.parametrize(("before", "during", "after", "severity"), [
    (Severity.OK, Severity.FAIL, Severity.OK, Severity.OK), (Severity.OK, Severity.OK, Severity.OK, Severity.FAIL),
    (Severity.OK, Severity.FAIL, Severity.FAIL, Severity.FAIL),
    (Severity.FAIL, Severity.FAIL, Severity.OK, Severity.UNKNOWN),
])  # fmt: skip
def test_a_drill_counts_where_its_requirement_flips_and_returns(before, during, after, severity):
    day = GameDay(drill="d", requirement="a", before=asked(before, at=0), during=asked(during, at=1),
                  after=asked(after, at=2))  # fmt: skip
    assert game_day_report(day).severity is severity


def test_a_drill_under_a_gate_that_is_no_go_already_is_masked_and_one_that_fails_more_is_told():
    bad = Severity.FAIL
    masked = GameDay(drill="d", requirement="a", before=asked(at=0, other=bad), during=asked(bad, at=1, other=bad),
                     after=asked(at=2, other=bad))  # fmt: skip
    assert game_day_report(masked).severity is Severity.UNKNOWN
    wide = GameDay(drill="d", requirement="a", before=asked(at=0), during=asked(bad, at=1, other=bad),
                   after=asked(at=2))  # fmt: skip
    assert [one.code for one in game_day_report(wide).failed()] == ["game_day.alone"]
    assert game_day_report(msgspec.structs.replace(wide, coupled=("b",))).severity is Severity.OK
    backwards = msgspec.structs.replace(wide, after=asked(at=0), coupled=("b",))
    assert game_day_report(backwards).severity is Severity.UNKNOWN


def test_the_week_counts_what_the_log_holds(tmp_path):
    clock = EventClock(NOW)
    store = GateStore(tmp_path, clock)
    table = gate(need("log_integrity"), need("c", grade=Grade.WARNING))
    for day, status in enumerate((Severity.OK, Severity.FAIL, Severity.FAIL)):
        at = NOW + day * DAY * S
        clock.advance_to(at)
        store.keep(scene.ask(table, [say("log_integrity", status, age_s=-day * DAY)], now=at), table)
    store.note(GateTurned("small", "GO", "NO-GO", "v", ("log_integrity",)))
    store.note(GateAnswered("go_live", "live", "1", "live", "pilot", "desk", False, "", "absent", "none"))
    store.note(ReadinessDecided(Decision.HOLD, NOW, NOW + 1, "1", "", "", "", "", ()))
    known = store.read()
    week = week_of(known, NOW + 7 * DAY * S)
    verdicts = [one.verdict for one in known.verdicts]
    assert sum(week.runs.values()) == len(verdicts)
    assert week.go == {"small": sum(one.answer == "GO" for one in verdicts)}
    assert week.unmet == {"log_integrity": 2}
    assert week.trend["integrity"] == (1.0, 0.0, 0.0, None, None, None, None)
    assert (week.refused, week.incidents, week.decision) == (1, 1, "HOLD")
    text = weekly_review(known, NOW + 7 * DAY * S)
    assert text == weekly_review(known, NOW + 7 * DAY * S)
    assert "log_integrity, not met 2 times" in text
    assert sum(week_of(known, NOW).runs.values()) == 0


def test_a_week_begins_on_monday():
    wednesday = NOW + 5 * HOUR * S
    assert (NOW - monday_before(wednesday)) == 2 * DAY * S
    assert monday_before(monday_before(NOW)) == monday_before(NOW)
