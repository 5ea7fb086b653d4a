"""The sign-in of the tenant: discovery, keys, and access tokens for applications with a secret."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, request

from .answers import json_answer
from .directory import AppRegistration, issue, public_keys

if TYPE_CHECKING:
    from .tenant import Tenant


_OPENID_SCOPES: Final = frozenset({"openid", "offline_access", "profile", "email"})
"""Microsoft's identity clients for Go and Node.js add them to every request, also without a user."""


class SignInRefusal(Exception):
    """A sign-in that fails, with the number and the sentence of Microsoft Entra ID."""

    def __init__(self, error: str, number: int, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.error, self.number, self.sentence, self.status = error, number, sentence, status


def sign_in_routes(tenant: Tenant, roots: frozenset[str]) -> Blueprint:
    """Discovery of instances and of the tenant, the keys, and the token endpoint."""
    routes = Blueprint("sign_in", __name__)

    @routes.errorhandler(SignInRefusal)
    def refused(refusal: SignInRefusal) -> Response:
        return _refused(refusal, tenant)

    @routes.get("/common/discovery/instance")
    def instances() -> Response:
        return json_answer(_instance(roots))

    @routes.get("/<named>/v2.0/.well-known/openid-configuration")
    @routes.get("/<named>/.well-known/openid-configuration")
    def discovery(named: str) -> Response:
        _check_tenant(tenant, named)
        return json_answer(_discovered(request.url_root + tenant.directory.tenant_id))

    @routes.get("/<named>/discovery/v2.0/keys")
    def keys(named: str) -> Response:
        _check_tenant(tenant, named)
        return json_answer(public_keys())

    @routes.post("/<named>/oauth2/v2.0/token")
    def access_token(named: str) -> Response:
        _check_tenant(tenant, named)
        app = _signed_in(tenant)
        audience = _audience(roots, tenant.directory.domain)
        text = issue(tenant.directory, app, audience=audience, now=tenant.clock.now())
        return json_answer({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": text})

    return routes


def _instance(roots: frozenset[str]) -> dict[str, Any]:
    """Whether the host of an authority is one of Microsoft's; here: whether it is this emulator."""
    endpoint = request.args.get("authorization_endpoint", "")
    scheme, _, rest = endpoint.partition("://")
    host = rest.partition("/")[0].lower()
    if f"{scheme}://{host}" not in roots:
        raise SignInRefusal("invalid_instance", 50049, f"Unknown or invalid instance '{endpoint}'.")
    authority = endpoint.removesuffix("/authorize").removesuffix("/oauth2").removesuffix("/oauth2/v2.0")
    return {
        "tenant_discovery_endpoint": f"{authority}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }


def _discovered(authority: str) -> dict[str, Any]:
    return {
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "jwks_uri": f"{authority}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{authority}/v2.0",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
        "tenant_region_scope": "EU",
    }


def _check_tenant(tenant: Tenant, named: str) -> None:
    if not tenant.directory.has_name(named):
        raise SignInRefusal(
            "invalid_tenant",
            90002,
            f"Tenant '{named}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant.",
        )


def _signed_in(tenant: Tenant) -> AppRegistration:
    if request.form.get("grant_type") != "client_credentials":
        sentence = f"The app requested an unsupported grant type '{request.form.get('grant_type', '')}'."
        raise SignInRefusal("unsupported_grant_type", 70003, sentence)
    client_id, secret = _credentials()
    app = tenant.directory.find(client_id)
    if app is None:
        sentence = (
            f"Application with identifier '{client_id}' was not found in the directory '{tenant.directory.domain}'. "
            "This can happen if the application has not been installed by the administrator of the tenant or "
            "consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
        )
        raise SignInRefusal("unauthorized_client", 700016, sentence)
    if not secrets.compare_digest(secret.encode(), app.client_secret.encode()):
        sentence = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{client_id}'."
        )
        raise SignInRefusal("invalid_client", 7000215, sentence, 401)
    return app


def _credentials() -> tuple[str, str]:
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return basic.username or "", basic.password or ""
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _audience(roots: frozenset[str], domain: str) -> str:
    scope = request.form.get("scope", "")
    resources = [one for one in scope.split() if one not in _OPENID_SCOPES]
    if len(resources) > 1:
        sentence = (
            f"Provided value for the input parameter scope '{scope}' is not valid: it has more than one resource."
        )
        raise SignInRefusal("invalid_scope", 28000, sentence)
    audience = "".join(resources).removesuffix("/.default")
    if [audience] == (resources or [""]):
        sentence = (
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI)."
        )
        raise SignInRefusal("invalid_scope", 1002012, sentence)
    if audience not in roots:
        sentence = (
            f"The resource principal named {audience} was not found in the tenant named {domain}. This can happen if "
            "the application has not been installed by the administrator of the tenant or consented to by any user in "
            "the tenant. You might have sent your authentication request to the wrong tenant."
        )
        raise SignInRefusal("invalid_resource", 500011, sentence)
    return audience


def _refused(refusal: SignInRefusal, tenant: Tenant) -> Response:
    trace, moment = str(uuid.uuid4()), f"{tenant.clock.now():%Y-%m-%d %H:%M:%SZ}"
    correlation = request.headers.get("client-request-id") or str(uuid.uuid4())
    description = (
        f"AADSTS{refusal.number}: {refusal.sentence} "
        f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
    )
    document = {
        "error": refusal.error,
        "error_description": description,
        "error_codes": [refusal.number],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{request.url_root}error?code={refusal.number}",
    }
    return json_answer(document, refusal.status)
