"""Whether a program runs in a unit test, under `pulumi.runtime.set_mocks`."""

from __future__ import annotations

from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor


def is_mocked() -> bool:
    """Whether mocks answer in place of the engine: then no provider runs, and outputs may be absent."""
    return isinstance(get_monitor(), MockMonitor)
