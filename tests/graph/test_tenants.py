"""The tenant's GUID, whatever name it was configured by."""

from __future__ import annotations

import httpx
import pytest

from graph.fake_graph import TENANT, Script, http, sender
from intune_vpp.core.errors import RequestNotSent, SignInRefused
from intune_vpp.graph.clouds import CLOUDS
from intune_vpp.graph.tenants import ConfiguredTenant

HOST = "https://login.example"


def discovery(issuer: object) -> httpx.Response:
    """A discovery document."""
    return httpx.Response(200, json={"issuer": issuer})


def named(name: str, script: Script) -> ConfiguredTenant:
    """The tenant configured so."""
    return ConfiguredTenant(name, HOST, http(script), sender())


@pytest.mark.parametrize("spelling", [TENANT, TENANT.upper(), "ABCDEF01-2345-6789-ABCD-EF0123456789"])
def test_a_guid_needs_no_request(spelling: str) -> None:
    """A GUID is taken as it is, in lower case."""
    script = Script(discovery("unasked"))

    assert (named(spelling, script).guid(), script.requests) == (spelling.lower(), [])


def test_a_domain_is_looked_up_once() -> None:
    """The GUID stands in the issuer that discovery names; it is asked for once."""
    script = Script(discovery(f"https://sts.example/{TENANT.upper()}/v2.0"))
    tenant = named("contoso.example", script)

    assert (tenant.guid(), tenant.guid()) == (TENANT, TENANT)
    assert script.lines == ["GET /contoso.example/v2.0/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json={"error": "invalid_tenant"}),
        httpx.Response(400, json={"error": "invalid_request", "error_description": "AADSTS90002: Tenant not found."}),
        discovery("https://login.example/{tenantid}/v2.0"),
    ],
)
def test_an_unknown_domain_is_refused(answer: httpx.Response) -> None:
    """A tenant that Entra refuses, or whose issuer has no GUID, is not known, and what was configured is named."""
    with pytest.raises(SignInRefused) as caught:
        named("contoso.example", Script(answer)).guid()

    assert str(caught.value) == (
        'login.example does not know the tenant "contoso.example". Check tenantId (ARM_TENANT_ID) and environment.'
    )


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(404), "answered the sign-in with something that is not a JSON object"),
        (httpx.Response(302, headers={"Location": "https://evil.example/"}), "answered the sign-in with something"),
        (httpx.Response(200, content=b"<html>"), "answered the sign-in with something that is not a JSON object"),
        (httpx.Response(403, content=b"<html>"), "answered the sign-in with something that is not a JSON object"),
        (httpx.Response(200, content=b"[" * 100_000), "answered the sign-in with something that is not a JSON object"),
        (httpx.Response(403, json={"message": "no"}), r"could not complete the sign-in \(403\)"),
        (httpx.Response(429), r"is throttling sign-ins \(429\)\. Run it again in a minute\."),
        (httpx.Response(429, content=b"<html>"), r"is throttling sign-ins \(429\)\. Run it again in a minute\."),
        (discovery(3), r"could not complete the sign-in \(a discovery document without an issuer\)"),
        (httpx.Response(200, json={}), r"could not complete the sign-in \(a discovery document without an issuer\)"),
    ],
)
def test_what_is_not_entras_does_not_blame_the_tenant(answer: httpx.Response, says: str) -> None:
    """A throttled discovery, the page of a proxy and an empty answer say nothing about the tenant."""
    with pytest.raises(RequestNotSent, match=rf"^login\.example {says}"):
        named("contoso.example", Script(answer)).guid()


@pytest.mark.parametrize("name", ["a/b", "a?b", "a#b", "a b", "a@b", "ü", "%2e", "", f"{TENANT}/x", f"{TENANT}\n"])
def test_what_is_no_domain_is_not_asked_for(name: str) -> None:
    """A name that would become another address is refused without a request."""
    script = Script(discovery(f"https://sts.example/{TENANT}/"))

    with pytest.raises(SignInRefused, match="does not know the tenant"):
        named(name, script).guid()

    assert script.requests == []


@pytest.mark.parametrize("status", [500, 503])
def test_a_discovery_that_fails_does_not_blame_the_tenant(status: int) -> None:
    """A 5xx is an outage, and is asked again the next time."""
    script = Script(httpx.Response(status, content=b"<html>"), discovery(f"https://sts.example/{TENANT}/"))
    tenant = named("contoso.example", script)

    with pytest.raises(
        RequestNotSent, match=rf"^login\.example could not complete the sign-in \({status}\)\. If"
    ) as caught:
        tenant.guid()

    assert caught.value.status == status
    assert tenant.guid() == TENANT


def test_a_discovery_without_an_answer() -> None:
    """Without an answer nothing is sent to Graph."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    tenant = ConfiguredTenant("contoso.example", HOST, http(fail), sender())
    with pytest.raises(RequestNotSent, match=r"^login\.example did not respond to the sign-in \(ReadTimeout\)\."):
        tenant.guid()


@pytest.mark.parametrize(
    ("names", "graph", "login"),
    [
        (
            ("public", "global", "azurecloud", "azurepubliccloud"),
            "https://graph.microsoft.com",
            "https://login.microsoftonline.com",
        ),
        (
            ("usgovernment", "usgovernmentl4", "azureusgovernment", "azureusgovernmentcloud"),
            "https://graph.microsoft.us",
            "https://login.microsoftonline.us",
        ),
        (("dod", "usgovernmentl5"), "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
        (("china", "azurechinacloud"), "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
    ],
)
def test_the_clouds(names: tuple[str, ...], graph: str, login: str) -> None:
    """Each national cloud has its own Graph and sign-in (learn.microsoft.com/graph/deployments)."""
    assert {(CLOUDS[name].graph_endpoint, CLOUDS[name].authority_host) for name in names} == {(graph, login)}


def test_no_cloud_is_untested() -> None:
    """The names above are all there are."""
    azure = {"azurecloud", "azurepubliccloud", "azureusgovernment", "azureusgovernmentcloud", "azurechinacloud"}
    others = {"public", "global", "usgovernment", "usgovernmentl4", "dod", "usgovernmentl5", "china"}
    assert set(CLOUDS) == azure | others
