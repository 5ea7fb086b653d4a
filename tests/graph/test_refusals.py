"""Graph's refusals as errors: the class, the sentence, and what must never be in it."""

from __future__ import annotations

import json
import traceback
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.fake_graph import NESTED, Script, client, subclasses
from intune_vpp.core.errors import (
    Conflict,
    FileRefused,
    GraphError,
    GraphUnavailable,
    GraphUnreachable,
    IntuneVppError,
    NotFound,
    NotYetVisible,
    PermissionMissing,
    RequestNotSent,
    SignInRefused,
    Throttled,
    TokenGone,
)
from intune_vpp.graph.request import Request, RequestKind

HUSH = "tell-nobody"
BY_STATUS: dict[int, type[GraphError]] = {
    301: GraphError,
    302: GraphError,
    304: GraphError,
    400: GraphError,
    401: SignInRefused,
    403: PermissionMissing,
    404: NotFound,
    405: GraphError,
    408: GraphUnavailable,
    409: Conflict,
    412: GraphError,
    413: GraphError,
    422: GraphError,
    429: Throttled,
    451: GraphError,
    500: GraphUnavailable,
    501: GraphUnavailable,
    502: GraphUnavailable,
    503: GraphUnavailable,
    504: GraphUnavailable,
    599: GraphUnavailable,
}


TRIES = {408: 5, 429: 30, 500: 5, 502: 5, 503: 5, 504: 5}
"""How often a request is sent that always gets such an answer; one that gets another answer is sent once."""


def refused(status: int, **answer: Any) -> GraphError:
    """What a GET raises that is answered so."""
    with pytest.raises(GraphError) as caught:
        client(Script(httpx.Response(status, **answer))).get("/x", Request(RequestKind.READ_TOKEN, "x"))
    return caught.value


@pytest.mark.parametrize("status", BY_STATUS)
def test_each_status_has_its_class(status: int) -> None:
    """A status becomes exactly one class of error and is kept in it."""
    error = refused(status)

    assert type(error) is BY_STATUS[status]
    assert (error.status, error.tries) == (status, TRIES.get(status, 1))
    assert f"(reading token x: {status})" in str(error)


def test_no_class_is_without_a_status() -> None:
    """Each kind of GraphError but "no answer" is some status's."""
    graph = {kind for kind in subclasses(GraphError) if kind.__module__.startswith("intune_vpp")}

    assert graph == {*BY_STATUS.values(), FileRefused, GraphUnreachable, NotYetVisible, RequestNotSent, TokenGone}


@pytest.mark.parametrize("status", BY_STATUS)
@pytest.mark.parametrize(
    "body", [b"", b"{}", json.dumps(NESTED).encode(), b"<html>\r\n<h1>Bad\nGateway</h1></html>", b"\xff\xfe\x00"]
)
def test_a_sentence_is_one_line(status: int, body: bytes) -> None:
    """Whatever the answer, the error is one line that ends as a sentence or with the request id."""
    sentence = str(refused(status, content=body, headers={"request-id": "r-1"}))

    assert sentence.splitlines() == [sentence]
    assert "\t" not in sentence
    assert sentence.endswith(". (request id r-1)")
    assert ("It was tried" in sentence) is (status in TRIES)


def test_intunes_envelope() -> None:
    """Of Intune's document in a string only its Message is reported, without the tail for its support."""
    error = refused(400, json=NESTED)

    assert str(error) == (
        "Microsoft Graph refused (reading token x: 400 BadRequest): POST is not supported for this app type."
        " (request id 46f1c833)"
    )
    assert (error.code, error.request_id, error.tries) == ("BadRequest", "46f1c833", 1)


def test_the_gateways_envelope() -> None:
    """Graph's own sentence is reported as it is, beside the cure."""
    flat = {"error": {"code": "TooManyRequests", "message": "Too many requests.", "innerError": {"request-id": "q"}}}

    assert str(refused(429, json=flat)) == (
        "Microsoft Graph is throttling requests (reading token x: 429 TooManyRequests): Too many requests. "
        "Run it again later. It was tried 30 times. (request id q)"
    )


@pytest.mark.parametrize("spelling", ["innerError", "innererror"])
def test_the_request_id_stands_in_either_spelling(spelling: str) -> None:
    """Graph says innerError, OData innererror."""
    assert refused(400, json={"error": {spelling: {"request-id": "abc"}}}).request_id == "abc"


def test_the_header_beats_the_body() -> None:
    """The request id of the header is the one reported."""
    body = {"error": {"innerError": {"request-id": "inner"}}}

    assert refused(500, json=body, headers={"request-id": "outer"}).request_id == "outer"


def test_the_missing_permission_is_named() -> None:
    """A 403 names the permission to grant, and where."""
    assert "DeviceManagementServiceConfig.ReadWrite.All, with admin consent (in Entra: App regi" in str(refused(403))


@pytest.mark.parametrize("kind", [RequestKind.LIST_TOKENS, RequestKind.CREATE_TOKEN, RequestKind.RENEW_TOKEN])
def test_a_tenant_without_intune(kind: RequestKind) -> None:
    """A tenant without a licence refuses everything; no upload is repeated in another encoding for that."""
    body = {"error": {"code": "BadRequest", "message": "Request not applicable to target tenant."}}
    answer = httpx.Response(400, json=body)
    with pytest.raises(GraphError, match=r"This tenant has no Intune licence: check tenantId \(ARM_TENANT_ID\)\.$") as (
        caught
    ):
        client(Script(answer)).post("/x", Request(kind, "x"), {})

    assert type(caught.value) is GraphError


@pytest.mark.parametrize(
    "message",
    [
        json.dumps({"_version": 3}),
        json.dumps({"Message": ""}),
        json.dumps({"Message": {"a": "SECRET"}}),
        {"lang": "SECRET"},
        None,
        17,
        ["SECRET"],
    ],
)
def test_a_message_of_another_shape_is_not_reported(message: object) -> None:
    """What is no sentence stays out of the error."""
    assert (
        str(refused(400, json={"error": {"code": ["x"], "message": message}}))
        == "Microsoft Graph refused (reading token x: 400)."
    )


@pytest.mark.parametrize("document", ["[1, 2]", '"text"', "17", "null", "[" * 40_000])
def test_a_message_that_looks_like_json_but_is_no_object(document: str) -> None:
    """It is reported as the text it is, cut to a line's length."""
    assert f"400): {document[:300]}" in str(refused(400, json={"error": {"message": document}}))


def test_a_long_message_is_cut() -> None:
    """A page of text is no sentence: 300 characters are reported."""
    assert str(refused(400, json={"error": {"message": "no " * 5000}})).endswith(f"400): {'no ' * 100}.")


@pytest.mark.parametrize("piece", ["eyJ0b2tlbiI6" * 4, "sha256_" + "0a" * 20, "A" * 40 + "=="])
def test_what_an_answer_quotes_of_a_request_is_not_reported(piece: str) -> None:
    """A long run of letters and digits may be a piece of the token file: it is left out, the words around it stay."""
    message = str(refused(400, json={"error": {"message": f"Cannot convert '{piece}' to Edm.Binary"}}))

    assert piece[:20] not in message
    assert "Cannot convert '…' to Edm.Binary" in message


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"error":' * 100_000,
        b"\x00\x01",
        b"9" * 5000,
        b'{"error": 3}',
        b'{"error": {"innerError": []}}',
        b'{"error": {"code": 1e400, "message": NaN, "innerError": {"request-id": {}}}}',
        b"[]",
    ],
)
def test_garbage_is_survived(content: bytes) -> None:
    """Deep nesting, bytes and JSON of another shape make a plain error."""
    assert str(refused(502, content=content)) == (
        "Microsoft Graph failed (reading token x: 502). This is usually temporary: run it again. It was tried 5 times."
    )


def test_half_a_surrogate_pair_is_reported_as_a_mark() -> None:
    """A sentence can be encoded whatever Graph's JSON spells."""
    content = rb'{"error": {"code": "a\ud800", "message": "b\udfff", "innerError": {"request-id": "c\udc00"}}}'
    error = refused(400, content=content)

    assert str(error).encode().decode() == (
        "Microsoft Graph refused (reading token x: 400 a\ufffd): b\ufffd. (request id c\ufffd)"
    )


@given(content=st.binary(max_size=200), status=st.sampled_from([200, 201, *BY_STATUS]))
def test_any_bytes_are_an_answer_or_our_error(content: bytes, status: int) -> None:
    """No answer makes an error that is not ours."""
    asking = client(Script(httpx.Response(status, content=content)))

    try:
        assert isinstance(asking.get("/x", Request(RequestKind.READ_TOKEN, "x")), dict)
    except IntuneVppError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - both ends are good


@pytest.mark.parametrize("status", BY_STATUS)
def test_nothing_secret_is_shown(status: int) -> None:
    """Neither the request's body and bearer nor the answer's headers and strange members reach the error."""
    strange = {HUSH: 1, "error": {HUSH: HUSH, "innerError": {HUSH: HUSH}}}
    script = Script(httpx.Response(status, json=strange, headers={"x-strange": HUSH, "WWW-Authenticate": HUSH}))

    with pytest.raises(GraphError) as caught:
        client(script).post("/x", Request(RequestKind.CREATE_TOKEN), {"token": HUSH})
    shown = str(caught.value) + repr(caught.value) + "".join(traceback.format_exception(caught.value))

    assert HUSH not in shown
    assert "bearer-" not in shown


def test_no_error_of_ours_is_an_http_librarys() -> None:
    """Whoever catches our errors need not know httpx or msal."""
    for kind in subclasses(IntuneVppError):
        assert {base.__module__.partition(".")[0] for base in kind.__mro__} <= {"intune_vpp", "builtins"}


FORGED = 'Bad "\x1b[31mname\x07\u202e"\r\n::error::forged\u2028##vso[task.complete]\ud800'


def test_what_is_reported_is_one_printable_line() -> None:
    """Escapes and lines of its own in a code, a message or a request id are shown, and have no effect."""
    error = {"code": f"::{FORGED}", "message": f"::{FORGED}", "innerError": {"request-id": FORGED}}
    message = str(refused(400, content=json.dumps({"error": error})))

    assert message.isprintable()
    assert "##" not in message
    assert ' 400 ::Bad "\ufffd[31mname\ufffd\ufffd" ::error::forged # #vso[task.complete]\ufffd): ::Bad ' in message


TAGS = "Set roleScopeTagIds to existing scope tags that the Intune role of the app registration allows, or change it."
ROLE = "Change the Intune role of the app registration so that it allows this."
OF_TAGS = [
    "Must define one or more tags allowed by the current role",
    "Added a tag which is not allowed by the current role: 0",
    "Invalid Role Scope Tag defined [12]",
    "roleScopeTagIds: 12 does not exist",
    "no " * 200 + "scope tags for this user",
]
OF_ROLES = ["The current role does not allow creating a resource.", "User lacks the Intune role for this action"]
OF_PERMISSIONS = [
    "Application must have one of the following scopes: DeviceManagementServiceConfig.ReadWrite.All",
    "Missing role permissions on the request. API requires one of 'DeviceManagementServiceConfig.ReadWrite.All'",
    "The caller is missing the role DeviceManagementApps.ReadWrite.All",
]
OF_THE_FILE = ["The staged file was rolled back", "The tag '@odata.type' is not allowed here", ""]


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("kind", [RequestKind.CREATE_TOKEN, RequestKind.RENEW_TOKEN, RequestKind.UPDATE_TOKEN])
@pytest.mark.parametrize("message", [*OF_TAGS, *OF_ROLES, *OF_PERMISSIONS, *OF_THE_FILE])
def test_a_refusal_about_tags_or_roles_has_their_cure(
    kind: RequestKind, message: str, status: int, *, nested: bool
) -> None:
    """Tags are cured by `roleScopeTagIds`, roles by the role; neither by the encoding of the file or a permission."""
    words = json.dumps({"_version": 3, "Message": f"{message} - Operation ID (for customer support): 0"})
    body = {"error": {"code": "ConditionNotMet", "message": words if nested else message}}
    with pytest.raises(GraphError) as caught:
        client(Script(httpx.Response(status, json=body))).patch("/x", Request(kind, "x"), {})
    sentence = str(caught.value)

    assert sentence.endswith(TAGS) is (message in OF_TAGS)
    assert sentence.endswith(ROLE) is (message in OF_ROLES)
    about_the_file = message in OF_THE_FILE and status == 400 and kind is not RequestKind.UPDATE_TOKEN
    assert isinstance(caught.value, FileRefused) is about_the_file
    assert "tokenEncoding" not in sentence
    assert ("Grant the app registration" in sentence) is (message in [*OF_PERMISSIONS, *OF_THE_FILE] and status == 403)
