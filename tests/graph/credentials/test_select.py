"""Which method signs in, and what is said where it lacks a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from intune_vpp.core.errors import SettingsError
from intune_vpp.graph.credentials.select import METHODS, choose
from intune_vpp.settings import read

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION = {"tenantId": "t", "clientId": "c"}
PIPELINE = {"oidcRequestUrl": "https://p.example", "oidcRequestToken": "r"}
EVERYTHING: dict[str, dict[str, object]] = {
    "client certificate": {**APPLICATION, "clientCertificatePath": "c.pfx"},
    "client secret": {**APPLICATION, "clientSecret": "s"},
    "OIDC token": {**APPLICATION, "useOidc": True, "oidcTokenFilePath": "f"},
    "OIDC token of Azure DevOps": {
        **APPLICATION,
        **PIPELINE,
        "useOidc": True,
        "adoPipelineServiceConnectionId": "a",
    },
    "OIDC token of GitHub Actions": {**APPLICATION, **PIPELINE, "useOidc": True},
    "managed identity": {"useMsi": True},
}
WHERE = "Set these environment variables, or the keys in the intune-vpp configuration."


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An Azure CLI on PATH that is never run here."""
    program = tmp_path / "az"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def chosen(configuration: dict[str, object], **environment: str) -> str:
    """The name of the method."""
    return choose(read(configuration, environment).values).method.name


def refused(configuration: dict[str, object], **environment: str) -> str:
    """The sentence where a value is missing."""
    with pytest.raises(SettingsError) as caught:
        choose(read(configuration, environment).values)
    return str(caught.value)


def test_the_table_is_complete() -> None:
    """Each method has a configuration above, in the order of the code."""
    assert list(EVERYTHING) == [method.name for method in METHODS]


@pytest.mark.parametrize("name", EVERYTHING)
def test_each_method(name: str) -> None:
    """A method is chosen by its own values."""
    assert chosen(EVERYTHING[name]) == name


@pytest.mark.parametrize("first", range(len(METHODS)))
def test_the_first_method_wins(first: int) -> None:
    """Whatever later methods are configured, the first one is used."""
    together: dict[str, object] = {}
    for name in reversed(list(EVERYTHING)[first:]):
        together |= EVERYTHING[name]

    assert chosen(together) == list(EVERYTHING)[first]


@pytest.mark.parametrize(
    ("configuration", "name"),
    [
        ({**APPLICATION, "clientCertificate": "TUlJ"}, "client certificate"),
        ({**APPLICATION, "clientSecretFilePath": "/run/secret"}, "client secret"),
        ({"tenantId": "t", "clientIdFilePath": "/run/id", "clientSecret": "s"}, "client secret"),
        ({**APPLICATION, "useOidc": "true", "oidcToken": "ey"}, "OIDC token"),
        ({"useMsi": "1", "clientId": "c"}, "managed identity"),
    ],
)
def test_other_values_that_choose(configuration: dict[str, object], name: str) -> None:
    """A file or a text serves where the other does."""
    assert chosen(configuration) == name


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        (
            {"ARM_USE_AKS_WORKLOAD_IDENTITY": "true", "AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/token"},
            "OIDC token",
        ),
        (
            {
                "ARM_USE_OIDC": "true",
                "ACTIONS_ID_TOKEN_REQUEST_URL": "https://p.example/?a=b",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "r",
            },
            "OIDC token of GitHub Actions",
        ),
        (
            {
                "ARM_USE_OIDC": "true",
                "SYSTEM_OIDCREQUESTURI": "https://p.example",
                "SYSTEM_ACCESSTOKEN": "r",
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "a",
            },
            "OIDC token of Azure DevOps",
        ),
        ({"ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": "ey", "ARM_SUBSCRIPTION_ID": "s"}, "OIDC token"),
        ({"AZURE_CLIENT_CERTIFICATE_PATH": "c.pem"}, "client certificate"),
    ],
)
def test_what_platforms_set(environment: dict[str, str], name: str) -> None:
    """The variables of AKS, GitHub Actions, Azure DevOps, Pulumi ESC and Azure's SDKs are enough."""
    assert chosen({}, AZURE_TENANT_ID="t", AZURE_CLIENT_ID="c", **environment) == name


@pytest.mark.parametrize("switch", ["useOidc", "useMsi"])
def test_a_switch_that_is_off(switch: str) -> None:
    """Without its switch a method is not chosen, as in azuread: a runner has GitHub's variables anyway."""
    everything: dict[str, object] = {**APPLICATION, **PIPELINE, "oidcToken": "ey", switch: False}

    assert "no sign-in method is configured" in refused(everything, ARM_USE_CLI="false")


@pytest.mark.parametrize(
    ("configuration", "method", "source", "missing"),
    [
        ({"clientSecret": "s"}, "client secret", "clientSecret", "tenantId (ARM_TENANT_ID), clientId (ARM_CLIENT_ID)"),
        ({"tenantId": "t", "clientSecret": "s"}, "client secret", "clientSecret", "clientId (ARM_CLIENT_ID)"),
        (
            {"clientId": "c", "clientCertificatePath": "c", "clientSecret": "s"},
            "client certificate",
            "clientCertificatePath",
            "tenantId (ARM_TENANT_ID)",
        ),
        (
            {"useOidc": True, "oidcToken": "ey", "tenantId": "t", "useMsi": True},
            "OIDC token",
            "oidcToken",
            "clientId (ARM_CLIENT_ID)",
        ),
    ],
)
def test_a_method_that_lacks_a_value(configuration: dict[str, object], method: str, source: str, missing: str) -> None:
    """The first configured method fails by naming what it lacks and what chose it, and no later one is tried."""
    assert refused(configuration) == (
        f"Cannot sign in to Microsoft Graph with the {method}, which is used because intune-vpp:{source} is set. "
        f"Not set: {missing}. {WHERE}"
    )


def test_oidc_without_a_source() -> None:
    """`useOidc` without a token or a pipeline fails, though a managed identity could sign in."""
    assert refused({**APPLICATION}, ARM_USE_MSI="true", ARM_USE_OIDC="true") == (
        "Cannot sign in to Microsoft Graph with the OIDC token of GitHub Actions, which is used because ARM_USE_OIDC "
        "is set. Not set: oidcRequestUrl (ARM_OIDC_REQUEST_URL), oidcRequestToken (ARM_OIDC_REQUEST_TOKEN). On GitHub "
        "Actions, give the job the permission `id-token: write`. Elsewhere, set oidcTokenFilePath "
        "(ARM_OIDC_TOKEN_FILE_PATH), or adoPipelineServiceConnectionId (ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID) on "
        f"Azure DevOps. {WHERE}"
    )


def test_azure_devops_without_its_token() -> None:
    """The access token of the job must be mapped into a step, which the sentence says."""
    found = refused({**APPLICATION, "useOidc": True, "adoPipelineServiceConnectionId": "a"})

    assert "with the OIDC token of Azure DevOps" in found
    assert "Not set: oidcRequestUrl (ARM_OIDC_REQUEST_URL), oidcRequestToken (ARM_OIDC_REQUEST_TOKEN). On" in found
    assert "set SYSTEM_ACCESSTOKEN to $(System.AccessToken) in the step" in found


@pytest.mark.usefixtures("az")
def test_the_azure_cli_is_last() -> None:
    """With a tenant and az on PATH, the Azure CLI is used where nothing else is, and the others are listed."""
    found = choose(read({"tenantId": "t"}, {}).values)

    assert found.method.name == "Azure CLI"
    assert found.explanation == "Sign-in method: Azure CLI (no other method is configured)."
    assert chosen({"tenantId": "t", "useMsi": True}) == "managed identity"


@pytest.mark.usefixtures("az")
@pytest.mark.parametrize(
    ("configuration", "missing"),
    [
        ({}, "tenantId (ARM_TENANT_ID)"),
        ({"tenantId": "t", "useCli": False}, "useCli (ARM_USE_CLI), which must not be false"),
        ({"useCli": "0"}, "useCli (ARM_USE_CLI), which must not be false, tenantId (ARM_TENANT_ID)"),
        ({"tenantId": "t", "oidcToken": "ey"}, "intune-vpp:oidcToken, which must not be set"),
        ({"tenantId": "t", "clientCertificatePassword": "p"}, "intune-vpp:clientCertificatePassword, which must not b"),
    ],
)
def test_the_azure_cli_is_not_used(configuration: dict[str, object], missing: str) -> None:
    """The Azure CLI is not used without tenantId, if `useCli` is false, or beside another credential."""
    assert f"; Azure CLI: {missing}" in refused(configuration)


@pytest.mark.usefixtures("az")
@pytest.mark.parametrize(
    "variable", ["ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET", "ARM_CLIENT_CERTIFICATE", "ARM_OIDC_TOKEN"]
)
@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_a_secret_that_the_pipeline_left_empty(variable: str, empty: str) -> None:
    """A pipeline without access to its secret sets an empty variable: nobody expects the account of the CLI then."""
    environment = {"ARM_TENANT_ID": "t", "ARM_CLIENT_ID": "c", variable: empty}

    assert f"; Azure CLI: {variable}, which is set but empty. " in refused({}, **environment)


@pytest.mark.parametrize(
    ("configuration", "environment", "name"),
    [
        ({"clientSecret": "s"}, {"ARM_CLIENT_CERTIFICATE_PATH": "c.pfx"}, "client secret"),
        ({"useOidc": True}, {"ARM_CLIENT_SECRET": "s", "ARM_OIDC_TOKEN": "ey"}, "OIDC token"),
        ({"oidcToken": "ey"}, {"ARM_CLIENT_SECRET": "s", "ARM_USE_OIDC": "true"}, "OIDC token"),
        ({"useMsi": True}, {"ARM_CLIENT_SECRET": "s"}, "managed identity"),
        ({"useMsi": False}, {"ARM_CLIENT_SECRET": "s"}, "client secret"),
        ({"tenantId": "t2"}, {"ARM_CLIENT_SECRET": "s"}, "client secret"),
    ],
)
def test_the_configuration_goes_before_the_environment(
    configuration: dict[str, object], environment: dict[str, str], name: str
) -> None:
    """A method that the configuration chooses is used before one that the environment chooses, whatever the order."""
    assert chosen(configuration, ARM_TENANT_ID="t", ARM_CLIENT_ID="c", **environment) == name


def test_nothing_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each method is listed with what it lacks."""
    monkeypatch.setenv("PATH", str(tmp_path))
    application = "tenantId (ARM_TENANT_ID), clientId (ARM_CLIENT_ID)"
    requested = f"{application}, oidcRequestUrl (ARM_OIDC_REQUEST_URL), oidcRequestToken (ARM_OIDC_REQUEST_TOKEN)"
    oidc = "useOidc (ARM_USE_OIDC), which must be true"

    assert refused({}) == (
        "Cannot sign in to Microsoft Graph, because no sign-in method is configured. Each method lacks values: "
        f"client certificate: clientCertificatePath (ARM_CLIENT_CERTIFICATE_PATH), {application}; "
        f"client secret: clientSecret (ARM_CLIENT_SECRET), {application}; "
        f"OIDC token: {oidc}, oidcToken (ARM_OIDC_TOKEN), {application}; "
        "OIDC token of Azure DevOps: "
        f"{oidc}, adoPipelineServiceConnectionId (ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID), {requested}; "
        f"OIDC token of GitHub Actions: {oidc}, {requested}; "
        "managed identity: useMsi (ARM_USE_MSI), which must be true; "
        "Azure CLI: tenantId (ARM_TENANT_ID), az on PATH. "
        "Configure one of them, by environment variables or by keys in the intune-vpp configuration."
    )


def test_azure_devops_without_its_service_connection() -> None:
    """The job's token of Azure DevOps is not sent as if the job were GitHub's: the missing id is named."""
    environment = {"SYSTEM_OIDCREQUESTURI": "https://dev.example/x", "SYSTEM_ACCESSTOKEN": "r"}

    assert (
        "with the OIDC token of Azure DevOps, which is used because SYSTEM_OIDCREQUESTURI is set. "
        "Not set: adoPipelineServiceConnectionId (ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID). "
    ) in refused({**APPLICATION, "useOidc": True}, **environment)


def test_no_value_is_in_a_sentence() -> None:
    """A sentence names keys and variables, never what they are set to."""
    secret: dict[str, object] = {"clientSecret": "tell-nobody", "clientCertificatePath": "hush.pfx", "clientId": "c"}

    assert {"tell-nobody", "hush.pfx"} & set(refused(secret).replace(".", " ").split()) == set()
