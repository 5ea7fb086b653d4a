"""Microsoft Entra ID: discovery, keys, and access tokens for applications."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, request

from intune_vpp_emulator.answers import json_answer

from . import assertions, refusals
from .access_tokens import public_keys
from .clouds import federated_audience, resources
from .refusals import SignInRefusal

if TYPE_CHECKING:
    from intune_vpp_emulator.directory import AppRegistration
    from intune_vpp_emulator.tenant import Tenant

_OPENID_SCOPES: Final = frozenset({"openid", "offline_access", "profile", "email"})
"""Microsoft's identity clients for Go and Node.js add them to every request, also without a user."""


def sign_in_routes(tenant: Tenant, roots: frozenset[str]) -> Blueprint:
    """Discovery of instances and of the tenant, the keys, and the token endpoint."""
    routes = Blueprint("sign_in", __name__)

    @routes.errorhandler(SignInRefusal)
    def refused(refusal: SignInRefusal) -> Response:
        return refusals.refused(refusal, tenant.clock.now())

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
        audience = _audience(resources(request.host, roots), tenant.directory.domain)
        lifetime = {name: int(tenant.access_token_seconds) - 1 for name in ("expires_in", "ext_expires_in")}
        return json_answer({"token_type": "Bearer", **lifetime, "access_token": tenant.access_token(app, audience)})

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
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
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
        raise refusals.unknown_tenant(named)


def _signed_in(tenant: Tenant) -> AppRegistration:
    """The application whose credential is in the request; raises SignInRefusal."""
    grant = request.form.get("grant_type")
    if grant is None:
        raise refusals.missing_field("grant_type")
    if grant != "client_credentials":
        raise refusals.unsupported_grant(grant)
    client_id, secret = _client_and_secret()
    if not client_id:
        raise refusals.missing_field("client_id")
    app = tenant.find_app(client_id)
    if app is None:
        raise refusals.unknown_app(client_id, tenant.directory.domain)
    _check_credential(tenant, app, secret)
    if tenant.sign_in_refusal is not None:
        raise refusals.scripted(tenant.sign_in_refusal, client_id=client_id, domain=tenant.directory.domain)
    return app


def _check_credential(tenant: Tenant, app: AppRegistration, secret: str) -> None:
    if request.form.get("client_assertion_type") == assertions.TYPE:  # a guess: assertion-type
        assertions.check(
            request.form.get("client_assertion", ""),
            app,
            realm=_realm(tenant),
            federated_audience=federated_audience(request.host),
            now=tenant.clock.now(),
        )
    elif not secret:
        raise refusals.no_credential()
    elif not secrets.compare_digest(secret.encode(), app.client_secret.encode()):
        raise refusals.wrong_secret(app.client_id)


def _realm(tenant: Tenant) -> frozenset[str]:
    """The audiences of the assertions that certificates sign: the token endpoints and the issuers of the tenant."""
    # a guess: assertion-audience
    names = (tenant.directory.tenant_id, tenant.directory.domain)
    ends = ("oauth2/v2.0/token", "oauth2/token", "v2.0", "")
    return frozenset(f"{request.url_root}{name}/{end}" for name in names for end in ends)


def _client_and_secret() -> tuple[str, str]:
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return basic.username or "", basic.password or ""
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _audience(roots: frozenset[str], domain: str) -> str:
    scope = request.form.get("scope", "")
    wanted = [one for one in scope.split() if one not in _OPENID_SCOPES]
    if len(wanted) > 1:
        sentence = (
            f"Provided value for the input parameter scope '{scope}' is not valid: it has more than one resource."
        )
        raise SignInRefusal("invalid_scope", 28000, sentence)
    audience = "".join(wanted).removesuffix("/.default")
    if [audience] == (wanted or [""]):
        sentence = (
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI)."
        )
        raise SignInRefusal("invalid_scope", 1002012, sentence)
    if audience not in roots:
        raise refusals.unknown_resource(audience, domain)
    return audience
