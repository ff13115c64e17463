"""299 trips of the real run under random faults, 0 failures (KS-10): the verbs, processes and lines of a user.

The venue's answer is timed twice, from the trip and from when a venue that was half open could be reached again.
"""

import os
import resource
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from ailing_words import AilingWords
from run_scene import RunScene, reachable, until
from trip_reports import TRIPS, report

from tradeworthy.app.halting.kill import kill_desk
from tradeworthy.app.venues import halt_flag
from tradeworthy.kernel.clock import SystemClock
from tradeworthy.kernel.supervision.policy import nanos
from tradeworthy.trading.control.certificate import ACKNOWLEDGED, LIMITS_NS, NO_NEW_ORDER, Flatness
from tradeworthy.trading.control.halt import Halt

SAMPLE, SEED, AT_A_TIME = 3, 21_261, 2
SHARE = 0.25
"""How often each fault is there."""
BLOCK_S = 3.0
ASKS_MAX, ASK_AGAIN_S = 10, 6.0
HTTP_WITHIN_S = 2.0
"""The most that the answer to `POST /kill` may take, also where the venue answers nothing."""
SLOW_HTTP_WITHIN_S = 5.0
"""The same where each answer of the venue takes 0.2 s: the desk waits for those that one row of its tape needs."""
SINCE_REACHABLE, HTTP = "since_reachable", "http_answer"
LIMITS = LIMITS_NS | {SINCE_REACHABLE: LIMITS_NS[ACKNOWLEDGED], HTTP: nanos(HTTP_WITHIN_S)}
FAULTS = ("loop blocked", "process stopped", "venue slow", "half open", "cancels refused", "bus stopped", "disk full")
SURFACES = ("kill verb", "kill with flatten", "POST /kill", "flag", "watchdog")
CLOCK = SystemClock()


class Trip:
    """One desk that trades, what fails, who trips it, and what was seen at the venue."""

    def __init__(self, number, seed):
        random = Random(f"{seed}:{number}")
        self.number, self.surface = number, random.choice(SURFACES)
        self.faults = {fault for fault in FAULTS if random.random() < SHARE}
        still = {"loop blocked", "process stopped"}
        if self.surface == "watchdog" and not self.faults & still:
            self.faults.add(random.choice(sorted(still)))
        if self.surface == "POST /kill" or self.faults >= still:
            self.faults -= still if self.surface == "POST /kill" else {"loop blocked"}
        self.mend_after, self.before = random.uniform(0.2, 1.5), random.uniform(0.0, 0.5)
        self.refused = random.randint(1, 6)
        self.status, self.answered_ns, self.mended_at = 202, 0, 0

    def run(self, verbs, folder):
        """Return the certificate that answers the trip, and what went wrong: nothing, it is hoped."""
        one = RunScene(verbs, folder)
        try:
            one.start()
            assert "publish_failed_over" not in one.said(), "a clean start is no outage"
            if self.surface == "POST /kill":
                until(lambda: reachable(one.port, "/live"))
            time.sleep(self.before)
            self.break_things(one)
            mend_at = time.monotonic() + self.mend_after
            self.trip(one)
            time.sleep(max(0.0, mend_at - time.monotonic()))
            one.fail()
            self.mended_at = CLOCK.now()
            made = until(lambda: self.answered(one))
            return made, self.problems(one, made)
        finally:
            one.end()

    def break_things(self, one):
        """Let fail what shall fail: the venue last but for what keeps the desk from hearing."""
        if "bus stopped" in self.faults:
            one.ail("bus")
        if "disk full" in self.faults:
            resource.prlimit(one.desk, resource.RLIMIT_FSIZE, (0, 0))
        aids = {}
        if "venue slow" in self.faults:
            aids["slow_s"] = 0.2
        if "half open" in self.faults:
            aids |= {"silent": "unanswered", "scopes": ("trade", "cancel_only")}
        if "cancels refused" in self.faults:
            aids["refuse_cancels"] = self.refused
        if aids:
            one.fail(**aids)
        if "loop blocked" in self.faults:
            one.ail("block", BLOCK_S)
        if "process stopped" in self.faults:
            os.kill(one.desk, signal.SIGSTOP)

    def trip(self, one):
        if self.surface == "POST /kill":
            asked_at = CLOCK.monotonic()
            self.status, _ = one.health("/kill", {"reason": "drill", "scope": "desk"})
            self.answered_ns = CLOCK.monotonic() - asked_at
        elif self.surface == "flag":
            flag = halt_flag(one.state, CLOCK)
            flag.trip(Halt("risk", "drill", "desk", CLOCK.now(), CLOCK.monotonic(), "drill"))
            flag.close()
        elif self.surface == "kill verb":
            one.verb("kill", "small", "--reason", "drill", "--no-wait", "--runs", one.runs)
        elif self.surface == "kill with flatten":
            kill_desk(one.state, reason="drill", scope="desk", flatten=True, clock=CLOCK)

    def answered(self, one):
        """Return the last certificate once all that is halted is answered, and nothing is open."""
        flag = halt_flag(one.state, CLOCK)
        halted = {halt.name for halt in flag.halts()}
        flag.close()
        found = [judged for judged in one.certificates() if judged.certificate.outcome is Flatness.VERIFIED]
        names = {halt.name for judged in found for halt in judged.certificate.halts}
        return found[0] if found and halted and halted <= names else None

    def problems(self, one, judged):
        made, view = judged.certificate, one.view()
        found = [f"the certificate is unsound: {judged.faults}"] if judged.faults else []
        if "process stopped" in self.faults:
            os.kill(one.desk, signal.SIGCONT)
        opening = {order.client_order_id for order in view.open_orders if not order.reduce_only}
        found += [f"{name} is open" for name in opening]
        found += [
            f"{step.name} after {step.after_ns} ns" for step in made.steps
            if not step.in_time and step.name != ACKNOWLEDGED  # judged by its p99
        ]
        if next(step for step in made.steps if step.name == ACKNOWLEDGED).after_ns is None:
            found.append("the venue never answered the cancel")
        if not one.stops():
            found.append("no start would know of it")
        within = nanos(SLOW_HTTP_WITHIN_S if "venue slow" in self.faults else HTTP_WITHIN_S)
        if self.status != 202 or self.answered_ns >= within:
            found.append(f"HTTP answered {self.status} after {self.answered_ns} ns")
        if self.surface == "kill with flatten":
            found += self.see_flat(one, made)
        if not one.silent(0.5):
            found.append(f"it goes on after the trip: {one.view().open_orders}")
        view = one.view()
        last = view.last_opening_at if self.surface == "kill with flatten" else view.last_order_at
        if last > made.tripped_at + LIMITS[NO_NEW_ORDER]:
            found.append(f"an order was taken {last - made.tripped_at} ns after the trip")
        return found

    def see_flat(self, one, made):
        """Wait for position zero; who must ask again is a person whose flatten another trip ended (KS-05).

        A desk that cannot journal sends nothing: with a full disk the certificate must say what was left.
        """
        if "disk full" in self.faults:
            held = one.view().positions
            return [] if made.flatten_left == bool(held) else [f"it holds {held} and the certificate does not say so"]
        flag = halt_flag(one.state, CLOCK)
        for _ in range(ASKS_MAX):
            with suppress(AssertionError):
                until(lambda: not one.view().positions, ASK_AGAIN_S)
                break
            if any(not halt.flatten for halt in flag.halts()):
                self.faults.add("asked again")
                kill_desk(one.state, reason="drill", scope="desk", flatten=True, clock=CLOCK)
        flag.close()
        return [f"it still holds {one.view().positions}"] if one.view().positions else []

    def times(self, made):
        """Return what was measured, by step."""
        found = {step.name: step.after_ns for step in made.steps}
        since = max(made.tripped_at, self.mended_at) if "half open" in self.faults else made.tripped_at
        if found[ACKNOWLEDGED] is not None:
            found[SINCE_REACHABLE] = max(0, made.tripped_at + found[ACKNOWLEDGED] - since)
        if self.surface == "POST /kill":
            found[HTTP] = self.answered_ns
        return found


def prove(folder, trips, seed):
    """Run the trips, some at a time; print the times of each step and return the failures."""
    times, failures, told = {name: [] for name in LIMITS}, [], Counter()
    numbers, lock = iter(range(trips)), threading.Lock()

    def work():
        verbs = AilingWords()
        try:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                trip, place = Trip(number, seed), folder / f"{number:03d}"
                place.mkdir()
                try:
                    judged, problems = trip.run(verbs, place)
                except Exception as problem:
                    judged, problems = None, [f"{type(problem).__name__}: {problem}"]
                with lock:
                    told.update([*trip.faults, f"by {trip.surface}"])
                    if problems:
                        failures.append((number, sorted(trip.faults), trip.surface, problems))
                        print("failed", *failures[-1], flush=True)
                    for name, after_ns in ({} if judged is None else trip.times(judged.certificate)).items():
                        times[name].append(after_ns)
        finally:
            verbs.close()

    threads = [threading.Thread(target=work) for _ in range(min(AT_A_TIME, trips))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    times = {name: found for name, found in times.items() if found}
    answered = sorted(times.get(SINCE_REACHABLE, ()))  # a venue that is away answers nobody: printed from the trip too
    if answered and answered[int(len(answered) * 0.99)] > LIMITS[SINCE_REACHABLE]:
        failures.append((f"{SINCE_REACHABLE} at p99", answered[int(len(answered) * 0.99)]))
    report(trips, times, failures, told, folder / "proof", "`tradeworthy run`", LIMITS)
    return failures


@pytest.mark.parametrize("fault", ["half open", "venue slow"])
def test_a_kill_over_http_is_answered_in_time_whatever_the_venue_does(tmp_path, fault):
    trip, verbs = Trip(0, SEED), AilingWords()
    trip.surface, trip.faults, trip.mend_after = "POST /kill", {fault}, 1.5
    try:
        _, problems = trip.run(verbs, tmp_path)
    finally:
        verbs.close()
    assert problems == []


def test_a_sample_of_trips_of_the_real_run_leaves_no_order(tmp_path):
    assert prove(tmp_path, SAMPLE, SEED) == []


@pytest.mark.proof
def test_299_trips_of_the_real_run_leave_no_order(tmp_path):
    assert prove(tmp_path, int(os.environ.get("TRIPS_OF_A_RUN", TRIPS)), SEED + 1) == []
