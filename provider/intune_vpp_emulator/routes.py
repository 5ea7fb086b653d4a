"""Graph's operations that this emulator implements, in both versions: one table, which also answers for all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from flask import Blueprint, Response, request

from . import members, mobile_apps, odata
from .answers import graph_answer, no_content, text_answer
from .directory import READ_ROLES, WRITE_ROLES
from .edm import unqualified
from .identity.access_tokens import AccessRefusedError, claimed
from .identity.clouds import audiences
from .members import Version
from .odata_path import Segment, segments
from .refusals import GatewayRefusal, IntuneRefusal, bad_request, intune_bad_request, not_implemented
from .request_body import json_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .edm import EntityType
    from .odata import Rows
    from .tenant import Tenant

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_TOKENS: Final = "deviceAppManagement/vppTokens"
_APPS: Final = "deviceAppManagement/mobileApps"
_DEP: Final = "deviceManagement/depOnboardingSettings"
_ID: Final = "{id}"
_GRAPHS_OWN: Final = frozenset({"$batch", "$metadata", "$ref", "$value", "$count", "$entity", "$query", "$all", ""})
"""Segments that Graph has, and that this emulator implements in few places."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request for an operation: `key` is the id in the path, `last` its last segment."""

    tenant: Tenant
    version: Version
    key: str
    last: Segment
    options: Mapping[str, str]

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; raises Refusal."""
        return json_object(request)

    def context(self, fragment: str) -> str:
        """The `@odata.context` of an answer."""
        return f"{request.url_root}{self.version}/$metadata#{fragment}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how it is asked for, the query options that it takes, and who answers it."""

    method: str
    path: str
    answer: Callable[[Call], Response]
    options: frozenset[str] = frozenset()
    beta_only: bool = False

    def exists_in(self, version: Version) -> bool:
        """Whether this version has it."""
        # a guess: v1-collection
        return version is Version.BETA or not self.beta_only


def graph_routes(tenant: Tenant, roots: frozenset[str], version: Version) -> Blueprint:
    """Everything below `/beta` or `/v1.0`."""
    routes = Blueprint(f"graph {version}".replace(".", "_"), __name__, url_prefix=f"/{version}")

    @routes.before_request
    def authorize() -> None:
        _authorize(tenant, roots)

    @routes.route("", defaults={"rest": ""}, methods=_METHODS, provide_automatic_options=False)
    @routes.route("/", defaults={"rest": ""}, methods=_METHODS, provide_automatic_options=False)
    @routes.route("/<path:rest>", methods=_METHODS, provide_automatic_options=False)
    def operate(rest: str) -> Response:
        return _answer(tenant, version, segments(rest))

    return routes


def _answer(tenant: Tenant, version: Version, path: list[Segment]) -> Response:
    method = "GET" if request.method == "HEAD" else request.method
    known = [one for one in OPERATIONS if one.exists_in(version)]
    for operation in known:
        if operation.method == method and _matches(operation, path):
            options = odata.read_options(request.args, operation.options, prefix_optional=version is Version.BETA)
            names = operation.path.split("/")
            key = path[names.index(_ID)].text if _ID in names else ""
            return operation.answer(Call(tenant, version, key, path[-1], options))
    raise _refusal(known, path)


def _matches(operation: Operation, path: list[Segment]) -> bool:
    names = operation.path.split("/")
    return len(names) == len(path) and _begins(names, path)


def _fits(name: str, segment: Segment) -> bool:
    if name == _ID:
        return True
    if name.startswith("graph."):  # a type cast keeps its namespace
        return segment.name == unqualified(name) != segment.text
    called, _, parameters = name.partition("(")
    return segment.name == called and bool(parameters) == (segment.arguments is not None)


def _refusal(known: list[Operation], path: list[Segment]) -> GatewayRefusal:
    """Why a path is not answered: another method, a segment that Graph has not, or one that is not implemented."""
    paths = {one.path for one in known}
    fitting = [one for one in known if _matches(one, path)]
    if fitting:
        allowed = sorted({one.method for one in fitting})
        return GatewayRefusal(
            405,
            "MethodNotAllowed",
            f"The method {request.method} is not supported here.",
            {"Allow": ", ".join(allowed)},
        )
    for depth, segment in enumerate(path):
        begun = [one.split("/") for one in paths if _begins(one.split("/"), path[: depth + 1])]
        if not begun:
            if segment.name in _GRAPHS_OWN:
                return not_implemented(f"'{segment.text}' here" if segment.text else "the service document")
            return bad_request(f"Resource not found for the segment '{segment.text}'.")
    return not_implemented(f"{request.method} of '{path[-1].text}'")


def _begins(names: list[str], path: list[Segment]) -> bool:
    return len(path) <= len(names) and all(_fits(name, one) for name, one in zip(names, path, strict=False))


def _authorize(tenant: Tenant, roots: frozenset[str]) -> None:
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not access_token:
        raise GatewayRefusal(401, "InvalidAuthenticationToken", "Access token is empty.")
    try:
        roles = tenant.roles_of(access_token, audiences=audiences(request.host, roots))
    except AccessRefusedError as reason:
        raise GatewayRefusal(401, "InvalidAuthenticationToken", str(reason)) from None
    # a guess: app-permissions
    is_write = request.method not in {"GET", "HEAD"}
    wanted = WRITE_ROLES if is_write else READ_ROLES
    if not roles & wanted:
        raise IntuneRefusal(
            403,
            "Forbidden",
            "Application is not authorized to perform this operation. Application must have one of the following "
            f"scopes: {', '.join(sorted(wanted))}",
        )
    if "/vppTokens" in request.path:  # a guess: throttled-paths
        tenant.admit(claimed(access_token, "appid"), is_write=is_write)


def _list_tokens(call: Call) -> Response:
    query = odata.query(call.options, members.entity_type(call.version))
    page = call.tenant.list_tokens(version=call.version, query=query)
    return _collection(call, _fragment("vppTokens", query.select), odata.Rows(page.tokens, page.after, page.count))


def _count_tokens(call: Call) -> Response:
    query = odata.query({**call.options, "$count": "true"}, members.entity_type(call.version))
    return text_answer(str(call.tenant.list_tokens(version=call.version, query=query).count))


def _create_token(call: Call) -> Response:
    return _token(call, call.tenant.create(call.body(), version=call.version), 201)


def _get_token(call: Call) -> Response:
    return _token(call, call.tenant.get(call.key, version=call.version))


def _patch_token(call: Call) -> Response:
    return _token(call, call.tenant.patch(call.key, call.body(), version=call.version))


def _delete_token(call: Call) -> Response:
    call.tenant.delete(call.key)
    return no_content()


def _sync_licenses(call: Call) -> Response:
    return _token(call, call.tenant.sync_licenses(call.key, version=call.version))


def _revoke_licenses(call: Call) -> Response:
    call.tenant.revoke_licenses(call.key, call.body())
    return no_content()


def _sync_license_counts(call: Call) -> Response:
    call.tenant.sync_license_counts()
    return no_content()


def _get_licenses_for_app(call: Call) -> Response:
    found = call.tenant.licenses_for_app(_argument(call, "getLicensesForApp", "bundleId"))
    context = call.context("Collection(microsoft.graph.vppTokenLicenseSummary)")
    return graph_answer({"@odata.context": context, "value": found})


def _count_expiring_tokens(call: Call) -> Response:
    date = _argument(call, "getExpiringVppTokenCount", "expiringBeforeDateTime")
    try:
        found = call.tenant.expiring_before(date)
    except ValueError:
        raise bad_request(f"'{date}' is not a valid Edm.DateTimeOffset.") from None
    return graph_answer({"@odata.context": call.context("Edm.Int32"), "value": found})


def _list_apps(call: Call) -> Response:
    return _apps(call, mobile_apps.entity_type(call.version), "mobileApps")


def _list_vpp_apps(call: Call) -> Response:
    vpp_app = mobile_apps.entity_type(call.version).derived["iosVppApp"]
    return _apps(call, vpp_app, "mobileApps/microsoft.graph.iosVppApp")


def _apps(call: Call, entity_type: EntityType, fragment: str) -> Response:
    query = odata.query(call.options, entity_type)
    page = call.tenant.list_apps(version=call.version, query=query)
    return _collection(call, _fragment(fragment, query.select), odata.Rows(page.apps, page.after, page.count))


def _count_apps(call: Call) -> Response:
    query = odata.query({**call.options, "$count": "true"}, mobile_apps.entity_type(call.version))
    return text_answer(str(call.tenant.list_apps(version=call.version, query=query).count))


def _get_app(call: Call) -> Response:
    query = odata.query(call.options, mobile_apps.entity_type(call.version).derived["iosVppApp"])
    found = call.tenant.get_app(call.key, version=call.version)
    return _entity(call, _fragment("mobileApps", query.select), odata.selected(found, query.select))


def _create_app(call: Call) -> NoReturn:
    call.body()
    raise intune_bad_request("POST is not supported for this app type.")


OPERATIONS: Final = (
    Operation("GET", _TOKENS, _list_tokens, odata.COLLECTION_OPTIONS),
    Operation("POST", _TOKENS, _create_token),
    Operation("GET", f"{_TOKENS}/$count", _count_tokens, odata.COUNT_OPTIONS),
    Operation("POST", f"{_TOKENS}/syncLicenseCounts", _sync_license_counts, beta_only=True),
    Operation("GET", f"{_TOKENS}/getLicensesForApp(bundleId)", _get_licenses_for_app, beta_only=True),
    Operation("GET", f"{_TOKENS}/{_ID}", _get_token, odata.ENTITY_OPTIONS),
    Operation("PATCH", f"{_TOKENS}/{_ID}", _patch_token),
    Operation("DELETE", f"{_TOKENS}/{_ID}", _delete_token),
    Operation("POST", f"{_TOKENS}/{_ID}/syncLicenses", _sync_licenses),
    Operation("POST", f"{_TOKENS}/{_ID}/revokeLicenses", _revoke_licenses, beta_only=True),
    Operation("GET", _APPS, _list_apps, odata.COLLECTION_OPTIONS),
    Operation("POST", _APPS, _create_app),
    Operation("GET", f"{_APPS}/$count", _count_apps, odata.COUNT_OPTIONS),
    Operation("GET", f"{_APPS}/graph.iosVppApp", _list_vpp_apps, odata.COLLECTION_OPTIONS),
    Operation("GET", f"{_APPS}/{_ID}", _get_app, odata.ENTITY_OPTIONS),
    Operation(
        "GET", f"{_DEP}/getExpiringVppTokenCount(expiringBeforeDateTime)", _count_expiring_tokens, beta_only=True
    ),
)
"""In the order in which they are tried: names before `{id}`."""


def described() -> Iterator[str]:
    """The operations in a line each, for the command line."""
    for one in OPERATIONS:
        line = f"{one.method:<6} /{one.path}{'  (beta)' if one.beta_only else ''}"
        yield line
        if one.options:
            yield f"       {' '.join(sorted(one.options - {'$skiptoken'}))}"


def _argument(call: Call, function: str, name: str) -> str:
    arguments = call.last.arguments or {}
    if set(arguments) != {name}:
        sent = call.last.text.partition("(")[2][:-1]
        raise bad_request(f"The arguments '{sent}' do not fit the function '{function}'.")
    return arguments[name]


def _fragment(resource: str, names: tuple[str, ...]) -> str:
    selection = f"({','.join(names)})" if names else ""
    return f"deviceAppManagement/{resource}{selection}"


def _token(call: Call, found: Mapping[str, Any], status: int = 200) -> Response:
    names = odata.query(call.options, members.entity_type(call.version)).select
    return _entity(call, _fragment("vppTokens", names), odata.selected(found, names), status)


def _entity(call: Call, fragment: str, found: Mapping[str, Any], status: int = 200) -> Response:
    return graph_answer({"@odata.context": call.context(f"{fragment}/$entity"), **found}, status)


def _collection(call: Call, fragment: str, rows: Rows) -> Response:
    document: dict[str, Any] = {"@odata.context": call.context(fragment)}
    if rows.count is not None:
        document["@odata.count"] = rows.count
    if rows.after is not None:
        document["@odata.nextLink"] = odata.next_link(request.base_url, call.options, rows.after)
    return graph_answer({**document, "value": rows.entities})
