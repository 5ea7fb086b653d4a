"""The methods of sign-in that can be tried, with the variables and the file that a client needs for each."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from .identity.managed_identity import APP_SERVICE_PATH
from .identity.oidc_endpoints import DEVOPS_PATH, GITHUB_PATH
from .identity.workload import KUBERNETES
from .state_file import write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .tenant import Tenant

_DAY = 86_400.0
"""How long the assertion in the file is valid: it is written once, where Kubernetes would renew it."""


class SignIn(StrEnum):
    """How the clients of an emulated tenant sign in."""

    SECRET = "secret"  # noqa: S105 - the name of a method
    CERTIFICATE = "certificate"
    OIDC = "oidc"
    GITHUB = "github"
    AZURE_DEVOPS = "azure-devops"
    MANAGED_IDENTITY = "managed-identity"


@contextmanager
def variables(method: SignIn, tenant: Tenant, url: str, beside: Path) -> Iterator[dict[str, str]]:
    """What the method needs and nothing else; a file that it needs is beside `beside` while the block runs."""
    app, workload = tenant.directory.app, tenant.workload
    who = {"ARM_TENANT_ID": tenant.directory.tenant_id, "ARM_CLIENT_ID": app.client_id}
    if method is SignIn.SECRET:
        yield {**who, "ARM_CLIENT_SECRET": app.client_secret}
    elif method is SignIn.CERTIFICATE:
        password = secrets.token_urlsafe(20)
        with _file(beside, "pfx", app.certificate.pfx(password)) as path:
            yield {**who, "ARM_CLIENT_CERTIFICATE_PATH": path, "ARM_CLIENT_CERTIFICATE_PASSWORD": password}
    elif method is SignIn.OIDC:
        assertion = KUBERNETES.assertion(now=tenant.clock.now(), subject=tenant.oidc_subject, seconds=_DAY)
        with _file(beside, "oidc-token", assertion.encode()) as path:
            yield {**who, "ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN_FILE_PATH": path}
    elif method is SignIn.GITHUB:
        yield {
            **who,
            "ARM_USE_OIDC": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}{GITHUB_PATH}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": workload.github_request_token,
        }
    elif method is SignIn.AZURE_DEVOPS:
        yield {
            **who,
            "ARM_USE_OIDC": "true",
            "SYSTEM_OIDCREQUESTURI": f"{url}{DEVOPS_PATH}",
            "SYSTEM_ACCESSTOKEN": workload.devops_access_token,
            "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": workload.devops_service_connection,
        }
    else:
        yield {
            "ARM_USE_MSI": "true",
            "IDENTITY_ENDPOINT": f"{url}{APP_SERVICE_PATH}",
            "IDENTITY_HEADER": workload.identity_header,
        }


@contextmanager
def _file(beside: Path, suffix: str, content: bytes) -> Iterator[str]:
    """A file that only its owner may read, named after `beside`."""
    path = beside.with_name(f"{beside.name}.{suffix}")
    write_private(path, content)
    try:
        yield str(path)
    finally:
        path.unlink(missing_ok=True)
