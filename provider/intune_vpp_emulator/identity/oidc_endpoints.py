"""The endpoints at which the jobs of GitHub Actions and Azure DevOps ask for assertions about themselves."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, redirect, request

from intune_vpp_emulator.answers import json_answer

from .workload import AUDIENCE, AZURE_DEVOPS, GITHUB

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from intune_vpp_emulator.tenant import Tenant

_PLAN: Final = "9b9e4bdf-6d2c-4d39-8f0c-1a0d9b2a7c11"
_JOB: Final = "ca395085-040a-526b-2ce8-bdc85f692774"

GITHUB_PATH: Final = f"/github/idtoken/{_PLAN}/{_JOB}"
"""Where a job of GitHub Actions asks; its variable has a query of its own: `?api-version=2.0`."""
DEVOPS_PATH: Final = f"/azure-devops/tablets/_apis/distributedtask/hubs/build/plans/{_PLAN}/jobs/{_JOB}/oidctoken"
"""Where a job of Azure DevOps asks."""

_GITHUBS_OWN_AUDIENCE: Final = "https://github.com/contoso"
_DEVOPS_SIGN_IN: Final = "/azure-devops/_signin"
_SUPPRESS: Final = "Suppress"


def oidc_routes(tenant: Tenant) -> Blueprint:
    """Both endpoints; who asks shows the token that the job was given."""
    routes = Blueprint("oidc", __name__)

    @routes.get(GITHUB_PATH)
    def github() -> Response:
        # a guess: oidc-endpoint-errors
        if not _has_bearer(tenant.workload.github_request_token):
            return json_answer({"message": "Unauthorized"}, HTTPStatus.UNAUTHORIZED)
        if "api-version" not in request.args:
            return json_answer({"message": "The api-version is missing."}, HTTPStatus.BAD_REQUEST)
        audience = request.args.get("audience", _GITHUBS_OWN_AUDIENCE)
        subject = tenant.oidc_subject
        return json_answer({"value": GITHUB.assertion(now=tenant.clock.now(), audience=audience, subject=subject)})

    @routes.post(DEVOPS_PATH)
    def azure_devops() -> AnyResponse:
        return _azure_devops(tenant)

    @routes.get(_DEVOPS_SIGN_IN)
    def sign_in_page() -> Response:
        return Response("<!DOCTYPE html><title>Azure DevOps Services | Sign In</title>", content_type="text/html")

    return routes


def _azure_devops(tenant: Tenant) -> AnyResponse:
    # a guess: oidc-endpoint-errors
    if not _has_bearer(tenant.workload.devops_access_token):
        if request.headers.get("X-TFS-FedAuthRedirect") != _SUPPRESS:
            return redirect(_DEVOPS_SIGN_IN)
        return Response(status=HTTPStatus.UNAUTHORIZED)
    if "api-version" not in request.args:
        sentence = (
            'No api-version was supplied for the "POST" request. The version must be supplied either as part of the '
            'Accept header (e.g. "application/json; api-version=1.0") or as a query parameter (e.g. '
            '"?api-version=1.0").'
        )
        return _devops_error("VssVersionNotSpecifiedException", sentence, HTTPStatus.BAD_REQUEST)
    connection = request.args.get("serviceConnectionId", "")
    if connection != tenant.workload.devops_service_connection:
        sentence = f"The service connection {connection} does not exist, or this job may not use it."
        return _devops_error("ServiceEndpointNotFoundException", sentence, HTTPStatus.NOT_FOUND)
    assertion = AZURE_DEVOPS.assertion(now=tenant.clock.now(), audience=AUDIENCE, subject=tenant.oidc_subject)
    return json_answer({"oidcToken": assertion})


def _has_bearer(token: str) -> bool:
    sent = request.headers.get("Authorization", "").encode(errors="replace")
    return secrets.compare_digest(sent, f"Bearer {token}".encode())


def _devops_error(kind: str, sentence: str, status: int) -> Response:
    document = {
        "$id": "1",
        "innerException": None,
        "message": sentence,
        "typeName": f"Microsoft.VisualStudio.Services.WebApi.{kind}, Microsoft.VisualStudio.Services.WebApi",
        "typeKey": kind,
        "errorCode": 0,
        "eventId": 3000,
    }
    return json_answer(document, status)
