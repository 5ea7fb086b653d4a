"""Pacing in virtual time: the documented limits are used and not exceeded, and throttling slows it down for a while.

The throttle of the emulator decides what is refused: it counts requests in sliding windows, at their delayed arrival.
"""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import httpx
import pytest

from graph.fake_graph import ROOT, Quiet, http
from graph.virtual_time import BEGIN, VirtualClock
from intune_vpp.clock import SystemClock
from intune_vpp.core.errors import WaitInterrupted
from intune_vpp.graph.pacing import WINDOW, Pacing, Window
from intune_vpp.graph.redaction import KnownSecrets
from intune_vpp.graph.sender import Sender
from intune_vpp_emulator.refusals import GatewayRefusal
from intune_vpp_emulator.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from intune_vpp.core.ports import Clock


class Process:
    """One process of the provider, whose requests one application sends to the tenant of `throttle`.

    Each request takes half of `latency` on its way, and as long back, and each way up to `spread` seconds more.
    `answers` has the time and status of each attempt at its arrival, `done` the number and end of each request.
    """

    def __init__(  # noqa: PLR0913 - what a process and its network are
        self,
        clock: VirtualClock,
        throttle: Throttle,
        *,
        latency: float = 0.05,
        spread: float = 0.02,
        retry_after: bool = True,
        seed: int = 1,
    ) -> None:
        self._clock, self._throttle = clock, throttle
        self._latency, self._spread, self._retry_after = latency, spread, retry_after
        self._random = random.Random(seed)  # noqa: S311 - not for secrets
        self.answers: list[tuple[float, int]] = []
        self.done: list[tuple[int, float]] = []
        self.reporter = Quiet()
        self._sender = Sender(clock, self.reporter, KnownSecrets(), jitter=self._random.random)
        self.pacing = Pacing(clock, self._sender.report_wait)
        self._http = http(self._answer)

    @property
    def refused(self) -> int:
        """How many requests were throttled."""
        return sum(status == 429 for _, status in self.answers)

    def jobs(
        self, number: int, *, parallel: int, method: str = "POST", until: float = 1e9, after: float = 0.0
    ) -> list[Callable[[], None]]:
        """Return `parallel` jobs that send `number` requests in all, from `after` until `until` (virtual seconds)."""
        left = list(reversed(range(number)))

        def job() -> None:
            if after:
                self._clock.sleep(after)
            while left and self._clock.elapsed < until:
                one = left.pop()
                self.send(method)
                self.done.append((one, self._clock.elapsed))

        return [job] * parallel

    def send(self, method: str) -> None:
        """Send one request to its success."""
        request = self._http.build_request(method, f"{ROOT}/x")
        answer = self._sender.send(self._http, request, what="x", pacing=self.pacing)
        assert answer.status_code == 200

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self._travel()
        try:
            self._throttle.admit("app", self._clock.now(), is_write=request.method != "GET")
            answer = httpx.Response(200)
        except GatewayRefusal as refusal:
            answer = httpx.Response(429, headers=refusal.headers if self._retry_after else {})
        self.answers.append((self._clock.elapsed, answer.status_code))
        self._travel()
        return answer

    def _travel(self) -> None:
        self._clock.sleep(self._latency / 2 + self._random.random() * self._spread)


@pytest.mark.parametrize("parallel", [16, 64, 300])
@pytest.mark.parametrize(("latency", "spread"), [(0.01, 0.0), (0.05, 0.02), (0.1, 0.1)])
def test_300_writes_take_40_seconds(parallel: int, latency: float, spread: float) -> None:
    """300 writes are sent as fast as 100 in 20 seconds allow, and one is refused, in whatever order they arrive."""
    clock = VirtualClock()
    process = Process(clock, Throttle(), latency=latency, spread=spread)

    clock.run(*process.jobs(300, parallel=parallel))

    assert (len(process.done), process.refused) == (300, 1)
    # The ideal is 40 seconds; a request counts until 20 seconds after its answer, so two delays are added.
    assert 40 <= clock.elapsed <= 40 / 0.95


class NoThrottle(Throttle):
    """A Graph that throttles only from some second on."""

    def __init__(self, clock: VirtualClock, begins: float) -> None:
        super().__init__()
        self._clock, self._begins = clock, begins

    def admit(self, app_id: str, now: datetime, *, is_write: bool) -> None:
        """Count a request; raises GatewayRefusal if it is throttled."""
        if self._clock.elapsed >= self._begins:
            super().admit(app_id, now, is_write=is_write)


@pytest.mark.parametrize("parallel", [16, 300])
def test_writes_do_not_wait_for_a_limit_that_graph_does_not_enforce(parallel: int) -> None:
    """Where Graph answers one write beyond the documented limit, the others are sent as fast as they come."""
    clock = VirtualClock()
    process = Process(clock, NoThrottle(clock, begins=1e9))

    clock.run(*process.jobs(3000, parallel=parallel))

    assert process.refused == 0
    assert clock.elapsed < 3000 / parallel * 0.09 + 1


@pytest.mark.parametrize("parallel", [16, 100])
def test_a_limit_that_graph_begins_to_enforce(parallel: int) -> None:
    """From the first refusal on writes are within the limit: only those under way are refused, too."""
    clock = VirtualClock()
    process = Process(clock, NoThrottle(clock, begins=5.0))

    clock.run(*process.jobs(10_000, parallel=parallel, until=200))

    assert 0 < process.refused < 2 * parallel
    late = [status for time, status in process.answers if time > 60]
    assert set(late) == {200}
    assert len(late) > 0.9 * 5 * 140


@pytest.mark.parametrize("latency", [1.0, 3.0, 10.0])
def test_slow_writes_are_not_refused_either(latency: float) -> None:
    """Writes that take seconds, and arrive in any order, are still within the limit, but for the test of it."""
    clock = VirtualClock()
    process = Process(clock, Throttle(), latency=latency, spread=latency)

    clock.run(*process.jobs(300, parallel=300))

    assert process.refused == 1


class Stalled(Process):
    """A process whose first request takes a minute on its way."""

    _stalls = True

    def _travel(self) -> None:
        stalls, self._stalls = self._stalls, False
        self._clock.sleep(60.0 if stalls else 0.0)
        super()._travel()


@pytest.mark.parametrize("parallel", [64, 300])
def test_a_stalled_request_is_no_evidence_against_the_limit(parallel: int) -> None:
    """A limit is not taken for absent because a request beyond it was answered that arrived in a later window."""
    clock = VirtualClock()
    process = Stalled(clock, Throttle())

    clock.run(*process.jobs(300, parallel=parallel), *process.jobs(300, parallel=parallel, after=100.0))

    assert len(process.done) == 600
    assert process.refused == 1


class Failing(Process):
    """A process whose requests fail at times, before the throttle counts them: without an answer, or with a status."""

    def __init__(self, clock: VirtualClock, throttle: Throttle, fails: Callable[[int], bool], status: int) -> None:
        super().__init__(clock, throttle)
        self._fails, self._status = fails, status

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if not self._fails(len(self.answers)):
            return super()._answer(request)
        self._travel()
        self.answers.append((self._clock.elapsed, self._status))
        if self._status == 0:
            raise httpx.ConnectError("")
        return httpx.Response(self._status)


@pytest.mark.parametrize("status", [0, 503])
@pytest.mark.parametrize("fails", [lambda number: number % 7 == 0, lambda number: number < 150])
def test_failed_requests_are_no_evidence_against_the_limit(fails: Callable[[int], bool], status: int) -> None:
    """A limit is not taken for absent because of requests that Graph may not have counted."""
    clock = VirtualClock()
    process = Failing(clock, Throttle(), fails, status)

    clock.run(*process.jobs(300, parallel=64))

    assert (len(process.done), process.refused) == (300, 1)


def test_requests_of_two_windows_are_no_evidence_against_the_limit() -> None:
    """A limit is not taken for absent if more answers than it allows come in 20 seconds, but to older requests."""
    window = Window(100)
    early = [window.send(BEGIN) for _ in range(50)]
    for one in early:
        window.answered(BEGIN + timedelta(seconds=5), one, None)
    late = [window.send(BEGIN + timedelta(seconds=21)) for _ in range(51)]
    for one in late:
        window.answered(BEGIN + timedelta(seconds=22), one, None)

    window.send(BEGIN + timedelta(seconds=22))
    assert window.wait(0, BEGIN + timedelta(seconds=22)) > 0


def test_reads_have_their_own_limit() -> None:
    """3,000 reads take 40 seconds, too, because 1,000 are allowed in 20 seconds."""
    clock = VirtualClock()
    process = Process(clock, Throttle())

    clock.run(*process.jobs(3000, parallel=64, method="GET"))

    assert process.refused == 1
    assert 40 <= clock.elapsed <= 40 / 0.95


def test_reads_do_not_wait_for_writes() -> None:
    """A read is sent while writes wait for their limit, and counts together with them."""
    clock, reads = VirtualClock(), list[float]()
    process = Process(clock, Throttle())

    def read() -> None:
        clock.sleep(5.0)
        process.send("GET")
        reads.append(clock.elapsed)

    clock.run(*process.jobs(300, parallel=300), read)

    assert process.refused == 1
    assert reads[0] < 6.0


def test_the_order_is_kept() -> None:
    """Requests that wait for the limit are sent in the order in which they came; the refused one is later."""
    clock = VirtualClock()
    process = Process(clock, Throttle(), latency=0.0, spread=0.0)

    clock.run(*process.jobs(300, parallel=300))

    ends = dict(process.done)
    waited = [one for one in range(300) if one != 100]
    assert sorted(waited, key=lambda one: (ends[one] // 1, one)) == waited


def test_a_long_wait_for_the_limit_is_reported_once() -> None:
    """Requests that wait together for the limit have one note, and each window has its own; a refusal has another."""
    clock = VirtualClock()
    process = Process(clock, Throttle(), latency=0.0, spread=0.0)

    clock.run(*process.jobs(300, parallel=300))

    assert process.reporter.notes == [
        "graph.example answered 429 (x): waiting 20 seconds, until 2026-11-01T12:00:20Z.",
        "Intune's limit for requests is reached: waiting 20 seconds, until 2026-11-01T12:00:40Z.",
    ]


@pytest.mark.parametrize("parallel", [16, 300])
def test_a_rate_grows_back_for_requests_that_wait_already(parallel: int) -> None:
    """300 writes at the lowest rate take minutes, however many of them wait at once, and have a note a window."""
    clock = VirtualClock()
    process = Process(clock, Throttle())
    for _ in range(6):
        window = process.pacing._writes
        window.answered(clock.now(), window.send(clock.now()), 0.0)

    clock.run(*process.jobs(300, parallel=parallel))

    assert process.refused == 0
    # 5 writes in the first window, and about 10 more in each one that follows.
    assert clock.elapsed < 200
    assert len(process.reporter.notes) <= clock.elapsed / WINDOW.total_seconds() + 1


def crowded(clock: VirtualClock, others: int) -> Throttle:
    """A throttle that has just admitted so many writes of another process."""
    throttle = Throttle()
    for _ in range(others):
        throttle.admit("app", clock.now(), is_write=True)
    return throttle


@pytest.mark.parametrize("retry_after", [True, False])
@pytest.mark.parametrize(("latency", "spread"), [(0.05, 0.02), (1.0, 3.0), (1.0, 6.0)])
@pytest.mark.parametrize("parallel", [64, 300])
def test_requests_refused_together_slow_down_once(
    parallel: int, latency: float, spread: float, *, retry_after: bool
) -> None:
    """However long the answers of one burst take, and with or without `Retry-After`, the rate halves once for them.

    The rate is seen by how many requests are sent before the next window.
    """
    clock = VirtualClock()
    process = Process(clock, crowded(clock, 60), latency=latency, spread=spread, retry_after=retry_after)

    clock.run(*process.jobs(300, parallel=parallel))

    assert process.refused > 0
    # 40 of the first burst are admitted. At half of the rate, which grows, the others take 5 windows.
    assert clock.elapsed < 6 * (20 + latency + 2 * spread)


def sent_within(window: Window, now: datetime) -> list[datetime]:
    """When a window lets requests through in 20 seconds; they are answered at once."""
    ends, sent = now + WINDOW, []
    while now < ends:
        if (seconds := window.wait(0, now)) > 0:
            now += timedelta(seconds=seconds)
            continue
        window.answered(now, window.send(now), None)
        sent.append(now)
    return sent


def test_a_rate_grows_back() -> None:
    """After throttling the rate is half of the limit, grows by 10 in each window, and ends at the limit."""
    window, now, sizes = Window(100), BEGIN, list[int]()
    window.answered(now, window.send(now), 1.0)

    for _ in range(8):
        now += WINDOW
        sizes.append(len(sent_within(window, now)))

    assert 50 <= sizes[0] <= 60
    assert [8 <= sizes[1] - sizes[0] <= 12, sizes[:6] == sorted(sizes[:6]), sizes[-1]] == [True, True, 100]


def test_late_refusals_of_one_burst_slow_down_once() -> None:
    """Requests that were under way together halve the rate once, also if Graph asks for a second and they take ten."""
    window = Window(100)
    under_way = [window.send(BEGIN) for _ in range(40)]
    for number, slowed in enumerate(under_way):
        window.answered(BEGIN + timedelta(seconds=number / 4), slowed, 1.0)

    assert len(sent_within(window, BEGIN + 2 * WINDOW)) >= 50


def test_a_refusal_after_the_rate_was_halved_halves_it_again() -> None:
    """A request that was sent at half of the rate, and is refused, too, means that the rate is still too high."""
    window, now = Window(100), BEGIN
    for _ in range(2):
        window.answered(now, window.send(now), 1.0)
        now += WINDOW

    assert 25 <= len(sent_within(window, now + WINDOW)) <= 35


def test_a_reduced_rate_is_even() -> None:
    """After throttling the requests are spread over the window, and not sent at once."""
    window = Window(100)
    window.answered(BEGIN, window.send(BEGIN), 1.0)

    sent = sent_within(window, BEGIN + WINDOW)

    assert max(later - earlier for earlier, later in pairwise(sent)) < timedelta(seconds=0.5)
    assert min(later - earlier for earlier, later in pairwise(sent)) > timedelta(seconds=0.25)


def test_a_rate_does_not_fall_to_nothing() -> None:
    """However often Graph throttles, a window lets a few requests through."""
    window, now = Window(100), BEGIN
    for _ in range(50):
        window.answered(now, window.send(now), 1.0)
        now += WINDOW

    assert len(sent_within(window, now)) >= 5


@pytest.mark.parametrize("asked", [0.0, 3.0, 20.0, 315.0, 1e18, 1e308])
def test_nothing_is_sent_while_graph_asks_to_wait(asked: float) -> None:
    """After a 429 no request of its kind is sent for the time that Graph asks for, but for no more than a window."""
    window = Window(100)
    window.answered(BEGIN, window.send(BEGIN), asked)

    # 0.4 seconds: the space between two requests at half of the limit.
    assert window.wait(0, BEGIN) == pytest.approx(max(min(asked, 20.0), 0.4))
    assert window.wait(0, BEGIN + timedelta(seconds=20)) == 0


@pytest.mark.parametrize("throttled", [True, False])
@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_a_clock_that_jumps(hours: int, *, throttled: bool) -> None:
    """A clock that is set back or forward by hours, while requests wait, does not hold them up for longer."""
    clock = VirtualClock()
    process = Process(clock, crowded(clock, 60) if throttled else Throttle())

    def jump() -> None:
        clock.sleep(5.0)
        clock.offset = timedelta(hours=hours)

    clock.run(*process.jobs(300, parallel=300), jump)

    assert len(process.done) == 300
    assert clock.elapsed < 200


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_there_and_back(hours: int) -> None:
    """A clock that is wrong for a while, and then corrected, does not hold requests up for longer."""
    clock = VirtualClock()
    process = Process(clock, Throttle())

    def jump() -> None:
        for offset in (timedelta(hours=hours), timedelta()):
            clock.sleep(22.0)
            clock.offset = offset

    clock.run(*process.jobs(500, parallel=500), jump)

    assert clock.elapsed < 200


def full(clock: Clock) -> Pacing:
    """A pacing that has just sent as many writes as are allowed, and one more that Graph refused."""
    pacing = Pacing(clock, lambda *_: None)
    for number in range(101):
        with pacing.permit(writes=True) as permit:
            permit.throttled_for = 0.0 if number == 100 else None
    return pacing


def test_an_interrupted_request_leaves_the_queue() -> None:
    """A request that is interrupted while it waits is not sent, and those behind it move up."""
    waiting = threading.Semaphore(0)

    class Announcing(SystemClock):
        def sleep(self, seconds: float) -> None:
            waiting.release()
            super().sleep(seconds)

    clock = Announcing()
    pacing = full(clock)
    sent: list[int] = []

    def send(number: int) -> None:
        with pacing.permit(writes=True):
            sent.append(number)

    with ThreadPoolExecutor(3) as threads:
        results = [threads.submit(send, number) for number in range(3)]
        for _ in results:
            assert waiting.acquire(timeout=20)
        clock.stop()
        for result in results:
            with pytest.raises(WaitInterrupted):
                result.result(20)

    assert sent == []
    assert pacing._queue == {False: [], True: []}


def test_a_request_that_fails_does_not_keep_its_place() -> None:
    """A request without an answer counts like one that was answered, and no longer as one under way."""
    clock = VirtualClock()
    pacing = full(clock)
    ends: list[float] = []

    def fail() -> None:
        with pytest.raises(ZeroDivisionError), pacing.permit(writes=True):
            raise ZeroDivisionError
        ends.append(clock.elapsed)

    clock.run(*[fail] * 250)

    assert (ends[0], ends[99], ends[100], ends[199], ends[200], len(ends)) == (20.0, 20.0, 40.0, 40.0, 60.0, 250)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("parallel", "latency", "after"), [(16, 0.05, 0.0), (16, 1.0, 0.0), (16, 0.2, 60.0)])
def test_two_processes_share_the_limit(seed: int, parallel: int, latency: float, after: float) -> None:
    """Two processes on one tenant get about equal parts of it, use most of it, and neither waits for long.

    The second one may begin later, when the first one uses all of the limit.
    """
    clock, throttle = VirtualClock(), Throttle()
    first = Process(clock, throttle, latency=latency, seed=seed)
    second = Process(clock, throttle, latency=latency, seed=seed + 100)

    clock.run(
        *first.jobs(10_000, parallel=parallel, until=900),
        *second.jobs(10_000, parallel=parallel, until=900, after=after),
    )

    shares = [sum(time > after for _, time in one.done) for one in (first, second)]
    assert min(shares) > 0.6 * max(shares)
    assert sum(shares) > 0.6 * 5 * (900 - after)
    for process in (first, second):
        ends = [time for _, time in process.done if time > after + 60]
        assert max(later - earlier for earlier, later in pairwise(ends)) < 60
