"""Reads the configuration and the environment into one frozen `Settings`; no other module reads either.

Configuration takes precedence over the environment, and `ARM_*` (as in Pulumi's azuread provider) over `AZURE_*`. Keys
without an `ARM_*` name are read from `INTUNE_VPP_<KEY>`. An empty variable counts as unset. No value from the
environment reaches a state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from intune_vpp.core.errors import SettingsError
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.graph.clouds import CLOUDS

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE = "intune-vpp"

_PLAIN_URL = re.compile(r"[^\s?#@\\\x00-\x1f\x7f-\U0010ffff]+")
"""Printable ASCII without white space, user, query and fragment, even empty ones: an HTTP client refuses the rest."""


class GraphVersion(StrEnum):
    """The versions of Graph. Only beta has display names, locations and scope tags."""

    BETA = "beta"
    V1 = "v1.0"


class TokenEncoding(StrEnum):
    """How token files are sent. No documentation says which encoding Graph expects."""

    AUTO = "auto"
    VERBATIM = Encoding.VERBATIM.value
    BASE64 = Encoding.BASE64.value

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """The encodings that may be tried, in this order."""
        return tuple(Encoding) if self is TokenEncoding.AUTO else (Encoding(self.value),)


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key, and the environment variables that may set it (without any, `INTUNE_VPP_<KEY>`)."""

    name: str
    variables: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of its environment variables; the first one that is set is used."""
        return self.variables or ("INTUNE_VPP_" + re.sub("([A-Z])", r"_\1", self.name).upper(),)


KEYS = {
    key.name: key
    for key in (
        Key("tenantId", ("ARM_TENANT_ID", "AZURE_TENANT_ID")),
        Key("clientId", ("ARM_CLIENT_ID", "AZURE_CLIENT_ID")),
        Key("clientSecret", ("ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET")),
        Key("environment", ("ARM_ENVIRONMENT", "AZURE_ENVIRONMENT")),
        Key("graphVersion"),
        Key("graphEndpoint"),
        Key("authorityHost"),
        Key("caBundlePath"),
        Key("expiryWarningDays"),
        Key("tokenEncoding"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The values for a sign-in by client secret (OAuth 2.0 client credentials grant)."""

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Endpoints are `https://` URLs without a trailing slash. Credentials may be missing."""

    graph_endpoint: str
    authority_host: str
    graph_version: GraphVersion
    token_encoding: TokenEncoding
    expiry_warning_days: int
    ca_bundle_path: str | None
    tenant_id: str | None
    client_id: str | None
    client_secret: str | None = field(repr=False)

    def credentials(self) -> Credentials:
        """Return the credentials. Raises SettingsError, which names each missing variable."""
        found = {"tenantId": self.tenant_id, "clientId": self.client_id, "clientSecret": self.client_secret}
        missing = [f"{name} ({KEYS[name].sources[0]})" for name, value in found.items() if not value]
        if missing or not (self.tenant_id and self.client_id and self.client_secret):
            msg = f"Cannot sign in to Microsoft Graph. Not set: {', '.join(missing)}."
            raise SettingsError(f"{msg} Set these environment variables, or the keys in the {NAMESPACE} configuration.")
        return Credentials(tenant_id=self.tenant_id, client_id=self.client_id, client_secret=self.client_secret)


def read(configuration: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Read every key. The keys of `configuration` have no namespace (`tenantId`).

    Raises SettingsError for unknown keys and invalid values. Missing credentials are not an error here, because a
    preview needs none: `Settings.credentials` raises.
    """
    unknown = sorted(set(configuration) - set(KEYS))
    if unknown:
        msg = f"{NAMESPACE}:{unknown[0]} is not a configuration key of {NAMESPACE}."
        raise SettingsError(f"{msg} Known keys: {', '.join(KEYS)}.")

    def value(name: str) -> str | None:
        return _text(configuration.get(name)) or _from_environment(KEYS[name], environment)

    cloud = CLOUDS[_choice("environment", value("environment"), list(CLOUDS), "public")]
    return Settings(
        graph_endpoint=_endpoint("graphEndpoint", value("graphEndpoint"), cloud.graph_endpoint),
        authority_host=_endpoint("authorityHost", value("authorityHost"), cloud.authority_host),
        graph_version=GraphVersion(_choice("graphVersion", value("graphVersion"), list(GraphVersion), "beta")),
        token_encoding=TokenEncoding(_choice("tokenEncoding", value("tokenEncoding"), list(TokenEncoding), "auto")),
        expiry_warning_days=_days("expiryWarningDays", value("expiryWarningDays"), 30),
        ca_bundle_path=value("caBundlePath"),
        tenant_id=value("tenantId"),
        client_id=value("clientId"),
        client_secret=value("clientSecret"),
    )


def _text(value: object) -> str | None:
    """Return a configured value as text; the engine also passes numbers and booleans."""
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        # The engine's numbers are all floats; a client secret of digits must not become 1.2e+07.
        return str(int(value))
    return str(value) if isinstance(value, (int, float)) else None


def _from_environment(key: Key, environment: Mapping[str, str]) -> str | None:
    return next((found for name in key.sources if (found := environment.get(name, "").strip())), None)


def _choice(name: str, value: str | None, choices: list[str], default: str) -> str:
    if value is None:
        return default
    chosen = next((choice for choice in choices if choice.casefold() == value.casefold()), None)
    if chosen is None:
        raise _unusable(name, f"must be one of: {', '.join(choices)}")
    return chosen


def _endpoint(name: str, value: str | None, default: str) -> str:
    if value is None:
        return default
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise _unusable(name, "is not a valid URL") from None
    if parts.scheme != "https" or not parts.hostname or not _PLAIN_URL.fullmatch(value):
        raise _unusable(name, "must be an https:// URL without a user, query or fragment")
    return value.rstrip("/")


def _days(name: str, value: str | None, default: int) -> int:
    if value is None:
        return default
    if not value.isdecimal():
        raise _unusable(name, "must be a whole number of days")
    return int(value)


def _unusable(name: str, why: str) -> SettingsError:
    return SettingsError(f"{NAMESPACE}:{name} ({KEYS[name].sources[0]}) {why}.")
