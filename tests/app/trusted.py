"""A desk's state with a trust file of three people, and the packs that they sign."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradeworthy.app.gates.verdicts import GateAnswer
from tradeworthy.app.people.approvals import TRUST, signed
from tradeworthy.operations.evidence.trust import TrustFile, trusted_key, write_trust
from tradeworthy.trading.control.approvals import Act, SignedPack, draft

SINCE, UNTIL = "2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"
NOW = 1_800_000_000 * 10**9
SECOND = 10**9
PEOPLE = ("risk", "operations", "compliance")
NAMES = ("ann", "bob", "carol")


def key(number):
    """Return the same private key for the same number: 1 ann, 2 bob, 3 carol, 9 the desk's machine."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def public(number):
    return key(number).public_key().public_bytes_raw()


def trust_of():
    keys = [
        trusted_key(public(number), holder=holder, roles=(role,), valid_from=SINCE, valid_to=UNTIL)
        for number, (holder, role) in enumerate(zip(NAMES, PEOPLE, strict=True), 1)
    ]
    machine = trusted_key(public(9), holder="desk-1", roles=("builder",), valid_from=SINCE, valid_to=UNTIL)
    return TrustFile(keys=(*keys, machine))


def trusting(state):
    """Write the trust file of a desk's state; return the state."""
    state.mkdir(parents=True, exist_ok=True)
    write_trust(state / TRUST, trust_of())
    return state


def pack(act=Act.RESUME, *, now=NOW, **odd):
    usual = {"desk": "made", "act": act, "subject": "desk", "details": {"incident": "INC-1", "snapshot": "abc"},
             "reason": "fixed"}  # fmt: skip
    return draft(**(usual | {"now": now} | odd))


def by(held, *numbers):
    return signed(SignedPack(held), *(key(one) for one in numbers))


class Says:
    """A gate that says one thing, and remembers what it was asked."""

    def __init__(self, go, why=""):
        self.found, self.asked = GateAnswer(go, why), []

    def answer(self, ask):
        self.asked.append(ask)
        return self.found


GO = Says(True)
