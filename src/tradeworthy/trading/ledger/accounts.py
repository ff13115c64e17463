"""Double entry: nine accounts an instance and currency, and postings that sum to zero (LG-01)."""

from decimal import Decimal
from enum import IntEnum

from tradeworthy.kernel.errors import HaltTrading

ZERO = Decimal(0)


class Account(IntEnum):
    """What an amount is. Cash is positive when held; income accounts are negative when earned."""

    CASH = 0
    POSITION = 1
    FEE = 2
    FUNDING = 3
    REALISED = 4
    DIVIDEND = 5
    BORROW = 6
    TRANSFER = 7
    SUSPENSE = 8


Entry = tuple[int, Decimal]
"""`(account, amount)`; an `Account` or its number."""


class Accounts:
    """Balances of every instance and currency; `post` is their only writer."""

    __slots__ = ("_sheets", "postings")

    def __init__(self) -> None:
        self._sheets: dict[tuple[str, str], list[Decimal]] = {}
        self.postings = 0

    def post(self, instance: str, currency: str, *entries: Entry) -> None:
        """Book entries of one currency; raises `HaltTrading` when they do not sum to zero."""
        total = ZERO
        for _, amount in entries:
            total += amount
        if total:
            raise HaltTrading(f"a posting must sum to zero in {currency}, was {total}: {entries}")
        sheet = self._sheets.get((instance, currency))
        if sheet is None:
            sheet = self._sheets[(instance, currency)] = [ZERO] * len(Account)
        for account, amount in entries:
            sheet[account] += amount
        self.postings += 1

    def balance(self, instance: str, currency: str, account: Account) -> Decimal:
        sheet = self._sheets.get((instance, currency))
        return ZERO if sheet is None else sheet[account]

    def total(self, currency: str) -> Decimal:
        """Return the sum over all accounts of a currency: zero, always."""
        return sum((sum(sheet, ZERO) for (_, held), sheet in self._sheets.items() if held == currency), ZERO)

    def currencies(self, instance: str) -> tuple[str, ...]:
        return tuple(sorted(currency for owner, currency in self._sheets if owner == instance))

    def instances(self) -> tuple[str, ...]:
        return tuple(sorted({owner for owner, _ in self._sheets}))

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return `(instance, currency, account, balance)` of every account that is not zero, sorted."""
        return sorted(
            (instance, currency, Account(number).name.lower(), plain(amount))
            for (instance, currency), sheet in self._sheets.items()
            for number, amount in enumerate(sheet)
            if amount
        )


def plain(amount: Decimal) -> str:
    """Return one text for one value: no exponent, no trailing zeros."""
    return format(amount.normalize() if amount else ZERO, "f")
