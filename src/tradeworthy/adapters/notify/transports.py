"""The way out of each channel, or why there is none: what is not configured is told, never taken for sent (AR-08)."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tradeworthy.adapters.notify.github import GitHubIssues
from tradeworthy.adapters.notify.local import Command, LinesFile
from tradeworthy.adapters.notify.mail import PORT, Mail
from tradeworthy.adapters.notify.slack import Slack, SlackThreads
from tradeworthy.adapters.notify.sms import Sms
from tradeworthy.adapters.notify.webhook import Webhook
from tradeworthy.kernel.errors import UsageError
from tradeworthy.kernel.redaction import Secret, is_reference
from tradeworthy.operations.incidents.channel import Transport
from tradeworthy.operations.incidents.policy import AlertPolicy, ChannelPolicy

PLACEHOLDERS = ("example.com", "example.org", "example.net", ".example", ".invalid", ".test")
Resolve = Callable[[str], Secret]


def transports_of(policy: AlertPolicy, resolve: Resolve, *, base: Path) -> dict[str, Transport | str]:
    """Return a transport for each channel by name, or the reason why it has none.

    resolve  finds a secret by its reference, when it is used;  base  below which files with a bare name lie
    """
    return ways_of(policy.channels, resolve, base=base)


def ways_of(channels: Iterable[ChannelPolicy], resolve: Resolve, *, base: Path) -> dict[str, Transport | str]:
    """Return the same for channels that stand alone, without the rules of alerts."""
    return {one.name: _transport_of(one, resolve, base) for one in channels}


def keep_threads(way: Transport | str, channel: str, threads: Mapping[tuple[str, str], str]) -> None:
    """Let a way that keeps threads go on with those of its channel: dedup key to the gateway's name of the first."""
    if isinstance(way, SlackThreads):
        way.go_on({dedup: name for (of, dedup), name in threads.items() if of == channel})


def _transport_of(channel: ChannelPolicy, resolve: Resolve, base: Path) -> Transport | str:
    if not channel.destination:
        return "no destination is configured"
    for place in (channel.destination, channel.gateway):
        if _is_placeholder(place):
            return f"{_host_of(place)} is a placeholder, no host"
    if channel.secret and not is_reference(channel.secret):
        return "expected the secret as a reference secret://NAME, found plain text"
    try:
        if channel.secret:
            resolve(channel.secret)
        if is_reference(channel.destination):
            resolve(channel.destination)
        return _open(channel, resolve, base)
    except UsageError as problem:
        return str(problem)
    except ImportError:
        return f"{channel.transport} needs the extra `notify`: pip install tradeworthy[notify]"


def _open(channel: ChannelPolicy, resolve: Resolve, base: Path) -> Transport | str:
    def secret() -> Secret:
        return resolve(channel.secret)

    def destination() -> str:
        return resolve(channel.destination).reveal() if is_reference(channel.destination) else channel.destination

    key = secret if channel.secret else None
    match channel.transport:
        case "webhook":
            return Webhook(destination, key)
        case "slack":
            if key is not None and channel.destination.startswith("#"):
                return SlackThreads(channel.destination, key, channel.gateway)
            return Slack(destination)
        case "sms":
            if not channel.gateway:
                return "no gateway is configured"
            return Sms(lambda: channel.gateway, channel.destination, channel.sender, key)
        case "github":
            if key is None:
                return "no token is configured"
            return GitHubIssues(channel.destination, key, channel.gateway)
        case "email":
            host, _, port = channel.gateway.partition(":")
            if not host:
                return "no gateway is configured"
            if port and not port.isdigit():
                return f"expected host:port, found {channel.gateway!r}"
            return Mail(
                host, int(port or PORT), channel.destination, sender=channel.sender, password=key,
                start_tls=channel.start_tls,
            )  # fmt: skip
        case "file":
            return LinesFile(base / channel.destination)
        case "command":
            return Command(shlex.split(channel.destination))
        case other:
            return f"no transport {other!r} is known"


def _host_of(place: str) -> str:
    if "://" in place:
        return urlsplit(place).hostname or ""
    return place.rpartition("@")[2].partition(":")[0].partition("/")[0]


def _is_placeholder(place: str) -> bool:
    host = _host_of(place).lower()
    return any(host == one or host.endswith(one if one.startswith(".") else f".{one}") for one in PLACEHOLDERS)
