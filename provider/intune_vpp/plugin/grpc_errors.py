"""Turns errors into gRPC statuses with one sentence and without a traceback.

The engine reads some codes as "the state is unknown" (INTERNAL, UNKNOWN, DATA_LOSS), and all others as "understood"
(pulumi/pulumi, sdk/go/common/resource/plugin/provider_plugin.go).

The status is the SDK's own `google.rpc.Status`: protobuf registers one message of that name, and where
`pulumi.run.plugin` starts this process the SDK's is registered first (grpcio-status would register another one).
"""

from __future__ import annotations

import functools
import hashlib
import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

import grpc
from google.protobuf import any_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from intune_vpp.core.errors import GraphUnreachable, IntuneVppError
from intune_vpp.core.printable import printable
from intune_vpp.engine import cures
from intune_vpp.engine.log import about, redact
from intune_vpp.engine.spans import under

if TYPE_CHECKING:
    from collections.abc import Callable


_DETAILS = "grpc-status-details-bin"
_PROPERTIES = ("news", "olds", "properties", "inputs", "old_inputs", "args")
"""The members of requests that contain the program's values."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_log = logging.getLogger(__name__)
_hidden: WeakKeyDictionary[object, set[str]] = WeakKeyDictionary()
_Servicer = TypeVar("_Servicer")
_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")


class PartialFailure(Exception):
    """The resource was written, but a later step failed: the engine keeps it, and the next run updates it."""

    def __init__(self, token_id: str, *, outputs: struct_pb2.Struct, inputs: struct_pb2.Struct, why: str) -> None:
        super().__init__(why)
        self._kept = provider_pb2.ErrorResourceInitFailed(id=token_id, properties=outputs, inputs=inputs)

    def status(self) -> status_pb2.Status:
        """The status for the engine, which keeps the reason in the state."""
        why = _message(self)
        self._kept.reasons[:] = [why]
        detail = any_pb2.Any()
        detail.Pack(self._kept)
        return status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=why, details=[detail])


def grpc_handler(
    call: Callable[[_Servicer, _Request, grpc.ServicerContext], _Answer],
) -> Callable[[_Servicer, _Request, grpc.ServicerContext], _Answer]:
    """Make a call end with an answer or a status, and log under the resource of its request."""

    @functools.wraps(call)
    def wrapped(servicer: _Servicer, request: _Request, context: grpc.ServicerContext) -> _Answer:
        # For the whole process: a sentence about one resource may name another one.
        hidden = _hidden.setdefault(servicer, set())
        hidden.update(_secrets(request))
        with about(getattr(request, "urn", ""), hidden), under(context.invocation_metadata()):
            try:
                return call(servicer, request, context)
            except PartialFailure as outcome:
                status = outcome.status()
            except Exception as error:  # noqa: BLE001 - any error becomes a status, and the process continues
                status = _status(error, call.__name__)
        context.set_trailing_metadata(((_DETAILS, status.SerializeToString()),))
        context.abort(_CODES[status.code], status.message)
        raise AssertionError

    return wrapped


def _secrets(request: object) -> frozenset[str]:
    """Return the texts that the program marks secret in a request."""
    given = [getattr(request, name, None) for name in _PROPERTIES]
    structs = [one for one in given if isinstance(one, struct_pb2.Struct)]
    if not structs:
        return frozenset()
    # Here and not above: the process answers some calls without it.
    from intune_vpp.plugin import property_values  # noqa: PLC0415

    return frozenset().union(*map(property_values.secret_texts, structs))


def check_failure(reason: str, name: str = "") -> provider_pb2.CheckFailure:
    """The failure of a check. The engine prints the value of the property `name`, so it is empty for most."""
    return provider_pb2.CheckFailure(property=name, reason=printable(redact(reason)))


def _message(error: Exception) -> str:
    sentence = cures.sentence(error) if isinstance(error, IntuneVppError) else str(error)
    return printable(redact(sentence))


def _status(error: Exception, call: str) -> status_pb2.Status:
    if isinstance(error, IntuneVppError):
        unreachable = isinstance(error, GraphUnreachable)
        code = grpc.StatusCode.UNAVAILABLE if unreachable else grpc.StatusCode.FAILED_PRECONDITION
        return status_pb2.Status(code=code.value[0], message=_message(error))
    return status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message=_internal_error(error, call))


def _internal_error(error: Exception, call: str) -> str:
    """The sentence for an error that was not raised on purpose; the debug log has its frames under the same id.

    Neither has the text of the error, which may quote a secret. Frames are places in the code, without values.
    """
    kind = type(error).__name__
    frames = [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in traceback.extract_tb(error.__traceback__)]
    trace = " > ".join(frames)
    error_id = hashlib.sha256(trace.encode()).hexdigest()[:8]
    _log.debug("Internal error %s: %s in %s, raised at %s", error_id, kind, call, trace)
    what = f"Internal error in intune-vpp ({kind} in {call}, id {error_id})."
    return f"{what} Run the command again with --debug and report the debug line with this id."
