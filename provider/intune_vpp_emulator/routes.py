"""Graph's routes for vppTokens and for the apps they bring, in both versions."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, request

from .answers import graph_answer
from .directory import READ_ROLES, WRITE_ROLES, AccessRefusedError, roles_of
from .members import Version, published
from .refusals import GatewayRefusal, IntuneRefusal, bad_request, intune_bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .tenant import Tenant

_COLLECTION = "/deviceAppManagement/vppTokens"
_ONE = f"{_COLLECTION}/<token_id>"
_APPS = "/deviceAppManagement/mobileApps"
_ONLY_VPP_APPS = "isof('microsoft.graph.iosVppApp')"
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")

_SUMMARIES = "Collection(microsoft.graph.vppTokenLicenseSummary)"
_ONE_APP: Final = re.compile(r"bundleId='((?:[^']|'')*)'")

_Segments: TypeAlias = "dict[str, _Segments]"
_ANY_ID: Final = "{id}"
_ACTIONS: Final = {Version.V1: ("syncLicenses",), Version.BETA: ("syncLicenses", "revokeLicenses")}


def graph_routes(tenant: Tenant, roots: frozenset[str], version: Version) -> Blueprint:
    """Everything below `/beta` or `/v1.0`."""
    routes = Blueprint(f"graph {version}".replace(".", "_"), __name__, url_prefix=f"/{version}")

    @routes.before_request
    def let_in() -> None:
        _let_in(tenant, roots)

    @routes.get(_COLLECTION)
    def list_tokens() -> Response:
        options = _options({"$select", "$top", "$skiptoken"})
        page = tenant.list_tokens(version=version, after=_after(options), most=_most(options))
        names = _selected(version, options)
        shown = [_only(one, names) for one in page.tokens]
        return graph_answer(_page(_context(version, names), shown, page.after, options))

    @routes.post(_COLLECTION)
    def create() -> Response:
        return graph_answer(_one(tenant.create(_body(), version=version), version, _options(set())), 201)

    @routes.get(_ONE)
    def get(token_id: str) -> Response:
        return graph_answer(_one(tenant.get(token_id, version=version), version, _options({"$select"})))

    @routes.patch(_ONE)
    def patch(token_id: str) -> Response:
        return graph_answer(_one(tenant.patch(token_id, _body(), version=version), version, _options(set())))

    @routes.delete(_ONE)
    def delete(token_id: str) -> Response:
        tenant.delete(token_id)
        return Response(status=204)

    @routes.post(f"{_ONE}/syncLicenses")
    @routes.post(f"{_ONE}/microsoft.graph.syncLicenses")
    def sync_licenses(token_id: str) -> Response:
        return graph_answer(_one(tenant.sync_licenses(token_id, version=version), version, {}))

    _app_routes(routes, tenant, version)
    if version is Version.BETA:  # a guess: v1-collection
        _license_routes(routes, tenant)

    @routes.route("/", defaults={"rest": ""}, methods=_METHODS)
    @routes.route("/<path:rest>", methods=_METHODS)
    def elsewhere(rest: str) -> Response:
        raise _misfit(rest, version)

    return routes


def _app_routes(routes: Blueprint, tenant: Tenant, version: Version) -> None:
    @routes.get(_APPS)
    def list_apps() -> Response:
        options = _options({"$filter", "$top", "$skiptoken"})
        _check_filter(options)
        page = tenant.list_apps(version=version, after=_after(options), most=_most(options))
        return graph_answer(_page(_context_of(version, "mobileApps"), page.apps, page.after, options))

    @routes.get(f"{_APPS}/<app_id>")
    def get_app(app_id: str) -> Response:
        _options(set())
        found = tenant.get_app(app_id, version=version)
        return graph_answer({"@odata.context": f"{_context_of(version, 'mobileApps')}/$entity", **found})

    @routes.post(_APPS)
    def create_app() -> NoReturn:
        _body()
        raise intune_bad_request("POST is not supported for this app type.")


def _license_routes(routes: Blueprint, tenant: Tenant) -> None:
    @routes.post(f"{_ONE}/revokeLicenses")
    @routes.post(f"{_ONE}/microsoft.graph.revokeLicenses")
    def revoke_licenses(token_id: str) -> Response:
        tenant.revoke_licenses(token_id, _body())
        return Response(status=204)

    @routes.post(f"{_COLLECTION}/syncLicenseCounts")
    @routes.post(f"{_COLLECTION}/microsoft.graph.syncLicenseCounts")
    def sync_license_counts() -> Response:
        tenant.sync_license_counts()
        return Response(status=204)

    @routes.get(f"{_COLLECTION}/getLicensesForApp(<path:arguments>)")
    @routes.get(f"{_COLLECTION}/microsoft.graph.getLicensesForApp(<path:arguments>)")
    def get_licenses_for_app(arguments: str) -> Response:
        _options(set())
        found = tenant.licenses_for_app(_bundle_id(arguments))
        return graph_answer({"@odata.context": f"{request.url_root}beta/$metadata#{_SUMMARIES}", "value": found})


def _let_in(tenant: Tenant, roots: frozenset[str]) -> None:
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not access_token:
        raise GatewayRefusal(401, "InvalidAuthenticationToken", "Access token is empty.")
    try:
        roles = roles_of(tenant.directory, access_token, audiences=roots, now=tenant.clock.now())
    except AccessRefusedError as reason:
        raise GatewayRefusal(401, "InvalidAuthenticationToken", str(reason)) from None
    # a guess: app-permissions
    wanted = READ_ROLES if request.method in {"GET", "HEAD"} else WRITE_ROLES
    if not roles & wanted:
        raise IntuneRefusal(
            403,
            "Forbidden",
            "Application is not authorized to perform this operation. Application must have one of the following "
            f"scopes: {', '.join(sorted(wanted))}",
        )


def _body() -> dict[str, Any]:
    if not request.content_type:
        raise bad_request("Write requests (excluding DELETE) must contain the Content-Type header declaration.")
    if request.mimetype != "application/json":
        raise GatewayRefusal(415, "UnsupportedMediaType", f"The media type '{request.mimetype}' is not supported.")
    document = request.get_json(silent=True)
    if not isinstance(document, dict):
        raise bad_request(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid "
            "JSON format."
        )
    return document


def _bundle_id(arguments: str) -> str:
    app = _ONE_APP.fullmatch(arguments)
    if app is None:
        raise bad_request(f"The arguments '{arguments}' do not fit the function 'getLicensesForApp'.")
    return app[1].replace("''", "'")


def _options(supported: set[str]) -> dict[str, str]:
    options = {name: value for name, value in request.args.items() if name.startswith("$")}
    for name in options:
        if name not in supported:
            raise bad_request(f"The query option '{name}' is not supported by this emulator.")
    return options


def _check_filter(options: dict[str, str]) -> None:
    if options.get("$filter", _ONLY_VPP_APPS) != _ONLY_VPP_APPS:
        raise bad_request(f"The only $filter that this emulator supports is {_ONLY_VPP_APPS}.")


def _most(options: dict[str, str]) -> int | None:
    text = options.get("$top")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise bad_request(f"Invalid value '{text}' for $top query option found.")
    return int(text)


def _after(options: dict[str, str]) -> int:
    try:
        return int(base64.urlsafe_b64decode(options.get("$skiptoken", "MA==")))
    except (ValueError, binascii.Error):
        raise bad_request("The $skiptoken is invalid.") from None


def _selected(version: Version, options: dict[str, str]) -> list[str]:
    names = [name.strip() for name in options.get("$select", "").split(",") if name.strip()]
    for name in names:
        if name not in published(version):
            raise bad_request(f"Could not find a property named '{name}' on type 'microsoft.graph.vppToken'.")
    return sorted(names)


def _context(version: Version, names: Iterable[str]) -> str:
    selected = f"({','.join(names)})" if names else ""
    return _context_of(version, f"vppTokens{selected}")


def _context_of(version: Version, what: str) -> str:
    return f"{request.url_root}{version}/$metadata#deviceAppManagement/{what}"


def _only(members: dict[str, Any], names: list[str]) -> dict[str, Any]:
    return {name: members[name] for name in names} if names else members


def _one(members: dict[str, Any], version: Version, options: dict[str, str]) -> dict[str, Any]:
    names = _selected(version, options)
    return {"@odata.context": f"{_context(version, names)}/$entity", **_only(members, names)}


def _page(context: str, entities: list[dict[str, Any]], after: int | None, options: dict[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = {"@odata.context": context}
    if after is not None:
        document["@odata.nextLink"] = _next_link(after, options)
    return {**document, "value": entities}


def _next_link(after: int, options: dict[str, str]) -> str:
    skip = base64.urlsafe_b64encode(str(after).encode()).decode()
    query = {**options, "$skiptoken": skip}
    return f"{request.base_url}?{urlencode(query, safe='$,()=', quote_via=quote)}"


def _segments(version: Version) -> _Segments:
    actions: _Segments = {f"{prefix}{name}": {} for name in _ACTIONS[version] for prefix in ("", "microsoft.graph.")}
    return {"deviceAppManagement": {"vppTokens": {_ANY_ID: actions}, "mobileApps": {_ANY_ID: {}}}}


def _misfit(rest: str, version: Version) -> GatewayRefusal:
    known = _segments(version)
    for segment in rest.split("/"):
        below = known.get(segment, known.get(_ANY_ID))
        if below is None:
            return bad_request(f"Resource not found for the segment '{segment}'.")
        known = below
    return GatewayRefusal(405, "MethodNotAllowed", f"The method {request.method} is not supported here.")
