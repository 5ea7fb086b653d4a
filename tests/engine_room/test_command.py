"""Whether the engine that started a process runs `pulumi do`, read from its command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from intune_vpp.engine import command

PLUGIN = f"from {command.__name__} import *; from {command.__name__} import _listed; import {command.__name__} as it"
WAYS = {"its own": "", "by ps": "it._command_line = _listed; ", "not at all": "it._command_line = lambda _: []; "}


def asked(way: str, *arguments: str) -> str:
    """What a process answers that was started by one with these arguments."""
    child = [sys.executable, "-c", f"{PLUGIN}; {WAYS[way]}print(it.stores_input_file())"]
    engine = [sys.executable, "-c", f"import subprocess; subprocess.run({child!r}, check=True)"]
    done = subprocess.run([*engine, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("way", ["its own", "by ps"])
@pytest.mark.parametrize(
    ("arguments", "stores"),
    [
        (["do", "--package", "x", "intune-vpp:index:VppToken", "create", "lincoln"], "True"),
        (["--non-interactive", "--color", "never", "do", "intune-vpp:index:VppToken", "upsert", "lincoln"], "True"),
        (["do", "--stateless", "intune-vpp:index:VppToken", "create"], "False"),
        (["do", "--stateless=true", "intune-vpp:index:VppToken", "create"], "False"),
        (["up", "--yes"], "False"),
        (["preview", "--stack", "redo"], "False"),
        ([], "False"),
    ],
)
def test_commands(way: str, arguments: list[str], stores: str) -> None:
    """`pulumi do` stores its input file, unless it is stateless; no other command does."""
    assert asked(way, *arguments) == stores


def test_a_command_that_cannot_be_read() -> None:
    """It counts as another one."""
    assert asked("not at all", "do") == "False"


def test_a_machine_without_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of a process there, and nothing fails."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert command._listed(1) == []
    assert command._command_line(2**31 - 1) == []
