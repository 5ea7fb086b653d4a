"""The dynamic door inside the test's process: an engine that listens, an emulated tenant, no waiting."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Protocol

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from dynamic.calls import PROVIDERS
from engine_room.engine import Engine, listening
from intune_vpp.dynamic import VppTokenProvider, configured
from intune_vpp.lifecycle import waiting
from tenant_in_process import prompt_tenant, providers_reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from intune_vpp.dynamic.operation_providers import OperationProvider
    from tenant_in_process import RefusesSyncs


class Start(Protocol):
    """Starts a provider with configuration."""

    def __call__(self, **configuration: object) -> VppTokenProvider:
        """A provider, configured as the SDK does."""


class Begin(Protocol):
    """Starts a provider of an operation with configuration."""

    def __call__(self, name: str, **configuration: object) -> OperationProvider:
        """A provider, configured as the SDK does."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    """The engine that the provider talks to."""
    with listening() as engine:
        yield engine


@pytest.fixture
def tenant() -> RefusesSyncs:
    """The tenant that the environment names."""
    return prompt_tenant()


@pytest.fixture
def environment(tenant: RefusesSyncs, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Providers that reach the tenant."""
    # The process here is the test's.
    monkeypatch.setattr(configured, "exit_with_engine", lambda *_: None)
    with providers_reach(tenant, monkeypatch):
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
    """Providers of operations, in a process of their own each, which hardly wait."""
    monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(waiting, "LONGEST_PAUSE", 0.05)

    def begin(name: str, **configuration: object) -> OperationProvider:
        start(**configuration)
        begun = PROVIDERS[name]()
        begun.configure(_request(configuration))
        return begun

    return begin
