"""The emulator's own routes below `/_emulator`: no sign-in, and never in the request log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from .answers import json_answer
from .clock import moment, to_the_tick
from .faults import UnusableRuleError
from .refusals import bad_request

if TYPE_CHECKING:
    from .directory import AppRegistration
    from .faults import Faults
    from .request_log import RequestLog
    from .tenant import Tenant

PREFIX = "/_emulator"


def control_routes(tenant: Tenant, log: RequestLog, faults: Faults) -> Blueprint:
    """Reading what was asked, acting as a person in the portal, moving the clock, letting things go wrong."""
    routes = Blueprint("control", __name__, url_prefix=PREFIX)

    @routes.get("/requests")
    def requests() -> Response:
        return json_answer(log.entries())

    @routes.delete("/requests")
    def forget() -> Response:
        log.clear()
        return Response(status=204)

    @routes.get("/tenant")
    def identity() -> Response:
        return json_answer(_identity(tenant))

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
        tenant.delete(token_id)
        return Response(status=204)

    @routes.get("/clock")
    def clock() -> Response:
        return json_answer({"now": to_the_tick(tenant.clock.now())})

    @routes.post("/clock")
    def move_clock() -> Response:
        _move_clock(tenant, _body())
        return clock()

    _fault_routes(routes, faults)
    return routes


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
        return Response(status=204)


def _body() -> dict[str, Any]:
    document = request.get_json(silent=True, force=True)
    if not isinstance(document, dict):
        raise bad_request("The body is a JSON object.")
    return document


def _identity(tenant: Tenant) -> dict[str, Any]:
    who = tenant.directory
    return {
        "tenantId": who.tenant_id,
        "domain": who.domain,
        "apps": {name: _app(one) for name, one in (("app", who.app), ("reader", who.reader), ("visitor", who.visitor))},
    }


def _app(app: AppRegistration) -> dict[str, Any]:
    return {"clientId": app.client_id, "clientSecret": app.client_secret, "roles": list(app.roles)}


def _move_clock(tenant: Tenant, body: dict[str, Any]) -> None:
    try:
        if "now" in body:
            tenant.clock.set(moment(body["now"]))
        else:
            tenant.clock.advance(float(body["advanceSeconds"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise bad_request('The clock takes {"advanceSeconds": 3600} or {"now": "2027-01-31T12:00:00Z"}.') from None
    tenant.clock_moved()
