"""The plugin inside the test's process: an engine that listens, an emulated tenant, hardly any waiting."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Protocol

import httpx
import pytest

from dynamic.program_inputs import Unsyncable
from intune_vpp import assembly
from intune_vpp.lifecycle import waiting
from intune_vpp_emulator.app import ROOT, create_app
from plugin import door

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugin.door import Door, Listener


class Open(Protocol):
    """Starts a provider process, as good as."""

    def __call__(self, **configuration: object) -> Door:
        """A provider, configured."""


@pytest.fixture
def engine() -> Iterator[Listener]:
    """The engine that the provider talks to."""
    with ThreadPoolExecutor(4) as threads, door.listening(threads) as engine:
        yield engine


@pytest.fixture
def tenant() -> Unsyncable:
    """The tenant that the environment names, whose syncs and revocations end at once."""
    tenant = Unsyncable(sync_seconds=0.0, revoke_seconds=0.0, renewal_lag_seconds=0.0)
    tenant.healed = True
    return tenant


@pytest.fixture
def environment(tenant: Unsyncable, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials in the environment, the way to the tenant inside the process, and short pauses between polls."""
    monkeypatch.setenv("ARM_TENANT_ID", tenant.directory.tenant_id)
    monkeypatch.setenv("ARM_CLIENT_ID", tenant.directory.app.client_id)
    monkeypatch.setenv("ARM_CLIENT_SECRET", tenant.directory.app.client_secret)
    monkeypatch.setenv("INTUNE_VPP_GRAPH_ENDPOINT", ROOT)
    monkeypatch.setenv("INTUNE_VPP_AUTHORITY_HOST", ROOT)
    # Each provider process of these tests is in a run of its own, whatever engine listens.
    monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(waiting, "LONGEST_PAUSE", 0.05)
    with httpx.Client(transport=httpx.WSGITransport(app=create_app(tenant))) as http:
        monkeypatch.setattr(assembly, "connect_to_graph", partial(assembly.connect_to_graph, http=http))
        yield


def _tidy() -> None:
    logger = logging.getLogger("intune_vpp")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def stranger(engine: Listener, environment: None) -> Iterator[Door]:
    """A provider that nobody has configured."""
    assert environment is None
    with ThreadPoolExecutor(128) as threads, door.opened(engine.address, threads, _tidy) as stranger:
        yield stranger


@pytest.fixture
def by_hand(environment: None) -> Iterator[Door]:
    """A provider that a person has started, for an engine to attach to; nobody has configured it."""
    assert environment is None
    with ThreadPoolExecutor(128) as threads, door.opened("", threads, _tidy) as by_hand:
        yield by_hand


@pytest.fixture
def start(engine: Listener, environment: None) -> Iterator[Open]:
    """Provider processes, each with a memory of its own: one for each phase of a run."""
    assert environment is None
    with ExitStack() as stack:

        def start(**configuration: object) -> Door:
            threads = stack.enter_context(ThreadPoolExecutor(128))
            started = stack.enter_context(door.opened(engine.address, threads, _tidy))
            started.configure(**configuration)
            return started

        yield start


@pytest.fixture
def provider(start: Open) -> Door:
    """A provider, configured by the environment alone."""
    return start()
