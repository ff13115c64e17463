"""Break one input of a recorded run at a time: exactly the checks that name it flip, and what is coupled is declared.

A change of a journal's line is sealed anew, so that the chain says nothing of it; a change of its bytes is not.
"""

import json
import shutil

import pytest
from soak_runs import played, resealed

from tradeworthy.app.assessing.sources import Asked, Sources, judge_all
from tradeworthy.kernel.clock import NANOS_PER_SECOND, SystemClock
from tradeworthy.kernel.errors import InvalidInput, UsageError
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.history import History
from tradeworthy.operations.assessments.framework.registry import registry

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
SECOND = NANOS_PER_SECOND
STEPS = 3_000
WITNESSES = ("understanding_slos.replay_", "operational_readiness.")
"""A replay finds every line that was not decided so, and readiness is as good as the weakest of its parts."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    return played(root, steps=STEPS, minute_seconds=60, environment="paper").folder


@pytest.fixture(scope="module")
def sound(run, tmp_path_factory):
    """What the run says when it is sealed anew and nothing is changed."""
    return verdicts(resealed(run, tmp_path_factory.mktemp("sound") / "run", lambda line: line))


def verdicts(folder, **more):
    known = registry()
    sources = Sources(Asked(run=folder, scan=(folder,), **more), SystemClock(), known)
    policies = known.policies({})
    found = judge_all(known, [one.name for one in known], sources, History(), limits=policies.__getitem__)
    told = {}
    for snapshot in found.snapshots:
        for one in snapshot.findings:
            told[one.code] = max(told.get(one.code, OK), one.severity)
    return told


def flipped(sound, broken):
    """Return the codes whose severity is another, with their new one, but for those of the witnesses of everything."""
    moved = {code: broken.get(code, OK) for code in sound.keys() | broken.keys() if sound.get(code) != broken.get(code)}
    return {code: severity for code, severity in moved.items() if not code.startswith(WITNESSES)}


def nth(kind, number, change):
    """Return a change of the `number`th line of a kind."""
    count = 0

    def made(line):
        nonlocal count
        if line["kind"] != kind:
            return line
        count += 1
        return change(line) if count == number else line

    return made


def every(kind, which, change):
    count = 0

    def made(line):
        nonlocal count
        if line["kind"] != kind:
            return line
        count += 1
        return change(line) if which(count) else line

    return made


def but(**fields):
    """Return a change of fields of the payload."""
    return lambda line: {**line, "payload": {**line["payload"], **fields}}


def as_kind(kind, payload):
    """Return a change of a line into one of another kind, under the same number."""
    return lambda line: {**line, "kind": kind, "schema": f"{kind}@1.0", "payload": payload}


def _loses(line):
    return as_kind("strategy.abstained", {"instance": "quoter", "code": "test"})(line)


def refused(reduce_only=False, code="risk.max_position"):
    def change(line):
        intent = {**line["payload"]["intent"], "reduce_only": reduce_only}
        violation = {"code": code, "observed": "2", "limit": "1"}
        return as_kind("intent.refused", {
            "intent": intent, "policy_hash": line["payload"]["policy_hash"], "violations": [violation],
        })(line)  # fmt: skip

    return change


def document_with(change):
    def made(line):
        if line["kind"] != "run.started":
            return line
        document = json.loads(line["payload"]["document"])
        change(document)
        return but(document=json.dumps(document))(line)

    return made


def first_fill_report():
    """Return a change of the first report of a fill into one that only acknowledges."""
    done = False

    def made(line):
        nonlocal done
        if done or line["kind"] != "venue.report" or line["payload"]["trade_id"] is None:
            return line
        done = True
        return but(trade_id=None, type="acknowledged", lots=0)(line)

    return made


STALE = {"risk_policy.accepted_in_breach": FAIL, "enforcement_slos.policy_breach": FAIL}
"""Orders that left while the journal has no fresh price went out beyond a limit."""
CASES = {
    "a fill that the ledger never booked": (
        nth("ledger.fill_booked", 100, _loses), {"fill_parity.missing_local": FAIL}),
    "a fill booked with other lots": (
        nth("ledger.fill_booked", 100, but(lots=1_999)), {"fill_parity.quantity": FAIL}),
    "a fill booked a tick away": (
        nth("ledger.fill_booked", 100, lambda line: but(price=line["payload"]["price"] + 1)(line)),
        {"fill_parity.price_ticks": WARN}),
    "a fill booked with another fee": (
        nth("ledger.fill_booked", 100, but(fee="0.01")), {"fill_parity.fee": WARN}),
    "books whose equity moves by itself": (
        nth("telemetry.ledger.accounting", 200, but(equity="599000")), {"accounting_integrity.unexplained": FAIL}),
    "negative fees without a rebate": (
        nth("telemetry.ledger.accounting", 250, but(fees_today="-0.005")),
        {"accounting_integrity.fees_negative": FAIL}),
    "a desk that failed": (
        nth("strategy.abstained", 300, as_kind("desk.failed", {"component": "desk", "text": "test"})),
        {"risk_policy.source_failed": FAIL, "accounting_integrity.not_accepted": UNKNOWN}),
    "a refusal without a code": (
        nth("intent.approved", 300, refused(code="")),
        {"risk_policy.refused_without_code": FAIL, "enforcement_slos.policy_warning": WARN}),
    "a closing order refused for exposure": (
        nth("intent.approved", 300, refused(reduce_only=True)),
        {"risk_policy.reducing_refused": FAIL, "enforcement_slos.policy_warning": WARN}),
    "an approval over the largest order": (
        nth("intent.approved", 300, but(opening_lots=600_000)),
        {"risk_policy.accepted_in_breach": FAIL, "enforcement_slos.policy_breach": FAIL}),
    "orders that nobody approved": (
        every("intent.approved", lambda n: n % 8 == 0, _loses), {"attribution_coverage.coverage": WARN}),
    "the feed silent for the last half minute": (
        every("market.quote", lambda n: n > STEPS - 31, _loses),
        {"market_data_freshness.message_age": FAIL, **STALE}),
    "a hole in the feed": (
        every("market.quote", lambda n: 1_000 < n <= 1_100, _loses), {"data_feed.gap": WARN, **STALE}),
    "a fill that the venue never reported": (
        first_fill_report(), {"fill_parity.phantom": FAIL}),
    "a row that is late by two periods": (
        every("telemetry.desk.minute", lambda n: n > 47, _loses),
        {"telemetry_completeness.silent": FAIL, "portfolio_risk.input_age": FAIL,
         "portfolio_risk.net_exposure": OK}),  # judged by older rows, in which less was held
    "an effect without its cause": (
        nth("order.changed", 500, lambda line: {**line, "causation_id": "venue:999999"}),
        {"log_integrity.unknown_cause": FAIL}),
    "an event that came twice": (
        nth("order.changed", 500, lambda line: {**line, "event_id": "desk:1", "source_seq": 1}),
        {"log_integrity.duplicate_id": FAIL, "log_integrity.gap": FAIL, "source_compare.cut_event": FAIL}),
    "a source whose clock went back": (
        nth("order.changed", 500, lambda line: {
            **line, "ts_event": line["ts_event"] - 60 * SECOND, "ts_init": line["ts_init"] - 60 * SECOND}),
        {"log_integrity.time_backwards": WARN}),
    "a quote that its source stamped an hour ahead": (
        nth("market.quote", 500, lambda line: {**line, "ts_event": line["ts_init"] + 3_600 * SECOND}),
        {"log_integrity.ahead_of_time": FAIL}),
    "a schema that nobody knows": (
        nth("order.changed", 500, lambda line: {**line, "schema": "order.changed@9.0"}),
        {"log_integrity.unknown_schema": FAIL}),
    "a strategy that has no file": (
        document_with(lambda plain: plain["instances"][0].update(name="another")), {"strategy_catalog.name": FAIL}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_broken_line_flips_the_check_that_names_it(run, sound, tmp_path, case):
    change, expected = CASES[case]
    assert flipped(sound, verdicts(resealed(run, tmp_path / "run", change))) == expected


def test_a_replay_finds_a_line_that_was_not_decided_so(run, sound, tmp_path):
    assert not any(code.startswith(WITNESSES[0]) for code in sound)
    found = verdicts(resealed(run, tmp_path / "run", nth("ledger.fill_booked", 100, _loses)))
    assert found["understanding_slos.replay_checksum"] is found["understanding_slos.replay_differs"] is FAIL


def copy(run, tmp_path):
    target = tmp_path / "run"
    shutil.copytree(run, target)
    return target


def test_a_byte_that_is_another_breaks_the_chain_and_nothing_else(run, tmp_path):
    whole, target = verdicts(run), copy(run, tmp_path)
    segment = sorted((target / "journal").glob("journal-*.jsonl"))[0]
    segment.write_bytes(segment.read_bytes().replace(b'"reason":"join"', b'"reason":"jOin"', 1))
    assert flipped(whole, verdicts(target)) == {"log_integrity.broken_chain": FAIL}


def test_a_last_segment_that_is_gone_is_missed_by_the_checkpoint(run, tmp_path):
    whole, target = verdicts(run), copy(run, tmp_path)
    segments = sorted((target / "journal").glob("journal-*.jsonl"))
    segments[-1].unlink()
    found = flipped(whole, verdicts(target))
    assert {code for code in found if code.startswith("log_integrity.")} == {
        "log_integrity.broken_chain", "log_integrity.not_at_checkpoint"
    }  # fmt: skip
    # what the desk did since then is not there either: its last day, which these rest on
    rest = {"log_integrity", "accounting_integrity", "paper_soak", "portfolio_risk"}
    assert {code.partition(".")[0] for code in found} <= rest


def test_bytes_that_nobody_can_read_leave_all_that_rests_on_them_unknown_and_the_journal_failed(run, tmp_path):
    whole, target = verdicts(run), copy(run, tmp_path)
    segment = sorted((target / "journal").glob("journal-*.jsonl"))[-1]
    data = segment.read_bytes()
    segment.write_bytes(data.replace(b'"kind":"order.changed"', b'"kind":"order.chanXed"', 1))
    broken = verdicts(target)
    assert broken["log_integrity.broken_chain"] is FAIL
    failed = {code.partition(".")[0] for code, severity in broken.items() if code.endswith(".collector_failed")}
    assert {"fill_parity", "accounting_integrity", "risk_policy", "data_feed", "paper_soak"} <= failed
    new = {code for code, severity in flipped(whole, broken).items() if severity is FAIL}
    assert new == {"log_integrity.broken_chain", "log_integrity.not_at_checkpoint"}


def test_a_journal_without_its_beginning_cannot_be_judged(run, tmp_path):
    target = copy(run, tmp_path)
    sorted((target / "journal").glob("journal-*.jsonl"))[0].unlink()
    with pytest.raises((UsageError, InvalidInput)):
        verdicts(target)


def test_a_secret_in_the_folder_is_found_and_nothing_else_minds(run, tmp_path):
    whole, target = verdicts(run), copy(run, tmp_path)
    (target / "note.txt").write_text("password=hunter2hunter2")
    assert flipped(whole, verdicts(target)) == {"secrets_hygiene.secret_found": FAIL}


def test_a_key_that_others_can_read_is_found_and_nothing_else_minds(run, tmp_path):
    whole, target = verdicts(run), copy(run, tmp_path)
    (target / "desk.key").write_bytes(b"-----BEGIN " + b"PRIVATE KEY-----")
    (target / "desk.key").chmod(0o644)
    assert flipped(whole, verdicts(target)) == {"secrets_hygiene.key_readable_by_others": FAIL}


def test_what_the_desk_did_not_know_yet_is_not_judged(run):
    early = verdicts(run, at=200)
    assert early["paper_soak.minutes"] >= UNKNOWN
    assert "attribution_coverage.coverage" not in verdicts(run)


ALTERED = {"artefact_retention.altered": FAIL}


@pytest.mark.parametrize(("name", "broken"), [
    ("blotter.csv", lambda path: path.write_bytes(path.read_bytes().replace(b"2000", b"2001", 1) + b" ")),
    ("summary.json", lambda path: path.write_text("{}")), ("fills.jsonl", lambda path: path.unlink()),
    ("nav.jsonl", lambda path: path.write_bytes(path.read_bytes()[:-1])),
    ("configuration.json", lambda path: path.write_text(path.read_text().replace("500000", "900000"))),
])  # fmt: skip
def test_an_artefact_that_was_edited_cut_or_taken_away_is_named_and_nothing_else_minds(run, tmp_path, name, broken):
    whole, target = verdicts(run), copy(run, tmp_path)
    broken(target / name)
    assert flipped(whole, verdicts(target)) == ALTERED


@pytest.mark.parametrize("broken", [lambda path: path.unlink(), lambda path: path.write_text("{")])
def test_a_run_whose_manifest_is_gone_or_cut_is_not_known_to_be_whole(run, tmp_path, broken):
    whole, target = verdicts(run), copy(run, tmp_path)
    broken(target / "manifest.json")
    assert flipped(whole, verdicts(target)) == {"artefact_retention.altered": UNKNOWN}


def test_a_run_whose_end_is_cut_off_still_has_its_artefacts_held_against_the_manifest(run, tmp_path):
    target = copy(run, tmp_path)
    assert "artefact_retention.altered" not in verdicts(target, at=200)
    (target / "blotter.csv").write_text("")
    assert verdicts(target, at=200)["artefact_retention.altered"] is FAIL


def test_a_checkpoint_that_is_gone_leaves_the_journal_unknown_and_nothing_else_minds(run, tmp_path):
    whole, target = verdicts(run), copy(run, tmp_path)
    for one in (target / "journal").glob("checkpoint-*"):
        one.unlink()
    assert flipped(whole, verdicts(target)) == {"log_integrity.not_at_checkpoint": UNKNOWN}


def test_a_last_line_that_was_cut_is_missed_by_chain_and_checkpoint(run, tmp_path):
    whole, target = verdicts(run), copy(run, tmp_path)
    last = sorted((target / "journal").glob("journal-*.jsonl"))[-1]
    last.write_bytes(last.read_bytes()[:-700])
    found = flipped(whole, verdicts(target))
    assert {code for code, severity in found.items() if severity is FAIL} == {
        "log_integrity.broken_chain", "log_integrity.not_at_checkpoint"
    }  # fmt: skip


def test_books_that_nobody_wrote_are_unknown_and_silence_fails(run, sound, tmp_path):
    gone = every("telemetry.ledger.accounting", lambda n: True, lambda line: None)
    found = flipped(sound, verdicts(resealed(run, tmp_path / "run", gone)))
    assert found["telemetry_completeness.silent"] is FAIL
    assert {severity for code, severity in found.items() if code.startswith("accounting_integrity.")} == {UNKNOWN}
    rest = {"telemetry_completeness", "accounting_integrity", "burn_rate", "log_integrity", "source_compare"}
    assert {code.partition(".")[0] for code in found} <= rest


def test_a_limit_that_was_tightened_finds_what_left_over_it(run, sound, tmp_path):
    tight = document_with(lambda plain: plain["risk"].update(max_order_value="1"))
    assert flipped(sound, verdicts(resealed(run, tmp_path / "run", tight))) == STALE
