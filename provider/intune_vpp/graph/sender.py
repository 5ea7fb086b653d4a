"""Sends every request, to Graph and to the services of the sign-in, and repeats it after a temporary failure.

`core/retry.py` decides whether a request is repeated, `bounded.py` limits the answer, `pacing.py` limits the rate.
"""

from __future__ import annotations

import logging
import random
import ssl
import threading
import time
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx

from intune_vpp.core import times
from intune_vpp.core.errors import WaitInterrupted
from intune_vpp.core.retry import Attempt, RetryPolicy, retry_after
from intune_vpp.core.sent_request import ignore
from intune_vpp.graph import bounded, errors, tls
from intune_vpp.graph.pacing import Permit
from intune_vpp.graph.sent import sent_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from intune_vpp.core.ports import Clock, Reporter
    from intune_vpp.core.sent_request import Record
    from intune_vpp.graph.pacing import Pacing
    from intune_vpp.graph.redaction import KnownSecrets

_REPORTED_FROM: Final = 10.0
"""Seconds. A wait of this length or more is reported."""

_READS: Final = {"GET", "HEAD"}

_FINAL: Final = (
    bounded.AnswerTooLarge,
    httpx.DecodingError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
"""The errors that another attempt would raise again."""

JITTER: Final = random.Random()  # noqa: S311 - not for secrets
"""Its own generator: the numbers of a program that seeds Python's do not depend on what is sent beside it."""

_log = logging.getLogger(__name__)


class Sender:
    """Sends requests for one process.

    `secrets` must not be in any log line. `record` is called for each attempt, and `timeout`, in seconds, limits each
    attempt. Long waits are reported to `reporter`; all waits end when the engine asks to stop.
    """

    def __init__(  # noqa: PLR0913 - the parts, wired in one place
        self,
        clock: Clock,
        reporter: Reporter,
        secrets: KnownSecrets,
        *,
        record: Record = ignore,
        policy: RetryPolicy | None = None,
        timeout: float = bounded.REQUEST_TIMEOUT,
        jitter: Callable[[], float] = JITTER.random,
    ) -> None:
        self._clock = clock
        self._reporter = reporter
        self._secrets = secrets
        self._record = record
        self._policy = policy or RetryPolicy()
        self._timeout = timeout
        self._jitter = jitter
        self._lock = threading.Lock()
        self._reported_until: datetime | None = None

    def send(
        self,
        http: httpx.Client,
        request: httpx.Request,
        *,
        what: str,
        idempotent: bool = True,
        pacing: Pacing | None = None,
    ) -> httpx.Response:
        """Send a request, repeat it after a temporary failure, and return the last answer, whose body was read.

        `what` describes the request in messages. A request that is not `idempotent` is repeated only if it is certain
        that it had no effect. `errors.tries` returns the number of attempts for the answer and for the error. Raises
        httpx.HTTPError if there was no answer, and WaitInterrupted.
        """
        began, failed, throttled = self._clock.now(), 0, 0
        while True:
            with pacing.permit(writes=request.method not in _READS) if pacing else nullcontext(Permit()) as permit:
                answer = self._send_once(http, request, what, tries=failed + throttled + 1)
                attempt = _as_attempt(answer, self._clock.now())
                permit.succeeded = isinstance(answer, httpx.Response) and answer.is_success
                failed, throttled = failed + (not attempt.throttled), throttled + attempt.throttled
                number = throttled if attempt.throttled else failed
                seconds = self._policy.wait(attempt, number, idempotent=idempotent, jitter=self._jitter())
                if attempt.throttled:
                    permit.throttled_for = seconds or attempt.retry_after or 0.0
            if seconds is None or seconds > self._time_left(began):
                break
            self.report_wait(f"{request.url.host} {_result(answer)} ({what})", seconds)
            self._clock.sleep(seconds)
        errors.record_attempts(answer, tries=failed + throttled, wait=seconds)
        if isinstance(answer, httpx.HTTPError):
            raise answer from None
        return answer

    def report_wait(self, why: str, seconds: float) -> None:
        """Report a long wait and when it ends, unless a reported one ends at the same time or later."""
        ends = self._clock.now() + timedelta(seconds=min(seconds, self._policy.timeout.total_seconds()))
        with self._lock:
            if seconds < _REPORTED_FROM or (self._reported_until is not None and ends <= self._reported_until):
                return
            # Requests that were throttled together have the same wait, except for the jitter.
            self._reported_until = ends + timedelta(seconds=self._policy.wait_jitter)
        self._reporter.info(f"{why}: waiting {seconds:.0f} seconds, until {times.text(ends)}.")

    def _time_left(self, began: datetime) -> float:
        """Return the seconds that the operation, or without one the policy, leaves for further attempts."""
        left = self._clock.time_left()
        own = (began + self._policy.timeout - self._clock.now()).total_seconds()
        return own if left is None else left

    def _send_once(
        self, http: httpx.Client, request: httpx.Request, what: str, *, tries: int
    ) -> httpx.Response | httpx.HTTPError:
        """Send a request once, and return the answer, or the error if there was none. Raises WaitInterrupted."""
        started, ends = self._clock.now(), time.monotonic() + self._timeout
        answer: httpx.Response | httpx.HTTPError
        try:
            # In a thread, because httpx does not limit a header that arrives byte by byte, nor does Ctrl-C end it.
            answer = self._clock.request(partial(_exchange, http, request, ends), self._timeout)
        except TimeoutError:
            answer = bounded.AnswerTooSlow("", request=request)
        except httpx.HTTPError as error:
            answer = error
        except WaitInterrupted as stopped:
            doubt = "" if request.method in _READS else " It may have been processed; the next run checks."
            sentence = f"Interrupted while waiting for the answer ({what}).{doubt}"
            raise WaitInterrupted(sentence, asked=True) if stopped.asked else stopped from None
        sent = sent_request(request, answer, self._secrets, tries=tries, started=started, ended=self._clock.now())
        _log.debug("%s", sent)
        self._record(sent)
        return answer


def _exchange(http: httpx.Client, request: httpx.Request, ends: float) -> httpx.Response:
    # Other extensions for each attempt, because one that is late still has its own.
    request.extensions = {**request.extensions, "trace": partial(_stop_if_late, ends)}
    response = http.send(request, stream=True, auth=None)
    try:
        return bounded.read(response, ends)
    finally:
        response.close()


def _stop_if_late(ends: float, event: str, _: object) -> None:
    """Keep a request from being sent after `ends`: its sender has given up, and an upload may have been repeated.

    Resolving a name takes any time, and connecting takes its time for each address.
    httpcore calls this (https://www.encode.io/httpcore/extensions/#trace).
    """
    if event.endswith(".send_request_headers.started") and time.monotonic() > ends:
        raise bounded.AnswerTooSlow("")


def _as_attempt(answer: httpx.Response | httpx.HTTPError, now: datetime) -> Attempt:
    """Describe the result of an attempt for the retry policy."""
    if isinstance(answer, httpx.Response):
        return Attempt(
            status=answer.status_code,
            throttled=errors.is_throttled(answer),
            retry_after=retry_after(answer.headers, now),
        )
    return Attempt(sent=not isinstance(answer, errors.BEFORE_SENDING), final=_is_final(answer))


def _is_final(error: httpx.HTTPError) -> bool:
    """Whether another attempt would fail in the same way: TLS failed, or the answer cannot be read."""
    if isinstance(error, _FINAL):
        return True
    # A server that closes the connection during the handshake may be overloaded.
    return isinstance(error, httpx.ConnectError) and any(
        isinstance(one, ssl.SSLError) and not isinstance(one, ssl.SSLEOFError) for one in tls.causes(error)
    )


def _result(answer: httpx.Response | httpx.HTTPError) -> str:
    if isinstance(answer, httpx.HTTPError):
        return f"{errors.failure(answer)} ({type(answer).__name__})"
    return f"answered {answer.status_code}"
