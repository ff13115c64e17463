"""What lies in a desk's inbox reaches it as a journaled input, once over any number of starts (MO-05)."""

import json

from soak_runs import START, document

from tradeworthy.app.people.operator_acts import INBOX
from tradeworthy.app.runs.folder import state_of
from tradeworthy.app.runs.runner import RunSession, journal_of, replay_run
from tradeworthy.kernel.clock import NANOS_PER_SECOND, EventClock
from tradeworthy.kernel.journal import read
from tradeworthy.trading.execution.intake import DeadLetter, IntentTaken


def play(root, environment="paper"):
    return RunSession(document(environment=environment, steps=1_200), root=root, clock=EventClock()).play()


def put(root, name, **fields):
    inbox = state_of(root, "made") / INBOX
    inbox.mkdir(parents=True, exist_ok=True)
    wish = {"intent_id": name, "owner": "operator", "act": "pause", "code": "hand", "reason": "drill",
            "decision_id": "d1", "expires_at": START + 200 * NANOS_PER_SECOND, "scope": "desk"} | fields  # fmt: skip
    (inbox / f"{name}.json").write_text(json.dumps(wish))


def of(run, kind):
    return [event.payload for event in read(journal_of(run.folder)) if type(event.payload) is kind]


def test_a_wish_is_journaled_applied_and_replayed_and_a_bad_one_is_a_dead_letter(tmp_path):
    put(tmp_path, "w1")
    put(tmp_path, "w2", owner="somebody")
    run = play(tmp_path)
    assert [one.intent_id for one in of(run, IntentTaken)] == ["w1"]
    assert [one.intent_id for one in of(run, DeadLetter)] == ["w2"]
    replayed = replay_run(run.folder)
    assert replayed.ok
    assert replayed.digest == run.digest


def test_a_backtest_hears_no_wish(tmp_path):
    put(tmp_path, "w1")
    assert of(play(tmp_path, "backtest"), IntentTaken) == []
