"""The endpoints of managed identities: App Service (Container Apps has the same one) and virtual machines."""

from __future__ import annotations

import secrets
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, request

from intune_vpp_emulator.answers import json_answer

from .refusals import unknown_resource

if TYPE_CHECKING:
    from intune_vpp_emulator.directory import AppRegistration
    from intune_vpp_emulator.tenant import Tenant

APP_SERVICE_PATH: Final = "/msi/token"
"""`IDENTITY_ENDPOINT`, where the platform sets one."""
_VM_PATH: Final = "/metadata/identity/oauth2/token"
_APP_SERVICE_VERSION: Final = "2019-08-01"
_VM_VERSION: Final = "2018-02-01"


def managed_identity_routes(tenant: Tenant, roots: frozenset[str]) -> Blueprint:
    """Both endpoints, for a machine of the tenant that has an identity of its own and an assigned one."""
    routes = Blueprint("managed_identity", __name__)

    @routes.get(APP_SERVICE_PATH)
    @routes.get(f"{APP_SERVICE_PATH}/")
    def app_service() -> Response:
        return _app_service(tenant, roots)

    @routes.get(_VM_PATH)
    def virtual_machine() -> Response:
        return _virtual_machine(tenant, roots)

    return routes


def _app_service(tenant: Tenant, roots: frozenset[str]) -> Response:
    # a guess: managed-identity-errors
    shown = request.headers.get("X-IDENTITY-HEADER", "").encode(errors="replace")
    if not secrets.compare_digest(shown, tenant.workload.identity_header.encode()):
        return _app_service_error(HTTPStatus.UNAUTHORIZED, "The X-IDENTITY-HEADER is missing or wrong.")
    if request.args.get("api-version") != _APP_SERVICE_VERSION:
        return _app_service_error(HTTPStatus.BAD_REQUEST, "The api-version is missing or not supported.")
    identity = _identity(tenant)
    if identity is None:
        sentence = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
        return _app_service_error(HTTPStatus.BAD_REQUEST, sentence)
    resource = request.args.get("resource", "").rstrip("/")
    if resource not in roots:
        return _app_service_error(
            HTTPStatus.INTERNAL_SERVER_ERROR, "An unexpected error occurred while fetching the AAD Token."
        )
    return json_answer({**_token(tenant, identity, resource), "client_id": identity.client_id})


def _app_service_error(status: int, sentence: str) -> Response:
    return json_answer({"statusCode": int(status), "message": sentence, "correlationId": str(uuid.uuid4())}, status)


def _virtual_machine(tenant: Tenant, roots: frozenset[str]) -> Response:
    # a guess: managed-identity-errors
    if request.headers.get("Metadata") != "true":
        return _vm_error("invalid_request", "Required metadata header not specified")
    if request.args.get("api-version") != _VM_VERSION:
        return _vm_error("invalid_request", "The api-version is missing or not supported.")
    identity = _identity(tenant)
    if identity is None:
        return _vm_error("invalid_request", "Identity not found")
    resource = request.args.get("resource", "").rstrip("/")
    if resource not in roots:
        refusal = unknown_resource(resource, tenant.directory.domain)
        return _vm_error(refusal.error, f"AADSTS{refusal.number}: {refusal.sentence}")
    lifetime = str(int(tenant.access_token_seconds) - 1)
    token = _token(tenant, identity, resource)
    return json_answer({**token, "client_id": identity.client_id, "expires_in": lifetime, "ext_expires_in": lifetime})


def _vm_error(error: str, sentence: str) -> Response:
    return json_answer({"error": error, "error_description": sentence}, HTTPStatus.BAD_REQUEST)


def _identity(tenant: Tenant) -> AppRegistration | None:
    """The identity that is asked for: the machine's own, unless one is named."""
    directory = tenant.directory
    named = request.args.get("client_id")
    if named is None:
        return None if {"object_id", "mi_res_id", "msi_res_id"} & set(request.args) else directory.system_identity
    identities = (directory.system_identity, directory.user_identity)
    return next((one for one in identities if one.client_id == named), None)


def _token(tenant: Tenant, identity: AppRegistration, resource: str) -> dict[str, Any]:
    """What both endpoints answer; the times are texts of epoch seconds."""
    now = int(tenant.clock.now().timestamp())
    return {
        "access_token": tenant.access_token(identity, resource),
        "expires_on": str(now + int(tenant.access_token_seconds)),
        "not_before": str(now),
        "resource": resource,
        "token_type": "Bearer",
    }
