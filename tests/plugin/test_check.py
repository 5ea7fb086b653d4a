"""Check over a live channel: what is asked for, before anything is sent."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2

from builders import day, file_text, fresh_vpptoken, vpptoken
from core.strategies import JSON, TEXTS
from intune_vpp.core.vpp_token import VPP_TOKEN
from intune_vpp.engine.unknowns import SENTINELS
from plugin.door import TYPE, URN, Door, archive, asset, inputs, output, secret, struct

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

    from plugin.conftest import Open
    from tenant_in_process import RefusesSyncs

STRING_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
NAMES = [prop.name for prop in VPP_TOKEN.inputs if prop.name != "tokenFile"]
SECRETS = {"token"}


def wrapped(values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """The same as they are, as secrets, as outputs, and as both in either order."""
    ways = [lambda v: v, secret, lambda v: output(value=v), lambda v: secret(output(value=v))]
    return st.builds(lambda way, value: way(value), st.sampled_from([*ways, lambda v: output(value=secret(v))]), values)


FILE = file_text(expires=datetime(2099, 10, 1, 12, 30, 15, tzinfo=UTC))
FITTING: dict[str, SearchStrategy[Any]] = {
    "token": st.sampled_from([FILE, asset(text=FILE), asset(text=secret(FILE)), f"\ufeff{FILE}\r\n"]),
    "appleId": st.sampled_from(["vpp@contoso.example", "VPP@Contoso.example"]),
    "vppTokenAccountType": st.sampled_from(["business", "education"]),
    "organizationName": st.just("Contoso"),
    "displayName": TEXTS,
    "countryOrRegion": st.sampled_from(["US", "gb"]),
    "automaticallyUpdateApps": st.booleans(),
    "dataSharingConsentGranted": st.booleans(),
    "roleScopeTagIds": st.lists(TEXTS, max_size=3),
    "appleDeviceAppDeliveryProtocolType": st.sampled_from(["default", "declarativeDeviceManagement"]),
    "claimTokenManagementFromExternalMdm": st.booleans(),
    "expectedLocationName": TEXTS,
    "adoptTokenId": st.uuids().map(str),
    "waitForSync": st.booleans(),
    "deletionProtection": st.booleans(),
}
LATER = st.sampled_from(sorted(SENTINELS))
ASKED = st.fixed_dictionaries({}, optional={name: wrapped(one | LATER) | st.none() for name, one in FITTING.items()})
ANYTHING = st.dictionaries(
    st.sampled_from([*NAMES, "tokenFile", "__internal"]) | TEXTS, wrapped(JSON | LATER), max_size=6
)


def test_the_text_becomes_its_fingerprint(provider: Door) -> None:
    """Check answers the fingerprint and the date in the file, the other inputs as they were, and nowhere the text."""
    asked = inputs(secret(FILE), countryOrRegion="US", roleScopeTagIds=["0"])
    checked = provider.good(asked)

    fingerprint = f"sha256:{hashlib.sha256(FILE.encode()).hexdigest()}"
    described = {
        "fingerprint": fingerprint,
        "expirationDateTime": "2099-10-01T12:30:15Z",
        "organizationName": "Contoso",
    }
    assert checked == {**asked, "token": fingerprint, "tokenFile": described}


def test_every_form_of_the_file_is_the_same(provider: Door, tmp_path: Path) -> None:
    """Texts, string assets and files, secret outside, inside or not at all, have one fingerprint."""
    file, path = fresh_vpptoken(), tmp_path / "sToken_for_Lincoln.vpptoken"
    path.write_bytes(b"\xef\xbb\xbf" + file.encode() + b"\r\n")
    there = str(path)
    forms = [
        file,
        secret(file),
        output(value=secret(file), secret=True),
        asset(text=file),
        secret(asset(text=file)),
        asset(text=secret(file)),
        secret(output(value=asset(text=secret(file)))),
        asset(path=there),
        secret(asset(path=there)),
        output(value=secret(asset(path=there))),
    ]
    answers = [provider.good(inputs(form)) for form in forms]

    assert answers == [answers[0]] * len(forms)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=ASKED, before=st.booleans())
def test_check_is_idempotent(provider: Door, asked: dict[str, Any], before: bool) -> None:  # noqa: FBT001 - drawn
    """Check answers alike each time, and what it accepted stays the same, also as the old inputs, unknowns included."""
    olds = provider.good(inputs(FILE)) if before else None
    once, failures = provider.checked(asked, olds)
    assert [one for one in failures if one[0] in SECRETS] == []
    assert provider.checked(asked, olds) == (once, failures)
    if not failures:
        assert provider.checked(once, olds) == (once, [])
        assert provider.checked(once, once) == (once, [])
        assert provider.checked(asked, once) == (once, [])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=ANYTHING)
def test_anything_is_answered(provider: Door, asked: dict[str, Any]) -> None:
    """Whatever stands in the inputs, Check answers with inputs and reasons; no reason names a secret property."""
    _, failures = provider.checked(asked)

    assert all(reason.endswith(".") for _, reason in failures)
    assert [prop for prop, _ in failures if prop not in {"", *NAMES} - SECRETS] == []


WRONG: list[Any] = [7, 0.5, True, "", " ", [], [7], [[]], {}, {"a": {"b": []}}, asset(text="x"), archive(path="x")]


@pytest.mark.parametrize("name", NAMES)
def test_a_value_of_another_type(provider: Door, name: str) -> None:
    """For each input each other type is refused in one sentence that names the input, secrets only in the sentence."""
    reasons = []
    for value in WRONG:
        _, failures = provider.checked({**inputs(FILE), name: value})
        reasons += [(prop, reason) for prop, reason in failures if "required to create" not in reason]

    assert len(reasons) >= len(WRONG) - 3
    assert {prop for prop, _ in reasons} <= ({""} if name in SECRETS else {"", name})
    assert all(("token file" in reason or name in reason) for _, reason in reasons)


@pytest.mark.parametrize("sentinel", sorted(SENTINELS))
def test_each_sentinel_in_each_input(provider: Door, sentinel: str) -> None:
    """Whatever is unknown is nothing to complain about, and goes back as that of strings; secret where it was."""
    plain = dict.fromkeys([*NAMES, "tokenFile"], STRING_SENTINEL)
    for form in (sentinel, output(), output(value=sentinel)):
        assert provider.good(dict.fromkeys(NAMES, form)) == plain
    marked = dict.fromkeys([*NAMES, "tokenFile"], secret(STRING_SENTINEL)) | {"token": STRING_SENTINEL}
    for form in (secret(sentinel), output(value=secret(sentinel)), secret(output(value=sentinel)), output(secret=True)):
        assert provider.good(dict.fromkeys(NAMES, form)) == marked
    assert provider.good(inputs(FILE, roleScopeTagIds=["0", sentinel]))["roleScopeTagIds"] == STRING_SENTINEL


def test_nulls_are_left_out(provider: Door) -> None:
    """An input that is null, in whatever wrapping, is one that the program leaves out."""
    for null in (None, secret(None), output(value=None), secret(output(value=None))):
        asked = inputs(FILE) | {"countryOrRegion": null, "automaticallyUpdateApps": null, "roleScopeTagIds": null}
        assert provider.good(asked) == provider.good(inputs(FILE))


def test_deep_nesting(provider: Door) -> None:
    """A value nested as deep as the channel carries is refused like any other that does not fit."""
    deep: Any = "x"
    for _ in range(20):
        deep = secret([{"x": deep}])
    _, failures = provider.checked(inputs(FILE, displayName=deep, roleScopeTagIds=deep))

    assert [reason.partition(" ")[0] for _, reason in failures] == ["displayName", "roleScopeTagIds"]


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("hunter2 hunter2", "it is not base64"),
        (asset(text=""), "it is empty"),
        (asset(uri="https://x.example/hunter2.vpptoken"), "token cannot be of type RemoteAsset"),
        (archive(path="hunter2.zip"), "token cannot be of type AssetArchive"),
        (asset(path="/nowhere/x.vpptoken"), "The token file /nowhere/x.vpptoken does not exist."),
        (f"sha256:{'0' * 64}", "The token is a fingerprint, but its file has not been read in this run."),
        ({"a": "hunter2"}, "The token must be the text of a .vpptoken file"),
    ],
)
def test_a_token_that_is_none(provider: Door, token: Any, reason: str) -> None:
    """It is refused under no property and without a word of it, plain or as a secret."""
    for form in (token, secret(token)):
        _, ((prop, message),) = provider.checked(inputs(form))

        assert (prop, reason in message, "hunter2" in message) == ("", True, False)


def test_an_expired_file_and_an_older_one(provider: Door) -> None:
    """The guard speaks in Check: a file that is over for a new token, an older one for a renewal."""
    _, ((prop, message),) = provider.checked(inputs(fresh_vpptoken(days=-2)))
    assert (prop, "expired on" in message) == ("", True)
    olds = provider.good(inputs(fresh_vpptoken(days=300)))
    _, ((prop, message),) = provider.checked(inputs(fresh_vpptoken(days=200)), olds)
    assert (prop, "with an older one" in message, "--exclude" in message) == ("", True, True)


def test_what_a_new_token_needs(provider: Door) -> None:
    """Each input that is missing has its sentence; an existing token needs none of them."""
    _, failures = provider.checked({})
    olds = provider.good(inputs(FILE))

    assert [prop for prop, _ in failures] == [""] * 4
    assert [reason.split()[0] for _, reason in failures] == [
        "token",
        "appleId",
        "vppTokenAccountType",
        "dataSharingConsentGranted",
    ]
    assert provider.good({}, olds) == {"tokenFile": olds["tokenFile"]}
    assert provider.good({"adoptTokenId": "22222222-2222-4222-8222-222222222222"})


def test_an_input_of_version_beta(start: Open) -> None:
    """On v1.0 an input that only beta has is refused by name, with the cure."""
    _, failures = start(graphVersion="v1.0").checked(inputs(FILE, dataSharingConsentGranted=None))

    ((prop, reason),) = failures
    assert prop == ""
    assert reason.startswith("displayName needs Graph's beta: leave displayName out, or set intune-vpp:graphVersion")


def test_a_fingerprint_stands_for_its_file(start: Open) -> None:
    """Old inputs, as ignoreChanges sends them, pass in a process that has not met the file."""
    once = start().good(inputs(vpptoken(expires=day(300))))

    assert start().good(once, once) == once
    assert start().checked(once)[1] != []


def test_check_asks_nobody(provider: Door, tenant: RefusesSyncs) -> None:
    """Check sends nothing, and answers to a request with all that newer engines add."""
    request = provider_pb2.CheckRequest(
        urn=URN,
        news=struct(inputs(FILE)),
        randomSeed=b"seed",
        name="lincoln",
        type=TYPE,
        old_outputs=struct({"x": 1}),
    )
    answer = provider.ask("Check", request)

    assert list(answer.failures) == []
    assert json_format.MessageToDict(answer.inputs)["displayName"] == "Lincoln"
    assert tenant.tokens == []
