"""Configuration and environment made into Settings."""

from __future__ import annotations

from typing import Any

import pytest

from intune_vpp.core.errors import SettingsError
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.graph.clouds import CLOUDS
from intune_vpp.settings import KEYS, Credentials, GraphVersion, Key, Settings, TokenEncoding, read

SECRET = "tell-nobody"
VARIABLES = {
    "tenantId": ("ARM_TENANT_ID", "AZURE_TENANT_ID"),
    "clientId": ("ARM_CLIENT_ID", "AZURE_CLIENT_ID"),
    "clientSecret": ("ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET"),
    "environment": ("ARM_ENVIRONMENT", "AZURE_ENVIRONMENT"),
    "graphVersion": ("INTUNE_VPP_GRAPH_VERSION",),
    "graphEndpoint": ("INTUNE_VPP_GRAPH_ENDPOINT",),
    "authorityHost": ("INTUNE_VPP_AUTHORITY_HOST",),
    "caBundlePath": ("INTUNE_VPP_CA_BUNDLE_PATH",),
    "expiryWarningDays": ("INTUNE_VPP_EXPIRY_WARNING_DAYS",),
    "tokenEncoding": ("INTUNE_VPP_TOKEN_ENCODING",),
}


def refused(configuration: dict[str, Any], environment: dict[str, str] | None = None) -> str:
    """The sentence that settings like these are refused with."""
    with pytest.raises(SettingsError) as caught:
        read(configuration, environment or {})
    return str(caught.value)


def test_nothing_set() -> None:
    """Without any setting the provider talks to the public cloud's beta, and is no error until it signs in."""
    assert read({}, {}) == Settings(
        graph_endpoint="https://graph.microsoft.com",
        authority_host="https://login.microsoftonline.com",
        graph_version=GraphVersion.BETA,
        token_encoding=TokenEncoding.AUTO,
        expiry_warning_days=30,
        ca_bundle_path=None,
        tenant_id=None,
        client_id=None,
        client_secret=None,
    )


@pytest.mark.parametrize("name", VARIABLES)
def test_each_key_has_its_variables(name: str) -> None:
    """The variables of a key are the documented ones, the strongest first."""
    assert KEYS[name].sources == VARIABLES[name]


def test_a_key_without_a_known_variable_has_one_of_ours() -> None:
    """A key's own variable is its name in upper snake case."""
    assert Key("oneMoreKeyOfOurs").sources == ("INTUNE_VPP_ONE_MORE_KEY_OF_OURS",)


@pytest.mark.parametrize(
    ("configuration", "environment", "found"),
    [
        ({"tenantId": "a"}, {"ARM_TENANT_ID": "b", "AZURE_TENANT_ID": "c"}, "a"),
        ({}, {"ARM_TENANT_ID": "b", "AZURE_TENANT_ID": "c"}, "b"),
        ({}, {"AZURE_TENANT_ID": "c"}, "c"),
        ({"tenantId": ""}, {"ARM_TENANT_ID": "", "AZURE_TENANT_ID": "c"}, "c"),
        ({"tenantId": " \t"}, {"ARM_TENANT_ID": " ", "AZURE_TENANT_ID": "\n"}, None),
        ({"tenantId": None}, {"ARM_TENANT_ID": " b\n"}, "b"),
        ({"tenantId": " a "}, {}, "a"),
        ({}, {"INTUNE_VPP_TENANT_ID": "d"}, None),
    ],
)
def test_precedence(configuration: dict[str, Any], environment: dict[str, str], found: str | None) -> None:
    """Configuration beats ARM_*, ARM_* beats AZURE_*; what is empty or blank is unset; blanks around are dropped."""
    assert read(configuration, environment).tenant_id == found


@pytest.mark.parametrize(
    ("name", "value", "attribute", "found"),
    [
        ("clientId", "c", "client_id", "c"),
        ("clientSecret", SECRET, "client_secret", SECRET),
        ("graphVersion", "v1.0", "graph_version", GraphVersion.V1),
        ("graphVersion", "BETA", "graph_version", GraphVersion.BETA),
        ("tokenEncoding", "Base64", "token_encoding", TokenEncoding.BASE64),
        ("caBundlePath", "/etc/ca.pem", "ca_bundle_path", "/etc/ca.pem"),
        ("expiryWarningDays", "0", "expiry_warning_days", 0),
        ("expiryWarningDays", "045", "expiry_warning_days", 45),
        ("graphEndpoint", "https://g.example/", "graph_endpoint", "https://g.example"),
        ("graphEndpoint", "HTTPS://G.example:8443/proxy//", "graph_endpoint", "HTTPS://G.example:8443/proxy"),
        ("authorityHost", "https://[::1]:8443", "authority_host", "https://[::1]:8443"),
    ],
)
def test_each_key_from_both_sides(name: str, value: str, attribute: str, found: object) -> None:
    """A key means the same from the configuration and from its variable."""
    assert getattr(read({name: value}, {}), attribute) == found
    assert getattr(read({}, {VARIABLES[name][0]: value}), attribute) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345678.0, "12345678"),
        (12345678, "12345678"),
        (1e15, "1000000000000000"),
        (0.5, "0.5"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_numbers_and_flags_are_the_text_they_were_written_as(value: float, text: str) -> None:
    """The engine hands digits over as a number: a secret of digits is not rounded."""
    assert read({"clientSecret": value}, {}).client_secret == text


@pytest.mark.parametrize("value", [60, 60.0, "60", " 60 "])
def test_days(value: object) -> None:
    """Days come as a number or as text."""
    assert read({"expiryWarningDays": value}, {}).expiry_warning_days == 60


@pytest.mark.parametrize("value", ["-1", "30.5", 30.5, "many", True, "1e3", "٣x"])
def test_days_that_are_none(value: object) -> None:
    """Anything but a whole number of days is refused, with the key and its variable."""
    assert refused({"expiryWarningDays": value}) == (
        "intune-vpp:expiryWarningDays (INTUNE_VPP_EXPIRY_WARNING_DAYS) must be a whole number of days."
    )


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud(cloud: str) -> None:
    """`environment` names the cloud, in any case; Graph and sign-in follow."""
    for settings in (read({"environment": cloud.upper()}, {}), read({}, {"ARM_ENVIRONMENT": cloud})):
        assert settings.graph_endpoint == CLOUDS[cloud].graph_endpoint
        assert settings.authority_host == CLOUDS[cloud].authority_host


def test_an_endpoint_beats_the_cloud() -> None:
    """Each address can be set by itself; the other stays the cloud's."""
    settings = read({"environment": "china", "graphEndpoint": "https://g.example"}, {})

    assert (settings.graph_endpoint, settings.authority_host) == (
        "https://g.example",
        "https://login.chinacloudapi.cn",
    )


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("environment", "public, global, usgovernment, usgovernmentl4, dod, usgovernmentl5, china"),
        ("graphVersion", "beta, v1.0"),
        ("tokenEncoding", "auto, verbatim, base64"),
    ],
)
def test_a_choice_that_is_none(name: str, choices: str) -> None:
    """A choice that is not known is refused with the known ones."""
    sentence = f"intune-vpp:{name} ({VARIABLES[name][0]}) must be one of: {choices}."

    assert refused({name: "germany"}) == sentence
    assert refused({}, {VARIABLES[name][0]: "germany"}) == sentence


@pytest.mark.parametrize(
    "value",
    [
        "http://g.example",
        "g.example",
        "//g.example",
        "https://",
        "https:///path",
        "ftp://g.example",
        "https://user@g.example",
        "https://user:word@g.example",
        "https://:word@g.example",
        "https://@g.example",
        "https://g.example?",
        "https://g.example/?q=1",
        "https://g.example#",
        "https://g.example/#f",
        "https://g example",
        "https://g.ex\nample",
        "https://g.example\\@evil.example",
        "https://\u2028g.example",
        "https://g.example/\x07",
    ],
)
@pytest.mark.parametrize("name", ["graphEndpoint", "authorityHost"])
def test_an_endpoint_that_cannot_be_used(name: str, value: str) -> None:
    """An endpoint is https with a host, and nothing that hides a password or that an HTTP client chokes on."""
    assert refused({name: value}) == (
        f"intune-vpp:{name} ({VARIABLES[name][0]}) must be an https:// URL without a user, query or fragment."
    )


@pytest.mark.parametrize("value", ["https://[::1", "https://g.example:port", "https://g.example:99999"])
def test_an_endpoint_that_is_no_address(value: str) -> None:
    """What cannot even be read is no address."""
    assert refused({"graphEndpoint": value}).endswith("(INTUNE_VPP_GRAPH_ENDPOINT) is not a valid URL.")


def test_an_unknown_key_is_refused() -> None:
    """A misspelt key is named, with the known ones."""
    assert refused({"tenantID": "x", "zebra": 1}) == (
        f"intune-vpp:tenantID is not a configuration key of intune-vpp. Known keys: {', '.join(VARIABLES)}."
    )


def test_the_secret_does_not_show() -> None:
    """Neither the settings nor the credentials show the secret."""
    settings = read({"tenantId": "t", "clientId": "c", "clientSecret": SECRET}, {})

    assert settings.credentials() == Credentials(tenant_id="t", client_id="c", client_secret=SECRET)
    assert SECRET not in f"{settings!r}{settings}{settings.credentials()!r}{settings.credentials()}"


@pytest.mark.parametrize(
    ("configuration", "missing"),
    [
        ({}, "tenantId (ARM_TENANT_ID), clientId (ARM_CLIENT_ID), clientSecret (ARM_CLIENT_SECRET)"),
        ({"clientId": "c"}, "tenantId (ARM_TENANT_ID), clientSecret (ARM_CLIENT_SECRET)"),
        ({"tenantId": "t", "clientSecret": "s"}, "clientId (ARM_CLIENT_ID)"),
        ({"tenantId": "t", "clientId": "c", "clientSecret": " "}, "clientSecret (ARM_CLIENT_SECRET)"),
    ],
)
def test_each_missing_credential_is_named(configuration: dict[str, str], missing: str) -> None:
    """Credentials that are incomplete name each variable that is missing, and both ways to set it."""
    with pytest.raises(SettingsError) as caught:
        read(configuration, {}).credentials()

    assert str(caught.value) == (
        f"Cannot sign in to Microsoft Graph. Not set: {missing}. "
        "Set these environment variables, or the keys in the intune-vpp configuration."
    )


def test_the_settings_are_read_from_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is the mapping handed over, not the process's."""
    monkeypatch.setenv("ARM_TENANT_ID", "the process's")

    assert read({}, {}).tenant_id is None


@pytest.mark.parametrize(
    ("configured", "encodings"),
    [
        (None, (Encoding.BASE64, Encoding.VERBATIM)),
        ("auto", (Encoding.BASE64, Encoding.VERBATIM)),
        ("base64", (Encoding.BASE64,)),
        ("verbatim", (Encoding.VERBATIM,)),
    ],
)
def test_the_encodings_that_may_be_tried(configured: str | None, encodings: tuple[Encoding, ...]) -> None:
    """Left out, base64 is tried first, then the text as it is; a fixed encoding is the only one."""
    assert read({"tokenEncoding": configured}, {}).token_encoding.encodings == encodings
