"""The functions of the package, such as `getVppToken`, and the listing of tokens: they read, and manage nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pulumi.runtime.proto import provider_pb2

from intune_vpp.core import pulumi_state, stoken, times
from intune_vpp.core.enums import TokenState
from intune_vpp.core.errors import IntuneVppError, InvalidRequest, TokenFileError
from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.core.token_check import TokenFileContent
from intune_vpp.engine import assets, cures
from intune_vpp.lifecycle.queries import Filter
from intune_vpp.plugin import property_values
from intune_vpp.plugin.grpc_errors import check_failure

if TYPE_CHECKING:
    from google.protobuf import struct_pb2

    from intune_vpp.assembly import Assembly
    from intune_vpp.core.vpp_token import VppToken

_LONGEST_NAME = 1000
_STATES = ", ".join(TokenState)
_WAYS = ("id", "displayName", "locationName", "mobileAppId")
_FILTERS = ("state", "organizationName", "expiresBefore")


def invoke(request: provider_pb2.InvokeRequest, parts: Assembly) -> provider_pb2.InvokeResponse:
    """Call a function. Invalid arguments, and a token that is not found, are failures in the response."""
    called = FUNCTIONS.get(request.tok)
    if called is None:
        raise not_found(request.tok)
    answers, known = called
    try:
        answer = answers(_arguments(request.tok.rpartition(":")[2], known, request.args), parts)
    except (InvalidRequest, TokenFileError) as error:
        # The SDKs print the property behind the reason, in brackets.
        function = request.tok.rpartition(":")[2]
        return provider_pb2.InvokeResponse(failures=[check_failure(cures.sentence(error), function)])
    # The field's name, `return`, is a keyword in Python.
    members: dict[str, Any] = {"return": property_values.encode(answer)}
    return provider_pb2.InvokeResponse(**members)


def not_found(name: str) -> IntuneVppError:
    """Return the error for a function or resource type that this provider does not have."""
    return InvalidRequest(f"intune-vpp has no function or resource type {name}.")


def _arguments(function: str, known: tuple[str, ...], given: struct_pb2.Struct) -> dict[str, Any]:
    arguments = property_values.decode(given)
    unexpected = [name for name in arguments if name not in known]
    if unexpected:
        raise InvalidRequest(f"{unexpected[0]} is not an argument of {function}. Known: {', '.join(known)}.")
    # In the order of the function, because that of a protobuf map may differ from run to run.
    arguments = {name: arguments[name] for name in known if name in arguments}
    unknown = [name for name, value in arguments.items() if value is UNKNOWN]
    if unknown:
        raise InvalidRequest(f"{', '.join(unknown)} will only be known after the update.")
    wrong = [name for name, value in arguments.items() if name != "token" and not isinstance(value, str)]
    if wrong:
        raise InvalidRequest(f"{', '.join(wrong)} must be {'strings' if len(wrong) > 1 else 'a string'}.")
    return arguments


def _get_one(arguments: dict[str, Any], parts: Assembly) -> dict[str, Any]:
    given = [name for name in _WAYS if name in arguments]
    if len(given) != 1:
        raise InvalidRequest(f"getVppToken requires exactly one of {', '.join(_WAYS)}.")
    value = str(arguments[given[0]])
    queries = parts.queries
    match given[0]:
        case "id":
            found = queries.by_id(value)
        case "displayName":
            found = queries.by_name(display_name=value)
        case "locationName":
            found = queries.by_name(location_name=value)
        case _:
            found = queries.by_app(value)
    return {**_shown(found), "tenantId": queries.tenant_id()}


def _get_all(arguments: dict[str, Any], parts: Assembly) -> dict[str, Any]:
    return {"vppTokens": [_shown(found) for found in parts.queries.all(_filter("getVppTokens", arguments, parts))]}


def listed(query: struct_pb2.Struct, parts: Assembly) -> list[VppToken] | None:
    """Return the tokens that `pulumi do … VppToken list` shows; None if a filter is not known yet.

    Raises InvalidRequest for a filter that cannot be used.
    """
    if UNKNOWN in property_values.decode(query).values():
        return None
    return parts.queries.all(_filter("list", _arguments("list", _FILTERS, query), parts))


def _filter(function: str, arguments: dict[str, Any], parts: Assembly) -> Filter:
    before = arguments.get("expiresBefore")
    if before is not None and times.parse(before) is None:
        raise InvalidRequest("expiresBefore must be a timestamp with an offset, such as 2027-01-31T00:00:00Z.")
    state = arguments.get("state")
    if state not in {None, *TokenState}:
        what = f'{function} filters by state "{state}", which is not a known state.'
        parts.reporter.warn(f"{what} Known: {_STATES}.")
    return Filter(state=state, organization_name=arguments.get("organizationName"), expires_before=before)


def _get_licenses(arguments: dict[str, Any], parts: Assembly) -> dict[str, Any]:
    bundle_id = arguments.get("bundleId")
    if bundle_id and len(bundle_id) > _LONGEST_NAME:
        raise InvalidRequest(f"bundleId is longer than {_LONGEST_NAME} characters: no app has such an identifier.")
    if not bundle_id:
        raise InvalidRequest("getLicensesForApp requires the bundleId of an app, such as com.example.reader.")
    found = parts.queries.licenses_for_app(bundle_id)
    return {"bundleId": bundle_id, "licenses": [pulumi_state.licenses_to(one) for one in found]}


def _parse_file(arguments: dict[str, Any], parts: Assembly) -> dict[str, Any]:
    del parts
    given = assets.read(arguments.get("token"))
    download = (
        given
        if isinstance(given, TokenFileContent)
        else TokenFileContent(str(given or "").encode(errors="surrogatepass"))
    )
    read = stoken.parse(download.content)
    return {
        "fingerprint": read.fingerprint,
        "organizationName": read.organization_name,
        "expirationDateTime": read.expiration_date_time,
    }


def _shown(found: VppToken) -> dict[str, Any]:
    return {"id": found.id, **pulumi_state.observed_to(found)}


_Function = Callable[[dict[str, Any], "Assembly"], dict[str, Any]]
FUNCTIONS: dict[str, tuple[_Function, tuple[str, ...]]] = {
    "intune-vpp:index:getVppToken": (_get_one, _WAYS),
    "intune-vpp:index:getVppTokens": (_get_all, _FILTERS),
    "intune-vpp:index:getLicensesForApp": (_get_licenses, ("bundleId",)),
    "intune-vpp:index:parseTokenFile": (_parse_file, ("token",)),
}
"""The functions by name, each with the arguments that it accepts."""
