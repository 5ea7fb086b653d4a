"""The second way: the vendor's build, verified by a pinned checksum."""

from __future__ import annotations

import hashlib
import queue
import shutil
import tarfile
import threading
import urllib.request
from http.client import HTTPException
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit

from . import pins
from .errors import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from .progress import Progress

ANSWER_WITHIN = 5.0  # seconds for all of name look-up, connection, TLS and the first line of the answer
STALLED_AFTER = 20.0  # seconds without a byte
CHUNK = 1 << 18
FOLDERS = {PurePosixPath("pulumi"), PurePosixPath("pulumi/bin")}  # older releases used the second


def fetch(workshop: Path, progress: Progress) -> Path:
    """Download, check and unpack the vendor's build; the folder of its binaries."""
    wanted = pins.tarball()
    if wanted is None:
        raise UnavailableError(f"No checksum of the vendor's build for {pins.platform_name()} is pinned.")
    archive = workshop / "download.tar.gz"
    try:
        with _opened(wanted.address) as answer:
            progress.say(f"Downloading {wanted.address}")
            digest = _saved(answer, archive, progress)
        if digest != wanted.sha256:
            raise UnavailableError(f"{wanted.address} has the SHA-256 {digest}; {wanted.sha256} was expected.")
        return _unpacked(archive, workshop / "downloaded" / "bin")
    except (OSError, HTTPException, tarfile.TarError) as error:
        raise UnavailableError(f"{wanted.address} could not be downloaded: {_why(error)}.") from error


def _opened(address: str) -> IO[bytes]:
    """The answer to a request, or an error within seconds: time-outs of sockets do not cover name resolution."""
    answers: queue.SimpleQueue[IO[bytes] | OSError | HTTPException] = queue.SimpleQueue()
    threading.Thread(target=_ask, args=(address, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_WITHIN)
    except queue.Empty:
        raise UnavailableError(f"{urlsplit(address).netloc} did not answer within {ANSWER_WITHIN:.0f} s.") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _ask(address: str, answers: queue.SimpleQueue[IO[bytes] | OSError | HTTPException]) -> None:
    try:
        answers.put(urllib.request.urlopen(address, timeout=STALLED_AFTER))  # noqa: S310 - the address is a pin
    except (OSError, HTTPException) as error:
        if isinstance(error, HTTPError):  # an answer, still open
            error.close()
        answers.put(error)


def _why(error: Exception) -> str:
    """The text of an error, without urllib's wrapper of connection errors."""
    inner = getattr(error, "reason", error)
    return getattr(inner, "strerror", None) or str(inner)


def _saved(answer: IO[bytes], archive: Path, progress: Progress) -> str:
    """Write the answer to a file; its SHA-256."""
    digest = hashlib.sha256()
    with archive.open("wb") as file:
        while chunk := answer.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
            progress.update(f"downloading: {file.tell() / 1e6:.0f} MB")
    return digest.hexdigest()


def _unpacked(archive: Path, folder: Path) -> Path:
    """The archive's programs, each by its base name, so that no path in the archive is followed."""
    folder.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            content = tar.extractfile(member) if member.isfile() and path.parent in FOLDERS else None
            if content is not None:
                with content, (folder / path.name).open("wb") as file:
                    shutil.copyfileobj(content, file)
                (folder / path.name).chmod(0o755)
    return folder
