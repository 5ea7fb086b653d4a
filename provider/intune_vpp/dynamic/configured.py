"""What all providers of this door have in common: they are configured, and share the parts of one process."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckFailure, Config, ConfigureRequest, ResourceProvider

from intune_vpp import settings
from intune_vpp.assembly import Assembly
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
        """Read the configuration; what is wrong with it is said by the first call that can say it well."""
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
        """Say what failed: this door has no partial failure, and an exception would lose the id."""
        if failure is not None:
            self._log.warn(f"{message(failure)} {kept}".rstrip())


def failed(reason: str) -> CheckFailure:
    """A check failure, without the property: the engine prints its value, and a token may stand in any of them."""
    return CheckFailure("", in_python(reason))


@cache
def _engine_log(address: str) -> EngineLog:
    return EngineLog(address)


@cache
def _exit_with_engine(address: str) -> None:
    """Watch the engine once in a process; the SDK configures a provider for each spelling of its pickle."""
    exit_with_engine(address)


@cache
def _assembly(configured: Settings, engine_log: EngineLog) -> Assembly:
    """One for the process.

    The SDK makes a provider for each spelling of its pickle, and Python 3.14 spells it anew: a resource recorded by an
    older one is deleted by another provider than the one that has taken its token over.
    """
    return Assembly(configured, PythonReporter(engine_log))


def _configured(config: Config) -> dict[str, Any]:
    """All keys of our namespace, mistyped ones too: the SDK's public way gives only those that are asked for."""
    found = vars(config).get("_props") or {}
    prefix = f"{settings.NAMESPACE}:"
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}
