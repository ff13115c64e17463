"""A certificate that turns is published and told to people: loudly when a GO ends, never when there was none."""

import msgspec
import pytest
from soak_runs import document

from tradeworthy.app.evidence.certified import CertificateVoice, running_hashes
from tradeworthy.app.identity import hashes_of_document
from tradeworthy.kernel.errors import RetryLater
from tradeworthy.kernel.telemetry.message import message_of
from tradeworthy.operations.evidence.telling import CertificateTold

GO = CertificateTold(
    verdict="GO", turned=True, evaluated_at=1, release="r1", tier="t", environment="live", policy_hash="p",
    notice="none", unmet=(), waivers=(), ends_at=9, ends_requirement="stress", remedy="run it again",
)


def told(**changes):
    return msgspec.structs.replace(GO, **changes)


ENDED = told(verdict="NO-GO", notice="page", unmet=("stress stale",), ends_at=0)


class Heard:
    """Collect what is published and said; `refuse` makes publishing fail."""

    def __init__(self, *, refuse=False):
        self.topics, self.signals, self._refuse = [], [], refuse
        self.voice = CertificateVoice(self.publish, self.signals.append)

    def publish(self, topic, payload):
        if self._refuse:
            raise RetryLater("the bus is away")
        message_of(topic, payload, event_id="e", source="operations/evidence", ts=1)
        self.topics.append(topic)

    def say(self, *many):
        for one in many:
            self.voice(one)
        return [(one.code, one.severity.value, one.firing) for one in self.signals]


def test_a_go_that_ends_is_critical_and_ends_with_its_return():
    heard = Heard()
    assert heard.say(GO, ENDED, GO)[1:] == [
        ("certificate.lapsed", "critical", True), ("certificate.lapsed", "info", False),
    ]
    assert heard.topics == ["telemetry.evidence.certificate"] * 3
    assert "stress stale" in heard.signals[1].message


def test_a_desk_that_never_had_a_go_is_told_nothing_by_it():
    assert Heard().say(ENDED, told(verdict="unknown", notice="page")) == []


@pytest.mark.parametrize(("notice", "severity"), [("notice", "info"), ("warn", "warning"), ("page", "critical")])
def test_a_coming_end_is_told_louder_the_nearer_it_is(notice, severity):
    heard = Heard()
    assert heard.say(GO, told(turned=False, notice=notice))[-1] == ("certificate.ends", severity, True)
    assert "run it again" in heard.signals[-1].message


def test_people_are_told_though_nobody_takes_the_event():
    heard = Heard(refuse=True)
    assert heard.say(GO, ENDED)[-1][0] == "certificate.lapsed"


def test_the_running_hashes_are_those_of_the_document_in_force():
    now = [document()]
    running = running_hashes(lambda: now[0], "c" * 64)
    first = running()
    assert first["config"] == hashes_of_document(now[0], "c" * 64).config
    assert running() is first
    now[0] = msgspec.structs.replace(now[0], desk=msgspec.structs.replace(now[0].desk, seed=99))
    assert running()["config"] != first["config"]
