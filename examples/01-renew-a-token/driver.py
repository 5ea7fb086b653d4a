"""The tenant and the stack of the demonstration."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
SECONDS_FOR_A_COMMAND = 300


console = Console(highlight=False, soft_wrap=True)


class StepFailedError(Exception):
    """A step did not have the expected result."""


@dataclass
class Tenant:
    """The emulated tenant, by its control routes."""

    environment: dict[str, str]

    def requests(self) -> list[dict[str, Any]]:
        """The Graph requests since the last call."""
        seen = [one for one in self._call("GET", "requests") if "/deviceAppManagement/" in one["path"]]
        self._call("DELETE", "requests")
        return seen

    def edit(self, token_id: str, **members: Any) -> None:
        """Edit a token as an administrator does in the admin centre."""
        self._call("POST", f"portal/{token_id}", members)

    def _call(self, method: str, route: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self.environment['INTUNE_VPP_EMULATOR_URL']}/_emulator/{route}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - https, ours
        context = ssl.create_default_context(cafile=self.environment["INTUNE_VPP_CA_BUNDLE_PATH"])
        with urlopen(request, context=context, timeout=30) as answer:  # noqa: S310
            content = answer.read()
        return json.loads(content) if content else None


@dataclass
class Stack:
    """The example's stack, with the commands of the real `pulumi`."""

    environment: dict[str, str]
    project: Path

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command, and show it and its output."""
        console.print(Text(f"\n  $ pulumi {' '.join(arguments)}", style="bold"))
        done = self.quietly(*arguments)
        shown = (done.stdout + done.stderr).rstrip()
        lines = [line for line in shown.splitlines() if line.strip() and not line.startswith("@ ")]
        console.print(Text("\n".join(f"  │ {line}" for line in lines), style="dim"))
        return done

    def quietly(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command."""
        return subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],  # noqa: S607 - the engine found before
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_FOR_A_COMMAND,
            check=False,
        )

    def token(self) -> dict[str, Any] | None:
        """Return the record of the token in the state, or None if the state has no token."""
        exported = json.loads(self.quietly("stack", "export", "--show-secrets").stdout)
        resources = exported["deployment"].get("resources") or []
        return next((one for one in resources if one["type"].endswith(":VppToken")), None)


@contextmanager
def emulator(folder: Path) -> Iterator[Tenant]:
    """Start an emulated tenant, and stop it at the end."""
    env_file = folder / "tenant.env"
    command = [sys.executable, "-m", "intune_vpp_emulator", "serve", "--env-file", str(env_file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not env_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StepFailedError("The emulator did not start.")
            time.sleep(0.05)
        yield Tenant(read_env(env_file))
    finally:
        process.terminate()
        process.wait(10)


def read_env(path: Path) -> dict[str, str]:
    """The `KEY=value` lines of an env file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@contextmanager
def stack(folder: Path, tenant: Tenant) -> Iterator[Stack]:
    """A copy of the example with a state of its own, and the engine's environment."""
    project = folder / "project"
    shutil.copytree(HERE, project, ignore=shutil.ignore_patterns("__pycache__", "demo.py", "driver.py"))
    (folder / "state").mkdir()
    environment = {
        **os.environ,
        **engine_environment(folder / "home"),
        **tenant.environment,
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "demonstration",
    }
    made = Stack(environment, project)
    started = made.quietly("stack", "init", "demo")
    if started.returncode != 0:
        raise StepFailedError(started.stderr)
    yield made


def engine_environment(home: Path) -> dict[str, str]:
    """The environment variables that `tools/engine` prints for a run of the engine."""
    finder = HERE.parents[1] / "tools" / "engine"
    command = [sys.executable, str(finder), "--ready", "--demo", "--json", "--home", str(home)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise StepFailedError(found.stderr.strip())
    environment: dict[str, str] = json.loads(found.stdout.splitlines()[-1])["environment"]
    return environment


@contextmanager
def given(env_file: Path) -> Iterator[Tenant]:
    """A tenant that is already running."""
    yield Tenant(read_env(env_file))
