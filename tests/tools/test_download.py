"""The vendor's build: only what the checksum says, only its programs, and soon given up."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from pulumi_engine import download, pins, shelf
from pulumi_engine.cli import find_or_make
from pulumi_engine.errors import NoEngineError, UnavailableError
from pulumi_engine.progress import Progress
from tools.fakes import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.fakes import Machine


def tarball(*names: str) -> bytes:
    """An archive of small programs."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in names:
            content = b"#!/bin/sh\necho v3.250.0\n"
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("pulumi/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return packed.getvalue()


@contextmanager
def served(content: bytes, status: int = 200) -> Iterator[str]:
    """The address of a server on loopback that answers with `content`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/pulumi.tar.gz"
        server.shutdown()
        thread.join()


def pin(monkeypatch: pytest.MonkeyPatch, address: str, content: bytes) -> None:
    """Pin that content at that address."""
    pinned = pins.Tarball(address, hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(pins, "tarball", lambda: pinned)


@pytest.fixture
def quiet() -> Progress:
    """Progress that nobody reads."""
    return Progress(io.StringIO())


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("layout", ["pulumi", "pulumi/bin"])
def test_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quiet: Progress, layout: str) -> None:
    """An archive that has the pinned checksum becomes a folder of programs that run, in either of its two layouts."""
    content = tarball(*(f"{layout}/{name}" for name in PROGRAMS))
    with served(content) as address:
        pin(monkeypatch, address, content)
        folder = download.fetch(tmp_path, quiet)
    assert shelf.complete(folder)


@pytest.mark.usefixtures("machine")
def test_only_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quiet: Progress) -> None:
    """Links and paths out of the archive's own folder are not unpacked."""
    content = tarball("pulumi/pulumi", "../outside", "/outside", "pulumi/../../outside", "pulumi/deep/er")
    with served(content) as address:
        pin(monkeypatch, address, content)
        folder = download.fetch(tmp_path, quiet)
    assert [each.name for each in folder.iterdir()] == ["pulumi"]
    assert not list(tmp_path.rglob("outside"))


def test_other_content(machine: Machine, monkeypatch: pytest.MonkeyPatch, quiet: Progress) -> None:
    """An archive with another checksum is refused, both checksums are named, and nothing of it is left."""
    content = tarball(*(f"pulumi/{name}" for name in PROGRAMS))
    with served(content) as address:
        pin(monkeypatch, address, b"what was expected")
        with pytest.raises(NoEngineError) as refusal:
            find_or_make(quiet, make=True)
    assert hashlib.sha256(content).hexdigest() in str(refusal.value)
    assert hashlib.sha256(b"what was expected").hexdigest() in str(refusal.value)
    assert not machine.left()


def test_makes_an_engine(machine: Machine, monkeypatch: pytest.MonkeyPatch, quiet: Progress) -> None:
    """Where the download works, its programs stand in the cache afterwards and nothing else does."""
    content = tarball(*(f"pulumi/{name}" for name in PROGRAMS))
    with served(content) as address:
        pin(monkeypatch, address, content)
        folder = find_or_make(quiet, make=True)
    assert machine.left() == [folder.parent.name]
    assert shelf.complete(folder)


def test_not_found(machine: Machine, monkeypatch: pytest.MonkeyPatch, quiet: Progress) -> None:
    """An answer that is no archive is a sentence, not a traceback."""
    with served(b"", status=404) as address:
        pin(monkeypatch, address, b"")
        with pytest.raises(UnavailableError, match="could not be downloaded: Not Found"):
            download.fetch(machine.root, quiet)


def test_no_archive(machine: Machine, monkeypatch: pytest.MonkeyPatch, quiet: Progress) -> None:
    """Content that has the checksum but cannot be unpacked is a sentence, not a traceback."""
    with served(b"no archive") as address:
        pin(monkeypatch, address, b"no archive")
        with pytest.raises(UnavailableError, match="could not be downloaded"):
            download.fetch(machine.root, quiet)


def test_silence(machine: Machine, monkeypatch: pytest.MonkeyPatch, quiet: Progress) -> None:
    """A host that does not answer is given up soon, whatever it is that hangs."""
    monkeypatch.setattr(download, "ANSWER_WITHIN", 0.1)
    monkeypatch.setattr(download, "STALLED_AFTER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        pin(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}/", b"")
        with pytest.raises(UnavailableError, match="did not answer within"):
            download.fetch(machine.root, quiet)


def test_refused(machine: Machine, monkeypatch: pytest.MonkeyPatch, quiet: Progress) -> None:
    """A refused connection is reported in the system's words, without those of a library."""
    pin(monkeypatch, "http://127.0.0.1:1/", b"")
    with pytest.raises(UnavailableError, match=r"could not be downloaded: Connection refused\.$"):
        download.fetch(machine.root, quiet)


def test_unknown_platform(machine: Machine, monkeypatch: pytest.MonkeyPatch, quiet: Progress) -> None:
    """Where no checksum is pinned nothing is downloaded."""
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(UnavailableError, match=r"No checksum of the vendor's build for .*-riscv64"):
        download.fetch(machine.root, quiet)
