"""The claims of an access token: they name the tenant and the permissions, and are never trusted."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from graph.fake_graph import graph_client
from intune_vpp.core.errors import PermissionMissing, SignInRefused
from intune_vpp.graph import claims
from intune_vpp.graph.claims import Permissions
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
    """The format of an access token is not promised: one without a tenant is refused."""
    with pytest.raises(SignInRefused, match=r"^The access token of the managed identity does not say which"):
        TenantOfAccessToken(Fixed(text)).guid()


def test_the_tenant() -> None:
    """The tenant is in lower case, as everywhere."""
    assert TenantOfAccessToken(Fixed(token({"tid": TENANT}))).guid() == TENANT.lower()


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"tid": "t", "roles": ["B.Read", "A.Read"]}, Permissions(("A.Read", "B.Read"), of_user=False)),
        ({"tid": "t", "scp": "User.Read B.Read"}, Permissions(("B.Read", "User.Read"), of_user=True)),
        ({"tid": "t"}, Permissions((), of_user=False)),
        ({"roles": "A", "scp": ["B"]}, Permissions((), of_user=False)),
        ({"roles": [7, None, "A"]}, Permissions(("A",), of_user=False)),
    ],
)
def test_the_permissions(payload: dict[str, Any], found: Permissions) -> None:
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
        graph_client(http, credential=Fixed(token(payload))).get("/x", Request(RequestKind.READ_TOKEN, "x"))
    assert str(caught.value).endswith(f"or grant it to the managed identity.{says}")


def test_a_user_of_the_azure_cli() -> None:
    """The Azure CLI cannot get Intune's permissions for a user: the cure is another method, and no consent."""

    def refuse(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"error": {"code": "Forbidden", "message": "No."}})

    credential = Fixed(token({"tid": "t", "scp": "User.Read.All Directory.AccessAsUser.All"}))
    with httpx.Client(transport=httpx.MockTransport(refuse)) as http, pytest.raises(PermissionMissing) as caught:
        graph_client(http, credential=credential).get("/x", Request(RequestKind.READ_TOKEN, "x"))
    assert str(caught.value).endswith(
        "No. The Azure CLI cannot get this permission for a user: use az login --service-principal, or another method. "
        "The access token has Directory.AccessAsUser.All, User.Read.All."
    )
