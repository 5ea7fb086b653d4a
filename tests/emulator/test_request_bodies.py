"""Request bodies in gzip, as Microsoft's Go client sends them; the envelope of every refusal."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from emulator.client import TOKENS, a_body, a_client, a_file, a_tenant, error_of, graph
from intune_vpp_emulator import request_body
from intune_vpp_emulator.behavior import Gzip

if TYPE_CHECKING:
    import httpx

HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def post(client: httpx.Client, content: bytes, **headers: str) -> httpx.Response:
    """A create with that content, in gzip unless the headers say otherwise."""
    return client.post(TOKENS, content=content, headers={**HEADERS, **headers})


def test_a_body_in_gzip_is_read() -> None:
    """A create, a PATCH and a sign-in in gzip do what they do without it, and the log has their bodies."""
    tenant = a_tenant()
    client = graph(tenant)

    made = post(client, gzip.compress(json.dumps(a_body(displayName="Books")).encode()))
    changed = client.patch(
        f"{TOKENS}/{made.json()['id']}", content=gzip.compress(b'{"displayName": "Maps"}'), headers=HEADERS
    )

    assert (made.status_code, changed.json()["displayName"]) == (201, "Maps")
    log = client.get("/_emulator/requests").json()
    assert [one["body"].get("displayName") for one in log] == ["Books", "Maps"]
    assert log[0]["body"]["token"] == "***"


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        (b"{}", "gzip", 400),
        (b"", "gzip", 400),
        (gzip.compress(b"{}", mtime=0)[:-9], "gzip", 400),
        (gzip.compress(b"[]", mtime=0), "gzip", 400),
        (gzip.compress(b"{}", mtime=0), "br", 415),
        (gzip.compress(b"{}", mtime=0), "gzip, gzip", 415),
    ],
)
def test_what_is_not_gzip_is_refused(content: bytes, encoding: str, status: int) -> None:
    """A body that is not what its encoding says, or of another encoding, is refused by the gateway."""
    answer = post(graph(a_tenant()), content, **{"Content-Encoding": encoding})

    assert answer.status_code == status
    assert "intune" not in error_of(answer)


def test_a_small_body_cannot_become_a_huge_one() -> None:
    """A body that grows beyond the bound when it is unpacked is a 413, and its content is not kept."""
    answer = post(graph(a_tenant()), gzip.compress(b" " * (request_body.LARGEST + 1)))

    assert (answer.status_code, error_of(answer)["code"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(("habit", "status"), [(Gzip.UNSUPPORTED, 415), (Gzip.UNREADABLE, 400)])
def test_a_tenant_may_refuse_gzip(habit: Gzip, status: int) -> None:
    """A tenant can be made to refuse bodies in gzip with either status; those without it are taken."""
    tenant = a_tenant(gzip=habit)
    content = json.dumps(a_body()).encode()

    refused = post(graph(tenant), gzip.compress(content))
    taken = post(graph(tenant), content, **{"Content-Encoding": "identity"})

    assert (refused.status_code, taken.status_code) == (status, 201)
    assert len(tenant.tokens) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/beta//deviceAppManagement/vppTokens", 404),
        ("GET", "//beta/deviceAppManagement/vppTokens", 404),
        ("OPTIONS", TOKENS, 405),
        ("TRACE", TOKENS, 405),
        ("PUT", f"{TOKENS}/x", 405),
        ("GET", "/beta", 501),
        ("GET", "/v1.0/$metadata", 501),
        ("POST", "/beta/$batch", 501),
        ("POST", "/_emulator/requests", 405),
        ("GET", "/_emulator/nothing", 404),
    ],
)
def test_each_refusal_has_the_envelope(method: str, path: str, status: int) -> None:
    """Whatever is refused, is refused in Graph's envelope: never with a page, never with a redirect."""
    answer = graph(a_tenant()).request(method, path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    assert set(answer.json()["error"]) == {"code", "message", "innerError"}


def test_a_405_names_the_methods() -> None:
    """A method that a resource does not have is refused with those that it has."""
    answer = graph(a_tenant()).put(f"{TOKENS}/x")

    assert answer.headers["Allow"] == "DELETE, GET, PATCH"


def test_no_secret_in_a_refusal() -> None:
    """A refused body is not quoted."""
    text = a_file()
    answer = a_client(a_tenant()).post(TOKENS, content=text)

    assert text not in answer.text
