"""`/deviceAppManagement/vppTokens`: paths, bodies and answers."""

from __future__ import annotations

import base64
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from builders import TOKEN_ID, file
from graph.fake_graph import ROOT, TENANT, TOKENS, Script, tokens
from graph.test_redaction import pieces
from intune_vpp.core.errors import GraphError, GraphUnreachable, NotFound, PermissionMissing, SettingsError
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.core.vpp_token import VPP_TOKEN, VppToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.graph.vpp_tokens import GraphVppTokens

ENTITY = {"id": TOKEN_ID, "appleId": "vpp@contoso.example", "state": "valid", "token": None, "unheardOf": {"a": 1}}
MADE = httpx.Response(201, json=ENTITY)
ONE = f"{TOKENS}/{TOKEN_ID}"


def test_a_token_is_uploaded_in_one_post() -> None:
    """Create is one POST of the members given, the type's name and the file's text as it is."""
    script, stoken = Script(MADE), file()

    created = tokens(script).create({"appleId": "vpp@contoso.example", "roleScopeTagIds": ["0"]}, stoken)

    assert script.lines == [f"POST {TOKENS}"]
    assert script.body() == {
        "@odata.type": "#microsoft.graph.vppToken",
        "appleId": "vpp@contoso.example",
        "roleScopeTagIds": ["0"],
        "token": stoken.text,
    }
    assert (created.id, created.apple_id, created.state) == (TOKEN_ID, "vpp@contoso.example", "valid")


def test_the_text_may_be_sent_in_base64_once_more() -> None:
    """The encoding wraps the text, at create and at renewal."""
    script, stoken = Script(MADE), file()

    tokens(script).create({}, stoken, encoding=Encoding.BASE64)
    tokens(script).update(TOKEN_ID, {}, stoken, encoding=Encoding.BASE64)

    once_more = base64.b64encode(stoken.text.encode()).decode()
    assert (script.body(0)["token"], script.body(1)) == (once_more, {"token": once_more})


@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": None}, {"value": {"state": "valid"}}])
def test_a_creation_without_an_id_is_reported(answer: dict[str, object]) -> None:
    """An answer without an id is an error that says what happens next, since an empty id would lose the token."""
    with pytest.raises(GraphError, match=r"returned no id\. Run it again to find the token\.$"):
        tokens(Script(httpx.Response(201, json=answer))).create({}, file())


def test_a_creation_without_a_body_is_reported() -> None:
    """So is an empty answer; nothing is asked further."""
    script = Script(httpx.Response(204))

    with pytest.raises(GraphError, match="returned no id"):
        tokens(script).create({}, file())

    assert len(script.requests) == 1


def test_members_alone_are_patched_alone() -> None:
    """Without a file the PATCH carries the changed members and nothing else, not even the type."""
    script = Script(MADE)

    updated = tokens(script).update(TOKEN_ID, {"displayName": "Lincoln"}, None)

    assert (script.lines, script.body()) == ([f"PATCH {ONE}"], {"displayName": "Lincoln"})
    assert updated.id == TOKEN_ID


def test_a_renewal_is_one_patch() -> None:
    """With a file the PATCH carries its text beside the members."""
    script, stoken = Script(MADE), file()

    tokens(script).update(TOKEN_ID, {"displayName": "Lincoln"}, stoken)

    assert script.lines == [f"PATCH {ONE}"]
    assert script.body() == {"displayName": "Lincoln", "token": stoken.text}


@pytest.mark.parametrize("answer", [httpx.Response(204), httpx.Response(200, json={"@odata.context": "x"})])
def test_a_write_answered_without_the_token_is_read_once(answer: httpx.Response) -> None:
    """A PATCH or a sync answered with 204, or with no entity, is followed by one GET."""
    patched, synced = Script(answer, MADE), Script(answer, MADE)

    assert tokens(patched).update(TOKEN_ID, {"displayName": "x"}, None).state == "valid"
    assert tokens(synced).sync_licenses(TOKEN_ID).state == "valid"

    assert patched.lines == [f"PATCH {ONE}", f"GET {ONE}"]
    assert synced.lines == [f"POST {ONE}/syncLicenses", f"GET {ONE}"]


def missing() -> httpx.Response:
    """Graph's own 404."""
    return httpx.Response(404, json={"error": {"code": "ResourceNotFound", "message": "An error has occurred"}})


OPERATIONS: dict[str, Callable[[GraphVppTokens], object]] = {
    "syncLicenses": lambda of: of.sync_licenses(TOKEN_ID),
    "revokeLicenses": lambda of: of.revoke_licenses(
        TOKEN_ID, notify_managed_devices=False, revoke_untracked_licenses=False
    ),
}


@pytest.mark.parametrize("action", OPERATIONS)
def test_an_action_that_is_not_known(action: str) -> None:
    """A 404 of an action on a token that is there is about the action; where the token is gone, about the token."""
    known, gone = Script(missing(), MADE), Script(missing(), missing())

    refused = (
        rf"^Microsoft Graph does not offer {action} at this endpoint \(404\)\. Nothing was done\. Check graphVersion"
    )
    with pytest.raises(GraphError, match=refused) as no:
        OPERATIONS[action](tokens(known))
    with pytest.raises(NotFound):
        OPERATIONS[action](tokens(gone))

    assert (type(no.value), no.value.status) == (GraphError, 404)
    assert known.lines == gone.lines == [f"POST {ONE}/{action}", f"GET {ONE}"]


@pytest.mark.parametrize("action", OPERATIONS)
def test_an_action_that_is_refused_while_nobody_sees_the_token(action: str) -> None:
    """The read that follows a 404 is repeated; its failure changes nothing about the 404: the action was not done."""
    script = Script(missing(), httpx.Response(503))

    with pytest.raises(GraphError, match=rf"returned 404 for {action}\. Nothing was done\. Token .* \(.* 503") as no:
        OPERATIONS[action](tokens(script))

    assert (type(no.value), no.value.status) == (GraphError, 404)
    assert script.lines == [f"POST {ONE}/{action}", *[f"GET {ONE}"] * 5]


@pytest.mark.parametrize(
    ("action", "ask"),
    [
        ("syncLicenseCounts", lambda of: of.sync_license_counts()),
        ("getLicensesForApp", lambda of: of.licenses_for_app("com.example")),
    ],
)
def test_an_action_of_all_tokens_that_is_not_known(action: str, ask: Callable[[GraphVppTokens], object]) -> None:
    """Where no token is named, none can be gone."""
    script = Script(missing())

    with pytest.raises(
        GraphError, match=rf"^Microsoft Graph does not offer {action} at this endpoint \(404\)"
    ) as caught:
        ask(tokens(script))

    assert (type(caught.value), len(script.requests)) == (GraphError, 1)


def test_an_app_needs_a_permission_of_its_own() -> None:
    """A 403 for an app names the permission for apps, and one for a token that for tokens."""
    refused = httpx.Response(403)

    with pytest.raises(PermissionMissing, match=r"the application permission DeviceManagementApps\.Read\.All, with"):
        tokens(Script(refused)).token_id_of_app("an-app")
    with pytest.raises(PermissionMissing, match=r"permission DeviceManagementServiceConfig\.ReadWrite\.All, with"):
        tokens(Script(refused)).get(TOKEN_ID)


def test_a_sync_has_no_body() -> None:
    """The action is called as documented: without a body."""
    script = Script(MADE)

    tokens(script).sync_licenses(TOKEN_ID)

    assert (script.lines, script.requests[0].content) == ([f"POST {ONE}/syncLicenses"], b"")


def test_one_token_is_read() -> None:
    """A token is one GET, in either of the envelopes that Microsoft shows."""
    plain, wrapped = Script(MADE), Script(httpx.Response(200, json={"value": ENTITY}))

    assert tokens(plain).get(TOKEN_ID) == tokens(wrapped).get(TOKEN_ID)
    assert plain.lines == [f"GET {ONE}"]


@pytest.mark.parametrize(
    "answer", [{}, {"@odata.context": "x"}, {"id": None}, {"id": 7}, {"id": ""}, {"id": "another"}, {"value": [ENTITY]}]
)
def test_an_answer_about_no_token_or_another(answer: object) -> None:
    """It is an answer that cannot be read: as a token it would empty the id in the state, or change it."""
    script = Script(httpx.Response(200, json=answer))

    with pytest.raises(
        GraphUnreachable, match=rf"unexpected answer \(reading token {TOKEN_ID}: not this token\)\. A proxy"
    ):
        tokens(script).get(TOKEN_ID)
    with pytest.raises(GraphUnreachable):
        tokens(script).update(TOKEN_ID, {"displayName": "Lincoln"}, None)

    assert script.lines == [f"GET {ONE}", f"PATCH {ONE}", f"GET {ONE}"]


def test_a_token_is_known_in_other_letters() -> None:
    """Ids are GUIDs, and whoever imports one may type capitals."""
    script = Script(httpx.Response(200, json={**ENTITY, "id": "aa-1"}))

    assert tokens(script).get("AA-1").id == "aa-1"


ODD_NUMBERS = ["1e400", "-1e400", "NaN", "Infinity", "9" * 400, "9" * 5000, f"-{'9' * 5000}"]


@pytest.mark.parametrize("number", ODD_NUMBERS, ids=lambda number: number[:9])
def test_an_odd_number_costs_no_id(number: str) -> None:
    """A number that no double or no Python integer can hold is ignored, and the id of the new token is kept."""
    members = ", ".join(f'"{prop.name}": {number}' for prop in VPP_TOKEN.observed)
    results = f'"tokenActionResults": [{{"failedLicensesCount": {number}, "more": [{number}]}}]'
    content = f'{{{members}, "id": "{TOKEN_ID}", {results}, "unheardOf": {number}}}'.encode()

    created = tokens(Script(httpx.Response(201, content=content))).create({}, file())

    assert replace(created, token_action_results=None) == VppToken(id=TOKEN_ID)
    assert created.token_action_results == ({"failedLicensesCount": None, "more": [None]},)


def test_an_odd_letter_costs_no_id() -> None:
    """Bytes that are no UTF-8, a byte-order mark and half a surrogate pair leave the id as it is."""
    content = b'\xef\xbb\xbf{"displayName": "\xff", "locationName": "\\ud800", "id": "%s"}' % TOKEN_ID.encode()

    created = tokens(Script(httpx.Response(201, content=content))).create({}, file())

    assert created == VppToken(id=TOKEN_ID, display_name="\ufffd", location_name="\ufffd")


@pytest.mark.parametrize(
    "answer",
    [{}, {"vppTokenId": None}, {"vppTokenId": ""}, {"vppTokenId": 7}, {"vppTokenId": {}}, {"vppTokenId": "a b"}],
)
def test_an_app_that_names_no_token(answer: object) -> None:
    """An id of another kind is none."""
    assert tokens(Script(httpx.Response(200, json=answer))).token_id_of_app("an-app") is None


def test_all_tokens_are_read() -> None:
    """The listing is read over all its pages."""
    first = {"value": [ENTITY], "@odata.nextLink": f"{ROOT}/deviceAppManagement/vppTokens?$skiptoken=1"}
    script = Script(httpx.Response(200, json=first), httpx.Response(200, json={"value": [{**ENTITY, "id": "2"}]}))

    assert [found.id for found in tokens(script).list().tokens] == [TOKEN_ID, "2"]
    assert script.lines == [f"GET {TOKENS}", f"GET {TOKENS}?$skiptoken=1"]


FOREIGN: list[object] = [
    None,
    7,
    "text",
    [],
    {},
    {"id": None},
    {"id": 7},
    {"id": ""},
    {"id": {}},
    {"id": "a\nb"},
    {"id": "x" * 1001},
]


@pytest.mark.parametrize("entry", FOREIGN)
def test_a_foreign_entry_is_skipped(entry: object, caplog: pytest.LogCaptureFixture) -> None:
    """An entry that is no token hides none of the others, and the listing says that it is not complete."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    mixed = Script(httpx.Response(200, json={"value": [entry, ENTITY]}))

    listing = tokens(mixed).list()

    assert ([found.id for found in listing.tokens], listing.complete) == ([TOKEN_ID], False)
    assert "Skipped 1 entries of the listing that are not tokens." in caplog.messages
    assert tokens(Script(httpx.Response(200, json={"value": [ENTITY]}))).list().complete


def test_pages_out_of_reach_make_no_complete_listing() -> None:
    """A listing that ends without its last page does not prove that a token is absent."""
    first = {"value": [ENTITY], "@odata.nextLink": {"href": "elsewhere"}}

    listing = tokens(Script(httpx.Response(200, json=first))).list()

    assert ([found.id for found in listing.tokens], listing.complete) == ([TOKEN_ID], False)


def test_a_foreign_summary_is_skipped() -> None:
    """An entry that is no summary of licences hides none of the others."""
    script = Script(httpx.Response(200, json={"value": [None, "text", {"vppTokenId": "1"}]}))

    assert [one.vpp_token_id for one in tokens(script).licenses_for_app("com.example")] == ["1"]


def test_a_token_is_deleted() -> None:
    """Delete is one DELETE; a token that is not found is NotFound, with its id in the sentence."""
    script = Script(httpx.Response(204))
    tokens(script).delete(TOKEN_ID)

    assert script.lines == [f"DELETE {ONE}"]
    with pytest.raises(NotFound, match=f"deleting token {TOKEN_ID}: 404"):
        tokens(Script(missing())).delete(TOKEN_ID)


@pytest.mark.parametrize(
    ("token_id", "quoted"),
    [
        ("a/../b", "a%2F..%2Fb"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a+b", "a%2Bb"),
        ("ü", "%C3%BC"),
        ("%2e", "%252e"),
    ],
)
def test_an_id_is_one_segment_of_the_path(token_id: str, quoted: str) -> None:
    """Whatever stands in an id, it cannot name another address."""
    script = Script(httpx.Response(200, json={**ENTITY, "id": token_id}))
    graph = tokens(script)

    graph.get(token_id)
    graph.update(token_id, {}, None)
    graph.sync_licenses(token_id)
    graph.delete(token_id)

    assert [line.split(" ")[1] for line in script.lines] == [
        f"{TOKENS}/{quoted}",
        f"{TOKENS}/{quoted}",
        f"{TOKENS}/{quoted}/syncLicenses",
        f"{TOKENS}/{quoted}",
    ]


def test_the_tenant_is_the_configured_one() -> None:
    """A GUID needs no request."""
    script = Script(MADE)

    assert (tokens(script).tenant_id(), script.requests) == (TENANT, [])


def test_the_collection_does_not_show_what_it_holds() -> None:
    """Its repr carries no bearer."""
    graph = tokens(Script(MADE))
    graph.get(TOKEN_ID)

    assert "bearer-" not in repr(graph)


def test_licences_are_revoked_by_one_post() -> None:
    """The flags go out as they are given, and an answer without content is one."""
    script = Script(httpx.Response(204))

    tokens(script).revoke_licenses(TOKEN_ID, notify_managed_devices=True, revoke_untracked_licenses=False)

    assert script.lines == [f"POST {ONE}/revokeLicenses"]
    assert script.body() == {"notifyManagedDevices": True, "revokeUntrackedLicenses": False}


def test_licences_are_counted_by_one_post() -> None:
    """It is about all tokens, and has no body."""
    script = Script(httpx.Response(204))

    tokens(script).sync_license_counts()

    assert script.lines == [f"POST {TOKENS}/syncLicenseCounts"]
    assert script.requests[0].content == b""


@pytest.mark.parametrize(
    ("bundle_id", "sent"),
    [
        ("com.example.reader", "com.example.reader"),
        ("it's", "it%27%27s"),
        ("a/b?c=d#e&f", "a%2Fb%3Fc%3Dd%23e%26f"),
        ("com.example.ö", "com.example.%C3%B6"),
        ("100% a", "100%25%20a"),
        ("a%2Fb", "a%252Fb"),
        ("')/$metadata", "%27%27%29%2F%24metadata"),
    ],
)
def test_licences_of_an_app_are_asked_for_by_its_id(bundle_id: str, sent: str) -> None:
    """The id is one text of the function, whatever stands in it; all pages are read."""
    first = {
        "value": [{"vppTokenId": "1", "usedLicenseCount": 2}],
        "@odata.nextLink": f"{ROOT}/deviceAppManagement/vppTokens/more",
    }
    script = Script(httpx.Response(200, json=first), httpx.Response(200, json={"value": [{"vppTokenId": "2"}]}))

    found = tokens(script).licenses_for_app(bundle_id)

    assert [(one.vpp_token_id, one.used_license_count, one.available_license_count) for one in found] == [
        ("1", 2, 0),
        ("2", 0, 0),
    ]
    assert script.lines == [f"GET {TOKENS}/getLicensesForApp(bundleId='{sent}')", f"GET {TOKENS}/more"]


def test_what_v1_lacks_is_not_asked_of_it() -> None:
    """Each of the three is an error that names the setting, without a request."""
    script = Script(httpx.Response(204))
    v1 = replace(tokens(script), beta=False)

    with pytest.raises(SettingsError, match=r"^revokeLicenses needs .* \(INTUNE_VPP_GRAPH_VERSION\) to beta\.$"):
        v1.revoke_licenses(TOKEN_ID, notify_managed_devices=False, revoke_untracked_licenses=False)
    with pytest.raises(SettingsError, match="syncLicenseCounts needs"):
        v1.sync_license_counts()
    with pytest.raises(SettingsError, match="getLicensesForApp needs"):
        v1.licenses_for_app("com.example.reader")

    assert script.requests == []


@pytest.mark.parametrize("encoding", Encoding)
def test_a_file_that_was_sent_is_known(encoding: Encoding) -> None:
    """No refusal tells of the file that went along, or of one sent before: neither of its text nor of what is in it."""
    sent = [file(inner="sealed-by-apple-for-lincoln"), file(inner="sealed/by+apple=for york")]
    quoted = [
        sent[0].text,
        sent[1].text[33:55],
        "sealed-by-apple-for-lincoln",
        "apple=for york",
        base64.b64encode(sent[0].text.encode()).decode()[40:80],
    ]
    message = "Cannot convert '{}', '{}', '{}', '{}' or '{}' to Edm.Binary".format(*quoted)
    script = Script(MADE, httpx.Response(400, json={"error": {"code": "BadRequest", "message": message}}))
    collection = tokens(script)
    collection.create({}, sent[0], encoding=encoding)
    with pytest.raises(GraphError) as caught:
        collection.update(TOKEN_ID, {}, sent[1], encoding=encoding)

    message = str(caught.value)
    assert "BadRequest): Cannot convert '…', '…', '…', '…' or '" in message
    assert [piece for secret in quoted for piece in pieces(secret) if piece in message] == []


def test_an_entity_that_quotes_a_secret_loses_it() -> None:
    """What an answer says is stored and shown: a file that it quotes is not."""
    quoting = {**ENTITY, "displayName": f"Bad {file().text}", "locationName": "Lincoln"}
    sent = tokens(Script(httpx.Response(201, json=quoting))).create({}, file())

    assert (sent.id, sent.display_name, sent.location_name) == (TOKEN_ID, "Bad …", "Lincoln")
