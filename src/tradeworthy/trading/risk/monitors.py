"""Loss and activity monitors: they act on the guard, not on orders (RK-43, RK-44, RK-12, RK-54)."""

from collections import deque
from collections.abc import Container, Iterable
from decimal import Decimal

from tradeworthy.trading.model import GuardLevel, GuardReason, Side
from tradeworthy.trading.risk.context import RiskContext
from tradeworthy.trading.risk.control import money, ratio
from tradeworthy.trading.risk.policy import RiskPolicy

NOTHING: tuple[GuardReason, ...] = ()
FAR_BELOW = -(1 << 200)


class DeskLosses:
    """Daily loss and rolling drawdown of the desk. Call `on_equity` after `RiskContext.set_equity`.

    A daily-loss pause ends with the day; a drawdown's reducing ends when gross is half of gross at the breach.
    """

    __slots__ = (
        "_alarm",
        "_context",
        "_daily",
        "_daily_level",
        "_drawdown",
        "_drawdown_level",
        "_gross_goal2",
        "_open",
        "_peak",
    )

    def __init__(self, policy: RiskPolicy, context: RiskContext) -> None:
        self._context = context
        self._daily = (
            (ratio(policy.daily_loss_pause), "daily_loss", GuardLevel.PAUSED),
            (ratio(policy.daily_loss_page), "daily_loss_page", GuardLevel.PAUSED),
            (ratio(policy.daily_loss_stop), "daily_loss_stop", GuardLevel.STOPPED),
        )
        self._drawdown = (
            (ratio(policy.drawdown_reduce), "drawdown", GuardLevel.REDUCING),
            (ratio(policy.drawdown_stop), "drawdown_stop", GuardLevel.STOPPED),
        )
        self._daily_level = 0
        self._drawdown_level = 0
        self._gross_goal2: int | None = None
        self._open: int | None = None
        self._peak = 0
        self._alarm = FAR_BELOW

    def on_equity(self) -> tuple[GuardReason, ...]:
        """Return the reasons that the context's equity sets or clears, each once."""
        ctx = self._context
        if ctx.peak_30d != self._peak or ctx.equity_open_nanos != self._open:
            self._arm()
        equity = ctx.equity_nanos
        if equity is None or (equity > self._alarm and self._gross_goal2 is None):
            return NOTHING
        reasons: list[GuardReason] = []
        opened = self._open
        while opened is not None and self._daily_level < 3:
            limit, code, level = self._daily[self._daily_level]
            if equity > _floor(opened, limit):
                break
            reasons.append(_reason(code, level, equity, opened, limit))
            self._daily_level += 1
        while self._drawdown_level < 2:
            limit, code, level = self._drawdown[self._drawdown_level]
            if equity > _floor(self._peak, limit):
                break
            reasons.append(_reason(code, level, equity, self._peak, limit))
            if self._drawdown_level == 0:
                self._gross_goal2 = ctx.gross2 // 2
            self._drawdown_level += 1
        if self._gross_goal2 is not None and not reasons and ctx.gross2 <= self._gross_goal2:
            reasons.append(
                GuardReason("risk", "drawdown", GuardLevel.REDUCING, active=False, evidence="gross is halved")
            )
            self._gross_goal2 = None
        self._arm()
        return tuple(reasons)

    def on_day(self) -> tuple[GuardReason, ...]:
        """Start a day after `RiskContext.day_roll`: pauses of the day before end, a stop stays."""
        done = self._daily[: min(self._daily_level, 2)]
        self._daily_level = 0
        if self._context.equity_nanos is not None and self._context.equity_nanos > _floor(
            self._peak, self._drawdown[0][0]
        ):
            self._drawdown_level = 0
        self._arm()
        return tuple(GuardReason("risk", code, level, active=False, evidence="new desk day") for _, code, level in done)

    def outside(self, code: str) -> str | None:
        """Tell how the value behind a stop still lies outside its limit; None where it is back, or the code another."""
        at = {"daily_loss_stop": (self._context.equity_open_nanos, self._daily[2]),
              "drawdown_stop": (self._context.peak_30d, self._drawdown[1])}.get(code)  # fmt: skip
        if at is None:
            return None
        (base, (limit, _, _)), equity = at, self._context.equity_nanos
        if equity is None or base is None:
            return "equity is not known"
        if equity > _floor(base, limit):
            return None
        return f"{money(2 * equity)} of {money(2 * base)}, limit {Decimal(limit[0]) / limit[1]}"

    def rearm(self) -> None:
        """Tell the stops again when they are reached again: people took them away with the value inside."""
        self._daily_level, self._drawdown_level = min(self._daily_level, 2), min(self._drawdown_level, 1)
        self._arm()

    def memory(self) -> tuple[int, int, int | None]:
        """Return the daily and the drawdown levels told, and twice the gross at which reducing ends."""
        return self._daily_level, self._drawdown_level, self._gross_goal2

    def restore(self, memory: tuple[int, int, int | None]) -> None:
        """Go on where an earlier desk of the same day was; call after `RiskContext.restore_day`."""
        self._daily_level, self._drawdown_level, self._gross_goal2 = memory
        self._arm()

    def _arm(self) -> None:
        """Work out the equity at which the next level is reached."""
        ctx = self._context
        self._peak = ctx.peak_30d
        self._open = ctx.equity_open_nanos
        alarm = FAR_BELOW
        if self._open is not None:
            if self._daily_level < 3:
                alarm = max(alarm, _floor(self._open, self._daily[self._daily_level][0]))
            if self._drawdown_level < 2:
                alarm = max(alarm, _floor(self._peak, self._drawdown[self._drawdown_level][0]))
        self._alarm = alarm


class InstanceLosses:
    """Daily loss (2 % pause, 3 % stop of the budget) and 5 % drawdown from the day's peak, of each instance."""

    __slots__ = ("_days", "_drawdown", "_pause", "_stop")

    def __init__(self, policy: RiskPolicy) -> None:
        self._pause = ratio(policy.instance_loss_pause)
        self._stop = ratio(policy.instance_loss_stop)
        self._drawdown = ratio(policy.drawdown_instance)
        self._days: dict[str, list[int]] = {}

    def start_day(self, instance: str, allocated_nanos: int) -> tuple[GuardReason, ...]:
        """Take the budget at the open as the day's basis; a pause of the day before ends."""
        day = self._days.get(instance)
        paused = day is not None and day[2] & 1
        self._days[instance] = [allocated_nanos, allocated_nanos, 0]
        if not paused:
            return NOTHING
        scope = f"strategy:{instance}"
        return (GuardReason("risk", "daily_loss", GuardLevel.PAUSED, scope, False, evidence="new desk day"),)

    def on_pnl(self, instance: str, pnl_nanos: int) -> tuple[GuardReason, ...]:
        """Judge the day's profit and loss (fees and funding included); raises `KeyError` before `start_day`."""
        day = self._days[instance]
        opened, peak, told = day
        worth = opened + pnl_nanos
        if worth > peak:
            day[1] = worth
            return NOTHING
        reasons: list[GuardReason] = []
        scope = f"strategy:{instance}"
        for bit, base, limit, code, level in (
            (1, opened, self._pause, "daily_loss", GuardLevel.PAUSED),
            (2, opened, self._stop, "daily_loss_stop", GuardLevel.STOPPED),
            (4, peak, self._drawdown, "drawdown_stop", GuardLevel.STOPPED),
        ):
            if not told & bit and worth <= _floor(base, limit):
                day[2] |= bit
                reasons.append(_reason(code, level, worth, base, limit, scope))
        return tuple(reasons)

    def outside(self, instance: str, code: str, pnl_nanos: int) -> str | None:
        """Tell how an instance's day still lies outside a stop's limit; None where it is back, or the code another."""
        day = self._days.get(instance)
        limit = {"daily_loss_stop": self._stop, "drawdown_stop": self._drawdown}.get(code)
        if day is None or limit is None:
            return None
        base = day[0] if code == "daily_loss_stop" else day[1]
        worth = day[0] + pnl_nanos
        if worth > _floor(base, limit):
            return None
        return f"{money(2 * worth)} of {money(2 * base)}, limit {Decimal(limit[0]) / limit[1]}"

    def rearm(self, instance: str) -> None:
        """Tell an instance's stops again when they are reached again."""
        if instance in self._days:
            self._days[instance][2] &= 1

    def memory(self, instance: str) -> tuple[int, int, int] | None:
        """Return the day's basis, its peak and the reasons told as bits; None before `start_day`."""
        day = self._days.get(instance)
        return None if day is None else (day[0], day[1], day[2])

    def restore(self, instance: str, memory: tuple[int, int, int]) -> None:
        """Go on with a day that an earlier desk began."""
        self._days[instance] = list(memory)

    def bounds(self, instance: str) -> tuple[int, int]:
        """Return the day's profit and loss (nanos) at which the next reason is due, and the one of the peak."""
        opened, peak, told = self._days[instance]
        floor = FAR_BELOW
        for bit, base, limit in ((1, opened, self._pause), (2, opened, self._stop), (4, peak, self._drawdown)):
            if not told & bit:
                floor = max(floor, _floor(base, limit))
        return floor - opened, peak - opened


class RepeatedExecution:
    """RK-12: executions of one instance, instrument and side without an opposite fill; only a person re-enables."""

    __slots__ = ("_limit", "_runs", "_window")

    def __init__(self, policy: RiskPolicy) -> None:
        self._limit = policy.repeated_executions
        self._window = policy.repeated_window
        self._runs: dict[tuple[str, str], tuple[Side, deque[int]]] = {}

    def on_fill(self, instance: str, instrument_id: str, side: Side, ts: int) -> GuardReason | None:
        """Count one execution; return the reason at the limit."""
        key = (instance, instrument_id)
        run = self._runs.get(key)
        if run is None or run[0] is not side:
            self._runs[key] = (side, deque((ts,), maxlen=self._limit))
            count, first = 1, ts
        else:
            run[1].append(ts)
            count, first = len(run[1]), run[1][0]
        if count < self._limit or ts - first >= self._window:
            return None
        evidence = f"{count} executions {side.name.lower()} of {instrument_id} in {ts - first} ns"
        return GuardReason("risk", "repeated_execution", GuardLevel.REDUCING, f"strategy:{instance}", evidence=evidence)

    def memory(self) -> tuple[tuple[str, str, int, tuple[int, ...]], ...]:
        """Return instance, instrument, side and stamps of every run of executions."""
        return tuple((*key, int(side), tuple(stamps)) for key, (side, stamps) in self._runs.items())

    def restore(self, memory: Iterable[tuple[str, str, int, tuple[int, ...]]], disabled: Container[str]) -> None:
        """Go on counting; a run at the limit whose instance is not `disabled` any more was ended by `restart`."""
        for instance, instrument, side, stamps in memory:
            if len(stamps) < self._limit or instance in disabled:
                self._runs[(instance, instrument)] = (Side(side), deque(stamps, maxlen=self._limit))

    def restart(self, instance: str) -> None:
        """Count from nothing again, once a designated person has enabled the instance (`control/enabling.py`)."""
        for key in [key for key in self._runs if key[0] == instance]:
            del self._runs[key]


class SelfFailure:
    """RK-54: an exception, a missed heartbeat or a stale output in risk, compliance or execution stops the desk."""

    __slots__ = ("_age", "_beats")

    def __init__(self, policy: RiskPolicy) -> None:
        self._age = policy.heartbeat_age
        self._beats: dict[str, int] = {}

    def beat(self, component: str, ts: int) -> None:
        """Take a sign of life."""
        self._beats[component] = ts

    def failed(self, component: str, text: str) -> GuardReason:
        """Return the stop for an exception."""
        return GuardReason("risk", "self_failure", GuardLevel.STOPPED, evidence=f"{component}: {text}")

    def check(self, now: int) -> GuardReason | None:
        """Return the stop for the first component whose heartbeat is as old as the limit."""
        for component, ts in self._beats.items():
            if now - ts >= self._age:
                return self.failed(component, f"silent for {now - ts} ns, limit {self._age} ns")
        return None


def _floor(base: int, limit: tuple[int, int]) -> int:
    """Return the highest worth at which the loss from `base` reaches the limit (a failure budget)."""
    numerator, denominator = limit
    return base * (denominator - numerator) // denominator


def _reason(
    code: str, level: GuardLevel, observed: int, base: int, limit: tuple[int, int], scope: str = "desk"
) -> GuardReason:
    share = Decimal(limit[0]) / limit[1]
    return GuardReason(
        "risk", code, level, scope, evidence=f"{money(2 * observed)} of {money(2 * base)}, limit {share}"
    )
