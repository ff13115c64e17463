"""Render a run as one self-contained HTML file: no network, no library, data embedded, policy by hash (BT-11)."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from tradeworthy.research.backtest.records import RunRecords
from tradeworthy.research.backtest.report import data
from tradeworthy.research.backtest.summary import Summary, origin_label

SCRIPTS = ("base.js", "chart.js", "page.js")


class Overlay(msgspec.Struct, frozen=True):
    """Another run to be drawn over this one; its equity is rebased to this run's capital."""

    name: str
    summary: Summary
    records: RunRecords


def render_html(
    summary: Summary, records: RunRecords, *, title: str, labels: Mapping[str, str], overlay: Overlay | None = None
) -> str:
    """Return the whole document.

    labels   short facts shown under the title, e.g. `strategy` or `tape`; text is escaped

    The page's content security policy names the SHA-256 of its one style and one script, and allows nothing else.
    """
    style, script = style_sheet(), "\n".join(_text(name) for name in SCRIPTS)
    embedded = data.page_data(summary, records)
    embedded["overlay"] = None
    if overlay is not None:
        embedded["overlay"] = data.overlay_data(overlay.name, overlay.summary, overlay.records, base=records)
    parts = {
        "TITLE": html.escape(title),
        "LABELS": "".join(
            f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd></div>" for name, text in labels.items()
        ),
        "BANNERS": _banners(summary),
        "CSS": style,
        "JS": script,
        "STYLEHASH": source_hash(style),
        "SCRIPTHASH": source_hash(script),
        "DATA": msgspec.json.encode(embedded, order="sorted").decode().replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda found: parts[found[1]], _text("template.html"))


def _text(name: str) -> str:
    return files("tradeworthy.research.backtest.report").joinpath(name).read_text("utf-8")


def style_sheet() -> str:
    """Return the style of every offline page; its colours follow the reader's light or dark scheme."""
    return _text("report.css")


def source_hash(text: str) -> str:
    """Return what a content security policy calls an inline style or script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _banners(summary: Summary) -> str:
    found = []
    if label := origin_label(summary):
        found.append(f'<p class="banner synthetic"><b>{label[0]}</b> {label[1]}; nothing here is a track record.</p>')
    bias = html.escape(summary.fill_bias)
    found.append(f'<p class="banner"><b>fill_bias</b> <code>{bias}</code> Fills are simulated under this bias.</p>')
    return "".join(found)
