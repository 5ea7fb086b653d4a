"""Reads the configuration and the environment into one frozen `Settings`; no other module reads either.

Configuration takes precedence over the environment, and `ARM_*` (as in Pulumi's azuread provider) over `AZURE_*`. Keys
without a known variable are read from `INTUNE_VPP_<KEY>`. An empty variable counts as unset. No value from the
environment reaches a state.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from intune_vpp.core.configuration import FLAGS, KEYS, NAMESPACE, Key, Kind, Value, Values
from intune_vpp.core.errors import SettingsError
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.graph.clouds import CLOUDS, Cloud

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_REQUEST = 600
_PLAIN_URL = re.compile(r'[!-"$->A-\[\]-~]+')
"""Printable ASCII without white space, user, query and fragment, even empty ones: an HTTP client refuses the rest."""

_URL = re.compile(r'[!-"$-?A-\[\]-~]+')
"""The same, with a query: the request URL of GitHub Actions has one."""

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_NO_TENANTS = {"common", "organizations", "consumers", "adfs"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Endpoints are `https://` URLs without a trailing slash. Values for the sign-in may be missing.

    `request_timeout` is in seconds, and limits each request up to the end of its answer.
    """

    cloud: Cloud
    graph_version: GraphVersion
    token_encoding: TokenEncoding
    expiry_warning_days: int
    request_timeout: int
    ca_bundle_path: str | None
    values: Values

    @property
    def graph_endpoint(self) -> str:
        """The address of Graph."""
        return self.cloud.graph_endpoint

    @property
    def authority_host(self) -> str:
        """The address of the sign-in service."""
        return self.cloud.authority_host


def read(configuration: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Read every key. The keys of `configuration` have no namespace (`tenantId`).

    Raises SettingsError for unknown keys and invalid values. Values that are missing for the sign-in are not an error
    here, because a preview needs none: `graph.credentials.select` raises.
    """
    unknown = sorted(set(configuration) - set(KEYS))
    if unknown:
        msg = f"{NAMESPACE}:{unknown[0]} is not a configuration key of {NAMESPACE}."
        raise SettingsError(f"{msg} Known keys: {', '.join(KEYS)}.")
    found = (_value(key, configuration.get(key.name), environment) for key in KEYS.values())
    values = Values(tuple(value for value in found if value is not None), _empty(environment))
    _tenant(values.find("tenantId"))
    for value in values.items:
        if KEYS[value.name].kind is Kind.FLAG:
            _choice(value, list(FLAGS), "")
    _request_url(values.find("oidcRequestUrl"))
    _request_url(values.find("msiEndpoint"), plain=True)
    cloud = CLOUDS[_choice(values.find("environment"), list(CLOUDS), "public")]
    return Settings(
        cloud=Cloud(
            graph_endpoint=_endpoint(values.find("graphEndpoint"), cloud.graph_endpoint),
            authority_host=_endpoint(values.find("authorityHost"), cloud.authority_host),
            oidc_audience=values.text("oidcAudience") or cloud.oidc_audience,
        ),
        graph_version=GraphVersion(_choice(values.find("graphVersion"), list(GraphVersion), "beta")),
        token_encoding=TokenEncoding(_choice(values.find("tokenEncoding"), list(TokenEncoding), "auto")),
        expiry_warning_days=_whole(values.find("expiryWarningDays"), 30, "days"),
        request_timeout=_seconds(values.find("requestTimeoutSeconds"), 60),
        ca_bundle_path=values.text("caBundlePath"),
        values=values,
    )


def _value(key: Key, configured: object, environment: Mapping[str, str]) -> Value | None:
    if configured is not None:
        return _configured(key, configured)
    set_there = ((name, environment.get(name, "").strip()) for name in key.sources)
    return next((Value(key.name, text, name) for name, text in set_there if text), None)


def _empty(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables of secret keys that are empty: pipelines set them so where a secret is not available."""
    names = (name for key in KEYS.values() if key.secret for name in key.sources)
    return tuple(name for name in names if name in environment and not environment[name].strip())


def _configured(key: Key, configured: object) -> Value:
    """Return a configured value. One that is empty is refused: the environment's could be that of another tenant."""
    value = Value(key.name, _text(configured), f"{NAMESPACE}:{key.name}")
    if isinstance(configured, (list, tuple, dict)) or _is_json_of_several(value.text):
        raise _unusable(value, "must be a single value, not a list or an object")
    if not value.text:
        raise _unusable(value, "is empty. Set a value, or remove the key")
    return value


def _is_json_of_several(text: str) -> bool:
    """Whether a text is a JSON list or object, which is how the engine passes those."""
    try:
        return text.startswith(("[", "{")) and isinstance(json.loads(text), (list, dict))
    except ValueError:
        return False


def _text(value: object) -> str:
    """Return a configured value as text; the engine also passes numbers and booleans."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        # The engine's numbers are all floats; a client secret of digits must not become 1.2e+07.
        return str(int(value))
    return str(value)


def _tenant(value: Value | None) -> None:
    """Refuse what cannot be a tenant: the value becomes a part of URLs, and MSAL gives some names another meaning."""
    if value is not None and (not _TENANT.fullmatch(value.text) or value.text.lower() in _NO_TENANTS):
        raise _unusable(value, "must be the GUID of a tenant or one of its domain names, without quotes or braces")


def _choice(value: Value | None, choices: list[str], default: str) -> str:
    if value is None:
        return default
    chosen = next((choice for choice in choices if choice.casefold() == value.text.casefold()), None)
    if chosen is None:
        raise _unusable(value, f"must be one of: {', '.join(choices)}")
    return chosen


def _endpoint(value: Value | None, default: str) -> str:
    if value is None:
        return default
    if not _is_url(value, "https") or not _PLAIN_URL.fullmatch(value.text):
        raise _unusable(value, "must be an https:// URL without a user, query or fragment")
    return value.text.rstrip("/")


def _request_url(value: Value | None, *, plain: bool = False) -> None:
    """Refuse what is no URL. A secret is sent there: with `plain` also without TLS, but not to another machine."""
    if value is None or (_URL.fullmatch(value.text) and _is_url(value, "https")):
        return
    if not (plain and _URL.fullmatch(value.text) and _is_url(value, "http") and _is_local(value)):
        local = ", or an http:// URL of this machine" if plain else ""
        raise _unusable(value, f"must be an https:// URL without a user or fragment{local}")


def _is_local(value: Value) -> bool:
    """Whether a URL is of this machine: its loopback, or the link-local addresses of Azure's endpoints."""
    host = urlsplit(value.text).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_link_local


def _is_url(value: Value, *schemes: str) -> bool:
    try:
        parts = urlsplit(value.text)
        _ = parts.port
    except ValueError:
        raise _unusable(value, "is not a valid URL") from None
    return parts.scheme in schemes and bool(parts.hostname)


def _whole(value: Value | None, default: int, unit: str) -> int:
    if value is None:
        return default
    if not value.text.isdecimal():
        raise _unusable(value, f"must be a whole number of {unit}")
    return int(value.text)


def _seconds(value: Value | None, default: int) -> int:
    found = _whole(value, default, "seconds")
    if value is not None and not 1 <= found <= _LONGEST_REQUEST:
        raise _unusable(value, f"must be from 1 to {_LONGEST_REQUEST} seconds")
    return found


def _unusable(value: Value, why: str) -> SettingsError:
    return SettingsError(f"{value.source} {why}.")
