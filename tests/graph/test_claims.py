"""The claims of an access token: they name the tenant and the permissions, and are never trusted."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from graph.fake_graph import ROOT
from intune_vpp.core.errors import PermissionMissing, SignInRefused
from intune_vpp.graph import claims
from intune_vpp.graph.client import GraphClient
from intune_vpp.graph.redaction import KnownSecrets
from intune_vpp.graph.request import Request, RequestKind
from intune_vpp.graph.tenants import TenantOfAccessToken


def token(payload: Any) -> str:
    """An access token with this payload; nobody checks the signature."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return f"eyJh.{base64.urlsafe_b64encode(content).rstrip(b'=').decode()}.c2ln"


class Fixed:
    """A credential with this access token."""

    def __init__(self, text: str) -> None:
        self.text = text

    def access_token(self) -> str:
        """Return it."""
        return self.text

    def forget(self, access_token: str) -> None:
        """Keep it."""


UNREADABLE = ["", "opaque", "a.b", "a.%%%.c", "a.b.c.d", "a.YQ.c", token(b"[1]"), token(b"{"), token(b"\xff"), "a.é.c"]
TENANT = "AAAAAAAA-0000-4000-8000-00000000000B"


@pytest.mark.parametrize("text", [*UNREADABLE, token({}), token({"tid": 7}), token({"tid": "a"})])
def test_an_access_token_without_a_tenant(text: str) -> None:
    """Its format is not promised: without a tenant in it, the configuration must name one."""
    with pytest.raises(SignInRefused, match=r"^The access token names no tenant\. Set tenantId \(ARM_TENANT_ID\)\.$"):
        TenantOfAccessToken(Fixed(text)).guid()


def test_the_tenant() -> None:
    """The tenant is in lower case, as everywhere."""
    assert TenantOfAccessToken(Fixed(token({"tid": TENANT}))).guid() == TENANT.lower()


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"tid": "t", "roles": ["B.Read", "A.Read"]}, ["A.Read", "B.Read"]),
        ({"tid": "t", "scp": "User.Read B.Read"}, ["B.Read", "User.Read"]),
        ({"tid": "t"}, []),
        ({"roles": "A", "scp": ["B"]}, []),
        ({"roles": [7, None, "A"]}, ["A"]),
    ],
)
def test_the_permissions(payload: dict[str, Any], found: list[str]) -> None:
    """Roles of an application and scopes of a user are permissions alike."""
    assert claims.permissions(token(payload)) == found


@pytest.mark.parametrize("text", UNREADABLE)
def test_permissions_that_cannot_be_read(text: str) -> None:
    """An access token that is not a JSON Web Token says nothing."""
    assert claims.permissions(text) is None


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"roles": ["A.Read.All"]}, " The access token has A.Read.All."),
        ({}, ""),
        ({"tid": "t", "roles": []}, " The access token has no permission."),
        ({"tid": "t", "roles": ["a b", "<x>", "::error", "A" * 81]}, " The access token has no permission."),
        (
            {"roles": [f"P{number:02}" for number in range(12)]},
            f" The access token has {', '.join(f'P{number:02}' for number in range(10))} and 2 more.",
        ),
    ],
)
def test_a_403_lists_the_permissions(payload: dict[str, Any], says: str) -> None:
    """What the access token has stands beside what the request needs; ten names at most, and only names."""

    def refuse(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"error": {"code": "Forbidden", "message": "No."}})

    with httpx.Client(transport=httpx.MockTransport(refuse)) as http, pytest.raises(PermissionMissing) as caught:
        GraphClient(http, root=ROOT, credential=Fixed(token(payload)), secrets=KnownSecrets()).get(
            "/x", Request(RequestKind.READ_TOKEN, "x")
        )
    assert str(caught.value).endswith(f"API permissions).{says}")
