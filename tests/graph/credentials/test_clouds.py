"""National clouds through a proxy, and many tenants with one application."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from graph.fake_graph import Quiet, StillClock
from intune_vpp.assembly import connect_to_graph
from intune_vpp.core.errors import RequestNotSent, SignInRefused
from intune_vpp.graph.clouds import CLOUDS
from intune_vpp.graph.vpp_tokens import GraphVppTokens
from intune_vpp.settings import read
from intune_vpp_emulator.serve import Service, serve
from intune_vpp_emulator.sign_in_methods import SignIn
from intune_vpp_emulator.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTS = sorted(
    {
        address.removeprefix("https://")
        for cloud in CLOUDS.values()
        for address in (cloud.graph_endpoint, cloud.authority_host)
    }
)
ADDRESSES = "INTUNE_VPP_GRAPH_ENDPOINT INTUNE_VPP_AUTHORITY_HOST"


@contextmanager
def connected(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, without: str = "", **configuration: str
) -> Iterator[GraphVppTokens]:
    """The tokens of a tenant, for a process with the environment of the service, but for what it must do without."""
    for name, value in service.environment.items():
        if name not in without.split():
            monkeypatch.setenv(name, value)
    tokens = connect_to_graph(read(configuration, os.environ), StillClock(), Quiet())
    assert isinstance(tokens, GraphVppTokens)
    with tokens.client._http:
        yield tokens


@pytest.mark.parametrize("method", [SignIn.SECRET, SignIn.GITHUB])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_through_a_proxy(monkeypatch: pytest.MonkeyPatch, cloud: str, method: SignIn) -> None:
    """`environment` alone leads to the right hosts, with the right scope and audience, and the CA of the network."""
    tenant = Tenant()
    with serve(tenant, hosts=HOSTS, sign_in=method) as service:
        monkeypatch.setenv("HTTPS_PROXY", service.url.replace("https://", "http://"))
        with connected(service, monkeypatch, without=ADDRESSES, environment=cloud) as tokens:
            assert tokens.list().tokens == ()
            assert tokens.tenant_id() == tenant.directory.tenant_id


def test_a_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that the proxy does not let through is named, and nothing was sent."""
    with serve(Tenant()) as service:
        monkeypatch.setenv("HTTPS_PROXY", service.url.replace("https://", "http://"))
        with (
            connected(service, monkeypatch, without=ADDRESSES) as tokens,
            pytest.raises(RequestNotSent, match=r"^login\.microsoftonline\.com/.* did not respond .*\(ProxyError\)"),
        ):
            tokens.list()


def test_one_application_in_many_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same application signs in to each tenant that has consented; the refusal of another names where to."""
    home = Tenant()
    customer, stranger = home.customer(), home.customer()
    stranger.app_consented = False
    with serve(home, customer, stranger) as service:
        for tenant in (home, customer):
            with connected(service, monkeypatch, tenantId=tenant.directory.tenant_id) as tokens:
                assert tokens.list().tokens == ()
                assert tokens.tenant_id() == tenant.directory.tenant_id
        with (
            connected(service, monkeypatch, tenantId=stranger.directory.tenant_id) as tokens,
            pytest.raises(SignInRefused) as caught,
        ):
            tokens.list()

    address = f"{service.url}/{stranger.directory.tenant_id}/adminconsent?client_id={home.directory.app.client_id}"
    assert f"an administrator of {stranger.directory.tenant_id} must consent to it at {address} first." in str(
        caught.value
    )
