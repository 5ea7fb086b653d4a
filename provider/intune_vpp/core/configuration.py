"""The configuration keys, their environment variables, and the values that are set (read by `settings`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

NAMESPACE = "intune-vpp"

FLAGS = {"true": True, "1": True, "false": False, "0": False}
"""The spellings of a boolean; both are common in pipelines."""


class Kind(StrEnum):
    """The type of a key's value, by its name in a Pulumi schema."""

    TEXT = "string"
    FLAG = "boolean"
    INTEGER = "integer"


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key, and the environment variables that may set it (without any, `INTUNE_VPP_<KEY>`)."""

    name: str
    variables: tuple[str, ...] = ()
    kind: Kind = Kind.TEXT
    secret: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of its environment variables; the first one that is set is used."""
        return self.variables or ("INTUNE_VPP_" + re.sub("([A-Z])", r"_\1", self.name).upper(),)

    def __str__(self) -> str:
        """Name the key and its first variable, as messages do."""
        return f"{self.name} ({self.sources[0]})"


KEYS = {
    key.name: key
    for key in (
        Key("tenantId", ("ARM_TENANT_ID", "AZURE_TENANT_ID")),
        Key("clientId", ("ARM_CLIENT_ID", "AZURE_CLIENT_ID")),
        Key("clientIdFilePath", ("ARM_CLIENT_ID_FILE_PATH",)),
        Key("clientCertificate", ("ARM_CLIENT_CERTIFICATE",), secret=True),
        Key("clientCertificatePath", ("ARM_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH")),
        Key(
            "clientCertificatePassword",
            ("ARM_CLIENT_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
            secret=True,
        ),
        Key("clientSecret", ("ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET"), secret=True),
        Key("clientSecretFilePath", ("ARM_CLIENT_SECRET_FILE_PATH",)),
        Key("useOidc", ("ARM_USE_OIDC", "ARM_USE_AKS_WORKLOAD_IDENTITY"), Kind.FLAG),
        Key("oidcToken", ("ARM_OIDC_TOKEN",), secret=True),
        Key("oidcTokenFilePath", ("ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE")),
        Key("oidcRequestUrl", ("ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI")),
        Key(
            "oidcRequestToken",
            ("ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"),
            secret=True,
        ),
        Key("oidcAudience"),
        Key(
            "adoPipelineServiceConnectionId",
            (
                "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
                "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
            ),
        ),
        Key("useMsi", ("ARM_USE_MSI",), Kind.FLAG),
        Key("msiEndpoint", ("ARM_MSI_ENDPOINT",)),
        Key("useCli", ("ARM_USE_CLI",), Kind.FLAG),
        Key("environment", ("ARM_ENVIRONMENT", "AZURE_ENVIRONMENT")),
        Key("graphVersion"),
        Key("graphEndpoint"),
        Key("authorityHost", ("INTUNE_VPP_AUTHORITY_HOST", "AZURE_AUTHORITY_HOST")),
        Key("caBundlePath"),
        Key("expiryWarningDays", kind=Kind.INTEGER),
        Key("requestTimeoutSeconds", kind=Kind.INTEGER),
        Key("tokenEncoding"),
    )
}


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a key, and where it was set: an environment variable, or the key in the configuration."""

    name: str
    text: str = field(repr=False)
    source: str

    @property
    def rank(self) -> int:
        """How far behind others the source stands: 0 for the configuration, then the variables in their order."""
        return 0 if self.source.startswith(f"{NAMESPACE}:") else 1 + KEYS[self.name].sources.index(self.source)


@dataclass(frozen=True, slots=True)
class Values:
    """The values that are set, and the variables of secret keys that are set to an empty text."""

    items: tuple[Value, ...]
    empty: tuple[str, ...] = ()

    def find(self, name: str) -> Value | None:
        """Return the value of a key or of a variable, and its source; None if it is not set."""
        return next((value for value in self.items if name in {value.name, value.source}), None)

    def text(self, name: str) -> str | None:
        """Return the value of a key; None if it is not set."""
        found = self.find(name)
        return None if found is None else found.text

    def flag(self, name: str, *, default: bool) -> bool:
        """Return the value of a boolean key."""
        found = self.find(name)
        return default if found is None else FLAGS[found.text.lower()]


def named(*names: str) -> str:
    """Name keys and their first variables for a message."""
    return ", ".join(str(KEYS[name]) for name in names)
