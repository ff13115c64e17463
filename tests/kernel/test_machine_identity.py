"""Two machines of one kind share a name, others do not; severities in plain data are told by name."""

import msgspec

from tradeworthy.kernel.host import machine_identity
from tradeworthy.kernel.report import Check, severities_named
from tradeworthy.kernel.severity import Severity


def test_the_processor_makes_the_kind_and_an_unknown_one_is_a_kind_too(tmp_path):
    for name, model in (("a", "Fast 9"), ("b", "Fast 9"), ("c", "Slow 1")):
        (tmp_path / name).write_text(f"processor : 0\nmodel name\t: {model}\ncores : 2\n")
    first, second, third = (machine_identity(tmp_path / name) for name in "abc")
    assert first == second != third
    assert machine_identity(tmp_path / "absent") == machine_identity(tmp_path / "absent")
    assert first.count("-") == 3


def test_severities_are_named_at_any_depth_and_nothing_else_is():
    check = msgspec.to_builtins(Check("a", Severity.FAIL, "3", "2"))
    plain = severities_named({"severity": 0, "level": 3, "parts": [{"checks": (check,)}]})
    assert plain == {"severity": "OK", "level": 3, "parts": [{"checks": [{**check, "severity": "FAIL", "seqs": []}]}]}
