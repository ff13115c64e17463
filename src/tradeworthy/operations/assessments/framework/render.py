"""A snapshot for people, from its JSON alone: Markdown, and a page where the extra is installed."""

from typing import Any

import msgspec

from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import redact
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.evidence.canonical import stamp_of

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ s.assessment }}</title><style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #d0d7de;padding:.35rem .6rem;text-align:left}
.OK{color:#1a7f37}.WARN{color:#9a6700}.UNKNOWN{color:#8250df}.FAIL{color:#cf222e;font-weight:600}</style></head><body>
<h1>{{ s.assessment }}: <span class="{{ word(s.status) }}">{{ word(s.status) }}</span></h1>
<p>at {{ stamp(s.generated_at) }} until {{ stamp(s.expires_at) }}, {{ s.environment }}; <code>{{ s.id }}</code></p>
<table><tr><th>code</th><th>component</th><th>status</th><th>observed</th><th>limit</th><th>what</th><th>runbook</th></tr>
{% for f in s.findings %}<tr><td>{{ f.code }}</td><td>{{ f.component }}</td>
<td class="{{ word(f.severity) }}">{{ word(f.severity) }}</td>
<td>{{ f.observed }} {{ f.unit }}</td><td>{{ f.limit }}</td>
<td>{{ f.message }} {{ f.remedy }}</td><td>{{ f.runbook }}</td></tr>{% endfor %}</table>
<table><tr><th>component</th><th>status</th><th>rules</th></tr>{% for c in s.components %}
<tr><td>{{ c.name }}</td><td class="{{ word(c.status) }}">{{ word(c.status) }}</td><td>{{ c.judged }}</td></tr>
{% endfor %}</table></body></html>
"""


def markdown(body: bytes) -> str:
    """Return a snapshot's canonical JSON as Markdown: the status, the findings, the components."""
    plain: dict[str, Any] = redact(msgspec.json.decode(body))
    lines = [
        f"# {plain['assessment']}: {word(plain['status'])}", "",
        f"At {stamp_of(plain['generated_at'])} until {stamp_of(plain['expires_at'])}, {plain['environment']}, "
        f"`{plain['id']}`.", "",
    ]  # fmt: skip
    if plain["findings"]:
        lines += ["| code | component | status | observed | limit | what | runbook |", "|---|---|---|---|---|---|---|"]
        lines += [
            f"| {one['code']} | {_cell(one['component'])} | {word(one['severity'])} | "
            f"{_cell(one['observed'])} {one['unit']} | {_cell(one['limit'])} | {_cell(one['message'])} | "
            f"{one['runbook']} |"
            for one in plain["findings"]
        ]
        lines.append("")
    lines += ["| component | status | rules |", "|---|---|---|"]
    lines += [f"| {_cell(one['name'])} | {word(one['status'])} | {one['judged']} |" for one in plain["components"]]
    return "\n".join(lines) + "\n"


def html(body: bytes) -> str:
    """Return a snapshot's canonical JSON as a page; raises `UsageError` without the extra `operations`."""
    try:
        import jinja2
    except ImportError:
        raise UsageError("pages need the extra: pip install 'tradeworthy[operations]'") from None
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(_PAGE)
    return page.render(s=redact(msgspec.json.decode(body)), word=word, stamp=stamp_of)


def word(severity: int) -> str:
    """Return the word of a severity."""
    return Severity(severity).name


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
