"""The control routes and the pages of other sites, which a browser lets send requests to this machine."""

from __future__ import annotations

import pytest

from emulator.client import a_client, a_tenant, error_of
from intune_vpp_emulator.app import ROOT


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://graph.emulator.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": ROOT},
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Host": "graph.emulator.test.evil.example"},
        {"Host": ""},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "tenant"), ("POST", "clock"), ("DELETE", "requests")])
def test_foreign_pages_are_refused(method: str, path: str, headers: dict[str, str]) -> None:
    """A page of another site, also under a name of its own for this machine, changes nothing and sees nothing."""
    tenant = a_tenant()
    before = tenant.clock.now()

    answer = a_client(tenant).request(method, f"/_emulator/{path}", headers=headers, content=b'{"advanceSeconds": 1}')

    assert (answer.status_code, error_of(answer)["code"]) == (403, "Forbidden")
    assert tenant.clock.now() == before
    assert tenant.directory.app.client_secret not in answer.text


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": ROOT}, {"Sec-Fetch-Site": "none"}, {"Origin": ROOT, "Sec-Fetch-Site": "same-origin"}],
)
def test_others_are_served(headers: dict[str, str]) -> None:
    """A command line, an address that a person types and a page of the emulator's own are served."""
    assert a_client(a_tenant()).get("/_emulator/tenant", headers=headers).status_code == 200


def test_a_preflight_allows_nothing() -> None:
    """A browser that asks whether another site may send a request is not told that it may."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = a_client(a_tenant()).request("OPTIONS", "/_emulator/clock", headers=headers)

    assert answer.status_code >= 400
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
