"""Makes the executables that the engine starts, and measures how fast they are ready."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmark.results import Measure

BENCH = Path(__file__).resolve().parents[1]
NAME = "pulumi-resource-intune-vpp"

OURS = "intune_vpp.plugin.start:main"
YARDSTICK = "yardstick.serve:yardstick"
EMPTY = "yardstick.serve:empty"


def make(folder: Path, entry: str) -> Path:
    """Make an executable for an entry point, as pip does."""
    module, _, function = entry.partition(":")
    lines = [f"#!{sys.executable}", "import sys"]
    if entry != OURS:
        lines.append(f"sys.path.insert(0, {str(BENCH)!r})")
    lines += [f"from {module} import {function}", "if __name__ == '__main__':", f"    sys.exit({function}())", ""]
    folder.mkdir(parents=True)
    executable = folder / NAME
    executable.write_text("\n".join(lines))
    executable.chmod(0o755)
    return executable


def readiness(folder: Path, starts: int) -> list[Measure]:
    """Measure the seconds from the start to the line with the port, also for an empty server on the same stubs."""
    ours, empty = make(folder / "ours", OURS), make(folder / "empty", EMPTY)
    # Not measured: on the first start, Python compiles the modules.
    for executable in (ours, empty):
        _seconds_to_port(executable)
    return [Measure(_seconds_to_port(ours), _seconds_to_port(empty)) for _ in range(starts)]


def _seconds_to_port(executable: Path) -> float:
    began = time.perf_counter()
    process = subprocess.Popen([executable], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        took = time.perf_counter() - began
    finally:
        process.kill()
        process.communicate()
    if not line.strip().isdigit():
        raise RuntimeError(f"The plugin {executable.parent.name} did not print its port.")
    return took
