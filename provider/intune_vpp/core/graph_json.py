"""Graph's JSON and the model: a member that is not known, or does not fit its kind, is ignored."""

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
"""Characters. Graph's ids of tokens are GUIDs; a longer text would not fit into an address."""


def members(args: VppTokenArgs, attributes: Iterable[str]) -> dict[str, Any]:
    """The named inputs as members of a request body; what is not managed stays out of it."""
    values = {VPP_TOKEN[attribute].name: getattr(args, attribute) for attribute in attributes}
    return {name: _to_json(value) for name, value in values.items() if value is not None and value is not UNKNOWN}


def token_from(entity: Mapping[str, Any]) -> VppToken:
    """A vppToken as Graph answered.

    Documentation shows single entities inside `value`, live answers do not: both are read. Dates that were never set
    are absent, and so are members that do not fit their kind. The id is empty where there is none that can be used.
    """
    inner = entity.get("value")
    if isinstance(inner, dict) and not id_from(entity):
        entity = inner
    found = kinds.read(VPP_TOKEN.observed, entity, _ignored)
    return VppToken(id=id_from(entity), **without_controls(found))


def id_from(entity: Mapping[str, Any], name: str = "id") -> str:
    """An id as Graph answered; empty where it cannot be part of an address."""
    found = entity.get(name)
    if not isinstance(found, str) or len(found) > LONGEST_ID or not found.strip("."):
        return ""
    # Control characters, white space and lone surrogates are not printable; a space is. U+FFFD was some other letter.
    return found if found.isprintable() and not _NO_LETTERS & set(found) else ""


def licenses_from(summary: Mapping[str, Any]) -> AppLicenses:
    """A vppTokenLicenseSummary as Graph answered; a count that is absent or does not fit is 0."""
    found = kinds.read(APP_LICENSES, summary, _ignored)
    counts = {name: found[name] or 0 for name in ("available_license_count", "used_license_count")}
    return AppLicenses(vpp_token_id=id_from(summary, "vppTokenId"), **{**found, **counts})


def _to_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _ignored(name: str, expected: str) -> None:
    # Never the value: nobody knows what it holds.
    _log.debug("Ignored %s in an answer of Microsoft Graph: it is not %s.", name, expected)
