"""Tell the result of a build's job: an issue at the repository, a mirror in the chat, and an event here (GT-18)."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from tradeworthy.adapters.notify.transports import ways_of
from tradeworthy.kernel.clock import Clock
from tradeworthy.kernel.redaction import Secret
from tradeworthy.operations.gates.build_alerts import BuildAlerted, notice_of
from tradeworthy.operations.gates.store import GateStore
from tradeworthy.operations.incidents.channel import Refused, Transport
from tradeworthy.operations.incidents.model import Notice
from tradeworthy.operations.incidents.policy import ChannelPolicy

TIMEOUT_S = 10.0
ISSUES, CHAT = "issues", "chat"


class Wires(msgspec.Struct, frozen=True, kw_only=True):
    """Where a result goes. `repository` is `owner/name`, `token` and `chat` are references to secrets.

    api   of the repository's host, empty = the public one;  chat  the URL of an incoming webhook, empty = no mirror
    where  the build, as people find it
    """

    repository: str
    token: str
    api: str = ""
    chat: str = ""
    where: str = ""


def channels_of(wires: Wires) -> tuple[ChannelPolicy, ...]:
    """Return the channels as the house's alerts know them."""
    found = [ChannelPolicy(
        name=ISSUES, transport="github", destination=wires.repository, secret=wires.token, gateway=wires.api
    )]  # fmt: skip
    if wires.chat:
        found.append(ChannelPolicy(name=CHAT, transport="slack", destination=wires.chat))
    return tuple(found)


def tell_build(
    store: GateStore, wires: Wires, resolve: Callable[[str], Secret], clock: Clock, *, job: str, failed: bool,
    drill: bool = False,
) -> tuple[BuildAlerted, ...]:  # fmt: skip
    """Raise or take back the alert of a job on every channel and journal it; a drill does both, one after the other."""
    ways = ways_of(channels_of(wires), resolve, base=Path())
    notices = [
        (bad, notice_of(job, failed=bad, at=clock.now(), drill=drill, where=wires.where))
        for bad in ((True, False) if drill else (failed,))
    ]  # fmt: skip

    async def play() -> list[list[tuple[str, str, str]]]:
        return [[await _sent(name, way, notice) for name, way in ways.items()] for _, notice in notices]

    told = []
    for (bad, notice), answers in zip(notices, asyncio.run(play()), strict=True):
        one = BuildAlerted(
            job, bad, notice.at, drill, tuple(f"{name}:{made}" for name, made, fault in answers if not fault),
            tuple(f"{name}: {fault}" for name, _, fault in answers if fault),
        )
        store.note(one)
        told.append(one)
    return tuple(told)


async def _sent(name: str, way: Transport | str, notice: Notice) -> tuple[str, str, str]:
    """Return a channel with how it calls what it took, and why it took nothing."""
    if isinstance(way, str):
        return name, "", way
    try:
        return name, (await way.send(notice, timeout_s=TIMEOUT_S)).provider_id, ""
    except (Refused, OSError) as problem:
        return name, "", str(problem)
