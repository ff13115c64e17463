"""The registry: every file of the room is an assessment, found by name; all else is generated from it (FW-25)."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.telemetry.topics import TOPICS
from tradeworthy.operations.assessments.framework.assessment import Assessment
from tradeworthy.operations.assessments.framework.finding import FRAMEWORK_CODES, CodeSpec
from tradeworthy.operations.assessments.framework.policy import AssessmentPolicy, effective

ROOM = "tradeworthy.operations.assessments"
OWNER = "operations/assessments"
NAME = "ASSESSMENT"
NEAR_MAX = 3
"""Names that are told at most to who mistyped one."""


class Registry:
    """Assessments by name, in the order of names."""

    def __init__(self, assessments: Iterable[Assessment]) -> None:
        self._by_name: dict[str, Assessment] = {}
        for one in sorted(assessments, key=lambda one: one.name):
            if one.name in self._by_name:
                raise ValueError(f"{one.name} is registered twice")
            self._by_name[one.name] = one
        for one in self._by_name.values():
            names = [child.name for child in one.children]
            unknown = [name for name in names if name not in self._by_name and not _planned(name)]
            if unknown:
                raise ValueError(f"{one.name}: expected registered children, found {unknown}")
        self.codes: dict[str, tuple[Assessment, CodeSpec]] = {
            code.code: (one, code) for one in self._by_name.values() for code in one.codes()
        }

    def __iter__(self) -> Iterator[Assessment]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def get(self, name: str) -> Assessment:
        """Return one; raises `UsageError` naming those that there are."""
        found = self._by_name.get(name)
        if found is None:
            near = get_close_matches(name, list(self._by_name), n=NEAR_MAX)
            told = f", e.g. {', '.join(near)}" if near else ""
            raise UsageError(
                f"expected one of {len(self)} assessments{told}, found {name!r}; `tradeworthy assess list` shows them"
            )
        return found

    def section(self, name: str) -> tuple[Assessment, ...]:
        """Return the assessments of a section; raises `UsageError` for one that there is not."""
        found = tuple(one for one in self if one.section == name)
        if not found:
            known = ", ".join(sorted({one.section for one in self}))
            raise UsageError(f"expected a section of {known}, found {name!r}")
        return found

    def in_order(self, names: Iterable[str] | None = None) -> tuple[Assessment, ...]:
        """Return assessments so that children come before the composites that read them."""
        found: dict[str, Assessment] = {}

        def add(one: Assessment) -> None:
            for child in one.children:
                if child.name in self._by_name:
                    add(self._by_name[child.name])
            found.setdefault(one.name, one)

        for one in self if names is None else map(self.get, names):
            add(one)
        return tuple(found.values())

    def policies(self, overrides: Mapping[str, Any]) -> dict[str, AssessmentPolicy]:
        """Return every policy under the document's section `assessments`; raises `UsageError` naming fields."""
        unknown = sorted(set(overrides) - set(self._by_name))
        if unknown:
            raise UsageError(f"assessments: expected names of assessments, found {unknown}")
        return {one.name: effective(one.name, one.policy, overrides.get(one.name, {})) for one in self}

    def explain(self, code: str) -> CodeSpec:
        """Return what stands behind a code, an alias or one of the framework's; raises `UsageError`."""
        name, _, what = code.partition(".")
        if name in self._by_name:
            known = self._by_name[name]
            code = known.aliases.get(code, code)
            if what in FRAMEWORK_CODES:
                return CodeSpec(
                    code=code, primitive="framework", facts=(), limit="", category=known.category,
                    runbook=known.runbook, remedy=FRAMEWORK_CODES[what], owner=known.owner,
                )  # fmt: skip
        if code not in self.codes:
            near = get_close_matches(code, [*self.codes, *self._by_name], n=NEAR_MAX)
            told = f", e.g. {', '.join(near)}" if near else ", e.g. task_supervision.heartbeat"
            raise UsageError(
                f"expected an assessment or one of its codes{told}, found {code!r}; `tradeworthy assess explain NAME` "
                "shows the codes of one"
            )
        return self.codes[code][1]


def _planned(name: str) -> bool:
    """Tell whether a topic waits for an assessment that has no file yet: its composite counts it as missing."""
    return any(topic.owner == OWNER and name in topic.payload.replace(",", "").split() for topic in TOPICS.values())


@cache
def registry() -> Registry:
    """Return the room's assessments: each file of the room that is not a package, in the order of names.

    Raises `ValueError` for a file without `ASSESSMENT`, and for a topic that another room owns.
    """
    room = importlib.import_module(ROOM)
    found = []
    for info in sorted(pkgutil.iter_modules(room.__path__), key=lambda one: one.name):
        if info.ispkg:
            continue
        module = importlib.import_module(f"{ROOM}.{info.name}")
        one = getattr(module, NAME, None)
        if not isinstance(one, Assessment):
            raise ValueError(f"{ROOM}.{info.name}: expected an assessment named {NAME}, found {one!r}")
        found.append(named(one, info.name))
    return Registry(found)


def named(one: Assessment, name: str) -> Assessment:
    """Return an assessment under its file's name; its topic must say that it carries this one's snapshots."""
    topic = TOPICS[one.topic]
    if topic.owner != OWNER or name not in topic.payload:
        raise ValueError(f"{name}: expected a topic for its snapshots, found {one.topic!r}: {topic.payload}")
    return msgspec.structs.replace(one, name=name)
