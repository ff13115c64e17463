"""Sixty fills of one order leave the ledger exact to the last unit of fee, price and holding."""

from ledger_builders import SPOT, D, fill, ledger

from tradeworthy.trading.ledger.bookings import FlowKind

FILLS = 60


def test_sixty_fills_of_an_order_are_booked_to_the_last_unit():
    book = ledger()
    book.flow("a", "USDT", D(10_000), FlowKind.DEPOSIT)
    spent = fees = D(0)
    for number in range(FILLS):
        price, fee = 10_000 + number, D("0.00001") * (number + 1)
        done = book.book(fill(SPOT, 1, price, f"t{number}", fee=fee), None)
        spent += D(price) * D("0.01") * D("0.001")
        fees += fee
    assert done.position == FILLS
    assert book.cash("a", "USDT") == D(10_000) - spent - fees
    assert book.fees("a", "USDT") == fees
    assert done.average == D("10029.5")
    closed = book.book(fill(SPOT, -FILLS, 11_000, "out"), None)
    assert (closed.position, closed.average) == (0, None)
    assert book.realized("a", "USDT") == D(110) * D("0.001") * FILLS - spent
