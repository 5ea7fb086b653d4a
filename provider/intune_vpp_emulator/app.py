"""The emulator as one WSGI application: sign-in, Graph and the control routes."""

from __future__ import annotations

import time
from email.utils import format_datetime
from typing import TYPE_CHECKING, NoReturn

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule as UrlRule

from .answers import client_request_id, faulted, refused, request_id
from .control import PREFIX, control_routes
from .fault_answers import Dropped, spoiled
from .fault_rules import When
from .faults import Faults
from .identity.entra import sign_in_routes
from .identity.managed_identity import managed_identity_routes
from .identity.oidc_endpoints import oidc_routes
from .members import Version
from .refusals import GatewayRefusal, Refusal
from .request_body import decode
from .request_log import RequestLog
from .routes import graph_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .fault_rules import Rule
    from .tenant import Tenant

ROOT = "https://graph.emulator.test"
"""The address of a tenant that is called in-process, for Graph and for the sign-in."""


def create_app(
    tenant: Tenant,
    *,
    roots: Iterable[str] = (ROOT,),
    faults: Faults | None = None,
    log: RequestLog | None = None,
) -> Flask:
    """The application for one tenant, which answers at `roots` (`https://host[:port]`), with rules for `faults`.

    Tenants that share an address share `faults` and `log`.
    """
    app = Flask("intune_vpp_emulator", static_folder=None)
    app.url_rule_class = _MatchedRule
    # Each of these would answer with a redirect in HTML.
    app.url_map.merge_slashes = app.url_map.strict_slashes = app.url_map.redirect_defaults = False
    known_roots = frozenset(roots)
    log = RequestLog() if log is None else log
    rules = Faults() if faults is None else faults
    for version in Version:
        app.register_blueprint(graph_routes(tenant, known_roots, version))
    app.register_blueprint(sign_in_routes(tenant, known_roots))
    app.register_blueprint(oidc_routes(tenant))
    app.register_blueprint(managed_identity_routes(tenant, known_roots))
    app.register_blueprint(control_routes(tenant, known_roots, log, rules))
    _answer_errors(app, tenant)
    _add_headers(app, tenant, log)
    _delay(app, tenant)
    _read_gzip(app, tenant)
    _apply_faults(app, tenant, rules)
    tenant.ends_of_syncs.append(rules.for_sync)
    tenant.ends_of_revocations.append(rules.for_revocation)
    return app


class _MatchedRule(UrlRule):
    """A rule that requests are matched with, and no URL is built from.

    Werkzeug compiles two functions for each rule that build its URLs: most of the time that an application takes to
    make, and tests make thousands.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - Werkzeug's signature
        del append_unknown
        return _build_no_url


def _build_no_url(*_: object) -> NoReturn:
    raise NotImplementedError("The emulator builds no URLs.")


def _is_control() -> bool:
    return request.path.startswith(PREFIX)


def _answer_errors(app: Flask, tenant: Tenant) -> None:
    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> Response:
        return refused(refusal, tenant.clock.now())

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        code = error.name.replace(" ", "")
        headers = dict(error.get_headers())
        allowed = {"Allow": headers["Allow"]} if "Allow" in headers else {}
        refusal = GatewayRefusal(error.code or 500, code, error.description or error.name, allowed)
        return refused(refusal, tenant.clock.now())


def _add_headers(app: Flask, tenant: Tenant, log: RequestLog) -> None:
    @app.after_request
    def add_headers(response: Response) -> Response:
        now = tenant.clock.now()
        response.headers.setdefault("request-id", request_id())  # a scripted answer may have its own
        response.headers.setdefault("client-request-id", client_request_id())
        response.headers.setdefault("Date", format_datetime(now, usegmt=True))
        if not _is_control():
            log.note(request, None if isinstance(response, Dropped) else response.status_code, now)
        return response


def _delay(app: Flask, tenant: Tenant) -> None:
    @app.before_request
    def delay() -> None:
        if tenant.latency_ms and not _is_control():
            time.sleep(tenant.latency_ms / 1000)


def _read_gzip(app: Flask, tenant: Tenant) -> None:
    @app.before_request
    def read_gzip() -> None:
        decode(request, tenant.gzip)


def _apply_faults(app: Flask, tenant: Tenant, faults: Faults) -> None:
    def scripted(rule: Rule) -> Response | None:
        if rule.delay:
            faults.sleep(rule.delay)
        return faulted(rule, tenant.clock.now()) if rule.replaces_the_answer else None

    @app.before_request
    def before() -> Response | None:
        g.fault = None if _is_control() else faults.for_request(request.method, request.path)
        return scripted(g.fault) if g.fault is not None and g.fault.when == When.BEFORE else None

    @app.after_request  # runs before the one that was registered earlier, so that the log has the scripted status
    def after(response: Response) -> Response:
        rule: Rule | None = g.pop("fault", None)
        if rule is None:
            return response
        answer = scripted(rule) if rule.when == When.AFTER else None
        return spoiled(answer or response, rule, faults.sleep)
