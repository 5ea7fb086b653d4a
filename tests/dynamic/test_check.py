"""Configure and Check through the dynamic door: what is asked for, before anything is sent."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from builders import day, file_text, fresh_vpptoken, vpptoken
from dynamic.calls import PICKLE, inputs
from intune_vpp.core.errors import SettingsError
from intune_vpp.engine.log import DebugLines
from intune_vpp.engine.unknowns import SENTINELS

if TYPE_CHECKING:
    from pathlib import Path

    from dynamic.conftest import Start
    from engine_room.engine import Engine
    from tenant_in_process import RefusesSyncs

STRING_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SENTINEL_OF_ASSETS = "030794c1-ac77-496b-92df-f27374a8bd58"


def test_the_text_becomes_its_fingerprint(start: Start) -> None:
    """Check answers the fingerprint and the date in the file, the other inputs as they were, and nowhere the text."""
    file = vpptoken(expires=datetime(2099, 10, 1, 12, 30, 15, tzinfo=UTC))
    checked = start().check({}, inputs(file, countryOrRegion="US", roleScopeTagIds=["0"]))

    fingerprint = f"sha256:{hashlib.sha256(file.encode()).hexdigest()}"
    assert checked.failures == []
    assert checked.inputs.pop("tokenFile") == {
        "fingerprint": fingerprint,
        "expirationDateTime": "2099-10-01T12:30:15Z",
        "organizationName": "Contoso",
    }
    assert checked.inputs == {
        "token": fingerprint,
        "appleId": "vpp@contoso.example",
        "vppTokenAccountType": "business",
        "displayName": "Lincoln",
        "countryOrRegion": "US",
        "dataSharingConsentGranted": True,
        "roleScopeTagIds": ["0"],
        "waitForSync": False,
    }


def test_each_form_of_the_file_is_the_same(start: Start, tmp_path: Path) -> None:
    """A text, a string asset and a file with a byte-order mark have one fingerprint."""
    file, path = fresh_vpptoken(), tmp_path / "sToken_for_Lincoln.vpptoken"
    path.write_bytes(b"\xef\xbb\xbf" + file.encode() + b"\r\n")
    provider = start()

    plain, asset, found = (
        provider.check({}, inputs(form)) for form in (file, pulumi.StringAsset(file), pulumi.FileAsset(path))
    )

    assert plain.inputs == asset.inputs == found.inputs
    assert (plain.failures, asset.failures, found.failures) == ([], [], [])


def test_check_is_idempotent(start: Start) -> None:
    """What Check answered, checked again, with or without it as the old inputs, is the same."""
    provider = start()
    once = provider.check({}, inputs(fresh_vpptoken(), adoptTokenId=None)).inputs

    for olds in ({}, once):
        again = provider.check(olds, {**once, "__provider": PICKLE})
        assert (again.inputs, again.failures) == (once, [])


def test_a_fingerprint_without_its_file(start: Start) -> None:
    """A fingerprint passes in a process that knows no text only where it is the old one."""
    once = start().check({}, inputs(fresh_vpptoken())).inputs
    elsewhere = start()

    assert elsewhere.check(once, once).failures == []
    (failure,) = elsewhere.check({}, once).failures
    assert failure.property == ""
    assert failure.reason.startswith("The token is a fingerprint, but its file has not been read in this run.")


@pytest.mark.parametrize("sentinel", [STRING_SENTINEL, SENTINEL_OF_ASSETS])
def test_an_unknown_file_is_unknown(start: Start, sentinel: str) -> None:
    """A file that only the update will know leaves token and tokenFile unknown, as the engine spells it."""
    checked = start().check({}, inputs(sentinel))

    assert checked.failures == []
    assert (checked.inputs["token"], checked.inputs["tokenFile"]) == (STRING_SENTINEL, STRING_SENTINEL)


@pytest.mark.parametrize("sentinel", sorted(SENTINELS))
def test_any_input_may_be_unknown(start: Start, sentinel: str) -> None:
    """Each input may be unknown in preview, lists with an unknown item as a whole."""
    names = ["appleId", "vppTokenAccountType", "countryOrRegion", "automaticallyUpdateApps", "adoptTokenId"]
    asked = inputs(fresh_vpptoken(), **dict.fromkeys(names, sentinel), roleScopeTagIds=["0", sentinel])

    checked = start().check({}, asked)

    assert checked.failures == []
    assert {name: checked.inputs[name] for name in (*names, "roleScopeTagIds")} == dict.fromkeys(
        (*names, "roleScopeTagIds"), STRING_SENTINEL
    )


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("tell-nobody", "it is not base64"),
        (pulumi.StringAsset("tell-nobody"), "it is not base64"),
        ("", "it is empty"),
        ("tell-nobody\ud800", "it is not text"),
        (["tell-nobody"], "must be the text of a .vpptoken file"),
        ({"tell-nobody": "tell-nobody"}, "must be the text of a .vpptoken file"),
        (7.0, "must be the text of a .vpptoken file"),
        (file_text(expires=day(-1), inner="tell-nobody"), "and was never applied"),
        (pulumi.FileAsset("/"), "is a folder"),
        (pulumi.FileAsset("gone.vpptoken"), "gone.vpptoken does not exist"),
        (pulumi.RemoteAsset("https://evil.example/"), "token cannot be of type RemoteAsset"),
        (
            pulumi.AssetArchive({"tell-nobody": pulumi.StringAsset("tell-nobody")}),
            "token cannot be of type AssetArchive",
        ),
        (None, "token is required to create a VppToken."),
    ],
)
def test_a_file_that_cannot_be_used(start: Start, token: object, message: str) -> None:
    """A failure about the token names no property, since the engine would print its value, and none of the file."""
    checked = start().check({}, inputs(token))

    (failure,) = checked.failures
    assert failure.property == ""
    assert message in failure.reason
    assert "tell-nobody" not in failure.reason + json.dumps(checked.inputs)
    assert "token" not in checked.inputs


def test_failures_name_the_argument_and_no_property(start: Start) -> None:
    """Everything wrong is reported at once, by its argument; no property is named, since the engine shows its value."""
    wrong = inputs(
        fresh_vpptoken(), vppTokenAccountType="private", countryOrRegion="USA", roleScopeTagIds="0", adoptToken="x"
    )

    failures = start().check({}, wrong).failures

    assert {failure.property for failure in failures} == {""}
    assert {failure.reason for failure in failures} == {
        "adoptToken is not an input of a VppToken.",
        "vpp_token_account_type must be one of: business, education.",
        "country_or_region must be a two-letter country code of ISO 3166, such as US.",
        "role_scope_tag_ids must be a list of non-empty strings.",
    }


def test_no_failure_ever_names_a_secret_property(start: Start) -> None:
    """Whatever the token is and whatever else is wrong, `token` is nobody's property."""
    provider = start(graphVersion="v1.0")
    for token in ("tell-nobody", None, fresh_vpptoken(organization="Fabrikam"), 7.0):
        for more in ({}, {"organizationName": "Contoso"}, {"appleId": 7.0}, {"stranger": "x"}):
            failures = provider.check({}, inputs(token, **more)).failures
            assert failures
            assert {failure.property for failure in failures} & {"token", "tokenFile", "clientSecret"} == set()


def test_the_old_inputs_guard_the_renewal(start: Start) -> None:
    """An older file is refused by what the old inputs say, and a newer one passes."""
    olds = start().check({}, inputs(fresh_vpptoken(days=300))).inputs

    (failure,) = start().check(olds, inputs(fresh_vpptoken(days=200))).failures
    assert (failure.property, "before the token in Intune" in failure.reason) == ("", True)
    assert start().check(olds, inputs(fresh_vpptoken(days=400))).failures == []


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"graphEndpoint": "http://g.example"}, "intune-vpp:graphEndpoint must be an"),
        ({"graphVersion": "v2"}, "intune-vpp:graphVersion must be one of: beta, v1.0."),
        ({"tenentId": "x"}, "intune-vpp:tenentId is not a configuration key of intune-vpp."),
    ],
)
def test_bad_settings_are_a_failure_of_check(start: Start, configuration: dict[str, object], message: str) -> None:
    """What is wrong with the configuration is said without a traceback; where Check did not stop it, it is raised."""
    provider = start(**configuration)

    (failure,) = provider.check({}, inputs(fresh_vpptoken())).failures
    assert failure.property == ""
    assert failure.reason.startswith(message)
    with pytest.raises(SettingsError, match="intune-vpp:"):
        provider.create({})


def test_check_needs_no_credentials_and_no_request(
    start: Start, tenant: RefusesSyncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preview from a fork works: Check passes without credentials, and creating names what is missing."""
    for name in ("ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    provider = start()
    checked = provider.check({}, inputs(fresh_vpptoken()))

    assert checked.failures == []
    with pytest.raises(SettingsError, match="ARM_TENANT_ID"):
        provider.create(checked.inputs)
    assert tenant.tokens == []


def test_configuration_is_read_by_its_namespace(start: Start, engine: Engine) -> None:
    """The stack's `intune-vpp:` keys count, others do not, and warnings reach the engine."""
    expires = day(300.5)
    start(expiryWarningDays="400").check({}, inputs(vpptoken(expires=expires)))

    assert [line.partition(". ")[0] for line in engine.logged("WARNING")] == [
        f"The token file of Lincoln expires in 300 days, on {expires:%Y-%m-%d}"
    ]


def test_two_new_files_of_one_day_are_two_warnings(start: Start, engine: Engine) -> None:
    """Two new tokens of one name whose files end on one day are told apart, where no line shows its resource."""
    provider, expires = start(), day(9.5)
    for location in ("Lincoln", "Monroe"):
        asked = inputs(vpptoken(location, expires=expires), displayName="Apps")
        for _ in range(2):
            assert provider.check({}, asked).failures == []

    assert [line.partition(" expires in ")[0].partition(" (file sha256:")[:2] for line in engine.logged("WARNING")] == [
        ("The token file of Apps", ""),
        ("The token file of Apps", " (file sha256:"),
    ]


def test_configured_twice_the_engine_hears_each_debug_line_once(start: Start, engine: Engine) -> None:
    """Two configurations in one process leave one carrier of debug lines, and other handlers where they are."""
    logger, mine = logging.getLogger("intune_vpp"), logging.NullHandler()
    logger.addHandler(mine)
    start()
    start()
    logger.debug("said once")

    assert engine.wait_for("DEBUG") == ["intune_vpp: said once"]
    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler, DebugLines]


def test_a_refusal_names_arguments(start: Start) -> None:
    """What Check will not have is reported in the words of the program, the keys of the configuration in theirs."""
    fabrikam = inputs(fresh_vpptoken(), organizationName="Fabrikam")
    (organization,) = start().check({}, fabrikam).failures
    assert 'organization_name is "Fabrikam"' in organization.reason

    (beta,) = start(graphVersion="v1.0").check({}, inputs(fresh_vpptoken(), dataSharingConsentGranted=None)).failures
    assert beta.reason == (
        "display_name needs Graph's beta: leave display_name out, "
        "or set intune-vpp:graphVersion (INTUNE_VPP_GRAPH_VERSION) to beta."
    )

    (mistyped,) = start(waitForSync="true").check({}, inputs(fresh_vpptoken())).failures
    assert mistyped.reason.startswith("intune-vpp:waitForSync is not a configuration key")


def test_a_check_says_what_it_creates(start: Start, engine: Engine) -> None:
    """A creation is reported to the reviewer in preview; a token that is there already is none."""
    expires, provider = day(300), start()
    once = provider.check({}, inputs(vpptoken(expires=expires))).inputs
    provider.check(once, once)

    assert engine.logged("INFO") == [
        f"Creates Lincoln (valid until {expires:%Y-%m-%d}), or adopts the token already created from this file."
    ]


def test_a_check_says_what_it_takes_over(start: Start, engine: Engine) -> None:
    """An adoption is reported to the reviewer in preview."""
    adopted: dict[str, Any] = inputs(None, adoptTokenId="22222222-2222-4222-8222-222222222222")

    assert start().check({}, adopted).failures == []
    assert engine.logged("INFO") == [
        "Adopts token 22222222-2222-4222-8222-222222222222; nothing is created.",
    ]
