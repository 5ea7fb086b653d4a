"""Which refusals of an upload may be about the file, and so about its encoding."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from builders import TOKEN_ID, file
from graph.fake_graph import NESTED, Script, tokens
from intune_vpp.core.errors import FileRefused, GraphError
from intune_vpp.core.vpp_token import VPP_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.graph.vpp_tokens import GraphVppTokens

UPLOADS: dict[str, Callable[[GraphVppTokens], object]] = {
    "create": lambda of: of.create({}, file()),
    "renew": lambda of: of.update(TOKEN_ID, {}, file()),
}


def envelope(message: str, code: str = "BadRequest", *, nested: bool = True) -> dict[str, Any]:
    """A refusal in Intune's envelope, or in that of Graph's gateway."""
    inner = json.dumps(
        {"_version": 3, "Message": f"{message} - Operation ID (for customer support): the tags of a role"}
    )
    return {"error": {"code": code, "message": inner if nested else message}}


def raised(upload: str, **answer: Any) -> GraphError:
    """The error of an upload that is answered so."""
    with pytest.raises(GraphError) as caught:
        UPLOADS[upload](tokens(Script(httpx.Response(**answer))))
    return caught.value


@pytest.mark.parametrize("upload", UPLOADS)
@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(
    "message",
    [
        "The VPP token is invalid.",
        "The VPP token has expired.",
        "An error has occurred",
        "",
        "Cannot convert the value of 'token' to the expected type 'Edm.String'.",
        "vppTokens: stage of the upload failed, percentage 0",
        "A value for the tag '@odata.type' could not be read.",
        "Tag mismatch: the authentication tag of the token is wrong.",
        "Expected the end tag of an element; the tags do not match.",
        "The token is not in the scope of this content: 3 tags.",
        "The ETag of the tag does not match.",
    ],
)
def test_a_refusal_that_may_be_about_the_file(upload: str, message: str, nested: bool) -> None:  # noqa: FBT001 - a table
    """A 400 without another cause may be about the file; what Graph says is reported, and no setting is advised."""
    error = raised(upload, status_code=400, json=envelope(message, nested=nested))
    assert isinstance(error, FileRefused)
    assert (error.status, error.code) == (400, "BadRequest")
    assert message.rstrip(".") in str(error)
    assert "tokenEncoding" not in str(error)


@pytest.mark.parametrize("upload", UPLOADS)
@pytest.mark.parametrize(
    "message",
    [
        "Must define one or more tags allowed by the current role",
        "Added a tag which is not allowed by the current role: 0",
        "Invalid Role Scope Tag defined 77",
        "Invalid role scope tags defined 77, 78",
        "The scope tag 77 does not exist.",
        "ScopeTags: 77 is unknown.",
        "Invalid RoleScopeTag.",
        "The RoleScopeTags may not be empty.",
        "The tag 0 is not allowed by the current role.",
        "One or more tags are not assigned to the caller's role",
        "The current Role may not do this.",
        *(f"Cannot convert the value of '{prop.name}'." for prop in VPP_TOKEN.members),
        "The property displayname is too long.",
    ],
)
def test_a_refusal_of_something_else(upload: str, message: str) -> None:
    """A 400 that names a scope tag, a role or another member is not about the file."""
    error = raised(upload, status_code=400, json=envelope(message, "ConditionNotMet"))
    assert type(error) is GraphError
    assert "tokenEncoding" not in str(error)


@pytest.mark.parametrize("content", [b"", b"{}", b"<html>Bad Request</html>", b'{"error": {"message": "Bad"}}'])
def test_a_400_that_is_not_graphs(content: bytes) -> None:
    """A proxy's 400, without Graph's code, is not about the file."""
    assert type(raised("create", status_code=400, content=content)) is GraphError


def test_only_an_upload_refuses_a_file() -> None:
    """A 400 to a PATCH without a file is a plain refusal."""
    with pytest.raises(GraphError) as caught:
        tokens(Script(httpx.Response(400, json=NESTED))).update(TOKEN_ID, {"displayName": "x"}, None)
    assert type(caught.value) is GraphError
