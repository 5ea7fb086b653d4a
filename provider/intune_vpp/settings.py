"""Reads the configuration and the environment into one frozen `Settings`; no other module reads either.

Configuration takes precedence over the environment, and `ARM_*` (as in Pulumi's azuread provider) over `AZURE_*`. Keys
without a known variable are read from `INTUNE_VPP_<KEY>`. An empty variable counts as unset. No value from the
environment reaches a state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from intune_vpp.core.configuration import FLAGS, KEYS, NAMESPACE, Key, Kind, Value, Values
from intune_vpp.core.errors import SettingsError
from intune_vpp.core.token_encoding import Encoding
from intune_vpp.graph.clouds import CLOUDS, Cloud

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN_URL = re.compile(r"[^\s?#@\\\x00-\x1f\x7f-\U0010ffff]+")
"""Printable ASCII without white space, user, query and fragment, even empty ones: an HTTP client refuses the rest."""

_URL = re.compile(r"[^\s#@\\\x00-\x1f\x7f-\U0010ffff]+")
"""The same, with a query: the request URL of GitHub Actions has one."""


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
    """All settings. Endpoints are `https://` URLs without a trailing slash. Values for the sign-in may be missing."""

    cloud: Cloud
    graph_version: GraphVersion
    token_encoding: TokenEncoding
    expiry_warning_days: int
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
    values = Values(tuple(value for value in found if value is not None))
    for key in KEYS.values():
        if key.kind is Kind.FLAG:
            _choice(key.name, values.text(key.name), list(FLAGS), "false")
    _request_url("oidcRequestUrl", values.text("oidcRequestUrl"), ("https",))
    _request_url("msiEndpoint", values.text("msiEndpoint"), ("https", "http"))
    cloud = CLOUDS[_choice("environment", values.text("environment"), list(CLOUDS), "public")]
    return Settings(
        cloud=Cloud(
            graph_endpoint=_endpoint("graphEndpoint", values.text("graphEndpoint"), cloud.graph_endpoint),
            authority_host=_endpoint("authorityHost", values.text("authorityHost"), cloud.authority_host),
            oidc_audience=values.text("oidcAudience") or cloud.oidc_audience,
        ),
        graph_version=GraphVersion(_choice("graphVersion", values.text("graphVersion"), list(GraphVersion), "beta")),
        token_encoding=TokenEncoding(
            _choice("tokenEncoding", values.text("tokenEncoding"), list(TokenEncoding), "auto")
        ),
        expiry_warning_days=_days("expiryWarningDays", values.text("expiryWarningDays"), 30),
        ca_bundle_path=values.text("caBundlePath"),
        values=values,
    )


def _value(key: Key, configured: object, environment: Mapping[str, str]) -> Value | None:
    if isinstance(configured, (list, tuple, dict)):
        raise _unusable(key.name, "must be a single value, not a list or an object")
    if (text := _text(configured)) is not None:
        return Value(key.name, text, f"{NAMESPACE}:{key.name}")
    set_there = ((name, environment.get(name, "").strip()) for name in key.sources)
    return next((Value(key.name, text, name) for name, text in set_there if text), None)


def _text(value: object) -> str | None:
    """Return a configured value as text; the engine also passes numbers and booleans."""
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        # The engine's numbers are all floats; a client secret of digits must not become 1.2e+07.
        return str(int(value))
    return str(value)


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
    if not _is_url(name, value, ("https",)) or not _PLAIN_URL.fullmatch(value):
        raise _unusable(name, "must be an https:// URL without a user, query or fragment")
    return value.rstrip("/")


def _request_url(name: str, value: str | None, schemes: tuple[str, ...]) -> None:
    if value is not None and (not _is_url(name, value, schemes) or not _URL.fullmatch(value)):
        raise _unusable(
            name, f"must be an {' or '.join(f'{one}://' for one in schemes)} URL without a user or fragment"
        )


def _is_url(name: str, value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise _unusable(name, "is not a valid URL") from None
    return parts.scheme in schemes and bool(parts.hostname)


def _days(name: str, value: str | None, default: int) -> int:
    if value is None:
        return default
    if not value.isdecimal():
        raise _unusable(name, "must be a whole number of days")
    return int(value)


def _unusable(name: str, why: str) -> SettingsError:
    return SettingsError(f"{NAMESPACE}:{KEYS[name]} {why}.")
