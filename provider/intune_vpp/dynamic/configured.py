"""The base class of the dynamic providers: their configuration, and the parts that one process shares."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckFailure, Config, ConfigureRequest, ResourceProvider

from intune_vpp import settings
from intune_vpp.assembly import Assembly
from intune_vpp.core.configuration import NAMESPACE
from intune_vpp.core.errors import SettingsError
from intune_vpp.dynamic.spelling import PythonReporter, in_python, message
from intune_vpp.engine.log import EngineLog, carry_debug_lines
from intune_vpp.engine.orphan import exit_with_engine

if TYPE_CHECKING:
    from intune_vpp.core.errors import IntuneVppError
    from intune_vpp.settings import Settings


class ConfiguredProvider(ResourceProvider):
    """Pickled by reference into each resource, so it has no attributes but those that `configure` sets."""

    # Nothing is secret in a reference; a secret in each record would cost an encryption at every step.
    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Read the configuration. The first call that needs it raises its errors, and can report them better."""
        # The engine's address is the last argument of the process (the SDK itself does not use it).
        self._log = _engine_log(sys.argv[-1])
        carry_debug_lines(self._log)
        _exit_with_engine(self._log.address)
        configuration = _configured(req.config)
        self._parts: Assembly | SettingsError
        try:
            self._parts = _assembly(settings.read(configuration, os.environ), self._log)
        except SettingsError as error:
            self._parts = error

    @property
    def _assembly(self) -> Assembly:
        if isinstance(self._parts, SettingsError):
            raise self._parts
        return self._parts

    def _warn_of_failure(self, failure: IntuneVppError | None, kept: str = "") -> None:
        """Warn of a failure: dynamic providers have no partial failures, and an exception would lose the id."""
        if failure is not None:
            self._log.warn(f"{message(failure)} {kept}".rstrip())


def failed(reason: str) -> CheckFailure:
    """Return a check failure without a property: the engine prints the value of a named one, perhaps a token."""
    return CheckFailure("", in_python(reason))


@cache
def _engine_log(address: str) -> EngineLog:
    return EngineLog(address)


@cache
def _exit_with_engine(address: str) -> None:
    """Watch the engine once in a process; the SDK configures one provider for each distinct pickle."""
    exit_with_engine(address)


@cache
def _assembly(configured: Settings, engine_log: EngineLog) -> Assembly:
    """Return the parts, which all providers of the process share.

    The SDK creates one provider for each distinct pickle, and Python 3.14 pickles differently: a resource that an older
    Python recorded is deleted by another provider than the one that has adopted its token.
    """
    return Assembly(configured, PythonReporter(engine_log))


def _configured(config: Config) -> dict[str, Any]:
    """Return all keys of our namespace, even misspelled; the SDK's public interface returns requested keys only."""
    found = vars(config).get("_props") or {}
    prefix = f"{NAMESPACE}:"
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}
