"""What a fill, fee, funding, flow or corporate action does to accounts and positions (LG-01 to LG-08, LG-11)."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_builders import ALL, INVERSE, PERP, SHARE, SPOT, D, fill, ledger

from tradeworthy.kernel.errors import HaltTrading, InvalidInput
from tradeworthy.trading.ledger.accounts import Account, Accounts
from tradeworthy.trading.ledger.bookings import FlowKind
from tradeworthy.trading.model.order import Liquidity
from tradeworthy.trading.model.state import Unknown


def test_posting_that_does_not_sum_to_zero_halts():
    with pytest.raises(HaltTrading, match=r"must sum to zero in USDT, was 0\.01"):
        Accounts().post("a", "USDT", (Account.CASH, D("1.01")), (Account.FEE, D(-1)))


def test_fill_through_zero_realises_the_closed_part_and_opens_the_rest_at_its_price():
    book = ledger()
    book.book(fill(SHARE, 1, 10_000), None)
    done = book.book(fill(SHARE, -3, 11_000, "t2"), 22_000)
    assert (done.realized, done.position, done.average, done.mid) == (D(10), -2, D(11_000), D(11_000))


def test_adding_averages_and_reducing_keeps_the_average():
    book = ledger()
    book.book(fill(PERP, 1000, 10_000), None)
    assert book.book(fill(PERP, 3000, 12_000, "t2"), None).average == D(11_500)
    done = book.book(fill(PERP, -1000, 12_500, "t3"), None)
    assert (done.realized, done.average, done.position) == (D(10), D(11_500), 3000)


def test_inverse_average_is_the_harmonic_mean_weighted_by_contracts():
    book = ledger()
    book.book(fill(INVERSE, 100, 20_000), None)  # 10 000 quote at 10 000 = 1 BTC
    done = book.book(fill(INVERSE, 100, 40_000, "t2"), None)  # 10 000 quote at 20 000 = 0.5 BTC
    assert abs(done.average * D("0.5") - D(20_000) / D("1.5")) < D("1e-12")
    closed = book.book(fill(INVERSE, -200, 50_000, "t3"), None)  # at 25 000: 1.5 - 0.8
    assert (closed.realized, closed.position, closed.average) == (D("0.7"), 0, None)
    assert book.cash("a", "BTC") == D("0.7")


def test_hand_computed_spot_tape_to_the_last_unit():
    book = ledger()
    book.flow("a", "USDT", D(1000), FlowKind.DEPOSIT)
    book.book(fill(SPOT, 300, 10_000, fee=D("0.015")), None)  # 0.3 BTC at 100
    book.book(fill(SPOT, 100, 10_200, "t2", fee=D("0.0051")), None)  # 0.1 BTC at 102
    book.book(fill(SPOT, -200, 10_300, "t3", fee=D("0.0103")), None)  # 0.2 BTC at 103
    assert book.cash("a", "USDT") == D("1000") - 30 - D("10.2") + D("20.6") - D("0.0304")
    assert book.realized("a", "USDT") == D("20.6") - D("20.1")
    assert book.fees("a", "USDT") == D("0.0304")
    assert book.unrealized("a", SPOT.instrument_id, 20_800) == D("0.2") * (D(104) - D("100.5"))
    assert book.equity("a", {SPOT.instrument_id: 20_800}, {}) == D("980.3696") + D("20.8")


def test_fee_in_the_base_asset_leaves_the_exact_holding():
    book = ledger()
    book.book(fill(SPOT, 1000, 10_000, fee=D("0.00075"), fee_currency="BTC"), None)
    assert book.cash("a", "BTC") == D("0.99925")
    assert book.fees("a", "BTC") == D("0.00075")
    assert book.lots("a", SPOT.instrument_id) == 1000


def test_rebate_is_booked_as_it_is():
    book = ledger()
    book.book(fill(PERP, 1000, 10_000, fee=D("-0.02"), liquidity=Liquidity.MAKER), None)
    assert (book.cash("a", "USDT"), book.fees("a", "USDT")) == (D("0.02"), D("-0.02"))


def test_missing_fee_is_estimated_until_it_arrives():
    book = ledger()
    late = fill(PERP, 1000, 10_000, fee=None)
    done = book.book(late, None)
    assert (done.fee, book.fees("a", "USDT"), book.estimated_fees()) == (None, D("0.05"), 1)
    settled = book.settle_fee(late, D("0.04"), "USDT")
    assert (settled.estimate, book.fees("a", "USDT"), book.estimated_fees()) == (D("0.05"), D("0.04"), 0)
    with pytest.raises(InvalidInput, match="found none"):
        book.settle_fee(late, D("0.04"), "USDT")


@pytest.mark.parametrize(("signed", "rate", "amount"), [(1000, "0.0001", "-0.01"), (-1000, "0.0001", "0.01"),
                                                        (1000, "-0.0001", "0.01")])  # fmt: skip
def test_funding_keeps_its_sign(signed, rate, amount):
    book = ledger()
    book.book(fill(PERP, signed, 10_000), None)
    before = book.equity("a", {PERP.instrument_id: 20_000}, {})
    assert book.funding("a", PERP.instrument_id, D(rate), 20_000).amount == D(amount)
    assert book.equity("a", {PERP.instrument_id: 20_000}, {}) - before == D(amount)


def test_perp_equity_is_wallet_plus_unrealised_and_not_base_times_mid():
    book = ledger()
    book.flow("a", "USDT", D(100), FlowKind.DEPOSIT)
    book.book(fill(PERP, 100, 10_000), None)
    assert book.equity("a", {PERP.instrument_id: 22_000}, {}) == D(101)


def test_missing_mark_or_rate_makes_equity_unknown():
    book = ledger()
    book.flow("a", "EUR", D(100), FlowKind.DEPOSIT)
    assert book.equity("a", {}, {"EUR": D("1.1")}) == D(110)
    assert book.equity("a", {}, {}) == Unknown("no rate of EUR in USDT")
    book.book(fill(PERP, 100, 10_000), None)
    assert book.equity("a", {}, {"EUR": D("1.1")}) == Unknown("no mark of BTCPERP.SIM")


def test_split_scales_lots_and_average_and_keeps_the_value():
    book = ledger()
    book.book(fill(SHARE, 10, 12_000), None)
    book.split(SHARE.instrument_id, 4, 1)
    held = book.position("a", SHARE.instrument_id)
    assert (held.lots, held.average) == (40, D(3000))
    assert book.cash("a", "IBM") == 40
    assert book.book(fill(SHARE, -40, 3100, "t2"), None).realized == D(40)


def test_split_into_part_shares_is_refused_and_moves_nothing():
    book = ledger()
    book.book(fill(SHARE, 101, 12_000), None)
    with pytest.raises(InvalidInput, match="whole lots"):
        book.split(SHARE.instrument_id, 3, 2)
    assert book.lots("a", SHARE.instrument_id) == 101


def test_dividend_is_cash_and_a_short_pays_it():
    book = ledger()
    book.book(fill(SHARE, -10, 12_000), None)
    assert book.dividend("a", SHARE.instrument_id, D("1.67")).amount == D("-16.7")


def test_a_bust_after_a_restart_takes_one_fill_back_and_not_what_was_held_before():
    earlier, later, name = ledger(), ledger(), PERP.instrument_id
    earlier.book(fill(PERP, 100, 10_000), None)
    held = earlier.position("a", name)
    later.restore(earlier.balances(), [("a", name, held.lots, earlier.cost("a", name), held.average)])
    bad = fill(PERP, 50, 13_000, "bad")
    assert later.book(bad, None).position == 150
    taken = later.bust(bad, None)
    assert (taken.position, taken.average) == (100, D(10_000))
    assert later.cost("a", name) == earlier.cost("a", name)


def test_bust_leaves_what_were_without_the_fill_and_returns_the_fee():
    with_bust, without = ledger(), ledger()
    first, bad, last = fill(SPOT, 10, 10_000), fill(SPOT, 5, 12_000, "bad", fee=D(1)), fill(SPOT, -12, 11_000, "t3")
    for item in (first, bad, last):
        with_bust.book(item, None)
    taken = with_bust.bust(bad, None)
    for item in (first, last):
        without.book(item, None)
    assert with_bust.state_hash() == without.state_hash()
    assert (taken.lots, taken.fee, taken.position) == (-5, D(-1), -2)
    with pytest.raises(InvalidInput, match="a booked fill was expected"):
        with_bust.bust(bad, None)


def test_correction_equals_the_right_fill_booked_at_once():
    corrected, right = ledger(), ledger()
    corrected.book(fill(PERP, 10, 10_000), None)
    corrected.book(fill(PERP, -4, 10_500, "t2"), None)
    corrected.correct(fill(PERP, 8, 10_100), None)
    right.book(fill(PERP, 8, 10_100), None)
    right.book(fill(PERP, -4, 10_500, "t2"), None)
    assert corrected.state_hash() == right.state_hash()


def test_position_of_an_unknown_instrument_is_flat_and_its_fill_is_refused():
    book = ledger()
    assert book.position("a", "NO.SUCH").lots == 0
    with pytest.raises(InvalidInput, match=r"found 'NO\.SUCH'"):
        book.book(fill(SPOT, 1, 1, instrument="NO.SUCH"), None)


_SIGNED = st.integers(-50, 50).filter(bool)
_PRICE = st.integers(5_000, 50_000)
_ON = st.sampled_from(list(ALL.values()))
_WHO = st.sampled_from(["a", "b"])
_FEE = st.integers(-10**6, 10**8).map(lambda nanos: Decimal(nanos) / 10**9)
_ACTS = st.one_of(
    st.tuples(st.just("fill"), _WHO, _ON, _SIGNED, _PRICE, _FEE, st.sampled_from(["USDT", "BTC"])),
    st.tuples(st.just("funding"), _WHO, st.sampled_from([PERP, INVERSE]), _FEE, _PRICE),
    st.tuples(st.just("flow"), _WHO, st.sampled_from(["USDT", "BTC"]), _FEE),
    st.tuples(st.just("split"), st.sampled_from([2, 3])),
    st.tuples(st.just("bust"), st.integers(0, 30)),
)


def fold(acts):
    book, fills, busted = ledger(), [], set()
    for number, act in enumerate(acts):
        match act:
            case ("fill", who, on, signed, price, fee, asset):
                item = fill(on, signed, price, f"t{number}", instance=who, fee=fee, fee_currency=asset)
                book.book(item, 2 * price)
                fills.append(item)
            case ("funding", who, on, rate, price):
                book.funding(who, on.instrument_id, rate, 2 * price)
            case ("flow", who, currency, amount):
                book.flow(who, currency, amount, FlowKind.DEPOSIT)
            case ("split", new):
                book.split(SHARE.instrument_id, new, 1)
            case ("bust", index) if index < len(fills) and index not in busted:
                busted.add(index)
                book.bust(fills[index], None)
    return book


@settings(max_examples=60, deadline=None)
@given(st.lists(_ACTS, max_size=30))
def test_every_currency_sums_to_zero_after_any_sequence(acts):
    book = fold(acts)
    assert [book.accounts.total(currency) for currency in ("USDT", "BTC", "IBM")] == [0, 0, 0]
    assert fold(acts).state_hash() == book.state_hash()


@settings(max_examples=60, deadline=None)
@given(st.lists(_ACTS, max_size=30), st.dictionaries(st.sampled_from(list(ALL)), _PRICE, min_size=4))
def test_incremental_marks_equal_the_decimal_ledger(acts, prices):
    book = fold(acts)
    prices[PERP.instrument_id] = prices[INVERSE.instrument_id] = prices[SPOT.instrument_id]
    prices[INVERSE.instrument_id] = prices[SPOT.instrument_id] // 50  # the same price in its own, coarser ticks
    prices[SPOT.instrument_id] = prices[PERP.instrument_id] = prices[INVERSE.instrument_id] * 50
    for name, price in prices.items():
        book.marks.mark(name, 2 * price)
    marks2 = {name: 2 * price for name, price in prices.items()}
    rates = {"BTC": prices[SPOT.instrument_id] * SPOT.tick}
    total = D(0)
    inverse = book.lots("a", INVERSE.instrument_id) or book.lots("b", INVERSE.instrument_id)
    for who in ("a", "b"):
        exact = book.equity(who, marks2, rates)
        assert abs(D(book.marks.equity(who)) / 10**9 - exact) < D("2e-9")
        total += exact
    assert abs(D(book.marks.desk()) / 10**9 - total) < (D("1e-8") if inverse else D("1e-9"))
