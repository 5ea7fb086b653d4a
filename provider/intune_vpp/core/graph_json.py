"""Converts between Graph's JSON and the model. A member that is unknown or does not fit its kind is ignored."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from intune_vpp.core import kinds
from intune_vpp.core.printable import without_controls
from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.core.vpp_token import APP_LICENSES, VPP_TOKEN, AppLicenses, VppToken, VppTokenArgs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_log = logging.getLogger(__name__)

ODATA_TYPE = "#microsoft.graph.vppToken"

_NO_LETTERS = {" ", "\ufffd"}

LONGEST_ID = 1000
"""Characters. Token ids are GUIDs; a longer text might not fit into a URL."""


def members(args: VppTokenArgs, attributes: Iterable[str]) -> dict[str, Any]:
    """Return the named inputs as members of a request body, without those that are not managed or not known."""
    values = {VPP_TOKEN[attribute].name: getattr(args, attribute) for attribute in attributes}
    return {name: _to_json(value) for name, value in values.items() if value is not None and value is not UNKNOWN}


def token_from(entity: Mapping[str, Any]) -> VppToken:
    """Read a vppToken from an answer of Graph.

    Microsoft's documentation shows a single entity inside `value`, live answers do not: both are read. A date that was
    never set, an empty list of results, and a member that does not fit its kind, is None. The id is empty if the answer
    has no usable one.
    """
    inner = entity.get("value")
    if isinstance(inner, dict) and not id_from(entity):
        entity = inner
    found = kinds.read(VPP_TOKEN.observed, entity, _ignored)
    found["token_action_results"] = found["token_action_results"] or None
    return VppToken(id=id_from(entity), **without_controls(found))


def id_from(entity: Mapping[str, Any], name: str = "id") -> str:
    """Read an id from an answer; empty if it cannot be part of a URL."""
    found = entity.get(name)
    if not isinstance(found, str) or len(found) > LONGEST_ID or not found.strip("."):
        return ""
    # A space is printable, so it is refused by name. U+FFFD replaces an unreadable character: the real id differs.
    return found if found.isprintable() and not _NO_LETTERS & set(found) else ""


def licenses_from(summary: Mapping[str, Any]) -> AppLicenses:
    """Read a vppTokenLicenseSummary; a count that is absent or not a whole number is 0."""
    found = kinds.read(APP_LICENSES, summary, _ignored)
    counts = {name: found[name] or 0 for name in ("available_license_count", "used_license_count")}
    return AppLicenses(vpp_token_id=id_from(summary, "vppTokenId"), **{**found, **counts})


def _to_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _ignored(name: str, expected: str) -> None:
    # The value is not logged, because it may contain a secret.
    _log.debug("Ignored %s in an answer of Microsoft Graph: it is not %s.", name, expected)
