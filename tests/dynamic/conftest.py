"""The dynamic door inside the test's process: an engine that listens, an emulated tenant, no waiting."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, Protocol

import httpx
import pytest
from pulumi.dynamic import Config, ConfigureRequest

from dynamic.operations import PROVIDERS
from dynamic.program_inputs import Unsyncable
from engine_room.engine import Engine, listening
from intune_vpp import assembly
from intune_vpp.dynamic import VppTokenProvider, configured
from intune_vpp.lifecycle import waiting
from intune_vpp_emulator.app import ROOT, create_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from intune_vpp.dynamic.operation_providers import OperationProvider


class Start(Protocol):
    """Starts a provider with configuration."""

    def __call__(self, **configuration: object) -> VppTokenProvider:
        """A provider, configured as the SDK does."""


class Begin(Protocol):
    """Starts a provider of an action with configuration."""

    def __call__(self, name: str, **configuration: object) -> OperationProvider:
        """A provider, configured as the SDK does."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    """The engine that the provider talks to."""
    with listening() as engine:
        yield engine


@pytest.fixture
def tenant() -> Unsyncable:
    """The tenant that the environment names."""
    tenant = Unsyncable(sync_seconds=0.0, revoke_seconds=0.0, renewal_lag_seconds=0.0)
    tenant.healed = True
    return tenant


@pytest.fixture
def environment(tenant: Unsyncable, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials in the environment, and the way to the tenant inside the process."""
    monkeypatch.setenv("ARM_TENANT_ID", tenant.directory.tenant_id)
    monkeypatch.setenv("ARM_CLIENT_ID", tenant.directory.app.client_id)
    monkeypatch.setenv("ARM_CLIENT_SECRET", tenant.directory.app.client_secret)
    monkeypatch.setenv("INTUNE_VPP_GRAPH_ENDPOINT", ROOT)
    monkeypatch.setenv("INTUNE_VPP_AUTHORITY_HOST", ROOT)
    # The process here is the test's.
    monkeypatch.setattr(configured, "exit_with_engine", lambda *_: None)
    with httpx.Client(transport=httpx.WSGITransport(app=create_app(tenant))) as http:
        monkeypatch.setattr(assembly, "connect_to_graph", partial(assembly.connect_to_graph, http=http))
        yield


def _forget() -> None:
    """What one process keeps for all its providers is not there in the next."""
    configured._assembly.cache_clear()
    configured._engine_log.cache_clear()
    configured._exit_with_engine.cache_clear()


def _request(configuration: Mapping[str, object]) -> ConfigureRequest:
    raw = {f"intune-vpp:{name}": value for name, value in configuration.items()}
    return ConfigureRequest(Config({"other:tenantId": "unread", **raw}, "contoso"))


@pytest.fixture
def start(engine: Engine, environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Providers that talk to both."""
    assert environment is None
    monkeypatch.setattr(sys, "argv", ["pulumi.dynamic", engine.address])

    def start(**configuration: object) -> VppTokenProvider:
        _forget()
        started = VppTokenProvider()
        started.configure(_request(configuration))
        return started

    yield start
    _forget()
    logger = logging.getLogger("intune_vpp")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def begin(start: Start, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Providers of actions, in a process of their own each, which hardly wait."""
    monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(waiting, "LONGEST_PAUSE", 0.05)

    def begin(name: str, **configuration: object) -> OperationProvider:
        start(**configuration)
        begun = PROVIDERS[name]()
        begun.configure(_request(configuration))
        return begun

    return begin
