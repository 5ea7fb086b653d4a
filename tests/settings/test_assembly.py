"""The real parts, wired: what is made when."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from builders import NOW, args, file, file_text, state, token_inputs
from intune_vpp.assembly import Assembly, connect_to_graph
from intune_vpp.core.errors import SettingsError
from intune_vpp.graph.vpp_tokens import GraphVppTokens
from intune_vpp.settings import Settings, read
from intune_vpp_emulator.app import create_app
from intune_vpp_emulator.clock import Clock
from intune_vpp_emulator.tenant import Tenant
from tenant_in_process import RecordingReporter, TenantTime, configuration, new_tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from intune_vpp.core.ports import Clock as ClockPort
    from intune_vpp.core.ports import Reporter, VppTokens

INPUTS = token_inputs(file_text(), displayName=None, waitForSync=False)
"""What can be created, as text."""


def still() -> TenantTime:
    """A clock that stands at NOW."""
    return TenantTime(Clock.still(NOW))


@pytest.fixture
def tenant() -> Tenant:
    """An emulated tenant at the same time."""
    return new_tenant()


@pytest.fixture
def http(tenant: Tenant) -> Iterator[httpx.Client]:
    """A client of it."""
    with httpx.Client(transport=httpx.WSGITransport(app=create_app(tenant))) as client:
        yield client


def configured(tenant: Tenant, **more: object) -> Settings:
    """The settings that point at a tenant."""
    return read({**configuration(tenant), **more}, {})


def test_one_connection_for_all_that_is_sent(tenant: Tenant, http: httpx.Client) -> None:
    """Check in preview and create in lifecycle share what is kept: the file's text goes from one to the other."""
    connections: list[VppTokens] = []

    def connect(settings: Settings, clock: ClockPort, reporter: Reporter) -> VppTokens:
        connections.append(connect_to_graph(settings, clock, reporter, http=http))
        return connections[-1]

    assembly = Assembly(configured(tenant), RecordingReporter(), clock=still(), connect=connect)
    checked = assembly.preview.check_token(INPUTS, None)
    assert (checked.problems, connections) == ((), [])

    outcome = assembly.tokens.create(checked.args)

    assert outcome.state.tenant_id == tenant.directory.tenant_id
    assert outcome.failure is None
    assert [token.id for token in tenant.tokens] == [outcome.state.id]
    assert assembly.tokens is assembly.tokens
    assert assembly.preview is assembly.preview
    assert len(connections) == 1


def test_many_threads_make_one_connection() -> None:
    """Whoever comes while the connection is made waits for it."""
    made: list[VppTokens] = []

    def connect(*_: object) -> VppTokens:
        time.sleep(0.05)
        made.append(GraphVppTokens(client=None, tenant=None))  # type: ignore[arg-type]
        return made[-1]

    assembly = Assembly(read({}, {}), RecordingReporter(), connect=connect)
    found: set[int] = set()
    threads = [threading.Thread(target=lambda: found.add(id(assembly.tokens))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(made), len(found)) == (1, 1)


def test_without_credentials_only_what_is_sent_fails() -> None:
    """A preview needs no credentials; a request without them names what is missing, each time."""
    assembly = Assembly(read({}, {}), RecordingReporter(), clock=still())

    assert assembly.preview.check_token(INPUTS, None).problems == ()
    for _ in range(2):
        with pytest.raises(SettingsError, match=r"ARM_TENANT_ID.*ARM_CLIENT_ID.*ARM_CLIENT_SECRET"):
            _ = assembly.tokens


@pytest.mark.parametrize(("version", "path"), [("beta", "/beta/"), ("v1.0", "/v1.0/")])
def test_the_version_is_in_the_address(version: str, path: str) -> None:
    """`graphVersion` chooses Graph's root; the scope is the endpoint's."""
    seen: list[httpx.Request] = []
    tenant = Tenant()
    emulator = httpx.WSGITransport(app=create_app(tenant))

    class Passing(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return emulator.handle_request(request)

    with httpx.Client(transport=Passing()) as http:
        assert (
            connect_to_graph(configured(tenant, graphVersion=version), still(), RecordingReporter(), http=http)
            .list()
            .tokens
            == ()
        )

    sign_in = next(request for request in seen if request.url.path.endswith("/token"))
    assert b"scope=https%3A%2F%2Fgraph.emulator.test%2F.default" in sign_in.content
    assert seen[-1].url.path == f"{path}deviceAppManagement/vppTokens"


def test_the_policy_follows_the_settings() -> None:
    """v1.0 refuses beta's members, and the days until a warning are the configured ones."""
    reporter = RecordingReporter()
    old = Assembly(read({"graphVersion": "v1.0"}, {}), reporter, clock=still())
    early = Assembly(read({"expiryWarningDays": 400}, {}), reporter, clock=still())

    assert {problem.property for problem in old.preview.check_token(INPUTS, None).problems} == {
        "dataSharingConsentGranted"
    }
    assert early.preview.check_token(INPUTS, None).problems == ()
    (_, warning), (_, note) = reporter.said
    assert "expires in 365 days" in warning
    assert note.startswith("Creates Contoso (file sha256:")


def test_the_files_text_is_in_no_repr() -> None:
    """What the parts keep does not show."""
    assembly = Assembly(read({"clientSecret": "tell-nobody"}, {}), RecordingReporter(), clock=still())
    assembly.preview.check_token(INPUTS, None)
    assembly.preview.plan_token(state(file()), args(file()))

    assert "tell-nobody" not in repr(vars(assembly))
    assert file_text() not in repr(vars(assembly))


def loaded_by(program: str) -> list[str]:
    """Which of the costly modules a fresh Python has loaded after a program."""
    asked = "import sys; print(*sorted({'httpx', 'msal', 'ssl', 'intune_vpp.graph.client'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{textwrap.dedent(program)}\n{asked}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return done.stdout.split()


PREVIEW = f"""
from intune_vpp.assembly import Assembly
from intune_vpp.settings import read

class Silent:
    def info(self, sentence): pass
    warn = info

assembly = Assembly(read({{}}, {{}}), Silent())
checked = assembly.preview.check_token({INPUTS!r}, None)
assert not checked.problems, checked
"""


def test_a_preview_loads_no_http_client() -> None:
    """A check costs neither httpx nor msal; without credentials a request does not either."""
    assert loaded_by(PREVIEW) == []
    refused = """
    from intune_vpp.core.errors import SettingsError
    try:
        assembly.tokens
    except SettingsError:
        pass
    """
    assert loaded_by(PREVIEW + textwrap.dedent(refused)) == []


def test_a_program_loads_no_http_client() -> None:
    """A Pulumi program that declares a token does not pay for requests that it does not make."""
    found = loaded_by("from intune_vpp.dynamic import VppToken, VppTokenProvider")

    assert {"httpx", "msal", "intune_vpp.graph.client"} & set(found) == set()
