"""The certificate of flatness: what it says, that it holds together, and that no byte of it can be altered (KS-06)."""

import base64
import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeworthy.app.halting.flatness import keep, public_key, read_all, sign, verify
from tradeworthy.cli.main import call
from tradeworthy.kernel.errors import InvalidInput
from tradeworthy.trading.control.certificate import (
    DISPATCHED,
    FLAT,
    LIMITS_NS,
    NO_NEW_ORDER,
    Flatness,
    Seen,
    certify,
    decode,
    encode,
    faults_of,
    left_open,
)
from tradeworthy.trading.control.halt import Halt
from tradeworthy.trading.control.venue_view import CancelSeen, OpenOrder, VenueView

TRIPPED = 1_000_000_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
HALT = Halt("operator", "kill", "desk", TRIPPED, 7, "drill")


def resting(name="a", instance="i", **odd):
    return OpenOrder(name, instance, "X.SIM", 1, 2, "v1", **odd)


def view(*orders, **odd):
    copied = tuple(one.client_order_id for one in orders if not one.under_way)
    shown = {"at": TRIPPED + 5, "ts": 1, "open_orders": orders, "positions": {}, "copy_open": copied, "copied": True}
    return VenueView(**(shown | odd))


def certificate(shown=None, halts=(HALT,), problem="", after=None):
    seen = Seen(halts=halts, tripped_at=TRIPPED, view=shown, after=after or {}, problem=problem)
    return certify(seen, desk="small", run_id="r", token=3, cause="tripped", made_at=TRIPPED + 9)


@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        (certificate(view()), Flatness.VERIFIED),
        (certificate(view(resting(protective=True))), Flatness.VERIFIED),
        (certificate(view(resting())), Flatness.PARTIAL),
        (certificate(view(resting(under_way=True))), Flatness.PARTIAL),
        (certificate(view(), problem="the venue refuses"), Flatness.PARTIAL),
        (certificate(view(copy_open=("b",))), Flatness.PARTIAL),
        (certificate(view(positions={"X.SIM": 1})), Flatness.PARTIAL),
        (certificate(view(positions={"X.SIM": 1}, copy_positions={"X.SIM": 1})), Flatness.VERIFIED),
        (certificate(None), Flatness.UNVERIFIED),
        (certificate(view(at=TRIPPED - 1)), Flatness.UNVERIFIED),
    ],
)  # fmt: skip
def test_the_outcome_is_what_was_seen(made, outcome):
    assert made.outcome is outcome
    assert faults_of(made) == ()


def test_a_halt_of_a_scope_wants_its_orders_gone_only():
    orders = (resting("a", "i"), resting("b", "j"), resting("c", "i", protective=True))
    halts = (Halt("operator", "kill", "strategy:i", 1, 1),)
    assert [one.client_order_id for one in left_open(orders, halts)] == ["a"]
    assert [one.client_order_id for one in left_open(orders, ())] == ["a", "b"]


@pytest.mark.parametrize(("flatten", "left"), [((True,), []), ((False,), ["a"]), ((True, False), ["a"])])
def test_the_orders_of_a_flatten_are_no_orders_left_unless_another_halt_wants_them_gone(flatten, left):
    halts = [msgspec.structs.replace(HALT, code=f"{n}", flatten=one) for n, one in enumerate(flatten)]
    assert [one.client_order_id for one in left_open((resting(reduce_only=True),), halts)] == left


@pytest.mark.parametrize(("last", "after", "late"), [
    (None, 0, False), (TRIPPED - 5, 0, False), (TRIPPED + 49_999_999, 49_999_999, False),
    (TRIPPED + 50_000_000, 50_000_000, True),
])  # fmt: skip
def test_an_order_after_the_trip_is_timed_and_reaching_the_limit_is_late(last, after, late):
    made = certificate(view(last_order="z", last_order_at=last))
    step = next(one for one in made.steps if one.name == NO_NEW_ORDER)
    assert (step.after_ns, step.in_time) == (after, not late)


def test_the_slices_of_a_flatten_are_no_new_orders_and_an_opening_is():
    flatten = msgspec.structs.replace(HALT, flatten=True)
    late = TRIPPED + 80_000_000
    closing = view(last_order="z", last_order_at=late, last_opening_at=TRIPPED - 5)
    opening = view(last_order="z", last_order_at=late, last_opening_at=late)
    found = [
        {one.name: one.after_ns for one in certificate(shown, (halt,)).steps}[NO_NEW_ORDER]
        for shown, halt in ((closing, flatten), (opening, flatten), (closing, HALT))
    ]
    assert found == [0, 80_000_000, 80_000_000]


def test_a_step_that_was_not_done_is_not_in_time():
    steps = {one.name: one for one in certificate(None, after={DISPATCHED: 5}).steps}
    assert [one.limit_ns for one in steps.values()] == list(LIMITS_NS.values())
    assert (steps[DISPATCHED].in_time, steps[FLAT].after_ns, steps[FLAT].in_time) == (True, None, False)


def test_cancels_from_before_the_trip_are_no_part_of_it():
    cancels = tuple(CancelSeen(name, "w", 1, at, "taken off") for name, at in (("old", 1), ("new", TRIPPED)))
    assert [one.client_order_id for one in certificate(view(cancels=cancels)).cancels] == ["new"]


@pytest.mark.parametrize(
    ("odd", "fault"),
    [
        ({"schema": "flatness@2"}, "expected schema"), ({"view_at": None}, "needs a view"),
        ({"view_at": TRIPPED - 1}, "needs a view"), ({"open_orders": (resting(),)}, "no open order, found a"),
        ({"disagreements": ("x",)}, "agreeing drop copy"),
    ],
)  # fmt: skip
def test_a_certificate_that_does_not_hold_together_says_why(odd, fault):
    assert fault in " ".join(faults_of(msgspec.structs.replace(certificate(view()), **odd)))


def test_the_signed_file_verifies_by_the_key_alone():
    made = certificate(view())
    judged = verify(sign(made, KEY), PUBLIC)
    assert (judged.certificate, judged.faults) == (made, ())
    assert decode(encode(made)) == made
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert "expected one signature, by key" in verify(sign(made, KEY), other).faults[0]


SIGNED = sign(certificate(view(resting())), KEY)


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
@settings(max_examples=400, deadline=None)
def test_any_altered_byte_fails(place, change):
    altered = bytearray(SIGNED)
    altered[place] ^= change
    assert verify(bytes(altered), PUBLIC).faults


@pytest.mark.proof
def test_every_altered_byte_fails():
    for place in range(len(SIGNED)):
        for change in (1, 2, 32, 128):
            altered = bytearray(SIGNED)
            altered[place] ^= change
            assert verify(bytes(altered), PUBLIC).faults, (place, change)


@pytest.mark.parametrize("data", [b"", b"{}", SIGNED[:-1], SIGNED + b"\n", b" " + SIGNED, SIGNED[:40]])
def test_what_is_cut_or_padded_fails(data):
    assert verify(data, PUBLIC).faults


def test_a_signature_over_something_else_does_not_count():
    envelope = json.loads(SIGNED)
    envelope["payload"] = base64.b64encode(encode(certificate(view()))).decode()
    data = msgspec.json.encode(envelope, order="sorted") + b"\n"
    assert "the signature does not fit" in verify(data, PUBLIC).faults


def test_the_verb_tells_by_its_exit_code(tmp_path, capsys):
    (tmp_path / "key.pub").write_text(PUBLIC.hex() + "\n")

    def exits(made, alter=False):
        path = keep(tmp_path / "c", made, 1, KEY)
        if alter:
            path.write_bytes(path.read_bytes().replace(b"signatures", b"signaturex"))
        return call(["flatness", str(path), "--key", str(tmp_path / "key.pub")])

    assert exits(certificate(view())) == 0, capsys.readouterr()
    assert exits(certificate(view(resting()))) == 1
    assert exits(certificate(None)) == 2
    assert exits(certificate(view()), alter=True) == 2
    assert call(["flatness", str(tmp_path / "no"), "--key", str(tmp_path / "key.pub")]) == 3
    said = capsys.readouterr().out
    for words in ("outcome verified", "no_new_order", "limit 50 ms", "open    a X.SIM +2 lots", "not done  limit 250"):
        assert words in said


def test_certificates_are_read_oldest_first_and_a_key_must_be_one(tmp_path):
    for number in (2, 1, 3):
        keep(tmp_path, certificate(view()), number, KEY)
    assert [path.name[-9:] for path, _ in read_all(tmp_path, PUBLIC)] == ["0001.json", "0002.json", "0003.json"]
    (tmp_path / "bad.pub").write_text("abc")
    for name in ("bad.pub", "absent.pub"):
        with pytest.raises(InvalidInput, match="64 hex digits"):
            public_key(tmp_path / name)
