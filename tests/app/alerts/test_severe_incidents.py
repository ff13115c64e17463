"""A SEV-1 incident and the way out of `stopped`: it must be named, and somebody must have taken it (IN-04)."""

from tradeworthy.app.alerts.journal import JOURNAL, AlertJournal, severe_faults
from tradeworthy.kernel.clock import EventClock
from tradeworthy.operations.incidents.lifecycle import Phase, replayed
from tradeworthy.operations.incidents.policy import IncidentPolicy

POLICY = IncidentPolicy()


def faults(tmp_path, facts, incident):
    journal = AlertJournal(tmp_path / JOURNAL, EventClock(1), run_id=f"r{len(list(tmp_path.iterdir()))}")
    journal.tell_all(facts)
    journal.close()
    return severe_faults(tmp_path, POLICY, incident)


def test_a_stop_is_left_only_in_the_name_of_the_sev_1_that_somebody_took(tmp_path):
    opened = replayed([], POLICY).open_by("ada", "fire", 1, 1)
    (said,) = faults(tmp_path, [opened], "INC-7")
    assert "must be one of INC-00001, was INC-7" in said
    assert severe_faults(tmp_path, POLICY, "INC-00001") == ["INC-00001 is not taken: acknowledge it first"]
    moved = replayed([opened], POLICY).move("INC-00001", Phase.ACKNOWLEDGED, "bob", 2)
    taken = tmp_path / "taken"
    taken.mkdir()
    assert faults(taken, [opened, moved], "INC-00001") == []


def test_a_drill_and_a_milder_incident_ask_for_nothing(tmp_path):
    book = replayed([], POLICY)
    drill = book.open_by("ada", "exercise", 1, 1, drill=True)
    assert faults(tmp_path, [drill], "anything") == []
    assert severe_faults(tmp_path / "nowhere", POLICY, "anything") == []
