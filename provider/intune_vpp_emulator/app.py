"""The emulator as one WSGI application: sign-in, Graph and the control routes."""

from __future__ import annotations

import time
from email.utils import format_datetime
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from .answers import client_request_id, faulted, refused, request_id
from .control import PREFIX, control_routes
from .faults import Faults, When
from .members import Version
from .refusals import GatewayRefusal, Refusal
from .request_log import RequestLog
from .routes import graph_routes
from .sign_in import sign_in_routes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .faults import Rule
    from .tenant import Tenant

ROOT = "https://graph.emulator.test"
"""Where a tenant lives that is called in-process: Graph's root and the sign-in's host at once."""


def create_app(
    tenant: Tenant,
    *,
    roots: Iterable[str] = (ROOT,),
    latency_seconds: float = 0.0,
    faults: Faults | None = None,
) -> Flask:
    """The application for one tenant, which answers at `roots` (`https://host[:port]`); `faults` are its own."""
    app = Flask("intune_vpp_emulator", static_folder=None)
    audiences = frozenset(roots)
    log = RequestLog()
    scripted = Faults() if faults is None else faults
    for version in Version:
        app.register_blueprint(graph_routes(tenant, audiences, version))
    app.register_blueprint(sign_in_routes(tenant, audiences))
    app.register_blueprint(control_routes(tenant, log, scripted))
    _answer_errors(app, tenant)
    _accompany(app, tenant, log)
    if latency_seconds:
        _slow_down(app, latency_seconds)
    _go_wrong(app, tenant, scripted)
    tenant.ends_of_syncs.append(scripted.for_sync)
    tenant.ends_of_revocations.append(scripted.for_revocation)
    return app


def _is_control() -> bool:
    return request.path.startswith(PREFIX)


def _answer_errors(app: Flask, tenant: Tenant) -> None:
    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> Response:
        return refused(refusal, tenant.clock.now())

    @app.errorhandler(HTTPException)
    def misfit(error: HTTPException) -> Response:
        code = error.name.replace(" ", "")
        return refused(GatewayRefusal(error.code or 500, code, error.description or error.name), tenant.clock.now())


def _accompany(app: Flask, tenant: Tenant, log: RequestLog) -> None:
    @app.after_request
    def accompany(response: Response) -> Response:
        now = tenant.clock.now()
        response.headers.setdefault("request-id", request_id())  # a scripted answer may have its own
        response.headers.setdefault("client-request-id", client_request_id())
        response.headers.setdefault("Date", format_datetime(now, usegmt=True))
        if not _is_control():
            log.note(request, response.status_code, now)
        return response


def _slow_down(app: Flask, seconds: float) -> None:
    @app.before_request
    def wait() -> None:
        if not _is_control():
            time.sleep(seconds)


def _go_wrong(app: Flask, tenant: Tenant, faults: Faults) -> None:
    def suffer(rule: Rule) -> Response | None:
        if rule.delay:
            faults.sleep(rule.delay)
        return faulted(rule, tenant.clock.now())

    @app.before_request
    def before() -> Response | None:
        rule = None if _is_control() else faults.for_request(request.method, request.path)
        if rule is not None and rule.when == When.BEFORE:
            return suffer(rule)
        g.fault = rule
        return None

    @app.after_request  # runs before the one that was registered earlier, so that the log has the scripted status
    def after(response: Response) -> Response:
        rule = g.pop("fault", None)
        return response if rule is None else suffer(rule) or response
