"""The real `pulumi`, the emulator as a process, and a project between them: what the engine's tests are made of."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
_STARTED = datetime.now(UTC)
_files = itertools.count()
DYNAMIC_TYPE = "pulumi-python:dynamic/intune-vpp:VppToken"
PLUGIN_TYPE = "intune-vpp:index:VppToken"
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

    def edit(self, token_id: str, **members: Any) -> None:
        """Change a token as a person in the admin centre would."""
        self._call("POST", f"portal/{token_id}", members)

    def delete(self, token_id: str) -> None:
        """Delete a token as a person in the admin centre would."""
        self._call("DELETE", f"portal/{token_id}")

    def advance(self, seconds: int) -> None:
        """Move the tenant's clock."""
        self._call("POST", "clock", {"advanceSeconds": seconds})

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
        lines = env_file.read_text().splitlines()
        yield Tenant(dict(line.split("=", 1) for line in lines if "=" in line))
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Run:
    """What one command of `pulumi` did."""

    ok: bool
    text: str

    def errors(self) -> str:
        """The lines that say what went wrong."""
        return "\n".join(line for line in self.text.splitlines() if "error" in line.lower())


@dataclass
class Project:
    """A Pulumi project with a stack, in a folder of its own."""

    folder: Path
    environment: dict[str, str]
    declared: dict[str, dict[str, Any]] = field(default_factory=dict)
    displayed: list[str] = field(default_factory=list)
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    type: str = DYNAMIC_TYPE

    @classmethod
    def start(cls, folder: Path, engine: dict[str, str], tenant: Tenant, program: str = PROGRAM) -> Self:
        """Write the program and make the stack."""
        work = folder / "project"
        work.mkdir()
        (work / "Pulumi.yaml").write_text("name: contoso\nruntime: python\n")
        (work / "__main__.py").write_text(program)
        return cls.open(work, engine, tenant)

    @classmethod
    def open(cls, work: Path, engine: dict[str, str], tenant: Tenant) -> Self:
        """Make the stack of a program that is there; its state and Pulumi's home lie beside its folder."""
        state = work.parent / "state"
        state.mkdir(exist_ok=True)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI")},
            **engine,
            **tenant.environment,
            "PULUMI_HOME": str(work.parent / "home"),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "for a test",
        }
        project = cls(work, environment)
        made = project.pulumi("stack", "init", "test")
        assert made.ok, made.text
        return project

    def pulumi(self, *arguments: str, **environment: str) -> Run:
        """Run one command; what it prints is remembered."""
        command = self.begin(*arguments, **environment)
        try:
            text, _ = command.communicate(timeout=SECONDS_FOR_A_COMMAND)
        except subprocess.TimeoutExpired:
            os.killpg(command.pid, signal.SIGKILL)
            raise
        self.displayed.append(text)
        return Run(command.returncode == 0, text)

    def begin(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start one command, in a process group of its own."""
        return subprocess.Popen(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],  # noqa: S607 - the engine comes first on PATH
            cwd=self.folder,
            env={
                **self.environment,
                "TOKENS": json.dumps(self.declared),
                "OPERATIONS": json.dumps(self.operations),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def up(self, *options: str, **environment: str) -> Run:
        """`pulumi up` without a preview before it."""
        return self.pulumi("up", "--yes", "--skip-preview", *options, **environment)

    def preview(self, *options: str, **environment: str) -> Run:
        """`pulumi preview`."""
        return self.pulumi("preview", *options, **environment)

    def refresh(self, *options: str, **environment: str) -> Run:
        """`pulumi refresh` without a preview before it."""
        return self.pulumi("refresh", "--yes", "--skip-preview", *options, **environment)

    def destroy(self, *options: str, **environment: str) -> Run:
        """`pulumi destroy` without a preview before it."""
        return self.pulumi("destroy", "--yes", "--skip-preview", *options, **environment)

    def declare(self, name: str = "lincoln", **arguments: Any) -> None:
        """Let the program declare a token: what every token needs, and what the test is about."""
        basis = {
            "apple_id": "apps@contoso.example",
            "vpp_token_account_type": "business",
            "data_sharing_consent_granted": True,
            "deletion_protection": False,
        }
        self.declared[name] = {**basis, **self.declared.get(name, {}), **arguments}

    def declare_operation(self, name: str, kind: str, vpp_token_id: str | None = None, **arguments: Any) -> None:
        """Let the program run an operation; a token is named by its resource here, or by its id in the tenant."""
        of = {"vpp_token_id": vpp_token_id} if vpp_token_id else {}
        self.operations[name] = {"kind": kind, **of, **arguments}

    def records(self) -> dict[str, dict[str, Any]]:
        """All records in the state, by resource name."""
        return {one["urn"].rsplit("::", 1)[1]: one for one in self.export()["deployment"].get("resources") or []}

    def tokens(self) -> dict[str, dict[str, Any]]:
        """The records of the tokens in the state, by resource name."""
        return {name: one for name, one in self.records().items() if one["type"] == self.type}

    def token(self, name: str = "lincoln") -> dict[str, Any]:
        """One record."""
        return self.tokens()[name]

    def outputs(self, name: str = "lincoln") -> dict[str, Any]:
        """One resource's outputs, secrets opened."""
        opened = {key: _opened(value) for key, value in self.records()[name]["outputs"].items()}
        return dict(opened)

    def export(self) -> dict[str, Any]:
        """`stack export --show-secrets`."""
        exported: dict[str, Any] = json.loads(self.pulumi("stack", "export", "--show-secrets").text)
        return exported


def _opened(value: Any) -> Any:
    if isinstance(value, dict) and "plaintext" in value:
        return json.loads(value["plaintext"])
    return value


def interrupt(command: subprocess.Popen[str]) -> str:
    """Press Ctrl-C in a command's terminal: it fails within seconds, whatever it waits for. All that it displayed."""
    os.killpg(command.pid, signal.SIGINT)
    pressed = time.monotonic()
    text, _ = command.communicate(timeout=SECONDS_FOR_A_COMMAND)
    assert time.monotonic() - pressed < 8
    assert command.returncode != 0
    return text


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
    command = [sys.executable, "-m", "intune_vpp_emulator", "make-token", "--organization", organization]
    command += ["--location", location, "--expires", f"{expires:%Y-%m-%dT%H:%M:%S}"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    path = folder / f"{name}.vpptoken"
    path.write_text(made.stdout.strip())
    return path
