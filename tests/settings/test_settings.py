"""Configuration and environment made into Settings."""

from __future__ import annotations

from typing import Any

import pytest

from intune_vpp.core.configuration import KEYS, Key, Value, Values
from intune_vpp.core.errors import SettingsError
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.graph.clouds import CLOUDS
from intune_vpp.settings import GraphVersion, Settings, TokenEncoding, read

SECRET = "tell-nobody"
VARIABLES = {
    "tenantId": ("ARM_TENANT_ID", "AZURE_TENANT_ID"),
    "clientId": ("ARM_CLIENT_ID", "AZURE_CLIENT_ID"),
    "clientIdFilePath": ("ARM_CLIENT_ID_FILE_PATH",),
    "clientCertificate": ("ARM_CLIENT_CERTIFICATE",),
    "clientCertificatePath": ("ARM_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"),
    "clientCertificatePassword": ("ARM_CLIENT_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
    "clientSecret": ("ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET"),
    "clientSecretFilePath": ("ARM_CLIENT_SECRET_FILE_PATH",),
    "useOidc": ("ARM_USE_OIDC", "ARM_USE_AKS_WORKLOAD_IDENTITY"),
    "oidcToken": ("ARM_OIDC_TOKEN",),
    "oidcTokenFilePath": ("ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE"),
    "oidcRequestUrl": ("ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"),
    "oidcRequestToken": ("ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"),
    "oidcAudience": ("INTUNE_VPP_OIDC_AUDIENCE",),
    "adoPipelineServiceConnectionId": (
        "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
        "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    ),
    "useMsi": ("ARM_USE_MSI",),
    "msiEndpoint": ("ARM_MSI_ENDPOINT",),
    "useCli": ("ARM_USE_CLI",),
    "environment": ("ARM_ENVIRONMENT", "AZURE_ENVIRONMENT"),
    "graphVersion": ("INTUNE_VPP_GRAPH_VERSION",),
    "graphEndpoint": ("INTUNE_VPP_GRAPH_ENDPOINT",),
    "authorityHost": ("INTUNE_VPP_AUTHORITY_HOST", "AZURE_AUTHORITY_HOST"),
    "caBundlePath": ("INTUNE_VPP_CA_BUNDLE_PATH",),
    "expiryWarningDays": ("INTUNE_VPP_EXPIRY_WARNING_DAYS",),
    "requestTimeoutSeconds": ("INTUNE_VPP_REQUEST_TIMEOUT_SECONDS",),
    "tokenEncoding": ("INTUNE_VPP_TOKEN_ENCODING",),
}
SECRETS = {"clientSecret", "clientCertificate", "clientCertificatePassword", "oidcToken", "oidcRequestToken"}


def refused(configuration: dict[str, Any], environment: dict[str, str] | None = None) -> str:
    """The sentence that settings like these are refused with."""
    with pytest.raises(SettingsError) as caught:
        read(configuration, environment or {})
    return str(caught.value)


def test_nothing_set() -> None:
    """Without any setting the provider talks to the public cloud's beta, and is no error until it signs in."""
    assert read({}, {}) == Settings(
        cloud=CLOUDS["public"],
        graph_version=GraphVersion.BETA,
        token_encoding=TokenEncoding.AUTO,
        expiry_warning_days=30,
        request_timeout=60,
        ca_bundle_path=None,
        values=Values(()),
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
        ({}, {"ARM_TENANT_ID": "", "AZURE_TENANT_ID": "c"}, "c"),
        ({}, {"ARM_TENANT_ID": " ", "AZURE_TENANT_ID": "\n"}, None),
        ({"tenantId": None}, {"ARM_TENANT_ID": " b\n"}, "b"),
        ({"tenantId": " a "}, {}, "a"),
        ({}, {"INTUNE_VPP_TENANT_ID": "d"}, None),
    ],
)
def test_precedence(configuration: dict[str, Any], environment: dict[str, str], found: str | None) -> None:
    """Configuration beats ARM_*, ARM_* beats AZURE_*; an empty variable is unset; blanks around are dropped."""
    assert read(configuration, environment).values.text("tenantId") == found


@pytest.mark.parametrize(
    ("name", "value", "attribute", "found"),
    [
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
    assert read({"clientSecret": value}, {}).values.text("clientSecret") == text


@pytest.mark.parametrize("name", KEYS)
def test_a_value_knows_its_source(name: str) -> None:
    """A value is kept with the variable or the key that set it, so that messages can name it."""
    value = "https://x.example" if KEYS[name].name.endswith(("Endpoint", "Host", "Url")) else "1"
    value = {"environment": "dod", "graphVersion": "beta", "tokenEncoding": "auto"}.get(name, value)
    for variable in VARIABLES[name]:
        assert read({}, {variable: value}).values.find(name) == Value(name, value, variable)
    assert read({name: value}, {}).values.find(name) == Value(name, value, f"intune-vpp:{name}")


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("value", [["a"], [], {"a": "b"}, {}, ("a",), '["a"]', ' {"a": "b"}', "[]"])
def test_a_list_or_an_object_is_refused(name: str, value: object) -> None:
    """A value that is not a single one is an error, also as the JSON that the engine passes."""
    words = f"intune-vpp:{name} must be a single value, not a list or an object."

    assert refused({name: value}, dict.fromkeys(VARIABLES[name], "x")) == words


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("true", True),
        ("TRUE", True),
        ("1", True),
        (1.0, True),
        (True, True),
        ("false", False),
        ("0", False),
        (0, False),
    ],
)
def test_flags(value: object, found: bool) -> None:  # noqa: FBT001 - a column of the table
    """A switch is a boolean, or the text of one; left out it has its default."""
    for name in ("useOidc", "useMsi", "useCli"):
        assert read({name: value}, {}).values.flag(name, default=not found) is found
        assert read({}, {}).values.flag(name, default=found) is found


@pytest.mark.parametrize("name", ["useOidc", "useMsi", "useCli"])
@pytest.mark.parametrize("value", ["yes", "on", "2", "truth"])
def test_flags_that_are_none(name: str, value: str) -> None:
    """Any other text is refused before anything is chosen by it."""
    assert refused({name: value}) == f"intune-vpp:{name} must be one of: true, 1, false, 0."


def test_the_secret_keys() -> None:
    """What signs in by itself is secret, and nothing else is."""
    assert {key.name for key in KEYS.values() if key.secret} == SECRETS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("oidcRequestUrl", "http://pipelines.example/x?a=b"),
        ("oidcRequestUrl", "pipelines.example"),
        ("oidcRequestUrl", "https://user@pipelines.example/?a"),
        ("oidcRequestUrl", "https://pipelines.example/#f"),
        ("msiEndpoint", "ftp://169.254.169.254"),
        ("msiEndpoint", "https://"),
        ("msiEndpoint", "http://169.254.169.254.example"),
        ("msiEndpoint", "http://10.0.0.1/token"),
    ],
)
def test_a_request_url_that_cannot_be_used(name: str, value: str) -> None:
    """A secret goes over TLS, or not beyond this machine: Azure's managed identity endpoints are plain HTTP."""
    local = "" if name == "oidcRequestUrl" else ", or an http:// URL of this machine"

    assert refused({name: value}).endswith(f"must be an https:// URL without a user or fragment{local}.")


def test_a_request_url_may_have_a_query() -> None:
    """GitHub's has one."""
    url = "https://pipelines.example/x?api-version=2.0"
    assert read({"oidcRequestUrl": url}, {}).values.text("oidcRequestUrl") == url
    for local in ("http://127.0.0.1:1/x", "http://localhost:1", "http://169.254.169.254/x", "http://[::1]:1/x"):
        assert read({"msiEndpoint": local}, {}).values.text("msiEndpoint") == local


@pytest.mark.parametrize("value", [60, 60.0, "60", " 60 "])
def test_days(value: object) -> None:
    """Days come as a number or as text."""
    assert read({"expiryWarningDays": value}, {}).expiry_warning_days == 60


@pytest.mark.parametrize("value", ["-1", "30.5", 30.5, "many", True, "1e3", "٣x"])
def test_days_that_are_none(value: object) -> None:
    """Anything but a whole number of days is refused, with the key and its variable."""
    assert refused({"expiryWarningDays": value}) == ("intune-vpp:expiryWarningDays must be a whole number of days.")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud(cloud: str) -> None:
    """`environment` names the cloud, in any case; Graph and sign-in follow."""
    for settings in (read({"environment": cloud.upper()}, {}), read({}, {"ARM_ENVIRONMENT": cloud})):
        assert settings.graph_endpoint == CLOUDS[cloud].graph_endpoint
        assert settings.authority_host == CLOUDS[cloud].authority_host
        assert settings.cloud.oidc_audience == CLOUDS[cloud].oidc_audience


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
        ("environment", ", ".join(CLOUDS)),
        ("graphVersion", "beta, v1.0"),
        ("tokenEncoding", "auto, verbatim, base64"),
    ],
)
def test_a_choice_that_is_none(name: str, choices: str) -> None:
    """A choice that is not known is refused with the known ones."""
    sentence = f"must be one of: {choices}."

    assert refused({name: "germany"}) == f"intune-vpp:{name} {sentence}"
    assert refused({}, {VARIABLES[name][0]: "germany"}) == f"{VARIABLES[name][0]} {sentence}"


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
    assert refused({name: value}) == (f"intune-vpp:{name} must be an https:// URL without a user, query or fragment.")


@pytest.mark.parametrize("value", ["https://[::1", "https://g.example:port", "https://g.example:99999"])
def test_an_endpoint_that_is_no_address(value: str) -> None:
    """What cannot even be read is no address."""
    assert refused({"graphEndpoint": value}) == "intune-vpp:graphEndpoint is not a valid URL."


def test_an_unknown_key_is_refused() -> None:
    """A misspelt key is named, with the known ones."""
    assert refused({"tenantID": "x", "zebra": 1}) == (
        f"intune-vpp:tenantID is not a configuration key of intune-vpp. Known keys: {', '.join(VARIABLES)}."
    )


def test_no_secret_shows() -> None:
    """The settings do not show what signs in."""
    settings = read(dict.fromkeys(SECRETS, SECRET), {})

    assert {value.text for value in settings.values.items} == {SECRET}
    assert SECRET not in f"{settings!r}{settings}{settings.values!r}{settings.values.items}"


def test_the_settings_are_read_from_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is the mapping handed over, not the process's."""
    monkeypatch.setenv("ARM_TENANT_ID", "the process's")

    assert read({}, {}).values.text("tenantId") is None


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
