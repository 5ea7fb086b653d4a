"""The engine's log, where a person reads what the provider has to say.

Warnings and notes go out once in a process; debug lines of the package's loggers follow at the engine's debug level
(`pulumi up --debug`).
"""

from __future__ import annotations

import logging
import re
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from intune_vpp.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_ADDRESS = re.compile(r"[\w.\-\[\]:]+:\d{1,5}")
_log = logging.getLogger(__name__)
_about: ContextVar[str] = ContextVar("_about", default="")
_hidden: ContextVar[Collection[str]] = ContextVar("_hidden", default=frozenset())


@contextmanager
def about(urn: str, hidden: Collection[str] = frozenset()) -> Iterator[None]:
    """Let what is said within stand under a resource; a door that is not told which leaves it to the stack.

    `hidden` are texts that the program marks secret: they stand in no sentence; other calls may add some.
    """
    before, hidden_before = _about.set(urn), _hidden.set(hidden)
    try:
        yield
    finally:
        _about.reset(before)
        _hidden.reset(hidden_before)


def redact(sentence: str) -> str:
    """The sentence without what the program marks secret."""
    for text in sorted(_hidden.get(), key=len, reverse=True):
        sentence = sentence.replace(text, "[secret]")
    return sentence


class EngineLog:
    """Speaks to the engine at `address`; where there is none, to Python's logging."""

    def __init__(self, address: str) -> None:
        self._lock = threading.Lock()
        self._said: set[tuple[str, str]] = set()
        self._under_way: set[object] = set()
        self._engine: engine_pb2_grpc.EngineStub | None = None
        self.address = address if _ADDRESS.fullmatch(address) else ""
        if self.address:
            self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def info(self, sentence: str) -> None:
        """Say what is being done."""
        self._say_once(engine_pb2.INFO, sentence)

    def warn(self, sentence: str) -> None:
        """Say what may go wrong."""
        self._say_once(engine_pb2.WARNING, sentence)

    def debug(self, line: str) -> None:
        """Say it to whoever asked for debug output, without waiting for the engine."""
        if self._engine is not None:
            call = self._engine.Log.future(_request(engine_pb2.DEBUG, printable(redact(line))))
            # gRPC cancels a call that nobody holds.
            self._under_way.add(call)
            call.add_done_callback(self._under_way.discard)

    def _say_once(self, severity: engine_pb2.LogSeverity.ValueType, sentence: str) -> None:
        sentence = printable(redact(sentence))
        with self._lock:
            if (_about.get(), sentence) in self._said:
                return
            self._said.add((_about.get(), sentence))
        if self._engine is None:
            _log.info(sentence)
            return
        try:
            self._engine.Log(_request(severity, sentence))
        except grpc.RpcError:
            # An engine that hangs up is about to end this process; what was to be said has no listener.
            _log.info(sentence)


def _request(severity: engine_pb2.LogSeverity.ValueType, sentence: str) -> engine_pb2.LogRequest:
    return engine_pb2.LogRequest(severity=severity, message=sentence, urn=_about.get())


def carry_debug_lines(engine_log: EngineLog) -> None:
    """Send the package's debug lines to this log, and to no other."""
    logger = logging.getLogger("intune_vpp")
    logger.handlers = [handler for handler in logger.handlers if not isinstance(handler, DebugLines)]
    logger.addHandler(DebugLines(engine_log))
    logger.setLevel(logging.DEBUG)


class DebugLines(logging.Handler):
    """Carries the debug lines of a logger to the engine."""

    def __init__(self, engine_log: EngineLog) -> None:
        super().__init__(logging.DEBUG)
        self._engine_log = engine_log

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one line on."""
        self._engine_log.debug(f"{record.name}: {record.getMessage()}")
