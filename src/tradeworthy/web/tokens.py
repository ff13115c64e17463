"""Bearer tokens: signed claims of a person and roles, for one audience and at most a day (HLT-05)."""

from collections.abc import Callable, Mapping

import jwt
import msgspec

from tradeworthy.kernel.clock import NANOS_PER_SECOND
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import Secret, is_reference
from tradeworthy.operations.health.policy import AUTH_SECRET
from tradeworthy.web.ports import Principal

ALGORITHM = "HS256"
SECRET_BYTES_MIN = 32
"""RFC 7518, 3.2: a key at least as long as the hash."""
LIFETIME_SECONDS_MAX = 86_400
SKEW_SECONDS = 5
TOKEN_BYTES_MAX = 4_096
SUBJECT_CHARACTERS_MAX = 128
ROLES_MAX = 16


class TokenInvalid(Exception):
    """A token says nothing: malformed, forged, for others, or out of its time. The reason stays inside the desk."""


class Tokens:
    """Issue and read the tokens of one secret and audience; times are nanoseconds UTC.

    Raises `UsageError` for a secret shorter than 32 bytes.
    """

    def __init__(self, secret: Secret, audience: str) -> None:
        size = len(secret.reveal().encode())
        if size < SECRET_BYTES_MIN:
            raise UsageError(f"the secret of tokens must have at least {SECRET_BYTES_MIN} bytes, had {size}")
        self._secret, self._audience = secret, audience

    def issue(self, subject: str, roles: tuple[str, ...], *, now: int, seconds: int) -> str:
        """Return a token of `seconds` life; raises `UsageError` for an empty subject or role, or a life over a day."""
        if not subject.strip() or len(subject) > SUBJECT_CHARACTERS_MAX:
            raise UsageError(f"the subject must be 1 to {SUBJECT_CHARACTERS_MAX} characters, was {len(subject)}")
        if not roles or not all(role.strip() for role in roles) or len(roles) > ROLES_MAX:
            raise UsageError(f"1 to {ROLES_MAX} roles must be named, none of them empty, were {len(roles)}")
        if not 0 < seconds <= LIFETIME_SECONDS_MAX:
            raise UsageError(f"a token lives above 0 and at most {LIFETIME_SECONDS_MAX} s, asked for {seconds}")
        issued = now // NANOS_PER_SECOND
        claims = {"sub": subject, "aud": self._audience, "roles": list(roles), "iat": issued, "exp": issued + seconds}
        return jwt.encode(claims, self._secret.reveal(), ALGORITHM)

    def read(self, token: str, *, now: int) -> Principal:
        """Return who a token names; raises `TokenInvalid` for anything but a valid token.

        The signature is compared in constant time; the times are judged here, by the desk's own clock.
        """
        if len(token) > TOKEN_BYTES_MAX:
            raise TokenInvalid(f"longer than {TOKEN_BYTES_MAX} bytes")
        try:
            claims = jwt.decode(
                token, self._secret.reveal(), algorithms=[ALGORITHM], audience=self._audience,
                options={"require": ["sub", "aud", "iat", "exp"], "verify_exp": False, "verify_iat": False,
                         "verify_nbf": False, "strict_aud": True},
            )  # fmt: skip
            known = msgspec.convert(claims, _Claims)
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError) as problem:
            raise TokenInvalid(type(problem).__name__) from None
        if not 0 < known.exp - known.iat <= LIFETIME_SECONDS_MAX:
            raise TokenInvalid("its life is not above 0 and at most a day")
        if max(known.iat, known.nbf) * NANOS_PER_SECOND > now + SKEW_SECONDS * NANOS_PER_SECOND:
            raise TokenInvalid("not valid yet")
        if now >= known.exp * NANOS_PER_SECOND:
            raise TokenInvalid("expired")
        if not known.sub.strip():
            raise TokenInvalid("no subject")
        return Principal(known.sub, frozenset(known.roles))


class _Claims(msgspec.Struct, frozen=True):
    sub: str
    aud: str
    iat: int
    exp: int
    roles: list[str] = []
    nbf: int = 0


def tokens_of(
    environ: Mapping[str, str], audience: str, resolve: Callable[[str], Secret]
) -> Tokens | None:
    """Return the tokens of the secret that AUTH_SECRET names, None where it is absent or empty.

    resolve  returns the secret of a reference `secret://NAME`; a value that is no reference is the secret itself,
             which then lies in the environment
    """
    value = environ.get(AUTH_SECRET, "").strip()
    if not value:
        return None
    if is_reference(value):
        return Tokens(resolve(value), audience)
    if len(value.encode()) < SECRET_BYTES_MIN:
        raise UsageError(f"{AUTH_SECRET} must have at least {SECRET_BYTES_MIN} bytes, had {len(value.encode())}")
    return Tokens(Secret(value), audience)
