"""The emulator and other processes that the tests with the real `pulumi` start and end."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from builders import vpptoken

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
_STARTED = datetime.now(UTC)
_files = itertools.count()
TOKENS = "/beta/deviceAppManagement/vppTokens"
SECONDS_FOR_A_COMMAND = 120
LOOPBACK = "127.0.0.1,localhost"
PROXIES = {"NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK} | {
    name: f"{value},{LOOPBACK}" if name.upper() == "NO_PROXY" else value
    for name, value in os.environ.items()
    if name.upper().endswith("_PROXY")
}
"""Of whoever runs the tests, read before a fixture takes them away: only for commands that ask a package registry."""


@dataclass(frozen=True)
class Tenant:
    """An emulator process, seen through its control routes."""

    environment: dict[str, str]

    def writes(self) -> list[str]:
        """`METHOD path` of each Graph request that was no GET, with the id as `{id}`; the log is emptied."""
        return [one for one in self.requests() if not one.startswith("GET")]

    def requests(self) -> list[str]:
        """`METHOD path` of each Graph request; the log is emptied."""
        return self.shown(self.log())

    def writes_so_far(self) -> list[str]:
        """The same, with the log left as it is."""
        return [one for one in self.shown(self._call("GET", "requests")) if not one.startswith("GET")]

    @staticmethod
    def shown(log: list[dict[str, Any]]) -> list[str]:
        """`METHOD path` of each Graph request in a log."""
        return [f"{one['method']} {_shape(one['path'])}" for one in log if one["path"].startswith("/beta")]

    def log(self) -> list[dict[str, Any]]:
        """The request log, emptied afterwards."""
        found: list[dict[str, Any]] = self._call("GET", "requests")
        self._call("DELETE", "requests")
        return found

    def wait_for(self, request: str) -> None:
        """Wait until a request is in the log, which stays."""
        deadline = time.monotonic() + 30
        while request not in (seen := self.shown(self._call("GET", "requests"))):
            assert time.monotonic() < deadline, f"{request} never came, only {seen}"
            time.sleep(0.1)

    def behave(self, **behavior: Any) -> None:
        """Change what the tenant does, such as `tokenEncoding`, from now on."""
        self._call("PATCH", "behavior", behavior)

    def edit(self, token_id: str, **members: Any) -> None:
        """Change a token as a person in the admin centre would."""
        self._call("POST", f"portal/{token_id}", members)

    def delete(self, token_id: str) -> None:
        """Delete a token as a person in the admin centre would."""
        self._call("DELETE", f"portal/{token_id}")

    def advance(self, seconds: int) -> None:
        """Move the tenant's clock."""
        self._call("POST", "clock", {"advanceSeconds": seconds})

    def tokens(self) -> list[dict[str, Any]]:
        """The tokens as Graph lists them. The requests for this are in the log, and faults apply to them."""
        env = self.environment
        asked = {
            "grant_type": "client_credentials",
            "client_id": env["ARM_CLIENT_ID"],
            "client_secret": env["ARM_CLIENT_SECRET"],
            "scope": f"{env['INTUNE_VPP_GRAPH_ENDPOINT']}/.default",
        }
        sign_in = f"{env['INTUNE_VPP_AUTHORITY_HOST']}/{env['ARM_TENANT_ID']}/oauth2/v2.0/token"
        with httpx.Client(verify=_trusting(env)) as http:
            bearer = http.post(sign_in, data=asked).raise_for_status().json()["access_token"]
            url = f"{env['INTUNE_VPP_GRAPH_ENDPOINT']}{TOKENS}"
            answer = http.get(url, headers={"Authorization": f"Bearer {bearer}"}).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["value"]
        return found

    def upload(self, file: Path, **members: Any) -> str:
        """Upload a token file as a person in the admin centre would; the token's id."""
        basis = {"token": file.read_text(), "appleId": "apps@contoso.example", "vppTokenAccountType": "business"}
        token_id: str = self._call("POST", "portal", {**basis, **members})["id"]
        synced = {"lastSyncStatus": "completed", "lastSyncDateTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        self.edit(token_id, **synced)
        return token_id

    def licenses(self, token_id: str, **used: int) -> dict[str, int]:
        """The licences of a token in use, by bundle id, after some were put to use."""
        found: dict[str, int] = self._call("POST", f"portal/{token_id}/licenses", used)
        return found

    def fail(self, *rules: dict[str, Any]) -> None:
        """Let things go wrong by these rules."""
        self._call("POST", "faults", list(rules))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._call("DELETE", "faults")

    def suffer(self) -> None:
        """Wait until a request is under way for each of the rules of `fail`."""
        deadline = time.monotonic() + 30
        while left := self._call("GET", "faults"):
            assert time.monotonic() < deadline, f"{left} never happened"
            time.sleep(0.1)

    def apps(self) -> dict[str, Any]:
        """The app registrations of the tenant."""
        found: dict[str, Any] = self._call("GET", "tenant")["apps"]
        return found

    def _call(self, method: str, route: str, body: Any = None) -> Any:
        url = f"{self.environment['INTUNE_VPP_EMULATOR_URL']}/_emulator/{route}"
        with httpx.Client(verify=_trusting(self.environment)) as http:
            answer = http.request(method, url, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def _trusting(environment: dict[str, str]) -> Any:
    import ssl  # noqa: PLC0415

    return ssl.create_default_context(cafile=environment["INTUNE_VPP_CA_BUNDLE_PATH"])


def _shape(path: str) -> str:
    rest = path.removeprefix(TOKENS).strip("/").split("/")
    return "/".join(["vppTokens", *("{id}" if len(part) == 36 else part for part in rest if part)])


@contextmanager
def emulator(folder: Path, *options: str) -> Iterator[Tenant]:
    """A tenant of its own, in a process of its own."""
    env_file = folder / f"tenant-{time.monotonic_ns()}.env"
    command = [sys.executable, "-m", "intune_vpp_emulator", "serve", "--env-file", str(env_file), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not env_file.exists():
            assert process.poll() is None, "the emulator did not start"
            assert time.monotonic() < deadline, "the emulator did not start in time"
            time.sleep(0.05)
        words = shlex.split(env_file.read_text())  # values are quoted for a shell
        yield Tenant(dict(word.split("=", 1) for word in words))
    finally:
        process.terminate()
        process.wait(10)


def started_by(pid: int) -> dict[int, str]:
    """The processes that a process has started, and those that they have, with their command lines."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)  # noqa: S607
    lines = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    found: dict[int, str] = {}
    parents = {pid}
    while parents:
        children = {int(child): args for child, parent, args in lines if int(parent) in parents}
        found |= children
        parents = set(children)
    return found


def kill(command: subprocess.Popen[str]) -> None:
    """Let a command and all that it started vanish, as with the machine that they ran on."""
    # The engine first: one whose provider went before it would be writing that down.
    for pid in (command.pid, *started_by(command.pid)):
        end(pid)
    command.communicate(timeout=SECONDS_FOR_A_COMMAND)


def end(pid: int) -> None:
    """Kill a process that may be gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that has ended and waits for its parent to notice does not count."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return listed.stdout.strip()[:1] not in {"", "Z"}


def token_file(
    folder: Path,
    name: str = "lincoln",
    *,
    days: float = 300,
    organization: str = "Contoso",
    location: str = "Lincoln",
) -> Path:
    """A new `.vpptoken` file that expires in a little less than so many days.

    No two expire in the same second, as with Apple's: they would count as one file.
    """
    expires = _STARTED + timedelta(days=days, seconds=-next(_files))
    path = folder / f"{name}.vpptoken"
    path.write_text(vpptoken(location, organization=organization, expires=expires.replace(microsecond=0)))
    return path
