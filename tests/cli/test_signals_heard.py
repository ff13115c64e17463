"""Signals before and after somebody listens: each is told once, for a second one cuts the end short (SHD-03)."""

import os
import signal
import threading

from tradeworthy.cli.signals import Signals


def test_what_was_heard_before_is_told_once_and_what_follows_too():
    told = []
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        signals.pass_to(told.append)
        assert told == ["SIGTERM"]
        signals.pass_to(told.append)
        os.kill(os.getpid(), signal.SIGINT)
    assert told == signals.heard == ["SIGTERM", "SIGINT"]


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with Signals() as signals:
        assert signal.getsignal(signal.SIGTERM) == signals._hear
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_thread_that_may_set_no_handler_goes_on_without():
    seen = []

    def enter():
        with Signals() as signals:
            signals.pass_to(seen.append, lambda: None)
            seen.append("inside")

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == ["inside"]
