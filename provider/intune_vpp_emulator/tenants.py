"""Several tenants behind one address: each is an application of its own, and this chooses among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Request

from .app import create_app
from .control import PREFIX
from .identity.access_tokens import claimed
from .members import Version
from .request_log import RequestLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .faults import Faults
    from .tenant import Tenant

_VERSIONS = frozenset(f"{one}" for one in Version)


def serve_all(tenants: Sequence[Tenant], roots: Iterable[str], faults: Faults) -> WSGIApplication:
    """One application for all tenants, with one log and one list of faults; the first answers what names no tenant."""
    log, addresses = RequestLog(), list(roots)
    apps = [create_app(one, roots=addresses, faults=faults, log=log) for one in tenants]
    if len(apps) == 1:
        return apps[0]

    def choose(environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        name = _named(Request(environment))
        chosen = (app for one, app in zip(tenants, apps, strict=True) if one.directory.has_name(name))
        return next(chosen, apps[0])(environment, start)

    return choose


def _named(request: Request) -> str:
    """The tenant that a request is for: of its query, its access token, or its path at the sign-in."""
    if request.path.startswith(PREFIX):
        return request.args.get("tenant", "")
    first = request.path.split("/", 2)[1]
    if first in _VERSIONS:
        return claimed(request.headers.get("Authorization", "").partition(" ")[2], "tid")
    return first
