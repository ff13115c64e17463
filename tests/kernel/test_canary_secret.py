"""A planted secret reaches no sink of the journal: lines, quarantine, torn tails, checkpoints, traces, messages."""

import base64
import json
import os
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.cli import main
from tradeworthy.kernel import redaction
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.facts import event_of
from tradeworthy.kernel.journal import Journal, JournalPolicy, LocalSigner, Quarantine
from tradeworthy.kernel.journal.verify import verify
from tradeworthy.kernel.redaction import may_hold_secret, redact
from tradeworthy.trading.model import Funding

CANARY = 'canary-7f"3a\\9d'


@pytest.fixture
def canary(monkeypatch):
    monkeypatch.setattr(redaction, "_known", {})
    return redaction.Secret(CANARY)


def test_no_file_of_the_journal_holds_the_canary_plain_escaped_or_in_base64(tmp_path, canary):
    quarantine = Quarantine(tmp_path)
    policy = JournalPolicy(checkpoint_copies=(str(tmp_path / "copy"),))
    signer = LocalSigner(Ed25519PrivateKey.generate())
    journal = Journal.open(
        tmp_path / "j", clock=EventClock(1), policy=policy, signer=signer, quarantine=quarantine
    )
    journal.append(
        event_of(Funding(instrument=f"x {canary.reveal()} y", rate=None), source="v", key=1, ts_event=1, ts_init=1)
    )
    journal.admit(f'{{"api_key":"{canary.reveal()}"}}'.encode())
    told = quarantine.put(b"line " + CANARY.encode(), f"bad value {CANARY}", source=CANARY)
    journal.append(event_of(told, source="quarantine", key=1, ts_event=1, ts_init=1))
    journal.close()
    assert verify(tmp_path / "j").ok, "the hash covers what is stored"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    forms = [CANARY.encode(), json.dumps(CANARY)[1:-1].encode(), base64.b64encode(CANARY.encode())[:12]]
    assert len(files) >= 5
    assert not [path for path in files if any(form in path.read_bytes() for form in forms)]
    kept = [json.loads(line) for line in (tmp_path / "quarantine.jsonl").read_bytes().splitlines()]
    assert not [one for one in kept if CANARY.encode() in base64.b64decode(one["bytes"])]


def test_an_exceptions_trace_is_a_sink_too(canary):
    def leak(secret):
        raise RuntimeError(f"cannot log in with {secret}")

    with pytest.raises(RuntimeError) as caught:
        leak(canary.reveal())
    shown = redaction.trace_of(caught.value)
    assert "RuntimeError: cannot log in with [redacted]" in shown
    assert CANARY not in shown


def test_an_expected_failure_is_told_without_secrets(canary, monkeypatch, capsys):
    def refusing(*_words, **_odd):
        raise UsageError(f"the key {CANARY} opens nothing")

    monkeypatch.setattr(main, "app", refusing)
    assert main.call(["data"]) == 3
    assert "the key [redacted] opens nothing" in capsys.readouterr().err


def test_a_crash_of_the_command_shows_no_secret():
    program = (
        "from tradeworthy.kernel.redaction import Secret\nfrom tradeworthy.cli import main\n"
        "secret = Secret('canary-7f3a9d')\n"
        "def crash(*words, **odd): raise RuntimeError('crashed with ' + secret.reveal())\n"
        "main.app = crash\nmain.main(['demo'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "src"},
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "crashed with [redacted]" in done.stderr
    assert "canary-7f3a9d" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("open postgres://desk:hunter2hunter2@db:5432/x now", "open postgres://desk:[redacted]@db:5432/x now"),
        ("redis://:hunter2hunter2@cache/0", "redis://:[redacted]@cache/0"),
        ('{"url":"amqp://a:b%40c@h"}', '{"url":"amqp://a:[redacted]@h"}'),
        ("https://host:8080/path@v1", "https://host:8080/path@v1"), ("mail ann@host", "mail ann@host"),
    ],
)  # fmt: skip
def test_the_password_of_an_address_is_taken_out(text, clean):
    assert redact(text) == clean
    assert redact(clean) == clean
    assert may_hold_secret(text.encode()) or clean == text
