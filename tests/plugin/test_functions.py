"""Invoke and List: what a program may ask without managing anything."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from builders import day, fresh_vpptoken, vpptoken
from intune_vpp.engine.unknowns import SENTINELS
from plugin.door import TYPE, Door, asset, output, secret, struct
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from pathlib import Path

    from plugin.conftest import Open
    from plugin.door import Listener
    from tenant_in_process import RefusesSyncs

NOBODY = "22222222-2222-4222-8222-222222222222"
SENTINEL = min(SENTINELS)


def by_hand(tenant: RefusesSyncs, name: str, *, days: float = 300, **members: Any) -> str:
    """The id of a token that somebody has made, one for each location."""
    body = {
        "token": fresh_vpptoken(days=days, location=name),
        "appleId": "vpp@contoso.example",
        "displayName": name,
    }
    return str(tenant.create_by_hand({**body, **members})["id"])


@pytest.mark.parametrize("way", ["id", "displayName", "locationName", "mobileAppId"])
@pytest.mark.parametrize("wrap", [lambda value: value, secret, lambda value: output(value=secret(value))])
def test_get_one(provider: Door, tenant: RefusesSyncs, way: str, wrap: Any) -> None:
    """Each way finds the token, with all that Graph reports and the tenant."""
    lincoln, _ = by_hand(tenant, "Lincoln"), by_hand(tenant, "York")
    tenant.sync_licenses(lincoln)
    app = next(one for one in tenant.list_apps().apps if one["vppTokenId"] == lincoln)
    ways = {"id": lincoln, "displayName": "Lincoln", "locationName": "Lincoln", "mobileAppId": app["id"]}
    found = provider.call("getVppToken", **{way: wrap(ways[way])})

    assert {name: found[name] for name in ("id", "tenantId", "displayName", "state", "appleId")} == {
        "id": lincoln,
        "tenantId": tenant.directory.tenant_id,
        "displayName": "Lincoln",
        "state": "valid",
        "appleId": "vpp@contoso.example",
    }
    assert "token" not in found


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "getVppToken requires exactly one of id, displayName, locationName, mobileAppId."),
        ({"id": "a", "displayName": "b"}, "getVppToken requires exactly one of"),
        ({"id": None}, "getVppToken requires exactly one of"),
        ({"foo": "a"}, "foo is not an argument of getVppToken. Known: id, displayName, locationName, mobileAppId."),
        ({"id": NOBODY}, f'There is no token "{NOBODY}" in this tenant.'),
        ({"id": "."}, 'There is no token "." in this tenant.'),
        ({"displayName": "Leeds"}, 'There is no token with the display name "Leeds" in this tenant.'),
        ({"locationName": "Leeds"}, 'There is no token with the location "Leeds" in this tenant.'),
        ({"mobileAppId": NOBODY}, f"There is no mobile app {NOBODY} in this tenant."),
        ({"id": 7}, "id must be a string."),
        ({"id": ["a"], "displayName": {}}, "id, displayName must be strings."),
    ],
)
def test_get_one_refused(provider: Door, tenant: RefusesSyncs, arguments: dict[str, Any], reason: str) -> None:
    """What is wrong with the question, or not to be found, is a failure with one sentence."""
    by_hand(tenant, "Lincoln")

    assert reason in provider.refused("getVppToken", **arguments)


def test_get_all(provider: Door, tenant: RefusesSyncs, engine: Listener) -> None:
    """All tokens, or those of a state, an organization or an end before some day."""
    lincoln, york = by_hand(tenant, "Lincoln", days=20), by_hand(tenant, "York")
    tenant.edit_by_hand(york, {"state": "invalid"})

    def ids(**wanted: object) -> list[str]:
        return [one["id"] for one in provider.call("getVppTokens", **wanted)["vppTokens"]]

    assert ids() == [lincoln, york]
    assert ids(state="valid") == [lincoln]
    assert ids(organizationName="Contoso", state=secret("invalid")) == [york]
    assert ids(organizationName="Fabrikam") == []
    assert ids(state="broken") == []
    assert 'getVppTokens filters by state "broken", which is not a known state. Known: ' in engine.logged("WARNING")[-1]
    assert ids(expiresBefore=day(100).isoformat()) == [lincoln]
    assert "with an offset" in provider.refused("getVppTokens", expiresBefore="next year")
    assert provider.refused("getVppTokens", expiresBefore=2027) == "expiresBefore must be a string."
    assert provider.refused("getVppTokens", state={"a": "b"}) == "state must be a string."


def test_licences_of_an_app(provider: Door, tenant: RefusesSyncs) -> None:
    """The licences of each token that has the app, used and available; none where no token has it."""
    token_id = uploaded(tenant)
    app, used = next(iter(tenant.use_licenses(token_id, {}).items()))
    found = provider.call("getLicensesForApp", bundleId=secret(app))

    assert found["bundleId"] == app
    (one,) = found["licenses"]
    available = one.pop("availableLicenseCount")
    assert available >= 0
    assert one == {
        "vppTokenId": token_id,
        "appleId": "vpp@contoso.example",
        "organizationName": "Contoso",
        "usedLicenseCount": used,
    }
    nobodys = provider.call("getLicensesForApp", bundleId="it's/nobody's")
    assert nobodys == {"bundleId": "it's/nobody's", "licenses": []}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "getLicensesForApp requires the bundleId of an app, such as com.example.reader."),
        ({"bundleId": ""}, "getLicensesForApp requires the bundleId of an app"),
        ({"bundleId": "x" * 1001}, "bundleId is longer than 1000 characters: no app has such an identifier."),
        ({"bundleId": 7}, "bundleId must be a string."),
        ({"bundleId": SENTINEL}, "bundleId will only be known after the update."),
    ],
)
def test_licences_of_no_app(provider: Door, arguments: dict[str, Any], reason: str) -> None:
    """What is wrong with the question is a failure with one sentence."""
    assert provider.refused("getLicensesForApp", **arguments).startswith(reason)


def test_licences_on_v1(start: Open) -> None:
    """v1.0 does not have them, and says which setting does."""
    with pytest.raises(grpc.RpcError) as caught:
        start(graphVersion="v1.0").call("getLicensesForApp", bundleId="com.example.reader")

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "getLicensesForApp needs Graph's beta" in (caught.value.details() or "")


def test_parse_a_file(provider: Door, tmp_path: Path) -> None:
    """The file says what it is, in every form, and asks nobody; its text is not in the answer."""
    file, path = vpptoken(expires=day(100).replace(microsecond=0)), tmp_path / "x.vpptoken"
    path.write_text(file)
    for form in (file, secret(file), asset(text=file), secret(asset(path=str(path))), asset(path=str(path))):
        parsed = provider.call("parseTokenFile", token=form)
        assert parsed.pop("expirationDateTime").endswith("Z")
        fingerprint = f"sha256:{hashlib.sha256(file.encode()).hexdigest()}"
        assert parsed == {"fingerprint": fingerprint, "organizationName": "Contoso"}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (None, "it is empty"),
        ("hunter2 hunter2", "it is not base64"),
        (7, "it is"),
        ({"a": "hunter2"}, "it is a JSON document|it is not base64"),
        (asset(path="/nowhere/x"), "/nowhere/x does not exist"),
        (asset(uri="https://x.example"), "token cannot be of type RemoteAsset"),
    ],
)
def test_parse_what_is_no_file(provider: Door, token: object, reason: str) -> None:
    """It is refused in a sentence that holds none of it."""
    message = provider.refused("parseTokenFile", token=token)

    assert any(one in message for one in reason.split("|"))
    assert "hunter2" not in message


@pytest.mark.parametrize("sentinel", sorted(SENTINELS))
@pytest.mark.parametrize(
    ("function", "name"), [("getVppToken", "id"), ("getVppTokens", "state"), ("parseTokenFile", "token")]
)
def test_unknown_arguments(provider: Door, function: str, name: str, sentinel: str) -> None:
    """What is not known yet cannot be asked for; the sentence names it."""
    for form in (sentinel, secret(sentinel), output()):
        assert provider.refused(function, **{name: form}) == f"{name} will only be known after the update."


def test_functions_need_credentials(start: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any, those that ask Graph say what is missing; the one that does not works."""
    monkeypatch.delenv("ARM_CLIENT_SECRET")
    provider = start()
    with pytest.raises(grpc.RpcError) as caught:
        provider.call("getVppTokens")

    assert "ARM_CLIENT_SECRET" in (caught.value.details() or "")
    assert provider.call("parseTokenFile", token=fresh_vpptoken())["organizationName"] == "Contoso"


def test_a_function_that_is_not_there(provider: Door) -> None:
    """It is named."""
    with pytest.raises(grpc.RpcError) as caught:
        provider.call("getEverything")

    assert caught.value.details() == "intune-vpp has no function or resource type intune-vpp:index:getEverything."


def test_list(provider: Door, tenant: RefusesSyncs) -> None:
    """All ids with the names people know them by; a limit is kept; another type is refused."""
    ids = [by_hand(tenant, name) for name in ("Lincoln", "York", "Leeds")]

    def listed(**more: Any) -> list[tuple[str, str]]:
        answers = provider.ask("List", provider_pb2.ListRequest(token=TYPE, query=struct({}), **more))
        return [(one.result.id, one.result.name) for one in answers]

    assert listed() == list(zip(ids, ("Lincoln", "York", "Leeds"), strict=True))
    assert listed(limit=2) == listed()[:2]
    assert listed(limit=-2) == listed()
    tenant.edit_by_hand(ids[0], {"displayName": "Lin\x1b]0;\x07coln\r\n::error::forged"})
    assert listed(limit=1) == [(ids[0], "Lin\ufffd]0;\ufffdcoln\ufffd\ufffd::error::forged")]
    with pytest.raises(grpc.RpcError) as caught:
        provider.ask("List", provider_pb2.ListRequest(token="intune-vpp:index:Nothing"))
    assert caught.value.details() == "intune-vpp has no function or resource type intune-vpp:index:Nothing."


@pytest.mark.parametrize("name", ["LicenseSync", "LicenseRevocation", "LicenseCountSync"])
def test_a_resource_that_is_not_listed(provider: Door, name: str) -> None:
    """The error says which resource can be listed, and does not deny the one that was asked for."""
    with pytest.raises(grpc.RpcError) as caught:
        provider.ask("List", provider_pb2.ListRequest(token=f"intune-vpp:index:{name}"))
    expected = f"intune-vpp:index:{name} cannot be listed; only intune-vpp:index:VppToken can."
    assert caught.value.details() == expected


def test_list_with_filters(provider: Door, tenant: RefusesSyncs, engine: Listener) -> None:
    """The filters are those of `getVppTokens`: a token must match all that are set; the limit counts those that do."""
    ids = [by_hand(tenant, name, days=days) for name, days in (("Lincoln", 20), ("York", 400), ("Leeds", 30))]
    tenant.edit_by_hand(ids[2], {"state": "expired", "organizationName": "Fabrikam"})

    def listed(limit: int = 0, **query: Any) -> list[str]:
        request = provider_pb2.ListRequest(token=TYPE, query=struct(query), limit=limit)
        return [one.result.name for one in provider.ask("List", request)]

    assert listed(state="expired") == ["Leeds"]
    assert listed(organizationName="Contoso") == ["Lincoln", "York"]
    assert listed(expiresBefore=day(100).isoformat()) == ["Lincoln", "Leeds"]
    assert listed(expiresBefore=day(100).isoformat(), organizationName="Contoso") == ["Lincoln"]
    assert listed(limit=1, organizationName="Fabrikam") == ["Leeds"]
    assert listed(state="lost") == []
    assert [
        line for _, _, line in engine.about if 'list filters by state "lost", which is not a known state.' in line
    ] != []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"expiresBefore": "tomorrow"}, "expiresBefore must be a timestamp with an offset"),
        ({"organisation": "Contoso"}, "organisation is not an argument of list. Known: state, organizationName, exp"),
        ({"state": 7}, "state must be a string."),
    ],
)
def test_a_filter_that_cannot_be_used(provider: Door, query: dict[str, Any], message: str) -> None:
    """The sentence names it."""
    with pytest.raises(grpc.RpcError) as caught:
        provider.ask("List", provider_pb2.ListRequest(token=TYPE, query=struct(query)))
    assert (caught.value.details() or "").startswith(message)


@pytest.mark.parametrize("sentinel", sorted(SENTINELS))
def test_a_filter_that_is_not_known_yet(provider: Door, tenant: RefusesSyncs, sentinel: str) -> None:
    """The answer is the protocol's mark for a result that depends on an unknown value; nothing is sent."""
    (answer,) = provider.ask("List", provider_pb2.ListRequest(token=TYPE, query=struct({"state": sentinel})))
    assert answer.WhichOneof("response") == "computed"
    assert tenant.tokens == []
