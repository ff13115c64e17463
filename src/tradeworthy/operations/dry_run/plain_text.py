"""Find the level that a plain line of another program states, and what a crash leaves, by where programs print them.

A level counts only at its place: after times, names and numbers, before the message. Words inside of a message are
mere words. Known forms: `TIME - NAME - LEVEL - …` (Python's logging; freqtrade, hummingbot), `TIME [LEVEL] …`
(NautilusTrader, structlog), `TIME LEVEL:: …` (LEAN), `TIME LEVEL target: …` (tracing, env_logger), `TIME LEVEL
[thread]` and `TIME [thread] LEVEL` (log4j, logback), `TIME | LEVEL | …` (loguru), `LEVEL:name:…`,
`level=… msg=…` (logfmt), `E0101 …` (klog), `fail: name[0]` (.NET), tabs between fields (zap), three letters
(zerolog, Serilog).
"""

import re

HEAD_CHARACTERS_MAX = 300
"""A level stands within so many characters of a line's beginning."""
TOKENS_MAX = 10
"""So many times, names and numbers may stand before it."""
LEVELS = {
    "trace": "trace", "trce": "trace", "trc": "trace", "finest": "trace", "finer": "trace", "debug": "debug",
    "dbug": "debug", "dbg": "debug", "verbose": "debug", "fine": "debug", "network": "debug", "config": "debug",
    "info": "info", "inf": "info", "information": "info", "success": "info", "event_log": "info",
    "metrics_log": "info", "notice": "notice", "warning": "warning", "warn": "warning", "wrn": "warning",
    "error": "error", "eror": "error", "err": "error", "severe": "error", "fail": "error", "exception": "error",
    "critical": "critical", "crit": "critical", "fatal": "fatal", "ftl": "fatal", "panic": "fatal", "emerg": "fatal",
}  # fmt: skip
"""What programs write, and the level it means."""

_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_LEVEL = re.compile(r"\s*([\[(<]?)\s*([A-Za-z_]{3,11})(\s*[\]|]|::|[):>/\[]|\s|$)", re.A)
_TOKEN = re.compile(
    r"\s*(?:(?P<place>\[?\d{1,8}[-:/.T]\d[\d:.,/+TZ-]*(?:UTC|[AP]M)?\]?:?|\d{6,}\b"
    r"|\[[^\[\]]{1,80}\][:,]?|\([^()]{1,60}\)|[\w.:/@$-]{1,120}(?= [-|] |\s{0,8}\||\t)|UTC\b|[AP]M\b"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\b[,.]?)"
    r"|(?P<count>\d+\b)|[\w.-]{1,60}(?:\[\d+\])?:(?=\s))(?:\s*[-|,;](?=\s|$))?", re.A,
)  # fmt: skip
_BESIDE = re.compile(r"\s*(?:\d{4}-\d\d|\d\d:\d\d|\[|\||- )")
_COUNTED = re.compile(r"\W*(?:0+(?:\.0+)?\s*%?(?=\W|$)|(?:\d[\d.,]*\s*%?|none|null|nil|no|false|ok)\W*$)", re.I)
_RATE = re.compile(r"\s*(?:\d|(?:rate|count|budget|ratio|total)s?\b)", re.I)
_PAIRS = re.compile(r"\s*[\w.-]+=")
_PAIR = re.compile(r"(?:^|\s)(?:level|lvl|severity|loglevel)=\"?([A-Za-z]{3,11})\b")
_KLOG = re.compile(r"([IWEF])\d{4,8} \d\d:\d\d:\d\d\.\d+\s+\d+ ")
_KLOG_LEVELS = {"I": "info", "W": "warning", "E": "error", "F": "fatal"}
_RUNTIME_WARNING = re.compile(r"(?:\S[^:]*:\d+|<[^>]+>:\d+): \w*Warning: |\(node:\d+\) .{0,40}Warning: ")
_CRASH = re.compile(
    r"thread '[^']*'(?: \(\d+\))? panicked at|goroutine \d+ \[|exception in thread \"|unhandled exception[.:]"
    r"|terminate called |fatal python error:|segmentation fault|aborted \(core dumped\)|==\d+==\s*error:"
    r"|\*\*\* stack smashing|double free or corruption|free\(\): |malloc\(\): |\+ exception group traceback"
    r"|uncaught |unhandledpromiserejection|sig(?:segv|abrt|bus|ill|fpe)\b", re.I,
)  # fmt: skip
_CRASH_FIRST = frozenset("tgeufsa=*dm+TGEUFSAD")
"""What `_CRASH` can begin with: most lines are done with after a look at one character."""
_CLASS = re.compile(r"(?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*", re.A)
_CLASS_ENDS, _CLASS_HOMES = ("Error", "Exception", "Interrupt"), (".errors.", ".exceptions.")
_CONTINUED = (
    " ", "\t", "{", "}", "[", "]", ")", "Caused by: ", "During handling of the above", "The above exception was",
    "note: ", "stack backtrace:",
)  # fmt: skip


def cleaned(text: str) -> str:
    """Return text as a person sees it: without colours, control characters and marks of the byte order."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", text).replace("\r\n", "\n").rstrip("\r").replace("\r", "\n").lstrip("\ufeff")


def level_in(text: str) -> str | None:
    """Return the level that cleaned text states, one of the values of `LEVELS`; None when it states none."""
    if "\n" in text:  # a progress bar before it was overwritten: what was printed last counts
        return next((word for one in reversed(text.splitlines()) if (word := level_in(one)) is not None), None)
    head = text[:HEAD_CHARACTERS_MAX]
    at, placed, counted = 0, False, False
    for _ in range(TOKENS_MAX):
        found = _LEVEL.match(head, at)
        if found is not None:
            level = LEVELS.get(found[2].lower())
            if level is not None and _stands(found, head, placed=placed, counted=counted):
                return level
        token = _TOKEN.match(head, at)
        if token is None:
            break
        at, placed, counted = token.end(), placed or token["place"] is not None, counted or token["count"] is not None
    return _other_forms(head)


def tells_of_crash(text: str) -> bool:
    """Tell whether cleaned text begins like the end of a program, or like an exception by its name."""
    return any(map(_crashes, text.splitlines())) if "\n" in text else _crashes(text)


def continues(text: str) -> bool:
    """Tell whether cleaned text looks like a further line of what was printed before it."""
    return text.startswith(_CONTINUED)


def from_utf16(data: bytes) -> bytes | None:
    """Return a line of UTF-16 as UTF-8; None when it does not look like one. Its end was cut at the byte 10."""
    if 5 * data.count(0) < 2 * len(data):
        return None
    little = data[:2] == b"\xff\xfe" or data[1::2].count(0) + data[:1].count(0) >= data[::2].count(0)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data[2:]
    if little and data[:1] == b"\0":
        data = data[1:]  # the second half of the line end before
    if not little and len(data) % 2:
        data = data[:-1]  # the first half of its own
    return data.decode("utf-16-le" if little else "utf-16-be", "replace").encode()


def _crashes(line: str) -> bool:
    begun = line.lstrip(" \t")
    if begun[:1] in _CRASH_FIRST and _CRASH.match(begun) is not None:
        return True
    name, _, rest = line.partition(":")
    named = name.rstrip()
    known = named.endswith(_CLASS_ENDS) or any(home in named for home in _CLASS_HOMES)
    return known and named not in _CLASS_ENDS and rest[:1] in ("", " ") and _CLASS.fullmatch(named) is not None


def _stands(found: re.Match[str], head: str, *, placed: bool, counted: bool) -> bool:
    """Tell whether a level word is a level here, and no word of a message or a count.

    placed, counted  whether a time or a name, whether a bare number stood before it
    """
    opening, word, closing = found[1], found[2], found[3].strip()
    rest = head[found.end():]  # fmt: skip
    if opening:
        return closing in ("]", ")", ">", "/") and (opening == "[" or word.isupper())
    match closing:
        case "::":
            return True
        case "[":
            return placed or word.isupper()
        case "]" | ")" | ">" | "/":
            return placed and word.isupper()
        case ":" | "|":
            return placed or not _COUNTED.match(rest)
    if placed or not word.isupper():
        return word.isupper()
    if _BESIDE.match(rest):
        return True
    return not counted and bool(rest) and not (_RATE.match(rest) or _COUNTED.match(rest))


def _other_forms(head: str) -> str | None:
    if _PAIRS.match(head):
        pair = _PAIR.search(head)
        return None if pair is None else LEVELS.get(pair[1].lower())
    klog = _KLOG.match(head)
    if klog is not None:
        return _KLOG_LEVELS[klog[1]]
    return "warning" if _RUNTIME_WARNING.match(head) else None
