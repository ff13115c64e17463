"""A verdict for people: one page of Markdown, and one offline page of HTML that a person wants to read."""

from html import escape
from importlib.resources import files

from tradeworthy.kernel.redaction import redact
from tradeworthy.operations.dry_run.page import Page, duration
from tradeworthy.operations.evidence.canonical import stamp_of
from tradeworthy.operations.gates.engine import NO_SOURCE
from tradeworthy.operations.gates.explain import Explanation, Means
from tradeworthy.operations.gates.model import Answer, Grade, Row, Standing, Verdict
from tradeworthy.research.backtest.report import source_hash, style_sheet

TINTS = {Standing.MET: "green", Standing.WARNED: "amber", Standing.WAIVED: "amber", Standing.UNKNOWN: "violet",
         Standing.ABSENT: "violet", Standing.UNPROVEN: "violet", Standing.STALE: "amber"}  # fmt: skip
"""Colours of standings; all others are red."""
HOUR_S, DAY_S = 3_600, 86_400
LAPSES_SHOWN_MAX = 8
WAYS_SHOWN_MAX = 3
FIRST_MAX = 3
NOT_KNOWN = frozenset({Standing.UNKNOWN, Standing.ABSENT})
MEANS = {Means.RENEW: "make anew", Means.PROVE: "prove the check of", Means.WAIVE: "waive"}
"""Acts in words."""


def headline(verdict: Verdict) -> str:
    """Return the answer in one sentence: why, or until when and what ends it first (GE-07)."""
    return f"{verdict.answer}{':' if verdict.answer is Answer.NO_GO else ''} {reason(verdict)}"


def reason(verdict: Verdict) -> str:
    """Return the sentence without the answer's word."""
    if verdict.problem:
        return f"the table cannot be used. {verdict.problem}"
    critical = [row for row in verdict.unmet() if row.grade is Grade.CRITICAL]
    if verdict.answer is Answer.NO_GO:
        names = ", ".join(row.id for row in critical[:4])
        more = f" and {len(critical) - 4} more" if len(critical) > 4 else ""
        return f"{len(critical)} of {_critical(verdict)} critical rows are not met: {names}{more}."
    ends = verdict.ends_first
    until = "nothing ends it" if ends is None else f"ends in {duration(ends.seconds)}: {ends.requirement}"
    warned = sum(row.standing is not Standing.MET for row in verdict.rows)
    return f"with {warned} warnings, {until}." if warned else f"without warnings, {until}."


def markdown(verdict: Verdict, verdict_id: str, explained: Explanation | None = None) -> str:
    """Return the verdict's page; waivers stand first, then what is not met, the ways to GO, and what is met."""
    bound = verdict.context.binding
    page = Page(f"Gate {verdict.gate}: {verdict.answer}")
    page.text(headline(verdict))
    first = first_acts(verdict)
    if first:
        page.heading("Do first")
        page.bullets([f"{row.id} ({_standing(row)}): {remedy(row)} – {row.owner}, {row.runbook}" for row in first])
    if verdict.waivers or verdict.refused_waivers:
        page.heading("Waivers")
        page.bullets([f"in force: {one}" for one in verdict.waivers])
        page.bullets([f"refused: {one}" for one in verdict.refused_waivers])
    page.facts((
        ("release", bound.release), ("tier", bound.tier), ("environment", bound.environment), ("scope", bound.scope),
        ("evaluated", stamp_of(verdict.evaluated_at)),
        ("ends", None if verdict.ends_first is None else _end_said(verdict)), ("mode", _mode(verdict)),
        ("verdict", verdict_id), ("bundle", verdict.bundle_id),
    ))  # fmt: skip
    ordered = _ordered(verdict)
    for title, rows in (("Not met", [one for one in ordered if not one.met]), ("Met", [o for o in ordered if o.met])):
        if rows:
            page.heading(f"{title}: {len(rows)}")
            page.table(
                ("requirement", "class", "stands", "observed", "limit", "age", "ends in", "reason", "owner", "runbook"),
                [
                    (row.id, row.grade.value, row.standing.value, row.observed, row.limit, _seconds(row.age_s),
                     _seconds(verdict.lapse(row, verdict.evaluated_at)), row.reason, row.owner, row.runbook)
                    for row in rows
                ],
            )  # fmt: skip
        if title == "Not met" and explained is not None and rows:
            page.heading("What gives GO")
            page.bullets(_ways(explained))
    return str(redact(page.render()))


def html(verdict: Verdict, verdict_id: str, explained: Explanation | None = None) -> str:
    """Return the whole document; its content security policy allows one style by its hash, and nothing else."""
    style = style_sheet() + files(__package__).joinpath("gates.css").read_text("utf-8")
    bound = verdict.context.binding
    title = f"Gate {verdict.gate}"
    tint = "red" if verdict.answer is Answer.NO_GO else "green" if verdict.exit_code == 0 else "amber"
    text = "".join((
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src-attr 'unsafe-inline'; "
        f"style-src-elem '{source_hash(style)}'; base-uri 'none'; form-action 'none'\">",
        f"<title>{escape(title)} · {verdict.answer}</title><style>{style}</style></head><body><main>",
        f'<header><p class="eyebrow">Tradeworthy · gate</p><h1>{escape(title)}</h1>',
        f'<p class="span">Release {escape(bound.release)} · tier {escape(bound.tier)} · {escape(bound.environment)} · '
        f"{escape(bound.scope)} · {stamp_of(verdict.evaluated_at)}</p></header>",
        f'<div class="verdict" style="--tint:var(--{tint})"><b>{verdict.answer}</b>'
        f"<span>{escape(reason(verdict))}</span></div>",
        _waivers(verdict), _first(verdict), _tiles(verdict), _rows(verdict, "Not met", met=False),
        _ways_card(explained), _lapses(verdict), _rows(verdict, "Met", met=True),
        f"<footer>Verdict <code>{verdict_id}</code> · bundle <code>{verdict.bundle_id}</code> · table "
        f"<code>{verdict.table_hash}</code>. Check it again: tradeworthy gate verify {escape(verdict.gate)} "
        f"{verdict_id[:12]}</footer></main></body></html>\n",
    ))  # fmt: skip
    return str(redact(text))


def first_acts(verdict: Verdict) -> list[Row]:
    """Return the rows to look at first, at most `FIRST_MAX`: critical ones, those that fail before the unknown.

    What no source of this release judges comes last: nobody can do anything about it today.
    """
    unmet = [row for row in verdict.unmet() if row.grade is Grade.CRITICAL]
    unmet.sort(key=lambda row: (row.reason.startswith(NO_SOURCE), row.standing in NOT_KNOWN))
    return unmet[:FIRST_MAX]


def _first(verdict: Verdict) -> str:
    rows = first_acts(verdict)
    if not rows:
        return ""
    told = "".join(
        f'<li style="--tint:var(--{TINTS.get(row.standing, "red")})"><b>{escape(row.id)}</b> '
        f'<span class="chip">{_standing(row)}</span><span>{escape(remedy(row))}</span>'
        f"<small>{escape(row.reason)} · {escape(row.owner)} · docs/{escape(row.runbook)}</small></li>"
        for row in rows
    )
    return f'<section class="card first"><h2>Do first</h2><ol>{told}</ol></section>'


def _tiles(verdict: Verdict) -> str:
    met = sum(row.met for row in verdict.rows)
    critical = [row for row in verdict.rows if row.grade is Grade.CRITICAL]
    kept, ends = sum(row.met for row in critical), verdict.ends_first
    tiles = (
        ("Rows met", f"{met} of {len(verdict.rows)}", f"{kept} of {len(critical)} critical"),
        ("Failed", str(_count(verdict, Standing.FAILED, Standing.ERROR, Standing.FUTURE)), "judged bad, or unreadable"),
        ("Nobody knows", str(_count(verdict, Standing.UNKNOWN, Standing.ABSENT)), "unknown or without evidence"),
        ("Old or void", str(_count(verdict, Standing.STALE, Standing.VOIDED, Standing.OTHER_RUN)), "no longer counts"),
        ("Unproven", str(_count(verdict, Standing.UNPROVEN)), "no mutation made the check fail"),
        ("Ends in", "–" if ends is None else _seconds(ends.seconds), "nothing" if ends is None else ends.requirement),
    )  # fmt: skip
    cells = (
        f'<div class="tile"><span>{name}</span><b>{escape(value)}</b><small>{escape(note)}</small></div>'
        for name, value, note in tiles
    )
    return f'<section class="tiles">{"".join(cells)}</section>'


def _waivers(verdict: Verdict) -> str:
    told = [f"<li>in force: {escape(row.reason)}</li>" for row in verdict.rows if row.standing is Standing.WAIVED]
    told += [f"<li>refused: {escape(one)}</li>" for one in verdict.refused_waivers]
    return f'<div class="card waivers"><h2>Waivers</h2><ul>{"".join(told)}</ul></div>' if told else ""


def _lapses(verdict: Verdict) -> str:
    """Return what lapses next, each as a bar of its life that is left."""
    rows = [(row, left) for row in verdict.rows if (left := verdict.lapse(row, verdict.evaluated_at)) is not None]
    rows.sort(key=lambda pair: pair[1])
    if not rows:
        return ""
    bars = []
    for row, left in rows[:LAPSES_SHOWN_MAX]:
        share = left / (left + max(row.age_s or 0.0, 0.0)) if left > 0 else 0.0
        tint = "red" if left < HOUR_S / 4 else "amber" if left < DAY_S else "green"
        bars.append(
            f'<div class="lapse"><span>{escape(row.id)}</span><i style="--tint:var(--{tint})">'
            f'<u style="width:{share:.1%}"></u></i><b>{escape(_seconds(left))}</b></div>'
        )
    return f'<div class="card"><h2>What lapses next <small>life left of its evidence</small></h2>{"".join(bars)}</div>'


def _ways(explained: Explanation) -> list[str]:
    """Return the smallest sets of acts that give GO, or what no act of this release mends (GE-12)."""
    told = []
    for at, one in enumerate(explained.sets[:WAYS_SHOWN_MAX], 1):
        acts = ", ".join(f"{MEANS[act.means]} {act.on}" for act in one.acts)
        told.append(f"way {at}: {len(one.acts)} acts, about {_seconds(one.seconds)}: {acts}")
    more = explained.told_of - len(told)
    told += [f"and {more} other ways, none with fewer acts"] if more > 0 else []
    if explained.beyond:
        told.append(f"no act mends {', '.join(explained.beyond)}: see the reason of each row")
    return told or ["nothing has to be done"]


def _ways_card(explained: Explanation | None) -> str:
    if explained is None or not any(row.grade is Grade.CRITICAL for row in explained.unmet):
        return ""
    told = "".join(f"<li>{escape(one)}</li>" for one in _ways(explained))
    return f'<div class="card"><h2>What gives GO <small>the smallest sets of acts</small></h2><ul>{told}</ul></div>'


def _rows(verdict: Verdict, title: str, *, met: bool) -> str:
    head = "".join(f"<th>{one}</th>" for one in ("requirement", "stands", "observed", "limit", "why", "what to do"))
    body = []
    rows = [row for row in _ordered(verdict) if row.met is met]
    if not rows:
        return ""
    for row in rows:
        tint = TINTS.get(row.standing, "red")
        action = "" if row.standing is Standing.MET else f"{escape(remedy(row))} "
        body.append(
            f'<tr><th scope="row">{escape(row.id)}<small>{escape(row.title)}</small></th>'
            f'<td data-head="stands"><span class="chip" style="--tint:var(--{tint})">{_standing(row)}</span>'
            f'<small>{row.grade.value}</small></td><td data-head="observed">{escape(row.observed)}'
            f'<small>{_age(row)}</small></td><td data-head="limit">{escape(row.limit)}</td>'
            f'<td data-head="why">{escape(_why(row))}</td>'
            f'<td data-head="what to do">{action}<small>{escape(row.owner)} · docs/{escape(row.runbook)}</small>'
            "</td></tr>"
        )
    table = f"<table class=\"rows\"><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    return f'<div class="card"><h2>{title} <small>{len(rows)}</small></h2><div class="wide">{table}</div></div>'


def _ordered(verdict: Verdict) -> list[Row]:
    return sorted(
        verdict.rows, key=lambda row: (row.met, row.grade is not Grade.CRITICAL, row.standing is Standing.MET)
    )


def remedy(row: Row) -> str:
    """Return what to do; of a row without a source nobody can do anything in this release."""
    return "wait for a release that judges it" if row.reason.startswith(NO_SOURCE) else row.remedy


def _standing(row: Row) -> str:
    return row.standing.value.replace("_", " ")


def _why(row: Row) -> str:
    return f"until {row.reason}" if row.standing is Standing.MET and row.ends_at is not None else row.reason


def _age(row: Row) -> str:
    return "" if row.age_s is None else f"{_seconds(row.age_s)} old"


def _seconds(value: float | None) -> str:
    return "–" if value is None else duration(max(value, 0.0)) or "0 s"


def _end_said(verdict: Verdict) -> str:
    ends = verdict.ends_first
    return "" if ends is None else f"{stamp_of(ends.at)} by {ends.requirement}: {ends.reason}; {ends.remedy}"


def _mode(verdict: Verdict) -> str:
    words = [name for name, on in (("ci", verdict.mode.ci), ("strict", verdict.mode.strict)) if on]
    return " ".join((*words, *(f"{one} critical" for one in verdict.mode.tightened))) or "default"


def _critical(verdict: Verdict) -> int:
    return sum(row.grade is Grade.CRITICAL for row in verdict.rows)


def _count(verdict: Verdict, *standings: Standing) -> int:
    return sum(row.standing in standings for row in verdict.rows)
