"""The worked example of CONTRIBUTING.md is whole: it registers, its cases flip, and it judges."""

import re
from pathlib import Path
from types import ModuleType

from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.cases import Case
from tradeworthy.operations.assessments.framework.mutation import changed, judged, mutate, unproven
from tradeworthy.operations.assessments.framework.registry import Registry, named, registry

PAGE = Path(__file__).parents[3] / "CONTRIBUTING.md"


def test_the_example_is_one_file_that_needs_no_other_edit():
    text = PAGE.read_text()
    [code] = re.findall(r"```python\n(.*?)```", text[text.index("## Adding an assessment") :], re.DOTALL)
    assert len(code.splitlines()) <= 60
    module = ModuleType("minimum_order")
    exec(compile(code, "minimum_order.py", "exec"), module.__dict__)
    known = Registry([*registry(), named(module.ASSESSMENT, "minimum_order")])
    one = known.get("minimum_order")
    results = tuple(mutate(one))
    assert [result for result in results if result.problem] == []
    assert unproven(one, results) == ()
    for cost, status in (("50", Severity.OK), ("50.01", Severity.WARN), ("500", Severity.WARN), ("501", Severity.FAIL)):
        assert judged(one, changed(one, Case("", {"minimum_cost": cost}, status)), one.policy).status is status
    assert known.explain("minimum_order.budget").limit == "FAIL below 10 quote"
