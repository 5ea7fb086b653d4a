"""The plugin as a process, started as the engine starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from intune_vpp.plugin.servicer import Servicer
from plugin.door import Door

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

COMMAND = (sys.executable, "-m", "intune_vpp")
SECONDS_TO_END = 5
"""What the engine grants before it kills (pulumi/pulumi, sdk/go/common/resource/plugin/plugin.go)."""


@contextmanager
def begun(
    *arguments: str, command: tuple[str, ...] = COMMAND, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process with both its mouths open; whatever happens, it is gone afterwards."""
    with subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def port_of(child: subprocess.Popen[str]) -> int:
    """The first line that it prints."""
    assert child.stdout is not None
    return int(child.stdout.readline())


@contextmanager
def connected(port: int) -> Iterator[Door]:
    """A channel to a process."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Door(provider_pb2_grpc.ResourceProviderStub(channel), Servicer())


class Silent:
    """Lets a creation wait for its answer until it is released; notes each request."""

    def __init__(self) -> None:
        self.asked, self.released = Event(), Event()
        self.requests: list[str] = []

    def around(self, app: WSGIApplication) -> WSGIApplication:
        """The application, silent to a POST of a token."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].endswith("/vppTokens"):
                self.asked.set()
                self.released.wait()
            return app(environ, start_response)

        return answer
