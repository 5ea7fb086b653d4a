"""Graph's JSON and the model: tolerant of members it does not know, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intune_vpp.core import times
from intune_vpp.core.model import BY_ATTRIBUTE, OBSERVED, UNKNOWN, AppLicenses, Kind, Property, VppToken, VppTokenArgs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ODATA_TYPE = "#microsoft.graph.vppToken"

LONGEST_ID = 1000
"""Characters. Graph's ids of tokens are GUIDs; a longer text would not fit into an address."""


def members(args: VppTokenArgs, attributes: Iterable[str]) -> dict[str, Any]:
    """The named inputs as members of a request body; what is not managed stays out of it."""
    values = {BY_ATTRIBUTE[attribute].name: getattr(args, attribute) for attribute in attributes}
    return {name: _to_json(value) for name, value in values.items() if value is not None and value is not UNKNOWN}


def token_from(entity: Mapping[str, Any]) -> VppToken:
    """A vppToken as Graph answered.

    Documentation shows single entities inside `value`, live answers do not: both are read. Dates that were never set
    are absent. The id is empty where there is none that can be used.
    """
    inner = entity.get("value")
    if isinstance(inner, dict) and not id_from(entity):
        entity = inner
    found = {prop.attribute: _from_json(prop, entity.get(prop.name)) for prop in OBSERVED}
    return VppToken(id=id_from(entity), **found)


def id_from(entity: Mapping[str, Any], name: str = "id") -> str:
    """An id as Graph answered; empty where it cannot be part of an address."""
    found = entity.get(name)
    if not isinstance(found, str) or len(found) > LONGEST_ID or not found.strip("."):
        return ""
    # Control characters, white space and lone surrogates are not printable; a space is.
    return found if found.isprintable() and " " not in found else ""


def licenses_from(summary: Mapping[str, Any]) -> AppLicenses:
    """A vppTokenLicenseSummary as Graph answered; a count that is not there is none."""
    return AppLicenses(
        vpp_token_id=str(summary.get("vppTokenId") or ""),
        apple_id=summary.get("appleId"),
        organization_name=summary.get("organizationName"),
        available_license_count=summary.get("availableLicenseCount") or 0,
        used_license_count=summary.get("usedLicenseCount") or 0,
    )


def _to_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _from_json(prop: Property, value: Any) -> Any:
    if prop.kind is Kind.TIME:
        return None if value == times.NEVER else value
    if isinstance(value, list):
        return tuple(value)
    return value
