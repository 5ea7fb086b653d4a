"""The emulator's own routes below `/_emulator`: they need no sign-in and are not in the request log."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from .answers import json_answer, no_content
from .behavior import UnusableBehaviorError
from .clock import moment, to_the_tick
from .fault_rules import UnusableRuleError
from .identity.workload import PROVIDERS
from .refusals import GatewayRefusal, bad_request

if TYPE_CHECKING:
    from .directory import AppRegistration
    from .faults import Faults
    from .request_log import RequestLog
    from .tenant import Tenant

PREFIX = "/_emulator"


def control_routes(tenant: Tenant, roots: frozenset[str], log: RequestLog, faults: Faults) -> Blueprint:
    """The log of requests, what a person does in the admin centre, the clock, the behavior and the faults."""
    routes = Blueprint("control", __name__, url_prefix=PREFIX)

    @routes.before_request
    def check_caller() -> None:
        _refuse_foreign_pages(roots)
        named = request.args.get("tenant")
        if named is not None and not tenant.directory.has_name(named):
            raise GatewayRefusal(404, "ResourceNotFound", f"There is no tenant {named}.")

    @routes.get("/requests")
    def requests() -> Response:
        return json_answer(log.entries())

    @routes.delete("/requests")
    def forget() -> Response:
        log.clear()
        return no_content()

    @routes.get("/tenant")
    def identity() -> Response:
        return json_answer(_identity(tenant))

    _identity_routes(routes, tenant)
    _portal_routes(routes, tenant)
    _behavior_routes(routes, tenant)
    _fault_routes(routes, faults)
    return routes


def _identity_routes(routes: Blueprint, tenant: Tenant) -> None:
    @routes.delete("/access-tokens")
    def revoke_access_tokens() -> Response:
        tenant.revoke_access_tokens()
        return no_content()

    @routes.post("/assertions/<provider>")
    def issue_assertion(provider: str) -> Response:
        return json_answer({"assertion": _assertion(tenant, provider, _body())}, 201)


def _portal_routes(routes: Blueprint, tenant: Tenant) -> None:
    @routes.post("/portal")
    def create() -> Response:
        return json_answer(tenant.create_by_hand(_body()), 201)

    @routes.post("/portal/<token_id>")
    def edit(token_id: str) -> Response:
        return json_answer(tenant.edit_by_hand(token_id, _body()))

    @routes.post("/portal/<token_id>/licenses")
    def use(token_id: str) -> Response:
        return json_answer(tenant.use_licenses(token_id, _body()))

    @routes.delete("/portal/<token_id>")
    def delete(token_id: str) -> Response:
        tenant.delete_by_hand(token_id)
        return no_content()


def _behavior_routes(routes: Blueprint, tenant: Tenant) -> None:
    @routes.get("/clock")
    def clock() -> Response:
        return json_answer({"now": to_the_tick(tenant.clock.now())})

    @routes.post("/clock")
    def move_clock() -> Response:
        _move_clock(tenant, _body())
        return clock()

    @routes.get("/behavior")
    def behavior() -> Response:
        return json_answer(tenant.behavior())

    @routes.patch("/behavior")
    def behave() -> Response:
        try:
            tenant.behave(_body())
        except UnusableBehaviorError as reason:
            raise bad_request(str(reason)) from None
        return behavior()


def _refuse_foreign_pages(roots: frozenset[str]) -> None:
    """A web page of another site, which a browser lets send requests to this machine, gets no answer.

    A name of that site may lead here (DNS rebinding), hence the look at Host.
    """
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "none")
    if f"https://{request.host}" not in roots or site not in {"same-origin", "none"} or origin not in {None, *roots}:
        raise GatewayRefusal(403, "Forbidden", "The control routes take no requests from the pages of other sites.")


def _fault_routes(routes: Blueprint, faults: Faults) -> None:
    @routes.get("/faults")
    def waiting() -> Response:
        return json_answer(faults.waiting())

    @routes.post("/faults")
    def add() -> Response:
        try:
            faults.add(request.get_json(silent=True, force=True))
        except UnusableRuleError as reason:
            raise bad_request(str(reason)) from None
        return json_answer(faults.waiting(), 201)

    @routes.delete("/faults")
    def clear() -> Response:
        faults.clear()
        return no_content()


def _body() -> dict[str, Any]:
    document = request.get_json(silent=True, force=True)
    if not isinstance(document, dict):
        raise bad_request("The body must be a JSON object.")
    return document


def _identity(tenant: Tenant) -> dict[str, Any]:
    who = tenant.directory
    machines = {"system": who.system_identity, "user": who.user_identity}
    return {
        "tenantId": who.tenant_id,
        "domain": who.domain,
        "apps": {name: _app(one) for name, one in (("app", who.app), ("reader", who.reader), ("visitor", who.visitor))},
        "managedIdentities": {
            name: {"clientId": one.client_id, "roles": list(one.roles)} for name, one in machines.items()
        },
    }


def _app(app: AppRegistration) -> dict[str, Any]:
    return {
        "clientId": app.client_id,
        "clientSecret": app.client_secret,
        "roles": list(app.roles),
        "federatedCredentials": [asdict(one) for one in app.federated],
    }


def _assertion(tenant: Tenant, provider: str, body: dict[str, Any]) -> str:
    texts = {name: body.get(name) for name in ("subject", "audience")}
    seconds = body.get("seconds", 600)
    known = provider in PROVIDERS and set(body) <= {*texts, "seconds"}
    if not known or not all(isinstance(one, str | None) for one in texts.values()) or type(seconds) not in (int, float):
        raise bad_request(
            f'An assertion is made by {", ".join(PROVIDERS)} and takes {{"subject": …, "audience": …, "seconds": 600}}.'
        )
    given = {name: one for name, one in texts.items() if one is not None}
    return PROVIDERS[provider].assertion(now=tenant.clock.now(), seconds=seconds, **given)


def _move_clock(tenant: Tenant, body: dict[str, Any]) -> None:
    try:
        if "now" in body:
            tenant.clock.set(moment(body["now"]))
        else:
            tenant.clock.advance(float(body["advanceSeconds"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise bad_request('The clock takes {"advanceSeconds": 3600} or {"now": "2027-01-31T12:00:00Z"}.') from None
    tenant.clock_moved()
