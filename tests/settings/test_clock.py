"""The machine's time, and an end to waiting."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from datetime import UTC, timedelta

import pytest

from intune_vpp.clock import SystemClock
from intune_vpp.core.errors import WaitInterrupted


def test_time_passes() -> None:
    """It knows the time in UTC, and lets some of it pass."""
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.01)

    assert before.tzinfo is UTC
    assert timedelta(seconds=0.01) <= clock.now() - before < timedelta(seconds=10)


def test_an_end_to_sleep() -> None:
    """Once stopped, no time passes any more: neither for who sleeps already nor for who is about to."""
    clock = SystemClock()
    with ThreadPoolExecutor(1) as threads:
        sleeping = threads.submit(clock.sleep, 60)
        time.sleep(0.05)
        clock.stop()
        with pytest.raises(WaitInterrupted):
            sleeping.result(5)
    with pytest.raises(WaitInterrupted):
        clock.sleep(60)


def test_the_answer_of_a_call() -> None:
    """What a call answers or raises is what it was asked for."""
    clock = SystemClock()
    assert clock.unless_stopped(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        clock.unless_stopped(lambda: 1 // 0)


def test_a_call_belongs_to_who_makes_it() -> None:
    """What is known about the caller is known within the call, as to the debug lines of its requests."""
    resource = ContextVar("resource", default="")
    resource.set("urn:lincoln")
    assert SystemClock().unless_stopped(resource.get) == "urn:lincoln"


def test_the_time_of_an_operation() -> None:
    """An operation's limit counts down, a limit inside it has its own, and outside there is none."""
    clock = SystemClock()
    with clock.time_limit(timedelta(seconds=600)):
        with clock.time_limit(timedelta(seconds=-5)):
            inner = clock.time_left()
        outer = clock.time_left()

    assert inner is not None
    assert outer is not None
    assert (inner <= -5, 0 < outer <= 600, clock.time_left()) == (True, True, None)


def test_the_time_of_an_operation_belongs_to_its_threads() -> None:
    """A call that an operation starts has the same limit; other threads have none."""
    clock = SystemClock()
    with clock.time_limit(timedelta(seconds=600)), ThreadPoolExecutor(1) as threads:
        of_call = clock.wait_for(clock.start(clock.time_left), 20)
        of_another_thread = threads.submit(clock.time_left).result(20)

    assert of_call is not None
    assert (0 < of_call <= 600, of_another_thread) == (True, None)


def test_the_answer_of_a_request() -> None:
    """A request returns its answer, raises its error, and has a time limit."""
    clock, released = SystemClock(), threading.Event()
    assert clock.request(lambda: 7, 20) == 7
    with pytest.raises(ZeroDivisionError):
        clock.request(lambda: 1 // 0, 20)
    try:
        with pytest.raises(TimeoutError):
            clock.request(lambda: released.wait(60), 0.01)
    finally:
        released.set()


def test_a_request_after_a_stop_is_not_made() -> None:
    """Once stopped, no request is made."""
    clock, made = SystemClock(), list[int]()
    clock.stop()

    with pytest.raises(WaitInterrupted) as caught:
        clock.request(lambda: made.append(1), 20)

    assert (made, caught.value.asked) == ([], False)


@pytest.mark.parametrize("before", [True, False])
def test_a_call_that_does_not_answer(before: bool) -> None:  # noqa: FBT001 - a table
    """Once stopped, nobody waits for a call that does not come back, begun before or after."""
    clock, begun, released = SystemClock(), threading.Event(), threading.Event()

    def call() -> bool:
        begun.set()
        return released.wait(60)

    if before:
        clock.stop()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(clock.unless_stopped, call)
        assert before or begun.wait(20)
        clock.stop()
        try:
            with pytest.raises(WaitInterrupted) as caught:
                waiting.result(5)
        finally:
            released.set()
    assert caught.value.asked is begun.is_set() is not before
