"""The document as a JSON schema, and as the page `docs/configuration.md`: every key with type, default and meaning."""

import re
from collections.abc import Mapping
from functools import cache
from inspect import getdoc
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from tradeworthy.app.config import Document
from tradeworthy.app.configuration.environment_keys import ENVIRONMENT_KEYS
from tradeworthy.app.configuration.meanings import MEANINGS
from tradeworthy.app.configuration.reload import RELOADABLE
from tradeworthy.app.configuration.sections import SECTIONS
from tradeworthy.app.environments import ENVIRONMENTS, MAY_DIFFER
from tradeworthy.trading.strategies.catalogue import CATALOGUE

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
UNITS: tuple[tuple[str, str], ...] = (
    ("_seconds", "s"), ("_seconds_warn", "s"), ("_seconds_min", "s"), ("_seconds_max", "s"), ("_s", "s"),
    ("_ms", "ms"), ("_ns", "ns"), ("_hours", "h"), ("_days", "d"), ("_minutes", "min"), ("_bytes", "bytes"),
    ("_bps", "bps"), ("_hour", "hour UTC"), ("_lots", "lots"), ("_events", "events"), ("_age", "ns"), ("_window", "ns"),
    ("_sample", "ns"), ("_spacing", "ns"), ("_cooldown", "ns"), ("event_before", "ns"), ("event_after", "ns"),
    ("recovery_time", "ns"),
)  # fmt: skip
"""The unit that the end of a key's name says."""
MONEY = frozenset({"capital", "max_order_value", "capital_limit", "throttle_notional", "asset_net_value", "cap"})
_ENTRY = re.compile(r"^([a-z_][a-z0-9_*]*(?:, [a-z_][a-z0-9_*]*)*)\s{2,}(\S.*)$")


def schema_of_document() -> dict[str, Any]:
    """Return the JSON schema of the document; sections that a room's policy reads refer to that policy."""
    policies = {name: CATALOGUE[name].policy for name in CATALOGUE}
    kinds = [Document, *SECTIONS.values(), *dict.fromkeys(policies.values())]
    refs, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    found = dict(zip((Document, *SECTIONS.values(), *dict.fromkeys(policies.values())), refs, strict=True))
    names = {kind: str(ref["$ref"]).rpartition("/")[2] for kind, ref in found.items()}
    root = components.pop(names[Document])
    for section, kind in SECTIONS.items():
        root["properties"][section] = {"$ref": f"#/$defs/{names[kind]}"}
    choices = [{"$ref": f"#/$defs/{names[kind]}"} for kind in dict.fromkeys(policies.values())]
    components["InstanceSection"]["properties"]["policy"] = {"anyOf": choices, "default": {}}
    return {"$schema": SCHEMA_DIALECT, **root, "$defs": dict(sorted(components.items()))}


def configuration_page() -> str:
    """Return the page of every key and every environment variable, made from the types and their docstrings."""
    lines = [
        "# Configuration", "",
        "Made by `tradeworthy config schema --markdown`; a test compares it with the code.", "",
        "One TOML document. Precedence: command line (`--set section.key=value`) > variables "
        "`TRADEWORTHY__SECTION__KEY` > the environment's layer (`--environment NAME`) > file > default. An unknown key "
        "or a wrong type ends with exit 3 and names path, expected and found. A secret is written as `secret://NAME`: "
        "the file NAME in the folder `TRADEWORTHY_SECRETS`, else the variable `TRADEWORTHY_SECRET_NAME`.", "",
        "## Environments", "", "| environment | clock | feed | venue | proves |", "|---|---|---|---|---|",
        *(f"| `{name}` | {' | '.join(one)} |" for name, one in ENVIRONMENTS.items()), "",
        "`--environment NAME` lays `environments/NAME.toml` from beside the document over it, else the file of that "
        f"name that ships with the package. Such a file may set {', '.join(f'`{one}`' for one in MAY_DIFFER)} and "
        "nothing else.", "",
    ]  # fmt: skip
    hints = get_type_hints(Document)
    plain = [one for one in msgspec.structs.fields(Document) if _struct_in(hints[one.name]) is None]
    lines += ["## The document", "", *_summary(Document), *_table(Document, {one.name for one in plain}), ""]
    for one in msgspec.structs.fields(Document):
        kind = _struct_in(hints[one.name]) or SECTIONS.get(one.name)
        if kind is not None:
            many = get_origin(hints[one.name]) is tuple
            lines += _section(f"[[{one.name}]]" if many else f"[{one.name}]", one.name, kind)
    lines += ["## `policy` of an instance", ""]
    for name in CATALOGUE:
        lines += _section(f"strategy {name}", "instances.policy", CATALOGUE[name].policy, level=3)
    lines += [
        "## Keys that reload", "", "A running desk takes these over (patterns of the field); a document that changes "
        "any other key is refused whole.", "",
        *(f"- {one.what}: `{one.field}`" for one in RELOADABLE), "",
        "## Environment variables", "", "| variable | type | default | unit | meaning |", "|---|---|---|---|---|",
        *(
            f"| `{one.name}` | {one.kind} | {_cell(one.default)} | {one.unit} | {_cell(one.meaning)} |"
            for one in ENVIRONMENT_KEYS
        ),
    ]  # fmt: skip
    return "\n".join(lines).rstrip("\n") + "\n"


def meanings(kind: type) -> Mapping[str, str]:
    """Return what a docstring says of single fields: lines `field, field  text`, `;  ` between two of them."""
    found: dict[str, str] = {}
    last: tuple[str, ...] = ()
    for line in (getdoc(kind) or "").splitlines()[1:]:
        if not line.strip() or line.startswith(("Raises", "Source")):
            last = ()
            continue
        for part in re.split(r";\s{2,}", line.strip()):
            entry = _ENTRY.match(part)
            if entry is not None:
                last = tuple(entry[1].split(", "))
                found |= dict.fromkeys(last, entry[2].strip())
            else:
                found |= {name: f"{found[name]} {part.strip()}" for name in last}
    return found


def _section(title: str, place: str, kind: type[msgspec.Struct], level: int = 2) -> list[str]:
    lines = [f"{'#' * level} `{title}`", "", *_summary(kind), *_table(kind), ""]
    for one, nested in _nested(kind):
        lines += _section(f"{place}.{one}", f"{place}.{one}", nested, level=min(level + 1, 4))
    return lines


def _nested(kind: type[msgspec.Struct]) -> list[tuple[str, type[msgspec.Struct]]]:
    hints = get_type_hints(kind)
    return [
        (one.name, inner)
        for one in msgspec.structs.fields(kind)
        if (inner := _struct_in(hints[one.name])) is not None
    ]


def _summary(kind: type) -> list[str]:
    first = (getdoc(kind) or "").split("\n\n")[0].replace("\n", " ").strip()
    return [first, ""] if first else []


def _table(kind: type[msgspec.Struct], only: set[str] | None = None) -> list[str]:
    hints, told = get_type_hints(kind), meanings(kind)
    lines = ["| key | type | default | unit | meaning |", "|---|---|---|---|---|"]
    for one in msgspec.structs.fields(kind):
        if only is None or one.name in only:
            meaning = (
                told.get(one.name) or next((t for n, t in told.items() if _covers(n, one.name)), "")
                or MEANINGS.get(kind.__name__, {}).get(one.name, "")
                or _mentioned(kind, one.name) or _of_nested(hints[one.name])
            )  # fmt: skip
            lines.append(
                f"| `{one.encode_name}` | {_cell(_type(hints[one.name]))} | {_cell(_default(one))} | "
                f"{_unit(one.name)} | {_cell(meaning)} |"
            )
    return lines


def _covers(pattern: str, name: str) -> bool:
    return pattern.endswith("*") and name.startswith(pattern[:-1])


def _mentioned(kind: type, name: str) -> str:
    """Return the clause of a docstring that names a field, where no line of it is that field's own."""
    clauses = [one for line in (getdoc(kind) or "").splitlines() for one in re.split(r"(?<=[.;])\s+", line.strip())]
    return next((one.rstrip(".;") for one in clauses if re.search(rf"`{name}`", one)), "")


def _of_nested(hint: Any) -> str:
    kind = _struct_in(hint)
    return "" if kind is None else re.split(r"(?<=[.:;])\s", (_summary(kind) or [""])[0])[0].rstrip(".:;")


def _struct_in(hint: Any) -> type[msgspec.Struct] | None:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    inner = [one for arg in get_args(hint) if (one := _struct_in(arg)) is not None]
    return inner[0] if len(inner) == 1 else None


def _type(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(f"`{one!r}`" for one in inner)
    if origin in (Union, UnionType):
        return " or ".join("absent" if one is NoneType else _type(one) for one in inner)
    if origin in (tuple, list):
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"table of {_type(inner[1])}"
    return {"Decimal": "decimal", "str": "text", "Any": "any"}.get(getattr(hint, "__name__", "")) or (
        "table" if _struct_in(hint) else str(getattr(hint, "__name__", hint))
    )


def _default(one: msgspec.structs.FieldInfo) -> str:
    if one.required:
        return "required"
    value = one.default if one.default is not msgspec.NODEFAULT else one.default_factory()
    if isinstance(value, msgspec.Struct):
        return "see below"
    return "none" if value in (None, "", (), {}) and value is not False and value != 0 else (
        f"`{msgspec.json.encode(value, order='deterministic').decode()}`"
    )


@cache
def _unit(name: str) -> str:
    if name in MONEY:
        return "money"
    return next((unit for end, unit in UNITS if name.endswith(end)), "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
