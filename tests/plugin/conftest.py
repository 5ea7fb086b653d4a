"""The plugin inside the test's process: an engine that listens, an emulated tenant, hardly any waiting."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from intune_vpp.lifecycle import waiting
from plugin import door
from tenant_in_process import prompt_tenant, providers_reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugin.door import Door, Listener
    from tenant_in_process import RefusesSyncs


class Open(Protocol):
    """Starts a provider in the process of the test."""

    def __call__(self, **configuration: object) -> Door:
        """A provider, configured."""


@pytest.fixture
def engine() -> Iterator[Listener]:
    """The engine that the provider talks to."""
    with ThreadPoolExecutor(4) as threads, door.listening(threads) as engine:
        yield engine


@pytest.fixture
def tenant() -> RefusesSyncs:
    """The tenant that the environment names, whose syncs and revocations end at once."""
    return prompt_tenant()


@pytest.fixture
def environment(tenant: RefusesSyncs, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Providers that reach the tenant, with short pauses between polls."""
    monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(waiting, "LONGEST_PAUSE", 0.05)
    with providers_reach(tenant, monkeypatch):
        yield


def _tidy() -> None:
    logger = logging.getLogger("intune_vpp")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def unconfigured(engine: Listener, environment: None) -> Iterator[Door]:
    """A provider that nobody has configured."""
    assert environment is None
    with ThreadPoolExecutor(128) as threads, door.opened(engine.address, threads, _tidy) as unconfigured:
        yield unconfigured


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
