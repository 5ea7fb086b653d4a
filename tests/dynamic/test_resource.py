"""The resource class in a program: what it sends, what it shows, what it refuses."""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi.runtime import rpc, settings

from dynamic.programs import input_sent, run, values
from intune_vpp.core.resource_type import Kind
from intune_vpp.core.vpp_token import VPP_TOKEN
from intune_vpp.dynamic import VppToken, resource

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "the text of a file"
ARGUMENTS: dict[str, Any] = {
    "apple_id": "vpp@contoso.example",
    "vpp_token_account_type": "business",
    "organization_name": "Contoso",
    "display_name": "Lincoln",
    "country_or_region": "US",
    "automatically_update_apps": False,
    "data_sharing_consent_granted": True,
    "role_scope_tag_ids": ["0", "7"],
    "apple_device_app_delivery_protocol_type": "default",
    "claim_token_management_from_external_mdm": False,
    "expected_location_name": "Lincoln",
    "adopt_token_id": "22222222-2222-4222-8222-222222222222",
    "wait_for_sync": False,
    "deletion_protection": False,
    "revoke_licenses_on_delete": False,
}
TYPES = {
    Kind.BOOL: "bool",
    Kind.STRINGS: "Sequence[str]",
    Kind.OBJECT: "Mapping[str, str]",
    Kind.OBJECTS: "Sequence[Mapping[str, Any]]",
}


def secret(value: object) -> dict[str, object]:
    """A value as the SDK marks it secret."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A token file."""
    path = tmp_path / "sToken_for_Lincoln.vpptoken"
    path.write_text(TEXT)
    return path


def test_each_argument_arrives_under_graphs_name() -> None:
    """Arguments in snake_case are inputs in camelCase, false and empty ones too."""
    sent = input_sent(lambda: VppToken("lincoln", **ARGUMENTS))

    assert sent == {
        "appleId": "vpp@contoso.example",
        "vppTokenAccountType": "business",
        "organizationName": "Contoso",
        "displayName": "Lincoln",
        "countryOrRegion": "US",
        "automaticallyUpdateApps": False,
        "dataSharingConsentGranted": True,
        "roleScopeTagIds": ["0", "7"],
        "appleDeviceAppDeliveryProtocolType": "default",
        "claimTokenManagementFromExternalMdm": False,
        "expectedLocationName": "Lincoln",
        "adoptTokenId": "22222222-2222-4222-8222-222222222222",
        "waitForSync": False,
        "deletionProtection": False,
        "revokeLicensesOnDelete": False,
    }
    assert {"token", *ARGUMENTS} == {prop.attribute for prop in VPP_TOKEN.inputs} - {"token_file"}


def test_what_is_left_out_is_not_sent() -> None:
    """No argument has a default that manages something, and None is the same as leaving it out."""
    assert input_sent(lambda: VppToken("lincoln")) == {}
    assert input_sent(lambda: VppToken("lincoln", **dict.fromkeys(["token", *ARGUMENTS]))) == {}
    assert input_sent(lambda: VppToken("lincoln", role_scope_tag_ids=[], display_name="")) == {
        "roleScopeTagIds": [],
        "displayName": "",
    }


def test_outputs_as_arguments() -> None:
    """Arguments may be outputs of other resources, inside lists too."""

    def program() -> VppToken:
        name, tag = pulumi.Output.from_input("Lincoln"), pulumi.Output.from_input("7")
        return VppToken("lincoln", display_name=name, role_scope_tag_ids=["0", tag])

    assert input_sent(program) == {"displayName": "Lincoln", "roleScopeTagIds": ["0", "7"]}


def test_each_output_is_readable_by_its_attribute() -> None:
    """Every property of the table is an attribute in snake_case, keys of objects inside included."""
    outputs: dict[str, Any] = {prop.name: f"value of {prop.name}" for prop in VPP_TOKEN.properties}
    outputs |= {
        # A list that is not empty fails the program.
        "duplicateTokenIds": [],
        "tokenFile": {"expirationDateTime": "2027-10-01T00:00:00Z", "organizationName": "Contoso"},
        "tokenActionResults": [{"actionName": "revokeLicenses", "lastUpdatedDateTime": "2026-10-01T00:00:00Z"}],
        "__inputs": {"appleId": "x"},
    }

    def program() -> dict[str, pulumi.Output[Any]]:
        made = VppToken("lincoln", apple_id="vpp@contoso.example")
        return {prop.attribute: getattr(made, prop.attribute) for prop in VPP_TOKEN.properties} | {"id": made.id}

    found = values(program, outputs=outputs)

    assert found.pop("id") == "22222222-2222-4222-8222-222222222222"
    assert found.pop("token_file") == {
        "expiration_date_time": "2027-10-01T00:00:00Z",
        "organization_name": "Contoso",
    }
    assert found.pop("token_action_results") == [
        {"action_name": "revokeLicenses", "last_updated_date_time": "2026-10-01T00:00:00Z"}
    ]
    assert found.pop("duplicate_token_ids") == []
    assert found == {
        prop.attribute: f"value of {prop.name}" for prop in VPP_TOKEN.properties if prop.attribute in found
    }
    assert len(found) == len(VPP_TOKEN.properties) - 3


@pytest.mark.parametrize("text", [TEXT, "", "ü"])
def test_texts_are_sent_as_secrets(text: str) -> None:
    """A text, a string asset (which the SDK cannot send when empty) and outputs of both go out as secret text."""
    forms: list[Any] = [
        lambda: text,
        lambda: pulumi.StringAsset(text),
        lambda: pulumi.Output.from_input(text),
        lambda: pulumi.Output.secret(text),
        lambda: pulumi.Output.from_input(pulumi.StringAsset(text)),
    ]

    def declare(form: Callable[[], Any]) -> VppToken:
        return VppToken("lincoln", token=form())

    for form in forms:
        assert input_sent(partial(declare, form)) == {"token": secret(text)}


def test_a_file_is_sent_as_a_file(path: Path) -> None:
    """A file asset goes out as its path alone: its text does not pass through the engine."""
    sent = input_sent(lambda: VppToken("lincoln", token=pulumi.FileAsset(path)))["token"]
    wrapped = input_sent(lambda: VppToken("lincoln", token=pulumi.Output.from_input(pulumi.FileAsset(str(path)))))

    assert isinstance(sent, pulumi.FileAsset)
    assert (sent.path, wrapped["token"]["value"].path) == (str(path), str(path))


def test_a_relative_path_is_the_programs_or_the_projects(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may lie where the program runs, or in the project's folder, from where the engine reads it."""
    monkeypatch.setattr(settings.SETTINGS, "root_directory", str(path.parent))
    assert input_sent(lambda: VppToken("lincoln", token=pulumi.FileAsset(path.name)))["token"].path == path.name

    monkeypatch.setattr(settings.SETTINGS, "root_directory", None)
    monkeypatch.chdir(path.parent)
    assert input_sent(lambda: VppToken("lincoln", token=pulumi.FileAsset(path.name)))["token"].path == path.name


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("asset", "expected"),
    [
        (
            pulumi.FileAsset("gone.vpptoken"),
            r"^The token file /.*/gone\.vpptoken does not exist\. Use the",
        ),
        (pulumi.FileAsset("/"), r"^The token file / is a folder\."),
        (pulumi.FileAsset("a" * 5000), r"cannot be read \(OSError\)"),
        (pulumi.FileAsset("a\x00b"), r"cannot be read \(ValueError\)"),
        (pulumi.RemoteAsset("https://evil.example/"), r"^token cannot be of type RemoteAsset: .* Use a FileAsset"),
        (pulumi.FileArchive("a.zip"), r"^token cannot be of type FileArchive"),
        (b"bytes", r"^token cannot be of type bytes"),
        (Path("/gone.vpptoken"), r"^The token file /gone\.vpptoken does not exist"),
        (pulumi.FileAsset("/dev/zero"), r"^The token file /dev/zero is not a regular file\."),
        (pulumi.AssetArchive({}), r"^token cannot be of type AssetArchive"),
    ],
)
def test_a_token_that_cannot_work(asset: Any, expected: str, *, wrapped: bool) -> None:
    """A file that is not there and an asset of another kind end the program with a sentence, outputs of them too."""
    recorder: list[object] = []

    def program() -> None:
        recorder.append(VppToken("lincoln", token=pulumi.Output.from_input(asset) if wrapped else asset))

    with pytest.raises(pulumi.RunError, match=expected):
        run(program)


def test_a_location_with_escapes_is_reported_on_one_line() -> None:
    """What Apple or somebody calls a location writes no line of its own at the end of a program."""
    location = "York\x1b[2J\r\n::error::forged\u2028##vso[a]"
    expected = (
        r'^Token x is for the location "York\ufffd\[2J ::error::forged # #vso\[a\]", but "Lincoln" is expected\. Renew'
    )
    with pytest.raises(pulumi.RunError, match=expected):
        resource._refuse_other_location(["x", location, "Lincoln"])


def test_blanks_around_a_location_make_no_other_location() -> None:
    """The program judges a location as the provider does; one that looks the same is told apart by the character."""
    resource._refuse_other_location(["x", "Lincoln ", "Lincoln"])
    resource._refuse_other_location(["x", None, "Lincoln"])
    with pytest.raises(pulumi.RunError, match="The names look the same, but differ at character 8: NO-BREAK SPACE"):
        resource._refuse_other_location(["x", "Lincoln\u00a0West", "Lincoln West"])


@pytest.mark.parametrize("options", [{"id": "x"}, {"import_": "x"}])
def test_options_that_cannot_work(options: dict[str, Any]) -> None:
    """A dynamic resource cannot be looked up or imported: the sentence names what can."""
    expected = (
        r"^A dynamic VppToken can neither be imported nor looked up by id\. "
        r"To manage an existing token, set adopt_token_id\.$"
    )
    with pytest.raises(pulumi.RunError, match=expected):
        VppToken("lincoln", opts=pulumi.ResourceOptions(**options))


def test_other_options_pass() -> None:
    """Pulumi's other options are nobody's business here."""
    assert len(run(lambda: VppToken("lincoln", opts=pulumi.ResourceOptions(protect=True))).made) == 1


@pytest.mark.parametrize("opts", [None, pulumi.ResourceOptions(additional_secret_outputs=["display_name"])])
def test_the_copy_of_the_inputs_is_secret(opts: pulumi.ResourceOptions | None) -> None:
    """The outputs' copy of the inputs is a secret, whatever the arguments: a transform may mark them afterwards."""
    declared = run(lambda: VppToken("lincoln", display_name="Lincoln", opts=opts)).secret_outputs[-1]

    assert sorted(declared) == ["__inputs", *(["displayName"] if opts else [])]


@pytest.mark.parametrize(
    ("expected", "location"), [({}, "Lincoln"), ({"locationName": None}, "Lincoln"), ({"locationName": "York"}, "York")]
)
def test_a_location_that_stands_once(expected: dict[str, Any], location: str) -> None:
    """Where the state names no location it is the expected one; a preview does not know it."""
    names: list[object] = []

    def program() -> pulumi.Output[None]:
        made = VppToken("lincoln", expected_location_name="Lincoln")
        return made.location_name.apply(names.append)

    if "York" in expected.values():
        with pytest.raises(pulumi.RunError, match='is for the location "York", but "Lincoln" is expected'):
            run(program, outputs=expected)
    else:
        run(program, outputs=expected)

    assert names == [location]


def test_the_attributes_are_the_tables() -> None:
    """Each property is an annotated attribute of its type; what only beta has may be absent."""
    annotations = inspect.get_annotations(VppToken)
    types = {name: text.removeprefix("Output[").removesuffix("]") for name, text in annotations.items()}

    assert {name: text.removesuffix(" | None") for name, text in types.items()} == {
        prop.attribute: TYPES.get(prop.kind, "str") for prop in VPP_TOKEN.properties
    }
    assert [
        prop.name for prop in VPP_TOKEN.properties if prop.beta_only and not types[prop.attribute].endswith(" | None")
    ] == [
        # An input of the provider's own, which means something when it is left out.
        "revokeLicensesOnDelete"
    ]


def test_the_arguments_are_the_tables() -> None:
    """Each input is a keyword argument of its type, left out by default and described."""
    signature = inspect.signature(VppToken.__init__)
    parameters = dict(list(signature.parameters.items())[2:])
    opts = parameters.pop("opts")

    assert opts.annotation == "pulumi.ResourceOptions | None"
    assert {one.kind for one in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert {one.default for one in parameters.values()} == {None}
    special = {"token": "str | pulumi.Asset | os.PathLike[str]", "role_scope_tag_ids": "Sequence[Input[str]]"}
    assert {name: one.annotation for name, one in parameters.items()} == {
        prop.attribute: f"Input[{special.get(prop.attribute, TYPES.get(prop.kind, 'str'))}] | None"
        for prop in VPP_TOKEN.inputs
        if prop.attribute != "token_file"
    }
    assert [name for name in parameters if f"            {name}: " not in (VppToken.__init__.__doc__ or "")] == []


@pytest.mark.parametrize("prop", VPP_TOKEN.properties, ids=lambda prop: prop.name)
def test_names_there_and_back(prop: Any) -> None:
    """Each name becomes the other one's and comes back; the engine's own names are left alone."""
    assert VppToken.translate_input_property(None, prop.attribute) == prop.name  # type: ignore[arg-type]
    assert VppToken.translate_output_property(None, prop.name) == prop.attribute  # type: ignore[arg-type]
    assert VppToken.translate_input_property(None, "__provider") == "__provider"  # type: ignore[arg-type]
    assert VppToken.translate_output_property(None, "__observedAt") == "__observedAt"  # type: ignore[arg-type]
