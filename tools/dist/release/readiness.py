"""How long the archive's plugin takes until it prints its port, beside the plugin that pip installed."""

from __future__ import annotations

import statistics
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from pathlib import Path

from release import archive
from release.commands import DistError
from release.versions import version

STARTS = 15
LIMIT = 1.5
"""How many times the time of the installed plugin the archive's may take."""


def report(out: Path) -> int:
    """Measure both, print the medians, and return 1 if the archive's plugin is too slow.

    Raises DistError if the archive was not built, or if a plugin does not start.
    """
    packed = out / archive.name(version())
    if not packed.exists():
        raise DistError(f"{packed.name} is not in dist: run `python tools/dist archive` first.")
    program = f"{archive.PLUGIN}.exe" if sys.platform == "win32" else archive.PLUGIN
    with tempfile.TemporaryDirectory(prefix="intune-vpp-dist-") as folder:
        with tarfile.open(packed) as tar:
            tar.extractall(folder, filter="data")
        frozen, installed = medians(Path(folder) / program, Path(sysconfig.get_path("scripts")) / program)
    ratio = frozen / installed
    sys.stdout.write(f"archive {frozen:.3f} s, installed {installed:.3f} s, ratio {ratio:.2f} (limit {LIMIT})\n")
    return 1 if ratio > LIMIT else 0


def medians(*programs: Path) -> list[float]:
    """Return the median seconds to the port of each program, started in turn."""
    # Not measured: on the first start Python compiles modules, and the system reads files from the disk.
    for program in programs:
        seconds_to_port(program)
    rounds = [[seconds_to_port(program) for program in programs] for _ in range(STARTS)]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def seconds_to_port(program: Path) -> float:
    """Start a plugin, wait for the line with its port, and end it."""
    began = time.perf_counter()
    with subprocess.Popen([program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        took = time.perf_counter() - began
        process.kill()
    if not line.strip().isdigit():
        raise DistError(f"{program} did not print its port.")
    return took
