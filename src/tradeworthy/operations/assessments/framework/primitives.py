"""The primitives (FW-09): pure functions from values to a verdict; rules bind them to facts and limits."""

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil, log
from typing import Any, NamedTuple

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.assessments.framework.limits import Limit, Number
from tradeworthy.trading.market_data.calendar import Calendar

OK, WARN, UNKNOWN, FAIL = Severity.OK, Severity.WARN, Severity.UNKNOWN, Severity.FAIL
N_MIN = 20
"""Samples below which a rate is not judged."""
QUANTILE_N_MIN = ((0.99, 100), (0.95, 20))
NAMES_SHOWN_MAX = 8


class Verdict(NamedTuple):
    """What a rule says of the values it saw; `what` names another code than the rule's own, empty = its own."""

    severity: Severity
    observed: Any
    limit: Any
    message: str
    unit: str = ""
    utilisation: float | None = None
    what: str = ""


def against(limit: Limit, observed: Number, said: str = "") -> Verdict:
    """Judge a quantity by its limit: budget, floor or cap. `said` tells it in words, the limit follows."""
    severity, bound = limit.judged(observed)
    if severity is OK and not said:
        return Verdict(OK, observed, bound, "", limit.unit, limit.utilisation(observed))
    told = said or f"observed {observed:g} {limit.unit}".rstrip()
    return Verdict(severity, observed, bound, f"{told}; {limit.said()}", limit.unit, limit.utilisation(observed))


def ratio(num: int, den: int, limit: Limit, *, n_min: int = N_MIN, at: str = "") -> Verdict:
    """Judge a share of counts; below `n_min` trials nobody knows. No failure in n trials tells its 95 % bound."""
    said = f"{num} of {den}{at}"
    if den < n_min:
        return Verdict(UNKNOWN, num, n_min, f"{said}: fewer than {n_min}, nothing can be said", "trials")
    if num > den:
        return Verdict(FAIL, num, den, f"{said}: more than all", "trials")
    bound = f"; at most {zero_failures_bound(den):.3%} with 95 % confidence" if num == 0 else ""
    return against(limit, num / den, f"{said} is {num / den:.4g}{bound}")


def zero_failures_bound(trials: int, confidence: float = 0.95) -> float:
    """Return the rate that n trials without a failure still allow: 59 give 5 %, 299 give 1 % (exact binomial)."""
    return float(1 - (1 - confidence) ** (1 / trials))


def age(at: int, now: int, limit: Limit, *, ahead_s: float = 0.0) -> Verdict:
    """Judge the age in seconds of a stamp in nanoseconds UTC; one that lies ahead fails, it is never taken as 0."""
    nanos = now - at
    if nanos < -round(ahead_s * NANOS_PER_SECOND):
        said = f"{-nanos / NANOS_PER_SECOND:.3f} s ahead of now"
        return Verdict(FAIL, nanos / NANOS_PER_SECOND, -ahead_s, said, "s", what="future_timestamp")
    seconds = nanos / NANOS_PER_SECOND if nanos % NANOS_PER_SECOND else nanos // NANOS_PER_SECOND
    found = against(limit, seconds)
    return found._replace(message=f"{seconds:g} s ago; {limit.said()}") if found.severity else found


def required(value: bool) -> Verdict:
    """Judge a thing that must be: present but false fails."""
    return Verdict(OK if value else FAIL, value, True, "it is so" if value else "it is not so, and it must be")


def equals(value: Any, wanted: Any) -> Verdict:
    """Judge a value that must be another: any difference fails."""
    same = value == wanted
    return Verdict(OK if same else FAIL, value, wanted, "equal" if same else f"expected {wanted}, found {value}")


def one_of(value: str, known: Mapping[str, Severity]) -> Verdict:
    """Judge a word by a table; a word that is not in it is unknown."""
    severity = known.get(value, UNKNOWN)
    good = ", ".join(word for word, one in known.items() if one is OK)
    return Verdict(severity, value, good, f"it says {value!r}" + ("" if value in known else ", a word nobody knows"))


def missing_of(expected: Collection[str], observed: Collection[str]) -> Verdict:
    """Judge a set: all of the expected missing fails, some or extra ones warn; nothing expected is unknown."""
    if not expected:
        return Verdict(UNKNOWN, len(observed), 0, "nobody says what is expected")
    absent, extra = sorted(set(expected) - set(observed)), sorted(set(observed) - set(expected))
    if absent:
        severity = FAIL if len(absent) == len(set(expected)) else WARN
        return Verdict(severity, len(absent), 0, f"missing: {names(absent)}", "missing")
    if extra:
        return Verdict(WARN, len(extra), 0, f"not expected: {names(extra)}", "extra")
    return Verdict(OK, 0, 0, f"all {len(set(expected))} are there", "missing")


def streak(outcomes: Sequence[bool], limit: Limit) -> Verdict:
    """Judge how many of the newest outcomes failed in a row; nothing yet is unknown."""
    if not outcomes:
        return Verdict(UNKNOWN, None, limit.bounds()[0][1], "nothing has ended yet", limit.unit)
    length = next((n for n, good in enumerate(reversed(outcomes)) if good), len(outcomes))
    return against(limit, length, f"{length} in a row")


def window_count(stamps: Sequence[int], now: int, window_s: float, limit: Limit) -> Verdict:
    """Judge how many stamps lie in the window before now: what happened earlier no longer counts (FW-13)."""
    since = now - round(window_s * NANOS_PER_SECOND)
    count = sum(since < one <= now for one in stamps)
    return against(limit, count, f"{count} in {window_s:g} s")


def quantile(samples: Sequence[float], q: float, limit: Limit, *, n_min: int | None = None) -> Verdict:
    """Judge a quantile (nearest rank); p99 needs 100 samples, p95 20, below that max and n are told, unknown."""
    wanted = n_min if n_min is not None else next((n for share, n in QUANTILE_N_MIN if q >= share), N_MIN)
    if len(samples) < wanted:
        top = f"max {max(samples):g} {limit.unit}" if samples else "no sample"
        return Verdict(UNKNOWN, len(samples), wanted, f"{top} of n {len(samples)}, {wanted} are needed", "samples")
    found = sorted(samples)[ceil(q * len(samples)) - 1]
    return against(limit, found, f"p{q * 100:g} {found:g} {limit.unit} of n {len(samples)}")


def coverage(observed: int, expected: int, limit: Limit) -> Verdict:
    """Judge the share of expected rows that are there; more than expected is full, none expected is unknown."""
    if expected <= 0:
        return Verdict(UNKNOWN, observed, expected, "the calendar expects nothing", limit.unit)
    share = min(1.0, observed / expected)
    return against(limit, share, f"{observed} of {expected} is {share:.4g}")


def open_minutes(calendar: Calendar, start: int, end: int) -> int:
    """Return the minutes in which a calendar is open between two times, early closes and weekends included (FW-14)."""
    minute, total, at = 60 * NANOS_PER_SECOND, 0, start
    while at < end:
        session = calendar.session_at(at) or calendar.next_session(at)
        if session.open >= end:
            break
        total += (min(session.close, end) - max(session.open, at)) // minute
        at = max(session.close, at + 1)
    return total


def delta(values: Sequence[float], limit: Limit) -> Verdict:
    """Judge the newest value less the one before; fewer than two are unknown."""
    if len(values) < 2:
        return Verdict(UNKNOWN, len(values), 2, "no earlier value to compare with", "values")
    return against(limit, values[-1] - values[-2])


def budget_burn(bad: int, total: int, objective: float, limit: Limit, *, n_min: int = N_MIN) -> Verdict:
    """Judge how many times faster than allowed an error budget burns: bad share over (1 − objective)."""
    if not 0 < objective < 1:
        raise ValueError(f"objective must be in (0, 1), was {objective}")
    if total < n_min:
        return Verdict(UNKNOWN, total, n_min, f"{total} events, {n_min} are needed", "events")
    return against(limit, round(bad / total / (1 - objective), 9))


def psi(baseline: Sequence[float], current: Sequence[float], *, buckets: int = 10) -> float:
    """Return the population stability index over quantile buckets of the baseline; empty buckets count half a sample.

    Raises `ValueError` for fewer samples than buckets on either side.
    """
    if min(len(baseline), len(current)) < buckets:
        raise ValueError(f"expected at least {buckets} samples a side, found {len(baseline)} and {len(current)}")
    ordered = sorted(baseline)
    edges = [ordered[ceil(len(ordered) * n / buckets) - 1] for n in range(1, buckets)]

    def shares(samples: Sequence[float]) -> list[float]:
        counts = [0] * buckets
        for one in samples:
            counts[next((n for n, edge in enumerate(edges) if one <= edge), buckets - 1)] += 1
        return [max(count, 0.5) / len(samples) for count in counts]

    return psi_of(shares(baseline), shares(current))


def psi_of(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Return the population stability index of two sets of shares above 0, bucket by bucket."""
    return sum((now - then) * log(now / then) for then, now in zip(expected, actual, strict=True))


def names(known: Sequence[str]) -> str:
    """Return names for people, the first few of many."""
    more = f" and {len(known) - NAMES_SHOWN_MAX} more" if len(known) > NAMES_SHOWN_MAX else ""
    return ", ".join(known[:NAMES_SHOWN_MAX]) + more


PRIMITIVES: dict[str, Callable[..., Any]] = {
    "budget": against, "floor": against, "cap": against, "ratio": ratio, "age": age, "required": required,
    "missing_of": missing_of, "streak": streak, "window_count": window_count, "coverage": coverage, "one_of": one_of,
    "equals": equals, "quantile": quantile, "delta": delta, "drift": psi, "budget_burn": budget_burn,
}  # fmt: skip
"""Every primitive by the name that the registry shows; `composite` stands in `composite.py`."""
