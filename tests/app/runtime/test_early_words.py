"""What a process tells before its bus runs waits for it, and no start begins with an outage."""

from ingesting_scene import document, process, run

from tradeworthy.app.runtime.telling import EARLY_MAX, GUARD_TOPIC, Bulletin


class Taken:
    """A publisher that remembers."""

    def __init__(self):
        self.sent = []

    def publish(self, topic, payload, *, source):
        self.sent.append((topic, payload["n"]))


def test_what_is_told_before_the_bus_runs_is_published_when_it_does_in_order():
    publisher = Taken()
    bulletin = Bulletin(publisher)
    for number in range(EARLY_MAX + 2):
        bulletin.tell(GUARD_TOPIC, {"n": number})
    assert publisher.sent == []
    bulletin.open()
    assert [number for _, number in publisher.sent] == list(range(2, EARLY_MAX + 2))
    bulletin.tell(GUARD_TOPIC, {"n": 1_000})
    bulletin.open()
    assert publisher.sent[-1] == (GUARD_TOPIC, 1_000)


def test_a_clean_start_has_no_outage_of_publishing(tmp_path):
    one, seen = process(tmp_path, document(rows=50)), []

    async def take(message):
        seen.append(one.publishing.publisher.facts())

    one.publishing.bus.subscribe("test", take, topics=("telemetry.",))
    one.bulletin.tell(GUARD_TOPIC, {"n": 1})  # as a desk that is compared with its venue does when it is opened
    assert run(one).exit_code == 0
    assert (seen[0].outages_total, seen[0].spooled_total, seen[0].cause) == (0, 0, "")
