"""What the instances of a document are for, what follows from that, and what contradicts it (CA-01 to CA-04)."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from tradeworthy.trading.control.guard import HeldReason
from tradeworthy.trading.market_data.instruments import shipped
from tradeworthy.trading.model import GuardLevel
from tradeworthy.trading.strategies.catalogue import CATALOGUE

if TYPE_CHECKING:
    from tradeworthy.app.config import Document, InstanceSection

MICROCAP_MAX = Decimal(100)
"""CA-02: the most that an instance in `live_microcap` may hold, in quote currency."""
LIVE, PAPER, TESTNET = "live_", "paper_", "testnet_"
NO_TRADE = "_notrade"
DUTY_MODES: Mapping[str, tuple[str, ...]] = {
    "live_microcap": (LIVE,), "paper_validation": (PAPER,), "connector_validation": (TESTNET,), "reserved": (),
}  # fmt: skip
"""From the duty of an instance to the modes it may be in."""
ENVIRONMENT_MODES: Mapping[str, tuple[str, ...]] = {
    "backtest": (LIVE, PAPER, TESTNET), "replay": (LIVE, PAPER, TESTNET), "paper": (PAPER, TESTNET),
    "live": (LIVE, TESTNET),
}  # fmt: skip
_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


def venue_of(instance: "InstanceSection") -> str:
    """Return the venue of an instance: that of its instrument."""
    return instance.instrument.rpartition(".")[2]


def name_of(instance: "InstanceSection") -> str:
    """Return the derived name `<strategy>_<version>_<instance>_<venue>_<mode>` in lower case (CA-04)."""
    return "_".join((instance.strategy, instance.version, instance.id, venue_of(instance), instance.mode)).lower()


def live_scope(document: "Document") -> tuple[str, ...]:
    """Return the instances that live risk and reconciliation watch: the enabled ones that trade with real money."""
    return tuple(one.id for one in document.instances if one.enabled and one.mode.startswith(LIVE))


def reconciled(document: "Document") -> tuple[tuple[str, str], ...]:
    """Return `(account, venue)` of every enabled instance whose venue keeps books of its own, each once."""
    kept = [one for one in document.instances if one.enabled and one.mode.startswith((LIVE, TESTNET))]
    return tuple(dict.fromkeys((one.account, venue_of(one)) for one in kept))


def caps(document: "Document") -> dict[str, Decimal]:
    """Return the notional cap of each enabled instance that has one, in quote currency."""
    return {one.id: one.cap for one in document.instances if one.enabled and one.cap is not None}


def no_trade_reasons(document: "Document") -> tuple[HeldReason, ...]:
    """Return the pauses that hold the instances in a no-trade mode (`config.no_trade`)."""
    return tuple(
        HeldReason("config", "no_trade", GuardLevel.PAUSED, f"strategy:{one.id}", 0, None, f"mode {one.mode}")
        for one in document.instances
        if one.enabled and one.mode.endswith(NO_TRADE)
    )


def faults_of(document: "Document") -> list[str]:
    """Return every contradiction of instances, accounts and scope, in reading order; empty when there is none."""
    found = _accounts(document)
    known = {one.id for one in document.instances}
    found += [f"exempt: unknown instance {name!r}" for name in document.exempt if name not in known]
    for one in document.instances:
        if one.mode or one.duty or one.account or one.cap is not None:
            found += [f"instance {one.id!r}: {fault}" for fault in _instance(document, one)]
        elif one.id in document.exempt and not one.enabled:
            found.append(f"instance {one.id!r}: disabled, so it stands in no scope: take it off exempt")
    names = [name_of(one) for one in document.instances if one.mode]
    found += [f"the derived name {name!r} stands twice" for name in sorted({n for n in names if names.count(n) > 1})]
    return found


def _accounts(document: "Document") -> list[str]:
    ids = [one.id for one in document.accounts]
    found = [f"account {one!r} stands twice" for one in sorted({i for i in ids if ids.count(i) > 1})]
    venues = _venues()
    return found + [
        f"account {one.id!r}: unknown venue {one.venue!r}; known are {', '.join(venues)}"
        for one in document.accounts
        if one.venue not in venues
    ]


def _instance(document: "Document", one: "InstanceSection") -> list[str]:
    found = [*_known(one), *_purpose(document, one), *_money(one), *_scope(document, one)]
    account = next((account for account in document.accounts if account.id == one.account), None)
    if one.account and account is None:
        found.append(f"unknown account {one.account!r}; there are {sorted(a.id for a in document.accounts)}")
    if account is not None:
        if account.venue != venue_of(one):
            found.append(f"account {account.id!r} is at {account.venue}, its instrument at {venue_of(one)}")
        if one.mode.startswith(PAPER) and account.credentials:
            found.append(f"{one.mode} holds no credentials, account {account.id!r} has some")
        if one.mode.startswith(LIVE) and not account.credentials:
            found.append(f"{one.mode} needs credentials, account {account.id!r} has none")
    return found


def _known(one: "InstanceSection") -> list[str]:
    found = []
    if one.strategy not in CATALOGUE:
        found.append(f"unknown strategy {one.strategy!r}; known are {', '.join(sorted(CATALOGUE))}")
    if one.instrument not in shipped():
        found.append(f"unknown instrument {one.instrument!r}; known are {', '.join(sorted(shipped()))}")
    if one.venue and one.venue not in _venues():
        found.append(f"unknown venue {one.venue!r}; known are {', '.join(_venues())}")
    elif one.venue and one.venue != venue_of(one):
        found.append(f"venue must be that of its instrument, {venue_of(one)}, was {one.venue}")
    return found


def _purpose(document: "Document", one: "InstanceSection") -> list[str]:
    found = []
    allowed = ENVIRONMENT_MODES[document.desk.environment]
    if one.enabled and one.mode and not one.mode.startswith(allowed):
        found.append(f"mode {one.mode} does not run in environment {document.desk.environment}")
    if one.enabled and not one.mode:
        found.append("an instance with a duty, an account or a cap needs a mode")
    if one.duty == "reserved" and one.enabled:
        found.append("reserved, so it must be disabled")
    elif one.duty and one.mode and not one.mode.startswith(DUTY_MODES[one.duty]):
        found.append(f"duty {one.duty} does not go with mode {one.mode}")
    name = name_of(one)
    if (one.mode and one.id != one.id.lower()) or not _NAME.fullmatch(name if one.mode else one.id.lower()):
        found.append(f"id, strategy and version must be lower case words joined by underscores, gave {name!r}")
    if one.name and one.name != name:
        found.append(f"name is derived and must be {name!r}, was {one.name!r}")
    return found


def _money(one: "InstanceSection") -> list[str]:
    cap = one.cap
    if cap is not None and not (cap.is_finite() and cap > 0):
        return [f"cap must be above zero, was {cap}"]
    if one.mode == "live_microcap" and (cap is None or cap > MICROCAP_MAX):
        return [f"cap in live_microcap must be at most {MICROCAP_MAX}, was {'absent' if cap is None else cap}"]
    return []


def _scope(document: "Document", one: "InstanceSection") -> list[str]:
    found = []
    exempt = one.id in document.exempt
    if not one.enabled:
        if one.account:
            found.append(f"disabled, so it has no account: take off {one.account!r}")
        if exempt:
            found.append("disabled, so it stands in no scope: take it off exempt")
        return found
    if one.mode.startswith(LIVE):
        if exempt:
            found.append(f"{one.mode} is in the live risk scope and in reconciliation: take it off exempt")
        if not one.account:
            found.append(f"{one.mode} needs an account")
        if not document.catalogue:
            found.append(f"{one.mode} needs the catalogue of approved bundles")
    return found


def _venues() -> list[str]:
    return sorted({instrument.venue for instrument in shipped().values()})
