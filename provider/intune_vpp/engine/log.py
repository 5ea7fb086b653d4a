"""The engine's log: warnings, notes and debug lines for the user.

Each warning and note is sent once in a process. The debug lines of the package's loggers are sent at the engine's debug
level (`pulumi up --debug` shows them).
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
    """Log what happens inside under the resource `urn`; the engine shows lines without one under the stack.

    `hidden` are the values that the program marks secret: `redact` removes them. Concurrent calls may add to them.
    """
    before, hidden_before = _about.set(urn), _hidden.set(hidden)
    try:
        yield
    finally:
        _about.reset(before)
        _hidden.reset(hidden_before)


def redact(sentence: str) -> str:
    """Return the sentence with `[secret]` in place of each value that the program marks secret."""
    for text in sorted(_hidden.get(), key=len, reverse=True):
        sentence = sentence.replace(text, "[secret]")
    return sentence


class EngineLog:
    """Logs to the engine at `address` (`host:port`); to Python's logging if it is not an address."""

    def __init__(self, address: str) -> None:
        self._lock = threading.Lock()
        self._said: set[tuple[str, str]] = set()
        self._under_way: set[object] = set()
        self._stub: engine_pb2_grpc.EngineStub | None = None
        self.address = address if _ADDRESS.fullmatch(address) else ""

    def info(self, sentence: str) -> None:
        """Send a note, unless it was already sent about the same resource."""
        self._say_once(engine_pb2.INFO, sentence)

    def warn(self, sentence: str) -> None:
        """Send a warning, unless it was already sent about the same resource."""
        self._say_once(engine_pb2.WARNING, sentence)

    def debug(self, line: str) -> None:
        """Send a debug line, without waiting for the engine."""
        engine = self._opened()
        if engine is not None:
            call = engine.Log.future(_request(engine_pb2.DEBUG, printable(redact(line))))
            # gRPC cancels a call without references.
            self._under_way.add(call)
            call.add_done_callback(self._under_way.discard)

    def _say_once(self, severity: engine_pb2.LogSeverity.ValueType, sentence: str) -> None:
        sentence = printable(redact(sentence))
        with self._lock:
            # Check, Diff and Update of one resource find the same things.
            if (_about.get(), sentence) in self._said:
                return
            self._said.add((_about.get(), sentence))
        engine = self._opened()
        if engine is None:
            _log.info(sentence)
            return
        try:
            engine.Log(_request(severity, sentence))
        except grpc.RpcError:
            # The engine has ended or is about to, so nobody would read the line.
            _log.info(sentence)

    def _opened(self) -> engine_pb2_grpc.EngineStub | None:
        """Return the engine, None without an address.

        The channel is opened for the first line, because many processes send none.
        """
        with self._lock:
            if self._stub is None and self.address:
                self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self.address))
            return self._stub


def _request(severity: engine_pb2.LogSeverity.ValueType, sentence: str) -> engine_pb2.LogRequest:
    return engine_pb2.LogRequest(severity=severity, message=sentence, urn=_about.get())


def carry_debug_lines(engine_log: EngineLog) -> None:
    """Send the debug lines of the package's loggers to this log, and to no earlier one."""
    logger = logging.getLogger("intune_vpp")
    logger.handlers = [handler for handler in logger.handlers if not isinstance(handler, DebugLines)]
    logger.addHandler(DebugLines(engine_log))
    logger.setLevel(logging.DEBUG)


class DebugLines(logging.Handler):
    """A logging handler that sends debug lines to the engine."""

    def __init__(self, engine_log: EngineLog) -> None:
        super().__init__(logging.DEBUG)
        self._engine_log = engine_log

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, with the name of its logger."""
        self._engine_log.debug(f"{record.name}: {record.getMessage()}")
