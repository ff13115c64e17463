"""What nobody has a route for: lines and dead letters of an hour, and the mail, which is counted and not read."""

import os
from datetime import UTC, datetime

import pytest

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.kernel.telemetry.dead_letters import LINE
from tradeworthy.operations.assessments.collectors.told import Teller
from tradeworthy.operations.assessments.collectors.unrouted import UnroutedFold, mail_facts, usual_mailbox
from tradeworthy.operations.assessments.framework.mutation import AT, judged
from tradeworthy.operations.assessments.framework.registry import registry

UNROUTED = registry().get("unrouted_errors")
TELL = Teller("test", AT, environment="paper")
MINUTE = 60 * NANOS_PER_SECOND


def codes(*facts):
    return {one.code: one.severity for one in judged(UNROUTED, facts, UNROUTED.policy).findings}


def mail(at, text="hello"):
    moment = datetime.fromtimestamp(at / NANOS_PER_SECOND, UTC)
    return f"From root@host {moment:%a %b %d %H:%M:%S} +0000 {moment:%Y}\nSubject: cron\n\n{text}\n\n"


def box(path, *mails, modified=AT):
    path.write_text("".join(mails))
    os.utime(path, ns=(modified, modified))
    return path


def test_one_line_within_the_hour_fails_and_an_hour_later_none_counts():
    fold = UnroutedFold()
    assert codes(*fold.facts(TELL, AT)) == {}
    fold.take("boom", AT - 59 * MINUTE)
    assert codes(*fold.facts(TELL, AT)) == {"unrouted_errors.error_line": Severity.FAIL}
    assert codes(*fold.facts(TELL, AT + 2 * MINUTE)) == {}


def test_the_line_of_a_dead_letter_is_told_as_one():
    fold = UnroutedFold()
    fold.take(LINE, AT)
    assert codes(*fold.facts(TELL, AT)) == {"unrouted_errors.dead_letter": Severity.FAIL}


def test_mail_of_the_hour_fails_and_older_or_quoted_mail_does_not(tmp_path):
    known = UnroutedFold().facts(TELL, AT)
    old = box(tmp_path / "a", mail(AT - 61 * MINUTE), mail(AT - 90 * MINUTE, text=">From root in a text"))
    assert mail_facts(old, AT, TELL)[0].value == 0
    new = box(tmp_path / "b", mail(AT - 61 * MINUTE), mail(AT - MINUTE), mail(AT - 2 * MINUTE))
    assert mail_facts(new, AT, TELL)[0].value == 2
    assert codes(*known, *mail_facts(new, AT, TELL)) == {"unrouted_errors.system_mail": Severity.FAIL}
    assert mail_facts(box(tmp_path / "c", mail(AT), modified=AT - 60 * MINUTE), AT, TELL)[0].value == 0


def test_without_a_mailbox_there_is_no_mail_and_one_that_cannot_be_read_is_unknown(tmp_path):
    known = UnroutedFold().facts(TELL, AT)
    assert mail_facts(None, AT, TELL) == mail_facts(tmp_path / "gone", AT, TELL) == []
    assert codes(*known) == {}
    (tmp_path / "folder").mkdir()
    os.utime(tmp_path / "folder", ns=(AT, AT))
    assert codes(*known, *mail_facts(tmp_path / "folder", AT, TELL)) == {
        "unrouted_errors.system_mail": Severity.UNKNOWN
    }  # fmt: skip


def test_the_usual_mailbox_is_that_of_the_processs_user(monkeypatch):
    assert usual_mailbox() is None or usual_mailbox().parent.name == "mail"

    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr("tradeworthy.operations.assessments.collectors.unrouted.pwd.getpwuid", nobody)
    assert usual_mailbox() is None


@pytest.mark.parametrize("first", [b"From ", b"From root", b"From root no time at all"])
def test_a_mail_that_says_no_time_is_not_counted(tmp_path, first):
    path = tmp_path / "odd"
    path.write_bytes(first + b"\n\nwords\n")
    os.utime(path, ns=(AT, AT))
    assert mail_facts(path, AT, TELL)[0].value == 0
