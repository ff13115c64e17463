"""What a desk's own state holds for a release is fetched where it shows something good, else told (EV-02)."""

import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.alerts.journal import ALERTS, JOURNAL, AlertJournal
from tradeworthy.app.evidence.desk_evidence import Ran, keep_evidence_of
from tradeworthy.app.halting import flatness
from tradeworthy.app.halting.watchdog_process import CERTIFICATES, KEY, WATCHDOG
from tradeworthy.kernel.clock import NANOS_PER_DAY, NANOS_PER_MILLI, EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.report import write
from tradeworthy.operations.drills.kill_switch import DRILLS, KillDrillPolicy, trip_report
from tradeworthy.operations.evidence.collect import GATE_FILES, GATE_FOLDERS
from tradeworthy.operations.incidents.latency import AlertLatency, CanaryLost
from tradeworthy.trading.control.certificate import LIMITS_NS, Seen, certify
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.control.venue_view import OpenOrder, VenueView

DAY = NANOS_PER_DAY
STARTED, ENDED = 100 * DAY, 103 * DAY
CODE = "c" * 64
RUN = Ran(STARTED, ENDED, CODE)
WATCHER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OPEN = OpenOrder("a", "i", "X.SIM", 1, 2, "v1")


def certificate(at, *resting, token=1):
    """Return the certificate of a trip at a time; flat unless an order rests."""
    view = VenueView(
        at=at + 5, ts=1, open_orders=resting, positions={}, copy_open=tuple(one.client_order_id for one in resting),
        copied=True,
    )  # fmt: skip
    halts = (Halt("operator", "kill", "desk", at, token, "drill"),)
    seen = Seen(halts=halts, tripped_at=at, view=view, after=dict.fromkeys(LIMITS_NS, 1), problem="")
    return certify(seen, desk="made", run_id="r", token=token, cause="tripped", made_at=at + 9)


def drilled(state, at, *resting, code=CODE):
    report = trip_report(
        certificate(at, *resting), (), digest="", at=at, desk="made", hashes={"code": code}, policy=KillDrillPolicy()
    )
    return write(report, state / DRILLS)


def certified(state, *made):
    folder = state / WATCHDOG
    folder.mkdir(parents=True)
    (folder / f"{KEY}.pub").write_text(WATCHER.public_key().public_bytes_raw().hex())
    return [flatness.keep(folder / CERTIFICATES, one, number, WATCHER) for number, one in enumerate(made)]


def canaries(state, *facts):
    journal = AlertJournal(state / ALERTS / JOURNAL, EventClock(STARTED), run_id="r")
    journal.tell_all(facts)
    journal.close()


def came(at, ms, purpose="canary"):
    return AlertLatency(f"{purpose}-{at}", purpose, ms * NANOS_PER_MILLI // 4, ms * NANOS_PER_MILLI // 2,
                        ms * NANOS_PER_MILLI, at)  # fmt: skip


def fetched(tmp_path, *states):
    """Return the names that were laid, and what was told to be missing."""
    place = tmp_path / "evidence"
    missing = keep_evidence_of(states or (tmp_path / "made",), place, RUN)
    return sorted(one.relative_to(place).as_posix() for one in place.rglob("*") if one.is_file()), missing


def test_all_three_are_fetched_as_they_lie_under_names_that_a_bundle_knows(tmp_path):
    state = tmp_path / "made"
    written = drilled(state, STARTED - DAY)
    (kept,) = certified(state, certificate(ENDED - DAY))
    canaries(state, *(came(STARTED + number, number) for number in range(1, 101)), CanaryLost(2, STARTED + 1))
    names, missing = fetched(tmp_path)
    assert missing == ()
    assert names == sorted([
        "alert_canary.json", f"drills/kill-drill-{written.sha256}.json", f"flatness/made-{kept.name}",
        f"flatness/made-{KEY}.pub",
    ])  # fmt: skip
    assert {GATE_FILES.get(one) or GATE_FOLDERS[one.partition("/")[0]] for one in names} == {
        "alert_canary", "drill", "flatness",
    }  # fmt: skip
    place = tmp_path / "evidence"
    assert (place / names[1]).read_bytes() == written.evidence.read_bytes()
    assert (place / names[2]).read_bytes() == kept.read_bytes()
    assert flatness.verify((place / names[2]).read_bytes(), flatness.public_key(place / names[3])).faults == ()
    told = json.loads((place / "alert_canary.json").read_bytes())
    (desk,) = told["desks"]
    assert (told["from"], told["to"], desk["desk"], desk["missing_in_a_row_max"]) == (STARTED, ENDED, "made", 2)
    assert desk["received"] == {"p99_ms": 99.0, "max_ms": 100.0, "n": 100}
    assert desk["generated"]["max_ms"] == 25.0
    assert desk["journal_head"]["seq"] == 101


def test_canaries_count_while_the_run_is_on_and_alerts_are_none(tmp_path):
    canaries(
        tmp_path / "made", came(STARTED - 1, 900), came(STARTED, 5), came(ENDED, 7), came(ENDED + 1, 900),
        came(STARTED + 1, 900, "alert"), CanaryLost(9, ENDED + 1),
    )  # fmt: skip
    names, _ = fetched(tmp_path)
    assert names == ["alert_canary.json"]
    (desk,) = json.loads((tmp_path / "evidence" / "alert_canary.json").read_bytes())["desks"]
    assert desk["received"] == {"p99_ms": None, "max_ms": 7.0, "n": 2}
    assert desk["missing_in_a_row_max"] == 0


@pytest.mark.parametrize(("at", "resting", "code", "said"), [
    (ENDED - 7 * DAY, (), CODE, "expired"), (ENDED - DAY, (OPEN,), CODE, "fail"), (ENDED - DAY, (), "d" * 64, "none"),
    (ENDED + 1, (), CODE, "none"),
])  # fmt: skip
def test_a_drill_that_says_nothing_good_of_this_code_is_not_packed_and_why_is_told(tmp_path, at, resting, code, said):
    drilled(tmp_path / "made", at, *resting, code=code)
    names, missing = fetched(tmp_path)
    assert names == []
    assert f"no kill-drill is packed: {said}" in missing[0]


def test_a_drill_of_just_under_seven_days_is_packed_and_a_newer_failure_takes_its_place(tmp_path):
    state = tmp_path / "made"
    drilled(state, ENDED - 7 * DAY + 1)
    assert [one.partition("-")[0] for one in fetched(tmp_path)[0]] == ["drills/kill"]
    drilled(state, ENDED - DAY, OPEN)
    missing = keep_evidence_of((state,), tmp_path / "again", RUN)
    assert not (tmp_path / "again").exists()
    assert "fail, 1.0 d old" in missing[0]


def test_the_last_trip_must_have_been_seen_flat(tmp_path):
    state = tmp_path / "made"
    certified(state, certificate(STARTED), certificate(ENDED - DAY, OPEN, token=2))
    names, missing = fetched(tmp_path)
    assert names == []
    assert "no certificate of flatness is packed: the last is not sound" in missing[1]


def test_certificates_of_the_last_fourteen_days_are_packed_with_those_of_before_the_flat_one(tmp_path):
    state = tmp_path / "made"
    old, partial, flat, later = certified(
        state, certificate(ENDED - 15 * DAY), certificate(ENDED - 2 * DAY, OPEN, token=2),
        certificate(ENDED - DAY, token=3), certificate(ENDED, token=4),
    )  # fmt: skip
    names, _ = fetched(tmp_path)
    assert names == [f"flatness/made-{partial.name}", f"flatness/made-{flat.name}", f"flatness/made-{KEY}.pub"]
    assert {old.name, later.name}.isdisjoint({name.removeprefix("flatness/made-") for name in names})


def test_an_altered_certificate_is_no_certificate(tmp_path):
    (kept,) = certified(tmp_path / "made", certificate(ENDED - DAY))
    envelope = json.loads(kept.read_bytes())
    kept.write_bytes(msgspec.json.encode({**envelope, "payloadType": "other"}, order="sorted") + b"\n")
    names, missing = fetched(tmp_path)
    assert (names, "not sound" in missing[1]) == ([], True)


def test_a_damaged_journal_of_alerts_makes_no_bundle(tmp_path):
    canaries(tmp_path / "made", came(STARTED, 5))
    (segment,) = (tmp_path / "made" / ALERTS / JOURNAL).glob("journal-*")
    segment.write_bytes(segment.read_bytes().replace(b'"canary"', b'"canarz"', 1))
    with pytest.raises(UsageError, match="damaged at seq"):
        fetched(tmp_path)


def test_what_an_operator_gave_stays_and_each_desk_has_its_canaries(tmp_path):
    for name in ("one", "two"):
        canaries(tmp_path / name, came(STARTED, 5))
    names, _ = fetched(tmp_path, tmp_path / "one", tmp_path / "two")
    assert names == ["alert_canary.json"]
    place = tmp_path / "evidence" / "alert_canary.json"
    assert [one["desk"] for one in json.loads(place.read_bytes())["desks"]] == ["one", "two"]
    place.write_bytes(b"{}\n")
    fetched(tmp_path, tmp_path / "one")
    assert place.read_bytes() == b"{}\n"


def test_a_desk_that_left_nothing_is_told_so(tmp_path):
    names, missing = fetched(tmp_path)
    assert names == []
    assert [one.partition(" is packed")[0].partition(" are packed")[0] for one in missing] == [
        "made: no kill-drill", "made: no certificate of flatness", "made: no canaries",
    ]  # fmt: skip
