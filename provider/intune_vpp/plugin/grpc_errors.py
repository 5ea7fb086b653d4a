"""Errors as the engine wants them: one sentence and a status, never a traceback.

The engine takes some codes for "the state is unknown" (INTERNAL, UNKNOWN, DATA_LOSS) and the rest for "understood"
(pulumi/pulumi, sdk/go/common/resource/plugin/provider_plugin.go).

The status is the SDK's own `google.rpc.Status`: protobuf has room for one of that name, and where `pulumi.run.plugin`
starts this process the SDK's is there before (grpcio-status and googleapis-common-protos bring another).
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
from intune_vpp.engine.log import about, redact

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
    """The resource is there, but not well; the engine keeps what is here and updates it the next time."""

    def __init__(self, token_id: str, *, outputs: struct_pb2.Struct, inputs: struct_pb2.Struct, why: str) -> None:
        super().__init__(why)
        self._kept = provider_pb2.ErrorResourceInitFailed(id=token_id, properties=outputs, inputs=inputs)

    def status(self) -> status_pb2.Status:
        """What the engine is told; it keeps the reason in the state."""
        why = _told(self)
        self._kept.reasons[:] = [why]
        detail = any_pb2.Any()
        detail.Pack(self._kept)
        return status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=why, details=[detail])


def grpc_handler(
    call: Callable[[_Servicer, _Request, grpc.ServicerContext], _Answer],
) -> Callable[[_Servicer, _Request, grpc.ServicerContext], _Answer]:
    """Let a call end in an answer or a status; what is said within stands under the request's resource."""

    @functools.wraps(call)
    def wrapped(servicer: _Servicer, request: _Request, context: grpc.ServicerContext) -> _Answer:
        # For the process, and not for the call: one resource's sentence may name another one.
        hidden = _hidden.setdefault(servicer, set())
        hidden.update(_secrets(request))
        with about(getattr(request, "urn", ""), hidden):
            try:
                return call(servicer, request, context)
            except PartialFailure as outcome:
                status = outcome.status()
            except Exception as error:  # noqa: BLE001 - whatever it is, the engine is told which, and goes on
                status = _status(error, call.__name__)
        context.set_trailing_metadata(((_DETAILS, status.SerializeToString()),))
        context.abort(_CODES[status.code], status.message)
        raise AssertionError

    return wrapped


def _secrets(request: object) -> frozenset[str]:
    """Return the texts that the program marks secret in a request."""
    # Here and not above: the process answers some calls without it.
    from intune_vpp.plugin import property_values  # noqa: PLC0415

    given = (getattr(request, name, None) for name in _PROPERTIES)
    return frozenset().union(
        *(property_values.secret_texts(one) for one in given if isinstance(one, struct_pb2.Struct))
    )


def check_failure(reason: str, name: str = "") -> provider_pb2.CheckFailure:
    """What is wrong with what a program gave. The engine prints the value of the property that `name` names."""
    return provider_pb2.CheckFailure(property=name, reason=printable(redact(reason)))


def _told(error: Exception) -> str:
    return printable(redact(str(error)))


def _status(error: Exception, call: str) -> status_pb2.Status:
    if isinstance(error, IntuneVppError):
        unreachable = isinstance(error, GraphUnreachable)
        code = grpc.StatusCode.UNAVAILABLE if unreachable else grpc.StatusCode.FAILED_PRECONDITION
        return status_pb2.Status(code=code.value[0], message=_told(error))
    return status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message=_internal_error(error, call))


def _internal_error(error: Exception, call: str) -> str:
    """The sentence about an error that nobody raised on purpose; its frames go to the debug log under the same id.

    The text of the error may quote a secret, so neither has it. Frames are places in the code, without values.
    """
    kind = type(error).__name__
    frames = [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in traceback.extract_tb(error.__traceback__)]
    trace = " > ".join(frames)
    error_id = hashlib.sha256(trace.encode()).hexdigest()[:8]
    _log.debug("Internal error %s: %s in %s, raised at %s", error_id, kind, call, trace)
    what = f"Internal error in intune-vpp ({kind} in {call}, id {error_id})."
    return f"{what} Run the command again with --debug and report the debug line with this id."
