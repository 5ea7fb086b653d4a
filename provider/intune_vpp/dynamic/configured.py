"""The base class of the dynamic providers: their configuration, and the parts that one process shares."""

from __future__ import annotations

import atexit
import inspect
import os
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.dynamic import CheckFailure, Config, ConfigureRequest, ResourceProvider

from intune_vpp import settings
from intune_vpp.assembly import Assembly
from intune_vpp.core.configuration import NAMESPACE
from intune_vpp.core.errors import SettingsError
from intune_vpp.dynamic.spelling import PythonReporter, errors_in_python, in_python, message
from intune_vpp.engine.log import EngineLog, carry_debug_lines
from intune_vpp.engine.orphan import exit_with_engine
from intune_vpp.engine.spans import COLLECTOR, RequestSpans, under

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


@contextmanager
def engine_call() -> Iterator[None]:
    """Reword the errors of a call of the engine, and make the spans of its requests children of the engine's span."""
    with under(_metadata() if _spans().collected else ()), errors_in_python():
        yield


def _metadata() -> Iterable[tuple[str, str | bytes]]:
    """Return the metadata of the engine's call, which the SDK does not pass on: they are in a frame of the SDK.

    Empty if there is no such frame.
    """
    frame = inspect.currentframe()
    while frame is not None:
        context = frame.f_locals.get("context") if "context" in frame.f_code.co_varnames else None
        if isinstance(context, grpc.ServicerContext):
            return context.invocation_metadata()
        frame = frame.f_back
    return ()


@cache
def _spans() -> RequestSpans:
    spans = RequestSpans(os.environ.get(COLLECTOR, ""))
    atexit.register(spans.flush)
    return spans


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
    return Assembly(configured, PythonReporter(engine_log), record=_spans().record)


def _configured(config: Config) -> dict[str, Any]:
    """Return all keys of our namespace, even misspelled; the SDK's public interface returns requested keys only."""
    found = vars(config).get("_props") or {}
    prefix = f"{NAMESPACE}:"
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}
