"""Who may do what: a token's roles against the roles of a route (HLT-05)."""

import logging
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Guard

from tradeworthy.kernel.clock import Clock
from tradeworthy.web.ports import LOCAL, Principal
from tradeworthy.web.refusals import Refusal
from tradeworthy.web.tokens import TokenInvalid, Tokens

LOG = logging.getLogger("tradeworthy.web")
AnyConnection = ASGIConnection[Any, Any, Any, Any]
BEARER = "bearer "


class Access:
    """Tell who asks, and refuse who may not.

    tokens  None where nobody can be told apart; then the address is loopback (`require_safe`)
    """

    def __init__(self, tokens: Tokens | None, clock: Clock) -> None:
        self._tokens, self._clock = tokens, clock

    def principal(self, connection: AnyConnection) -> Principal:
        """Return who asks; raises a 401 for a token that is missing, bad or out of its time, all told alike."""
        if self._tokens is None:
            return Principal(LOCAL, frozenset())
        given = connection.headers.getall("authorization", [])
        if len(given) != 1 or not given[0].lower().startswith(BEARER):
            raise Refusal(401)
        try:
            return self._tokens.read(given[0][len(BEARER) :].strip(), now=self._clock.now())
        except TokenInvalid:
            raise Refusal(401) from None

    def needs(self, *roles: str) -> Guard:
        """Return the guard of a route that any one of these roles opens."""
        wanted = frozenset(roles)

        def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
            try:
                who = self.principal(connection)
            except Refusal:
                LOG.warning("access_refused", extra={"path": connection.url.path, "status": 401})
                raise
            if self._tokens is not None and not wanted & who.roles:
                LOG.warning("access_refused", extra={
                    "path": connection.url.path, "status": 403, "principal": who.name, "roles": sorted(who.roles),
                })  # fmt: skip
                raise Refusal(403)

        return guard

    def needs_person(self, *roles: str) -> Guard:
        """Return the guard of a route that nobody may use unnamed: without tokens it is closed to all (APR-03)."""
        known = self.needs(*roles)

        def guard(connection: AnyConnection, handler: BaseRouteHandler) -> None:
            if self._tokens is None:
                raise Refusal(401)
            known(connection, handler)

        return guard
