"""Which requests are repeated, when and for how long, and what is reported."""

from __future__ import annotations

import base64
import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from graph.fake_graph import ROOT, TENANT, Quiet, Script, StillClock, graph_client, http
from graph.signing_in import LOGIN, connection
from intune_vpp.clock import SystemClock
from intune_vpp.core.errors import (
    GraphError,
    GraphUnavailable,
    GraphUnreachable,
    RequestNotSent,
    Throttled,
    WaitInterrupted,
)
from intune_vpp.core.retry import RetryPolicy
from intune_vpp.graph.credentials.assertion import request_oidc_token
from intune_vpp.graph.credentials.msal_session import Session
from intune_vpp.graph.redaction import KnownSecrets
from intune_vpp.graph.request import Request, RequestKind
from intune_vpp.graph.sender import Sender
from intune_vpp.graph.tenants import ConfiguredTenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from intune_vpp.graph.client import GraphClient

READ = Request(RequestKind.READ_TOKEN, "1")
CREATE = Request(RequestKind.CREATE_TOKEN)
REVOKE = Request(RequestKind.REVOKE_LICENSES, "1")
SYNC = Request(RequestKind.SYNC_LICENSES, "1")
OK = httpx.Response(200, json={"id": "1"})
BUSY = {"error": {"code": "x", "message": "Rate limit reached because of too many requests to query broker."}}


def asks(seconds: object, status: int = 429) -> httpx.Response:
    """An answer that asks to wait."""
    return httpx.Response(status, headers={"Retry-After": str(seconds)})


class Run:
    """A client with scripted answers, whose time moves only by waits; an exception in the script is raised."""

    def __init__(self, *answers: httpx.Response | Exception, jitter: float = 0.0) -> None:
        script = Script(*answers)
        self.requests = script.requests
        self.clock, self.reporter = StillClock(), Quiet()
        self.sender = Sender(self.clock, self.reporter, KnownSecrets(), jitter=lambda: jitter)
        self.graph = graph_client(http(script), sending=self.sender)


@pytest.mark.parametrize(("asked", "seconds"), [("3", 3.0), ("2.5", 2.5), ("0", 1.0), ("", 1.0), ("soon", 1.0)])
@pytest.mark.parametrize("jitter", [0.0, 0.75])
def test_a_throttled_request_waits_as_told(asked: str, seconds: float, jitter: float) -> None:
    """After a 429 the request is sent again once the time that Graph asks for is over, and its answer is returned."""
    run = Run(asks(asked), OK, jitter=jitter)

    assert run.graph.get("/x", READ) == {"id": "1"}
    assert run.clock.slept == [seconds + jitter]
    assert len(run.requests) == 2


def test_a_date_is_waited_for() -> None:
    """An HTTP date counts from the answer's own, whatever the clock of this machine says."""
    headers = {"Retry-After": "Mon, 02 Nov 2026 08:00:09 GMT", "Date": "Mon, 02 Nov 2026 08:00:05 GMT"}
    run = Run(httpx.Response(429, headers=headers), OK)

    run.graph.get("/x", READ)

    assert run.clock.slept == [4.0]


def test_the_body_is_sent_again() -> None:
    """Each attempt sends the same request: method, URL, access token and body."""
    run = Run(asks(1), asks(1), OK)

    run.graph.post("/x", CREATE, {"displayName": "ü"})

    sent = [(one.method, str(one.url), one.headers["Authorization"], one.content) for one in run.requests]
    assert sent == [("POST", f"{ROOT}/x", "Bearer bearer-0", '{"displayName":"ü"}'.encode())] * 3


def test_five_minutes_are_waited_out() -> None:
    """The 315 seconds that Intune asks for fit into an operation of 20 minutes."""
    run = Run(asks(315), asks(315), OK)

    with run.clock.time_limit(timedelta(minutes=20)):
        assert run.graph.post("/x", CREATE, {}) == {"id": "1"}

    assert run.clock.slept == [315.0, 315.0]


@pytest.mark.parametrize(
    ("asked", "words"), [(315, "315 seconds"), ("86399.6", "86400 seconds"), (90_000, "more than a day")]
)
def test_a_wait_beyond_the_time_of_the_operation(asked: object, words: str) -> None:
    """A wait that does not fit is not begun, and the error says how long it would be and how to allow more time."""
    run = Run(asks(asked))

    with run.clock.time_limit(timedelta(minutes=5)), pytest.raises(Throttled) as caught:
        run.graph.post("/x", CREATE, {})

    assert str(caught.value) == (
        "Microsoft Graph is throttling requests (uploading a file to create a token: 429). Run it again later. The "
        f"next attempt would be in {words}, but the time allowed for the operation ends before: allow more with the "
        "resource option customTimeouts."
    )
    assert (run.clock.slept, len(run.requests)) == ([], 1)


@pytest.mark.parametrize("asked", ["1e308", "1e18", "99999999999"])
def test_a_wait_that_no_calendar_has(asked: str) -> None:
    """A number of seconds beyond all dates is an error of ours, and later requests are sent."""
    run = Run(asks(asked), OK)

    with pytest.raises(Throttled, match="would be in more than a day"):
        run.graph.patch("/x", SYNC, {})

    assert run.graph.patch("/x", SYNC, {}) == {"id": "1"}
    # All requests wait for no longer than the window of the limit.
    assert sum(run.clock.slept) == 20.0


def test_the_time_of_the_operation_ends_the_attempts() -> None:
    """An operation with little time left makes the attempts that fit; each wait counts."""
    run = Run(httpx.Response(503))

    with run.clock.time_limit(timedelta(seconds=5)), pytest.raises(GraphUnavailable) as caught:
        run.graph.get("/x", READ)

    assert run.clock.slept == [1.0, 2.0]
    assert "It was tried 3 times. The next attempt would be in 4 seconds, but the time" in str(caught.value)


def test_a_request_outside_an_operation_has_a_limit_of_its_own() -> None:
    """Without an operation, a request is repeated for no longer than the policy allows."""
    run = Run(asks(500))

    with pytest.raises(Throttled, match=r"It was tried 3 times\. The next attempt would be in 500 seconds"):
        run.graph.get("/x", READ)

    assert run.clock.slept == [500.0, 500.0]


def test_throttling_does_not_use_up_the_attempts_of_a_failure() -> None:
    """A failure after many refusals is still repeated: each kind has its own number of attempts, and its own growth."""
    clock, script = StillClock(), Script(*[asks(3)] * 10, httpx.Response(502), asks(3), httpx.Response(502), OK)
    client = http(script)

    answer = Sender(clock, Quiet(), KnownSecrets(), jitter=lambda: 0.0).send(
        client, client.build_request("GET", ROOT), what="x"
    )

    assert (answer.status_code, len(script.requests)) == (200, 14)
    assert clock.slept == [*[3.0] * 10, 1.0, 3.0, 2.0]


def test_the_global_random_numbers_are_left_alone() -> None:
    """A program that has seeded Python's random numbers gets the same ones, whatever is sent meanwhile."""
    client = http(Script(httpx.Response(502), OK))
    before = random.getstate()

    Sender(StillClock(), Quiet(), KnownSecrets()).send(client, client.build_request("GET", ROOT), what="x")

    assert random.getstate() == before


HARMLESS: dict[str, httpx.Response | Exception] = {
    "429": httpx.Response(429),
    "500 that throttles": httpx.Response(500, json=BUSY),
    "503 that throttles": httpx.Response(503, json=BUSY),
    "connection refused": httpx.ConnectError("refused"),
    "no connection in time": httpx.ConnectTimeout("late"),
    "proxy": httpx.ProxyError("refused"),
}
DOUBTFUL: dict[str, httpx.Response | Exception] = {
    "408": httpx.Response(408),
    "500": httpx.Response(500),
    "502": httpx.Response(502),
    "503": httpx.Response(503),
    "504": httpx.Response(504),
    "no answer in time": httpx.ReadTimeout("late"),
    "not written in time": httpx.WriteTimeout("late"),
    "cut while reading": httpx.ReadError("cut"),
    "cut while writing": httpx.WriteError("cut"),
    "closed without an answer": httpx.RemoteProtocolError("Server disconnected without sending a response."),
}
ENDLESS: dict[str, httpx.Response | Exception] = {
    "400": httpx.Response(400),
    "403": httpx.Response(403),
    "404": httpx.Response(404),
    "409": httpx.Response(409),
    "501": httpx.Response(501),
    "a request that cannot be sent": httpx.LocalProtocolError("illegal header"),
    "a scheme that is not known": httpx.UnsupportedProtocol("gopher"),
}


@pytest.mark.parametrize("once", [CREATE, REVOKE], ids=["create", "revoke"])
@pytest.mark.parametrize("failure", HARMLESS.values(), ids=HARMLESS)
def test_a_create_is_repeated_if_it_certainly_had_no_effect(failure: httpx.Response | Exception, once: Request) -> None:
    """What must not run twice is sent again after an answer or an error that means that nothing was done."""
    run = Run(failure, OK)

    assert run.graph.post("/x", once, {}) == {"id": "1"}
    assert (len(run.requests), run.clock.slept) == (2, [1.0])


@pytest.mark.parametrize("once", [CREATE, REVOKE], ids=["create", "revoke"])
@pytest.mark.parametrize("failure", DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_create_is_not_repeated_in_doubt(failure: httpx.Response | Exception, once: Request) -> None:
    """What must not run twice is sent once if it may have been processed."""
    run = Run(failure, OK)

    with pytest.raises(GraphError) as caught:
        run.graph.post("/x", once, {})

    assert (len(run.requests), run.clock.slept, caught.value.tries) == (1, [], 1)
    assert "It was tried" not in str(caught.value)


def test_doubt_after_a_refusal_ends_a_create() -> None:
    """A create that was throttled first, and then cut, may have been processed: it is not sent a third time."""
    run = Run(asks(2), httpx.ReadError("cut"), OK)

    with pytest.raises(GraphUnreachable, match=r"The request may have been processed.* It was tried 2 times\.$"):
        run.graph.post("/x", CREATE, {})

    assert len(run.requests) == 2


@pytest.mark.parametrize("failure", [*HARMLESS.values(), *DOUBTFUL.values()], ids=[*HARMLESS, *DOUBTFUL])
@pytest.mark.parametrize("verb", ["get", "patch", "delete", "sync"])
def test_an_idempotent_request_is_repeated(failure: httpx.Response | Exception, verb: str) -> None:
    """A read, a PATCH, a DELETE and a sync are sent again after each temporary failure."""
    run = Run(failure, failure, OK)

    _verbs(run.graph)[verb]()

    assert (len(run.requests), run.clock.slept) == (3, [1.0, 2.0])


@pytest.mark.parametrize("failure", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("verb", ["get", "patch", "delete", "sync"])
def test_what_would_end_in_the_same_way_is_sent_once(failure: httpx.Response | Exception, verb: str) -> None:
    """A refusal, and a request that cannot be sent, is an error after one attempt."""
    run = Run(failure, OK)

    with pytest.raises(GraphError):
        _verbs(run.graph)[verb]()

    assert len(run.requests) == 1


def _verbs(graph: GraphClient) -> dict[str, Callable[[], object]]:
    return {
        "get": lambda: graph.get("/x", READ),
        "patch": lambda: graph.patch("/x", Request(RequestKind.RENEW_TOKEN, "1"), {}),
        "delete": lambda: graph.delete("/x", Request(RequestKind.DELETE_TOKEN, "1")),
        "sync": lambda: graph.post("/x", SYNC),
    }


@pytest.mark.parametrize(
    ("answer", "kind", "tries"),
    [
        (httpx.Response(503), GraphUnavailable, 5),
        (httpx.Response(429), Throttled, 30),
        (httpx.Response(503, json=BUSY), Throttled, 30),
    ],
)
def test_the_error_says_how_often_it_was_tried(answer: httpx.Response, kind: type[GraphError], tries: int) -> None:
    """A failure that stays is the error of its last answer, with the number of tries."""
    run = Run(answer)

    with pytest.raises(kind, match=rf" It was tried {tries} times\.$") as caught:
        run.graph.get("/x", READ)

    assert (caught.value.tries, len(run.requests)) == (tries, tries)


def test_a_host_that_stays_away() -> None:
    """Without any answer, too, the error says how often it was tried."""
    run = Run(httpx.ConnectError("refused"))

    with pytest.raises(RequestNotSent, match=r"Nothing was sent\..* It was tried 5 times\.$"):
        run.graph.post("/x", CREATE, {})


def test_a_long_wait_is_reported() -> None:
    """A wait of 10 seconds or more is reported, with its reason and the time when it ends, in UTC."""
    run = Run(asks("9.9"), asks(10), asks(3), OK)

    run.graph.get("/x", READ)

    assert run.reporter.notes == [
        "graph.example answered 429 (reading token 1): waiting 10 seconds, until 2026-11-01T12:00:19Z."
    ]


def test_a_wait_without_an_answer_is_reported() -> None:
    """The note of a wait after a failed connection names the failure."""
    run = Run(OK)
    run.sender = Sender(
        run.clock, run.reporter, KnownSecrets(), policy=RetryPolicy(wait_initial=12), jitter=lambda: 0.0
    )
    run.graph = graph_client(http(Script(httpx.ConnectError("refused"), OK)), sending=run.sender)

    run.graph.get("/x", READ)

    why = "graph.example did not respond (ConnectError) (reading token 1)"
    assert run.reporter.notes == [f"{why}: waiting 12 seconds, until 2026-11-01T12:00:12Z."]


def test_requests_that_wait_together_are_reported_once() -> None:
    """Many requests that were refused together have one note; a later wait has its own."""
    reporter, clock = Quiet(), StillClock()
    jitters = iter([0.0, 0.9, 0.3, 0.99, 0.0])
    sender = Sender(clock, reporter, KnownSecrets(), jitter=lambda: 0.0)

    for _ in range(4):
        sender.report_wait("graph.example answered 429", 20.0 + next(jitters))
    clock.sleep(20.0)
    sender.report_wait("graph.example answered 429", 20.0)

    assert reporter.notes == [
        "graph.example answered 429: waiting 20 seconds, until 2026-11-01T12:00:20Z.",
        "graph.example answered 429: waiting 20 seconds, until 2026-11-01T12:00:40Z.",
    ]


def test_threads_that_wait_together_are_reported_once() -> None:
    """30 requests in 30 threads that are throttled at the same moment have one note."""
    reporter = Quiet()
    sender = Sender(StillClock(), reporter, KnownSecrets(), jitter=lambda: 0.0)
    together = threading.Barrier(30)

    def wait() -> None:
        together.wait(20)
        sender.report_wait("x", 15.0)

    with ThreadPoolExecutor(30) as threads:
        for one in [threads.submit(wait) for _ in range(30)]:
            one.result(20)

    assert len(reporter.notes) == 1


def test_a_sign_in_is_repeated() -> None:
    """A POST to the token endpoint is sent again after a throttled answer, a failure, and no answer at all."""
    for failure in (asks(2), httpx.Response(502), httpx.ReadTimeout("late")):
        script = Script(failure, httpx.Response(200, json={"access_token": "x"}))
        session = Session(connection(http(script)), on_get=lambda _: None, on_post=lambda _: None)

        assert session.post(f"{LOGIN}/t/oauth2/v2.0/token", data={"client_secret": "s"}).status_code == 200
        assert [one.content for one in script.requests] == [b"client_secret=s"] * 2


def test_a_request_for_an_oidc_token_is_repeated() -> None:
    """A request to the pipeline's OIDC service is sent again after the same failures."""
    script = Script(httpx.Response(503), httpx.Response(200, json={"value": "oidc"}))
    given = connection(http(script))

    asked = given.http.build_request("GET", "https://pipeline.example/token?audience=a")
    assert request_oidc_token(given, asked, "value", issuer="It", cure="Do it.") == "oidc"
    assert len(script.requests) == 2


def test_a_discovery_is_repeated() -> None:
    """The discovery request of the tenant is sent again after the same failures."""
    issuer = httpx.Response(200, json={"issuer": f"https://sts.example/{TENANT}/"})
    script = Script(asks(2), issuer)

    assert ConfiguredTenant("contoso.example", LOGIN, http(script), Run(OK).sender).guid() == TENANT
    assert len(script.requests) == 2


def test_the_debug_lines_of_repeated_requests(caplog: pytest.LogCaptureFixture) -> None:
    """Each attempt has a line: method, path, status or error, its number, and its seconds."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    run = Run(asks(3), httpx.ReadTimeout("quotes tell-nobody"), OK)

    run.graph.patch("/x", SYNC, {"token": "tell-nobody"})

    assert caplog.messages == [
        "PATCH /beta/x: 429 (try 1, 0.000 s)",
        "PATCH /beta/x: ReadTimeout (try 2, 0.000 s)",
        "PATCH /beta/x: 200 (try 3, 0.000 s)",
    ]


@pytest.mark.parametrize("path", ["/x/tell-nobody", "/x/tell%2Dnobody", "/apps(id='tell-nobody')"])
def test_a_secret_that_was_given_as_an_id_is_not_logged(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """A debug line does not show a secret that stands in the path of a request, as it is or escaped."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    run = Run(OK)
    run.sender._secrets.add("tell-nobody")

    run.graph.get(path, READ)

    (line,) = caplog.messages
    assert "…" in line
    assert "nobody" not in line


@pytest.mark.parametrize("token_id", ["c0ffee-sealed", base64.b64encode(b"x-c0ffee-sealed-y").decode().strip("=")])
def test_an_id_that_quotes_a_piece_of_a_secret_is_not_logged(token_id: str, caplog: pytest.LogCaptureFixture) -> None:
    """A debug line does not show an id, which Graph may have chosen, that has a piece of a secret or all of it."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    run = Run(OK)
    run.sender._secrets.add("x-c0ffee-sealed-y")

    run.graph.get(f"/vppTokens/{token_id}", Request(RequestKind.READ_TOKEN, token_id))

    (line,) = caplog.messages
    assert "/vppTokens/…" in line
    assert token_id not in line


def test_ordinary_requests_need_no_index_of_the_secrets() -> None:
    """The index, which takes time and memory for each file, is only built for an answer that may quote a secret."""
    ok = httpx.Response(200, json={"id": "1"}, headers={"request-id": TENANT})
    run = Run(ok, ok, ok)
    run.sender._secrets.add("a token file" * 100)

    run.graph.post("/x", CREATE, {"token": "a token file" * 100})
    run.graph.patch(f"/x/{TENANT}", Request(RequestKind.UPDATE_TOKEN, TENANT), {})
    run.graph.delete(f"/x/{TENANT}", Request(RequestKind.DELETE_TOKEN, TENANT))

    assert run.sender._secrets._seeds == set()


def test_the_debug_lines_of_a_sign_in_show_no_query(caplog: pytest.LogCaptureFixture) -> None:
    """The query of a sign-in, of a managed identity and of an OIDC request is not logged: it may quote a secret."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    given = connection(http(Script(httpx.Response(200, json={"value": "oidc"}))))
    session = Session(given, on_get=lambda _: None, on_post=lambda _: None)

    session.get("https://login.example/get", params={"secret": "tell-nobody"})
    session.post("https://login.example/post?x=tell-nobody", data={"client_secret": "tell-nobody"})
    asked = given.http.build_request("GET", "https://pipeline.example/oidc?code=tell-nobody")
    request_oidc_token(given, asked, "value", issuer="It", cure="Do it.")

    assert caplog.messages == [
        "GET /get: 200 (try 1, 0.000 s)",
        "POST /post: 200 (try 1, 0.000 s)",
        "GET /oidc: 200 (try 1, 0.000 s)",
    ]


class Held:
    """A transport that answers once `released` is set."""

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Wait, then answer."""
        self.requests.append(request)
        self.asked.set()
        assert self.released.wait(60)
        return OK


@contextmanager
def held(call: Callable[[GraphClient], Any]) -> Iterator[tuple[Held, SystemClock, Callable[[], Any]]]:
    """A request without an answer yet, on the real clock; the last value waits for its result or error."""
    transport, clock = Held(), SystemClock()
    graph = graph_client(http(transport), sending=Sender(clock, Quiet(), KnownSecrets()))
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(call, graph)
        try:
            assert transport.asked.wait(20)
            yield transport, clock, lambda: result.result(20)
        finally:
            transport.released.set()


def test_a_stop_ends_the_wait_for_an_answer() -> None:
    """A write whose answer does not come after a stop ends as interrupted, and says that it may have been processed."""
    with held(lambda graph: graph.post("/x", CREATE, {})) as (transport, clock, result):
        clock.stop()
        with pytest.raises(WaitInterrupted) as caught:
            result()

    assert str(caught.value) == (
        "Interrupted while waiting for the answer (uploading a file to create a token). It may have been processed; "
        "the next run checks."
    )
    assert (caught.value.asked, len(transport.requests)) == (True, 1)


def test_a_stop_ends_the_wait_for_a_read() -> None:
    """The error of an interrupted read does not say that it may have been processed."""
    with held(lambda graph: graph.get("/x", READ)) as (_, clock, result):
        clock.stop()
        with pytest.raises(WaitInterrupted, match=r"^Interrupted while waiting for the answer \(reading token 1\)\.$"):
            result()


def test_an_answer_after_the_stop_is_not_lost() -> None:
    """An answer that comes shortly after a stop is returned: it may have the id of a new token."""
    transport = Held()

    class Stopping(SystemClock):
        """Releases the answer once the stop has ended the wait for it."""

        def wait_for(self, answer: Any, timeout: float | None = None) -> Any:
            try:
                return super().wait_for(answer, timeout)
            finally:
                transport.released.set()

    clock = Stopping()
    graph = graph_client(http(transport), sending=Sender(clock, Quiet(), KnownSecrets()))
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(graph.post, "/x", CREATE, {})
        assert transport.asked.wait(20)
        clock.stop()
        assert result.result(20) == {"id": "1"}


def test_a_failure_after_the_stop_is_not_repeated() -> None:
    """A request that fails within the grace is not sent again."""
    requests: list[httpx.Request] = []
    clock = SystemClock()

    def fail(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        clock.stop()
        return httpx.Response(503)

    with pytest.raises(WaitInterrupted):
        graph_client(http(fail), sending=Sender(clock, Quiet(), KnownSecrets())).get("/x", READ)

    assert len(requests) == 1


def test_a_stop_ends_the_wait_before_a_retry() -> None:
    """A wait for the next attempt ends at a stop, and the request is not sent again."""
    waiting = threading.Event()

    class Waking(Quiet):
        """Sets an event when the wait begins."""

        def info(self, sentence: str) -> None:
            super().info(sentence)
            waiting.set()

    clock, script = SystemClock(), Script(asks(600))
    graph = graph_client(http(script), sending=Sender(clock, Waking(), KnownSecrets()))
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(graph.post, "/x", CREATE, {})
        assert waiting.wait(20)
        clock.stop()
        with pytest.raises(WaitInterrupted):
            result.result(20)

    assert len(script.requests) == 1


def test_nothing_is_sent_after_a_stop() -> None:
    """A request that begins after a stop is not sent."""
    clock, script = SystemClock(), Script(OK)
    clock.stop()

    with pytest.raises(WaitInterrupted):
        graph_client(http(script), sending=Sender(clock, Quiet(), KnownSecrets())).get("/x", READ)

    assert script.requests == []


def test_each_attempt_has_a_deadline() -> None:
    """An attempt without an answer in time counts as a timeout, and the caller does not wait for the answer."""
    transport = Held()
    sending = Sender(
        SystemClock(), Quiet(), KnownSecrets(), timeout=0.05, policy=RetryPolicy(wait_initial=0.01, wait_jitter=0.0)
    )
    graph = graph_client(http(transport), sending=sending)
    try:
        with pytest.raises(GraphUnreachable) as caught:
            graph.get("/x", READ)
    finally:
        transport.released.set()

    assert str(caught.value) == (
        "Microsoft Graph at graph.example did not finish its answer in time (reading token 1: AnswerTooSlow). "
        "Check the network and graphEndpoint, then run it again. It was tried 5 times."
    )
    assert len(transport.requests) == 5
