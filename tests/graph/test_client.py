"""One request and its answer: bearer, new sign-in, no answer, pages."""

from __future__ import annotations

import inspect
import logging
import traceback
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from graph.fake_graph import ROOT, Script, Signed, client, subclasses
from intune_vpp.core.errors import GraphError, GraphUnreachable, RequestNotSent, SignInRefused
from intune_vpp.graph import bounded, errors
from intune_vpp.graph.request import Request, RequestKind

HUSH = "tell-nobody"
LIST = Request(RequestKind.LIST_TOKENS)
READ = Request(RequestKind.READ_TOKEN, "1")
CREATE = Request(RequestKind.CREATE_TOKEN)
UPDATE = Request(RequestKind.UPDATE_TOKEN, "1")
SYNC = Request(RequestKind.SYNC_LICENSES, "1")
DELETE = Request(RequestKind.DELETE_TOKEN, "1")
OK = httpx.Response(200, json={"id": "1"})
NO = httpx.Response(401, json={"error": {"code": "InvalidAuthenticationToken"}})


def page(*items: Any, following: object = None) -> httpx.Response:
    """An answer to a listing."""
    return httpx.Response(200, json={"value": list(items), "@odata.nextLink": following})


def read_all(script: Script) -> list[Any]:
    """The items of a listing that is answered so."""
    return list(client(script).pages("/tokens", LIST))


def test_each_verb() -> None:
    """Each method is one request under the root, with a bearer, and a JSON body only where there is one."""
    script = Script(OK)
    graph = client(script)

    graph.get("/a", READ)
    graph.post("/b", CREATE, {"x": "ü"})
    graph.post("/c", SYNC)
    graph.patch("/d", UPDATE, {"y": None})
    graph.delete("/e", DELETE)

    assert script.lines == ["GET /beta/a", "POST /beta/b", "POST /beta/c", "PATCH /beta/d", "DELETE /beta/e"]
    assert {request.headers["Authorization"] for request in script.requests} == {"Bearer bearer-0"}
    assert [len(request.content) > 0 for request in script.requests] == [False, True, False, True, False]
    assert (script.body(1), script.body(3)) == ({"x": "ü"}, {"y": None})
    assert script.requests[1].headers["Content-Type"] == "application/json"


def test_a_refused_bearer_is_replaced_once() -> None:
    """On 401 the same request goes out once more, body and all, with a bearer from a new sign-in."""
    script, signed = Script(NO, OK), Signed()

    assert client(script, credential=signed).post("/x", CREATE, {"a": 1}) == {"id": "1"}
    assert [request.headers["Authorization"] for request in script.requests] == ["Bearer bearer-0", "Bearer bearer-1"]
    assert (script.body(0), script.body(1)) == ({"a": 1}, {"a": 1})


def test_a_bearer_refused_twice_is_an_error() -> None:
    """The second 401 is final."""
    script, signed = Script(NO), Signed()

    with pytest.raises(
        SignInRefused, match=r"did not accept the access token \(reading token 1: 401 InvalidAuth"
    ) as caught:
        client(script, credential=signed).get("/x", READ)

    assert caught.value.status == 401
    assert (len(script.requests), signed.forgotten) == (2, 1)


def test_a_sign_in_that_fails_sends_nothing() -> None:
    """Without a bearer there is no request, and the sign-in's own error is the one raised."""

    class Refusing(Signed):
        def access_token(self) -> str:
            raise SignInRefused("no", status=401)

    script = Script(OK)
    with pytest.raises(SignInRefused, match=r"^no$"):
        client(script, credential=Refusing()).get("/x", READ)

    assert script.requests == []


def failures() -> list[httpx.HTTPError]:
    """Every error of httpx's that means "no answer", one of each class."""
    request = httpx.Request("POST", f"{ROOT}/x", json={"token": HUSH})
    found: list[httpx.HTTPError] = []
    for kind in subclasses(httpx.HTTPError):
        more = {"response": httpx.Response(500, request=request)} if kind is httpx.HTTPStatusError else {}
        if "request" in inspect.signature(kind).parameters:
            more["request"] = request  # type: ignore[assignment]
        found.append(kind(f"quotes {HUSH}", **more))
    return found


@pytest.mark.parametrize("failure", failures(), ids=lambda failure: type(failure).__name__)
def test_no_answer_is_unreachable(failure: httpx.HTTPError) -> None:
    """Each of httpx's errors says whether anything was sent, is named by its class, and its traceback shows no body."""

    def fail(_request: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(GraphUnreachable) as caught:
        client(fail).post("/x", CREATE, {"token": HUSH})
    error = caught.value

    sent = not isinstance(failure, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError))
    causes: dict[type[httpx.HTTPError], str] = {
        bounded.AnswerTooLarge: "sent an answer of more than 2 MB, which was not read",
        bounded.AnswerTooSlow: "did not finish its answer in time",
        httpx.DecodingError: "sent an answer that cannot be decompressed",
    }
    did = causes.get(type(failure), "did not respond")
    what, kind, so = (
        (
            did,
            GraphUnreachable,
            "The request may have been processed; the next run checks before repeating it",
        )
        if sent
        else ("could not be reached", RequestNotSent, "Nothing was sent")
    )
    assert type(error) is kind
    assert str(error) == (
        f"Microsoft Graph at graph.example {what} (uploading a file to create a token: {type(failure).__name__}). "
        f"{so}. Check the network and graphEndpoint, then run it again.{'' if sent else ' It was tried 5 times.'}"
    )
    assert (error.status, error.__context__) == (None, None)
    assert HUSH not in "".join(traceback.format_exception(error))
    assert "bearer-" not in "".join(traceback.format_exception(error))


TIMED_OUT = httpx.ReadTimeout("late", request=httpx.Request("POST", f"{ROOT}/x"))
DOUBT = "The request may have been processed; the next run checks before repeating it."


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (RequestKind.LIST_TOKENS, "listing the tokens"),
        (RequestKind.READ_TOKEN, "reading token t-1"),
        (RequestKind.UPDATE_TOKEN, "updating token t-1"),
        (RequestKind.RENEW_TOKEN, "uploading a file to token t-1"),
        (RequestKind.DELETE_TOKEN, "deleting token t-1"),
        (RequestKind.SYNC_LICENSES, "syncing token t-1"),
        (RequestKind.SYNC_LICENSE_COUNTS, "counting licences"),
        (RequestKind.READ_LICENSES, "reading licence counts"),
        (RequestKind.READ_APP, "reading app t-1"),
    ],
)
def test_an_unanswered_request_that_is_idempotent_is_run_again(kind: RequestKind, words: str) -> None:
    """Where a repetition is harmless, the sentence says only what to check, and to run it again."""
    request = Request(kind, "t-1")
    error = errors.unreachable(TIMED_OUT, request, "graph.example")

    assert request.idempotent
    assert str(error) == (
        f"Microsoft Graph at graph.example did not respond ({words}: ReadTimeout). "
        "Check the network and graphEndpoint, then run it again."
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (RequestKind.CREATE_TOKEN, "uploading a file to create a token"),
        (RequestKind.REVOKE_LICENSES, "revoking the licences of token t-1"),
    ],
)
def test_an_unanswered_request_that_is_not_idempotent_may_have_been_processed(kind: RequestKind, words: str) -> None:
    """Where a repetition does harm, the sentence also says that the next run checks before it repeats the request."""
    request = Request(kind, "t-1")
    error = errors.unreachable(TIMED_OUT, request, "graph.example")

    assert not request.idempotent
    assert str(error) == (
        f"Microsoft Graph at graph.example did not respond ({words}: ReadTimeout). "
        f"{DOUBT} Check the network and graphEndpoint, then run it again."
    )


@pytest.mark.parametrize("subject", ["{}", "{0.__class__}", "%s", "uploading a file"])
def test_a_subject_is_only_a_subject(subject: str) -> None:
    """An id is quoted as it is, whatever it looks like, and does not choose the cure of another kind of request."""
    with pytest.raises(GraphError) as caught:
        client(Script(httpx.Response(400))).get("/x", Request(RequestKind.READ_TOKEN, subject))

    assert str(caught.value) == f"Microsoft Graph refused (reading token {subject}: 400)."


def test_the_debug_lines_show_no_body(caplog: pytest.LogCaptureFixture) -> None:
    """Method, path, status, tries and seconds are logged, and nothing else."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")

    client(Script(OK)).post("/x", CREATE, {"token": HUSH})

    assert [line for line in caplog.messages if "bearer" in line or HUSH in line] == []
    assert caplog.messages == ["POST /beta/x: 200 (try 1, 0.000 s)"]


LOCATIONS = [
    "https://evil.example/",
    "/elsewhere",
    "",
    "https://[::zz]/",
    "https://graph.example:x/",
    "https://xn--/",
    "https://xn--a.b/",
    "https://a..b/",
    "javascript:alert(1)",
    "\x7f",
    "\xff\xfe",
    "a" * 70_000,
]


@pytest.mark.parametrize("location", LOCATIONS, ids=range(len(LOCATIONS)))
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, location: str) -> None:
    """The access token is sent to no other host, wherever an answer points to, and the error says so."""
    script = Script(httpx.Response(status, headers=[(b"Location", location.encode())]), OK)

    with pytest.raises(GraphError) as caught:
        client(script).get("/x", READ)

    assert str(caught.value) == (
        f"Microsoft Graph redirected the request (reading token 1: {status}). It was not followed, because the access "
        "token is for one host: check graphEndpoint and any proxy on the way."
    )
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "cookie",
    ["a=b", "a=b; max-age=x; expires=99999999", "=;;;=", "a=b; version=99999; port=x", "\xff=\xfe", "a" * 70_000],
)
def test_cookies_are_ignored(cookie: str) -> None:
    """A cookie of an answer is neither kept nor sent, and a damaged one makes no warning."""
    headers = [(b"Set-Cookie", cookie.encode()), (b"Set-Cookie2", cookie.encode())]
    script = Script(httpx.Response(200, headers=headers, json={"id": "1"}))
    graph = client(script)

    graph.get("/x", READ)
    graph.get("/x", READ)

    assert [one.headers.get("Cookie") for one in script.requests] == [None, None]


@pytest.mark.parametrize(
    "content", [b"<html>", b"\xff\x00", b"[]", b'"x"', b"3", b"null", b"{", b"[" * 200_000, b'{"a":' * 200_000]
)
def test_a_success_that_is_no_object(content: bytes) -> None:
    """A page of a proxy with status 200 is an error, not an entity; after a write, the error says what is not known."""
    answered = Script(*[httpx.Response(200, content=content)] * 2)
    with pytest.raises(GraphUnreachable) as read:
        client(answered).get("/x", READ)
    with pytest.raises(GraphUnreachable) as written:
        client(answered).patch("/x", UPDATE, {})

    why = "JSON with too many objects, or nested too deeply" if len(content) > 100 else "not a JSON object"
    what = f"Microsoft Graph returned an unexpected answer ({{}}: {why}).{{}}"
    cure = " A proxy may have answered: check graphEndpoint and the network, then try again."
    assert str(read.value) == what.format(READ, cure)
    assert str(written.value) == what.format(UPDATE, f" The request may have been processed.{cure}")


def test_an_empty_success_is_an_empty_object() -> None:
    """204 is an answer."""
    assert client(Script(httpx.Response(204))).patch("/x", UPDATE, {}) == {}


def test_pages_are_followed() -> None:
    """The links to further pages are followed in turn, and each page's items come in order."""
    script = Script(page({"id": "1"}, {"id": "2"}, following=f"{ROOT}/tokens?$skiptoken=a%2Fb"), page({"id": "3"}))

    assert [item["id"] for item in read_all(script)] == ["1", "2", "3"]
    assert script.lines == ["GET /beta/tokens", "GET /beta/tokens?$skiptoken=a%2Fb"]


def test_pages_are_read_when_they_are_needed() -> None:
    """Whoever stops early asks for no further page."""
    script = Script(page({"id": "1"}, following=f"{ROOT}/tokens?2"))

    assert next(iter(client(script).pages("/tokens", LIST))) == {"id": "1"}
    assert len(script.requests) == 1


def test_the_default_port_may_be_written_out() -> None:
    """`:443` names the same host."""
    script = Script(page(following="https://GRAPH.example:443/beta/tokens?2"), page({"id": "1"}))

    assert read_all(script) == [{"id": "1"}]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/beta/tokens?2",
        "https://graph.example.evil.example/beta/tokens",
        "https://graph.example@evil.example/beta/tokens",
        "http://graph.example/beta/tokens?2",
        "https://graph.example:8443/beta/tokens?2",
        "/beta/tokens?2",
        "tokens?2",
        "//evil.example/x",
    ],
)
def test_a_page_elsewhere_is_refused(link: str) -> None:
    """The bearer is not taken to another host, scheme or port; what was read before is not passed off as all."""
    script = Script(page({"id": "1"}, following=link), page({"id": "2"}))

    with pytest.raises(
        GraphError, match=r"returned another host for the next page \(listing the tokens\); it was not followed\.$"
    ):
        read_all(script)

    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "link",
    [
        "https://[::zz]/",
        "https://graph.example:x/",
        "https://graph.example/\x00",
        "\x7f",
        "https://xn--/",
        "https://xn--a.b/",
    ],
)
def test_a_link_that_is_no_address_is_our_error(link: str) -> None:
    """The error of httpx is not shown, and is not the context of ours, because it quotes the link."""
    with pytest.raises(
        GraphError, match=r"^Microsoft Graph returned no valid URL for the next page \(listing the tokens\)\.$"
    ) as caught:
        read_all(Script(page(following=link)))

    assert caught.value.__context__ is None


@pytest.mark.parametrize("link", [None, ""])
def test_no_link_ends_the_listing(link: object) -> None:
    """The last page has no link, or an empty one."""
    assert read_all(Script(page({"id": "1"}, following=link))) == [{"id": "1"}]


@pytest.mark.parametrize("link", [3, ["x"], {}, False])
def test_a_link_of_another_shape(link: object) -> None:
    """A link that is no text ends the listing with None for the pages that cannot be reached."""
    assert read_all(Script(page({"id": "1"}, following=link))) == [{"id": "1"}, None]


def test_a_loop_of_pages_ends() -> None:
    """A link back to a page that was read ends the listing with None: no page is asked for twice."""
    script = Script(
        page({"id": "1"}, following=f"{ROOT}/tokens?2"),
        page({"id": "2"}, following=f"{ROOT}/tokens?3"),
        page({"id": "3"}, following=f"{ROOT}/tokens?2"),
    )

    assert read_all(script) == [{"id": "1"}, {"id": "2"}, {"id": "3"}, None]
    assert len(script.requests) == 3


@pytest.mark.parametrize("items", [["text"], [None], [{"id": "1"}, []]])
def test_items_of_any_kind(items: list[object]) -> None:
    """An item that is no object does not end a listing: its reader decides what it is."""
    assert read_all(Script(httpx.Response(200, json={"value": items}))) == items


@pytest.mark.parametrize("value", [None, {}, "text", 3])
def test_a_list_that_is_none(value: object) -> None:
    """A listing without a list is an error, not an empty tenant."""
    expected = r"^Microsoft Graph returned an unexpected answer \(listing the tokens: not a list\)\. A proxy may have"
    with pytest.raises(GraphUnreachable, match=expected):
        read_all(Script(httpx.Response(200, json={"value": value})))


def test_every_bearer_stays_known() -> None:
    """A refusal that quotes the bearer of now, or the one before it, whole or in pieces, tells neither."""
    bearers = ["eyJ0eXAiOiJKV1Qi.Zmlyc3Q.c2lnbmVk", "eyJhbGciOiJSUzI1.c2Vjb25k.dG9vX2xvbmc"]

    class Turning(Signed):
        def access_token(self) -> str:
            return bearers[self.forgotten]

    first, second = bearers
    message = f"Neither {first[:14]}\r\n {first[14:]} nor {second[4:13]} nor {quote(second, safe='')} will do"
    error = {"code": f"Bad_{second}", "message": message, "innerError": {"request-id": first}}
    with pytest.raises(GraphError) as caught:
        client(Script(NO, httpx.Response(400, json={"error": error})), credential=Turning()).get("/x", READ)

    expected = "Microsoft Graph refused (reading token 1: 400 Bad_…): Neither … nor … nor … will do. (request id …)"
    assert (str(caught.value), caught.value.code, caught.value.request_id) == (expected, "Bad_…", "…")


def test_debug_lines_hide_what_the_next_page_quotes(caplog: pytest.LogCaptureFixture) -> None:
    """An address that Graph named is logged without our bearer, also where nobody answers there."""
    caplog.set_level(logging.DEBUG)

    class Long(Signed):
        def access_token(self) -> str:
            return "eyJ0eXAiOiJKV1Qi.Zm/yc3Q+c2lnbmVk"

    following = f"{ROOT}/tokens/{quote(Long().access_token(), safe='')}?at={quote(Long().access_token())}"

    def answer(request: httpx.Request) -> httpx.Response:
        if "at" not in request.url.params:
            return page(following=following)
        raise httpx.ReadTimeout("late", request=request)

    with pytest.raises(GraphUnreachable):
        list(client(answer, credential=Long()).pages("/tokens", LIST))

    lines = [record.message for record in caplog.records if record.name.startswith("intune_vpp")]
    assert [line.partition(" (try")[0] for line in lines] == [
        "GET /beta/tokens: 200",
        *["GET /beta/tokens/…: ReadTimeout"] * 5,
    ]
