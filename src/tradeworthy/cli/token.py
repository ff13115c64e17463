"""`tradeworthy token issue`: make a bearer token for a person, of the secret that the desk knows by reference."""

import getpass
import os
from math import isfinite

from cyclopts import App

from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.errors import ExitCode, UsageError
from tradeworthy.operations.health.policy import AUTH_SECRET, of_environment
from tradeworthy.web.ports import ALERTS_ACK, ALERTS_PUSH, ALERTS_READ, APPROVE, KILL, RESUME

app = App(name="token", help="Make bearer tokens for the desk's HTTP address.")
HOURS_MAX = 24.0
SECONDS_PER_HOUR = 3_600


@app.command
def issue(*, role: tuple[str, ...], hours: float = 1.0, subject: str | None = None) -> int:
    """Print a token; the secret is the one that RUNTIME_HEALTHCHECK_AUTH_SECRET names.

    Parameters
    ----------
    role
        What it allows, once each: runtime.health:read, runtime.metrics:read, control:kill, control:resume,
        config:approve, alerts:read, alerts:ack, alerts:push, or a role that the RUNTIME_HEALTHCHECK_ variables name.
    hours
        How long it is valid, at most 24.
    subject
        Whose it is; the person logged on when not given.
    """
    from tradeworthy.app.configuration.secret_references import store_of
    from tradeworthy.web.tokens import tokens_of

    policy = of_environment(os.environ)
    known = (*policy.health_roles, *policy.metrics_roles, KILL, RESUME, APPROVE, ALERTS_READ, ALERTS_ACK, ALERTS_PUSH)
    unknown = [one for one in role if one not in known]
    if unknown:
        raise UsageError(f"--role must be one of {', '.join(dict.fromkeys(known))}, was {unknown[0]!r}")
    if not (isfinite(hours) and 0 < hours <= HOURS_MAX):
        raise UsageError(f"--hours must be above 0 and at most {HOURS_MAX:g}, was {hours:g}")
    tokens = tokens_of(os.environ, policy.token_audience, store_of(os.environ).resolve)
    if tokens is None:
        raise UsageError(f"expected {AUTH_SECRET} to name the secret, e.g. secret://health, found nothing")
    whose = getpass.getuser() if subject is None else subject
    seconds = max(1, round(hours * SECONDS_PER_HOUR))
    print(tokens.issue(whose, tuple(dict.fromkeys(role)), now=SystemClock().now(), seconds=seconds))
    return ExitCode.PASS
