"""`tradeworthy health`: ask the running desk whether it is fit to trade."""

import os
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.report import EXIT_CODES
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.health.policy import AUTH_SECRET, HealthPolicy, of_environment
from tradeworthy.operations.health.report import HealthBody, by_severity, figure

TOKEN_SECONDS = 60
STYLES = {"OK": "green", "WARN": "yellow", "UNKNOWN": "magenta", "FAIL": "bold red", None: "dim"}


def health(
    *, raw: Annotated[bool, Parameter(negative="")] = False, url: str | None = None, timeout: float = 5.0
) -> int:
    """Ask the running desk: 0 fit, 1 with warnings, 2 failed or killed, 3 unknown or no desk.

    Where RUNTIME_HEALTHCHECK_AUTH_SECRET is set, a token of a minute is made from it.

    Parameters
    ----------
    raw
        Print the answer as it came.
    url
        Where the desk answers, its path when given; by default what the RUNTIME_HEALTHCHECK_ variables say,
        http://127.0.0.1:8080/health.
    timeout
        Seconds to wait.
    """
    from tradeworthy.web.asking import ask_health, at

    policy = of_environment(os.environ)
    clock = SystemClock()
    body, data = ask_health(
        at(url, policy), timeout_s=timeout, clock=clock, token=_token(policy, clock), trusted=policy.cert_path
    )
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if raw:
        console.print(data.decode())
    else:
        _print(console, body)
    return EXIT_CODES[Severity[body.status]]


def _token(policy: HealthPolicy, clock: SystemClock) -> str | None:
    if not os.environ.get(AUTH_SECRET):
        return None
    from tradeworthy.app.configuration.secret_references import store_of
    from tradeworthy.web.tokens import tokens_of

    tokens = tokens_of(os.environ, policy.token_audience, store_of(os.environ).resolve)
    if tokens is None:
        return None
    return tokens.issue("tradeworthy health", policy.health_roles[:1], now=clock.now(), seconds=TOKEN_SECONDS)


def _print(console: Console, body: HealthBody) -> None:
    console.print(f"{body.status}  run {body.run_id}, {body.environment}, at {body.generated_at}",
                  style=STYLES[body.status])  # fmt: skip
    for one in by_severity(body):
        bad = one.status in ("WARN", "UNKNOWN", "FAIL")
        limit = f" of {figure(one.limit, one.unit)}" if bad and one.limit is not None else ""
        seen = figure(one.observed, one.unit) + limit
        line = f"{one.status or 'n/a':<8} {one.name:<20} {seen:<28} {one.summary}"
        console.print(line + (f"  see docs/{one.runbook}" if bad else ""), style=STYLES[one.status])
