"""`journal trace` walks from a fill to its decision and market data, forward to the booking, and names a break."""

import shutil

import pytest
from desk_process import command, document, events_of, folder_of

from tradeworthy.trading.model import FillBooked, SubmitOrder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("traced")
    done = command("backtest", "run", document(place, kind="backtest", rows=600), "--runs", place / "runs")
    return folder_of(done)


def story_of(run):
    """Return the events of the first filled order, by kind of link."""
    events = events_of(run)
    by_id = {event.event_id: event for event in events}
    booked = next(event for event in events if type(event.payload) is FillBooked)
    report = by_id[booked.causation_id]
    submit = by_id[report.causation_id]
    return {"data": by_id[submit.causation_id], "submit": submit, "report": report, "booked": booked}


def without(run, target, gone):
    """Return a copy of the run whose journal lacks one event."""
    copy = shutil.copytree(run, target)
    needle = f'"event_id":"{gone.event_id}"'.encode()
    for path in (copy / "journal").glob("journal-*.jsonl"):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(line for line in lines if needle not in line))
    return copy


def test_the_links_lead_from_a_fill_to_its_data(run):
    story = story_of(run)
    assert type(story["submit"].payload) is SubmitOrder
    assert story["data"].kind.startswith("market.")
    assert {event.correlation_id for event in story.values()} == {story["data"].event_id}


@pytest.mark.parametrize("place", ["booked", "submit", "data"])
def test_the_story_is_whole_from_either_end(run, place):
    story = story_of(run)
    done = command("journal", "trace", run, story[place].event_id)
    assert done.returncode == 0, done.stdout
    for event in story.values():
        assert event.kind in done.stdout
    for kind in ("intent.approved", "order.changed", "ledger.fill_booked"):
        assert kind in done.stdout


@pytest.mark.parametrize(("gone", "asked"), [("data", "booked"), ("submit", "booked"), ("report", "booked"),
                                             ("booked", "submit")])  # fmt: skip
def test_a_missing_link_is_named(run, tmp_path, gone, asked):
    story = story_of(run)
    copy = without(run, tmp_path / "copy", story[gone])
    done = command("journal", "trace", copy, story[asked].event_id)
    assert done.returncode == 2
    assert "broken: " in done.stdout
    assert story[gone].event_id in done.stdout.split("broken: ", 1)[1]


def test_an_id_nobody_knows_cannot_be_judged(run):
    assert command("journal", "trace", run, "tw-nobody").returncode == 3
