"""Each KPI of each soak at its edge: named with its value where it is over."""

import pytest
from soak_events import (
    HOUR,
    ID,
    MINUTE,
    SECOND,
    START,
    cancel,
    fill,
    guard,
    order,
    quote,
    quotes,
    submit,
    watch_of,
)

from tradeworthy.kernel.host import HostMemory
from tradeworthy.kernel.severity import Severity
from tradeworthy.research.soak.judge import judge_family, judge_live_data, judge_multi_day, judge_paper, judge_smoke
from tradeworthy.research.soak.policy import FamilyPolicy, LiveDataPolicy, MultiDayPolicy, PaperPolicy, SmokePolicy
from tradeworthy.trading.model import Funding, GuardLevel, OrderState, Side, Timer

OK, UNKNOWN, FAIL = Severity.OK, Severity.UNKNOWN, Severity.FAIL
WORKING, REJECTED = OrderState.WORKING, OrderState.REJECTED
E = 1e-9


def not_ok(checks):
    return {check.code: check.severity for check in checks if check.severity is not OK}


# smoke


def smoke(*events, minutes=10):
    return judge_smoke(watch_of(*sorted([*quotes(minutes), *events], key=lambda one: one[0])), SmokePolicy())


def test_a_smoke_of_ten_minutes_with_a_fill_passes():
    assert not_ok(smoke((300, order(WORKING)), (310, fill()))) == {}


def test_a_smoke_without_a_fill_fails():
    assert not_ok(smoke((60, order(WORKING)))) == {"soak.fills": FAIL}


def test_a_smoke_whose_orders_come_after_five_minutes_fails():
    late = smoke((300.001, order(WORKING)), (310, fill()))
    assert not_ok(late) == {"soak.orders_active_after_minutes": FAIL}
    assert "soak.orders_active_after_minutes" in not_ok(smoke((310, fill())))


def test_a_smoke_that_is_too_short_fails():
    assert "soak.minutes" in not_ok(smoke((60, order(WORKING)), (61, fill()), minutes=9))


# paper


def paper(*events, minutes=120, skip=(), **changes):
    dated = sorted([*quotes(minutes, skip=skip), (5, order(WORKING)), (6, fill()), *events], key=lambda one: one[0])
    watch = watch_of(*dated)
    for name, value in changes.items():
        setattr(watch.records.equity if name == "drawdown" else watch.records, name, value)
    return {check.code: check for check in judge_paper(watch, PaperPolicy())}


def failed(found):
    return {code: check.severity for code, check in found.items() if check.severity is not OK}


def test_two_quiet_hours_on_paper_pass():
    assert failed(paper()) == {}


@pytest.mark.parametrize(("paused", "severity"), [(42, OK), (43, FAIL)])
def test_sixty_five_percent_of_the_minutes_must_run(paused, severity):
    stop, go = 60 * 60, (60 + paused) * 60 - 1
    found = paper((stop, guard(GuardLevel.PAUSED)), (go, guard(GuardLevel.RUNNING)))
    assert found["soak.running_share"].severity is severity


@pytest.mark.parametrize(("missing", "severity"), [(42, OK), (43, FAIL)])
def test_a_missing_minute_is_one_that_did_not_run(missing, severity):
    assert paper(skip=range(60, 60 + missing))["soak.running_share"].severity is severity


@pytest.mark.parametrize(("rejects", "severity"), [(5, OK), (6, FAIL)])
def test_rejects_count_after_the_first_quarter(rejects, severity):
    early = [(n, order(REJECTED, name=f"e-{n}")) for n in range(10, 30)]
    late = [(30 * 60 + n, order(REJECTED, name=f"l-{n}")) for n in range(rejects)]
    assert paper(*early, *late)["soak.rejects"].severity is severity


@pytest.mark.parametrize(("over", "severity"), [(6, OK), (7, FAIL)])
def test_cancels_are_in_budget_in_ninety_five_percent_of_the_minutes(over, severity):
    storm = [(60 * minute + 1 + n / 100, cancel()) for minute in range(over) for n in range(51)]
    within = [(60 * 100 + n / 100, cancel()) for n in range(50)]
    assert paper((1, submit()), *storm, *within)["soak.cancels_in_budget"].severity is severity


@pytest.mark.parametrize(("drawdown", "severity"), [(0.025 - E, OK), (0.025, FAIL)])
def test_drawdown_is_a_failure_budget(drawdown, severity):
    assert paper(drawdown=drawdown)["soak.drawdown"].severity is severity


@pytest.mark.parametrize(("traded", "severity"), [(3_000_000, OK), (3_000_001, FAIL)])
def test_turnover_is_a_cap(traded, severity):
    assert paper(traded=traded)["soak.turnover"].severity is severity


@pytest.mark.parametrize(("drop", "severity"), [(1_499, OK), (1_500, FAIL)])
def test_a_days_loss_is_a_failure_budget_of_its_opening_equity(drop, severity):
    """100 000 lots of 0.01 fall by `drop` ticks of 0.1: 100 a tick of 1 000 000 x 0.1 %."""
    found = paper((7, fill(lots=9_990, position=10_000)), (3_000, quote(99_990 - drop, 100_010 - drop)))
    loss = float(found["soak.day_loss"].observed)
    assert loss == pytest.approx(drop * 10 / 1_000_000, rel=1e-3)
    assert found["soak.day_loss"].severity is severity


# live data


def live_data(**odd):
    fields = {
        "order_requests": 0, "fill_factor": 0.4, "reference": 0.4, "perpetual": False, "reference_perpetual": False,
        "age": 1.0, **odd,
    }  # fmt: skip
    watch = watch_of(*quotes(240), (240 * 60, quote(), fields.pop("age")))
    return not_ok(judge_live_data(watch, LiveDataPolicy(), **fields))


def test_four_hours_on_live_data_without_an_order_request_pass():
    assert live_data() == {}


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ({"order_requests": 1}, {"soak.order_requests": FAIL}),
        ({"order_requests": None}, {"soak.order_requests": UNKNOWN}),
        ({"age": 4.999}, {}), ({"age": 5.0}, {"soak.data_age_s": FAIL}),
        ({"fill_factor": 0.4 * 1.2999}, {}), ({"fill_factor": 0.4 * 1.3001}, {"soak.fill_factor_change": FAIL}),
        ({"fill_factor": 0.4 * 0.6999}, {"soak.fill_factor_change": FAIL}),
        ({"fill_factor": None}, {"soak.fill_factor_change": UNKNOWN}),
        ({"reference": None}, {"soak.fill_factor_change": UNKNOWN}),
        ({"perpetual": True, "reference_perpetual": True}, {}),
        ({"perpetual": True}, {"soak.perpetual_testnet": FAIL}),
        ({"perpetual": True, "reference_perpetual": None}, {"soak.perpetual_testnet": UNKNOWN}),
    ],
)  # fmt: skip
def test_each_live_data_rule_alone(odd, expected):
    assert live_data(**odd) == expected


# two days


def days(*, skip=(), rss=(100,) * 8, rolls=2, fundings=6, live=10, burst=4):
    events = quotes(2_880, skip=skip)
    events += [(n * 6 * 3_600 + 1, HostMemory(size)) for n, size in enumerate(rss)]
    events += [(n * 86_400 - 1, Timer("day_roll")) for n in range(1, rolls + 1)]
    events += [(n * 28_800 + 5, Funding(ID, None)) for n in range(fundings)]
    events += [(7, order(WORKING, name=f"o-{n}")) for n in range(live)]
    events += [(11, submit(f"b-{n}")) for n in range(burst)]
    watch = watch_of(*sorted(events, key=lambda one: one[0]))
    return not_ok(judge_multi_day(watch, MultiDayPolicy(), instances=1, messages_per_second=10, perpetual=True))


def test_two_whole_days_pass():
    assert days() == {}


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ({"skip": (1_000,)}, {"soak.minutes": FAIL}),
        ({"rss": (100,) * 7 + (109,)}, {}), ({"rss": (100,) * 7 + (110,)}, {"soak.memory_growth": FAIL}),
        ({"rss": (100,) * 7}, {"soak.memory_growth": UNKNOWN}), ({"rss": ()}, {"soak.memory_growth": UNKNOWN}),
        ({"rolls": 1}, {"soak.day_rolls": FAIL}), ({"fundings": 5}, {"soak.funding_times": FAIL}),
        ({"live": 11}, {"soak.orders_live": FAIL}), ({"burst": 5}, {"soak.rate_headroom": FAIL}),
    ],
)  # fmt: skip
def test_each_rule_of_two_days_alone(odd, expected):
    assert days(**odd) == expected


def test_a_desk_without_a_known_rate_has_no_headroom_to_judge():
    found = judge_multi_day(
        watch_of(*quotes(10)), MultiDayPolicy(), instances=1, messages_per_second=None, perpetual=False
    )
    assert not_ok(found)["soak.rate_headroom"] is UNKNOWN


# a family's day


def family(**values):
    watch = watch_of((0, quote()), (86_400, quote()))
    watch.trades, watch.stops, watch.hold_ns = 100, 49, 100 * HOUR + 100
    for name, value in values.items():
        setattr(watch.records.equity if name == "drawdown" else watch, name, value)
    return not_ok(judge_family(watch, FamilyPolicy()))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {}), ({"end": START + 24 * HOUR - 1}, {"soak.hours": FAIL}),
        ({"trades": 1, "stops": 0}, {}),
        ({"trades": 0}, {"soak.trades": FAIL, "soak.stop_rate": UNKNOWN, "soak.hold_mean_hours": UNKNOWN}),
        ({"stops": 50}, {"soak.stop_rate": FAIL}), ({"stops": 51}, {"soak.stop_rate": FAIL}),
        ({"hold_ns": 100 * HOUR}, {"soak.hold_mean_hours": FAIL}),
        ({"hold_ns": 100 * HOUR - 100}, {"soak.hold_mean_hours": FAIL}),
        ({"drawdown": 0.10 - E}, {}), ({"drawdown": 0.10}, {"soak.drawdown": FAIL}),
    ],
)  # fmt: skip
def test_each_edge_of_a_familys_day(values, expected):
    assert family(**values) == expected


def test_trades_holds_and_stops_are_read_from_the_fills():
    watch = watch_of(
        (0, fill(Side.BUY, 10, 10, "a")), (60, fill(Side.BUY, 5, 15, "b")), (120, fill(Side.SELL, 5, 10, "c")),
        (7_200, fill(Side.SELL, 10, 0, "d")), (7_300, fill(Side.SELL, 10, -10, "e")),
        (10_900, fill(Side.BUY, 20, 10, "f")),
    )  # fmt: skip
    assert watch.trades == 2
    assert watch.hold_ns == 7_200 * SECOND + 3_600 * SECOND


def test_a_held_guard_does_not_run_from_the_start():
    watch = watch_of(*quotes(5), held=GuardLevel.PAUSED)
    assert watch.minutes() == (5, 5, 0)
    assert watch.nanos == 5 * MINUTE
