"""A process that ends with its engine."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from intune_vpp.engine import orphan

if TYPE_CHECKING:
    from pathlib import Path

PROCESS = """
import sys, threading
from pathlib import Path
from intune_vpp.engine.orphan import exit_with_engine

exit_with_engine(sys.argv[1], Path(sys.argv[2]).touch)
threading.Thread(target=threading.Event().wait).start()
"""


def listener() -> socket.socket:
    """Somebody who listens on a free port."""
    return socket.create_server(("127.0.0.1", 0))


def address(engine: socket.socket) -> str:
    """Where."""
    return f"127.0.0.1:{engine.getsockname()[1]}"


def test_it_ends_with_the_engine(tmp_path: Path) -> None:
    """The process tidies up and ends when its engine stops listening, whatever its threads are waiting for."""
    tidied = tmp_path / "tidied"
    with listener() as engine:
        command = [sys.executable, "-c", PROCESS, address(engine), str(tidied)]
        child = subprocess.Popen(command)
        try:
            connection, _ = engine.accept()
            assert child.poll() is None
            engine.close()
            connection.close()
            assert (child.wait(20), tidied.exists()) == (1, True)
        finally:
            child.kill()
            child.wait()


def test_a_closed_connection_is_no_end() -> None:
    """An engine that closes a silent connection is still there: only one that takes no new one is gone."""
    with listener() as engine:
        where = ("127.0.0.1", engine.getsockname()[1])
        watch = threading.Thread(target=orphan._wait_until_gone, args=(where, socket.create_connection(where)))
        watch.start()
        for _ in range(3):
            connection, _ = engine.accept()
            connection.sendall(b"settings")
            connection.close()
        connection, _ = engine.accept()
        assert watch.is_alive()
        engine.close()
        connection.close()
    watch.join(20)

    assert not watch.is_alive()


def test_what_is_no_word_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that fails for another reason than a refusal is made again."""
    failures = [OSError("Too many open files"), TimeoutError(), ConnectionRefusedError()]

    def fail(_where: object) -> socket.socket:
        raise failures.pop(0)

    with listener() as engine:
        connection = socket.create_connection(engine.getsockname())
        engine.accept()[0].close()
        monkeypatch.setattr(socket, "create_connection", fail)
        orphan._wait_until_gone(("127.0.0.1", 1), connection)

    assert failures == []


@pytest.mark.parametrize("argument", ["127.0.0.1:1", "[::1]:1", "", "-q", "tests/test_it.py::test_one", ":"])
def test_without_an_engine(argument: str) -> None:
    """Where the last argument is no address, or nobody listens there, nothing is watched."""
    before = set(threading.enumerate())
    orphan.exit_with_engine(argument, lambda: pytest.fail("tidied"))
    watches = set(threading.enumerate()) - before
    for watch in watches:
        watch.join(20)

    assert [watch for watch in watches if watch.is_alive()] == []
