"""People with keys, and packs to sign, for tests of approvals."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.people.approvals import signed
from tradeworthy.kernel.dsse import key_id_of
from tradeworthy.trading.control.approvals import Act, Principal, SignedPack, draft

NOW = 1_800_000_000 * 10**9
SECOND = 10**9


def key(number):
    """Return the same private key for the same number."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def public(number):
    return key(number).public_key().public_bytes_raw()


def person(number, holder, *roles):
    return Principal(key_id_of(public(number)), holder, roles or ("operations",), public(number))


class People:
    """A trust of these people; each counts until `until`."""

    def __init__(self, *people, until=1 << 62):
        self._known = {one.key_id: one for one in people}
        self._until = until

    def principal(self, key_id, at):
        return self._known.get(key_id) if at < self._until else None


ANN, BOB, CAROL = person(1, "ann", "risk"), person(2, "bob"), person(3, "carol", "compliance")
ANNS_OTHER_KEY = person(4, " Ann ", "operations")
TEAM = People(ANN, BOB, CAROL, ANNS_OTHER_KEY)


def pack(act=Act.RESUME, *, now=NOW, **odd):
    usual = {"desk": "small", "act": act, "subject": "desk", "details": {"incident": "INC-1", "snapshot": "abc"},
             "reason": "fixed"}  # fmt: skip
    return draft(**(usual | {"now": now} | odd))


def by(held, *numbers):
    return signed(SignedPack(held), *(key(one) for one in numbers))
