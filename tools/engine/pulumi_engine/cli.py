"""The command line: find or install an engine, and print its folder on stdout."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import build, commands, download, on_path, pins, shelf
from .environment import environment
from .errors import NoEngineError, UnavailableError
from .progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .shelf import Shelf

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status."""
    options = _options(arguments)
    for ending in commands.ENDINGS:  # each leaves temporary files to remove
        signal.signal(ending, signal.default_int_handler)
    try:
        folder = find_or_make(Progress(sys.stderr), make=not options.ready, demo=options.demo)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. The next run starts over.\n")
        return INTERRUPTED
    except NoEngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The engine could not be installed: {error}\n")
        return 1
    sys.stdout.write(f"{_answer(folder, options)}\n")
    return 0


def find_or_make(progress: Progress, *, make: bool, demo: bool = False) -> Path:
    """The folder of an engine's binaries: the one on PATH, one installed earlier, or one installed now.

    `demo` is satisfied with the programs that the demonstration needs.
    """
    try:
        return on_path.take(progress)
    except UnavailableError as reason:
        objection = str(reason)
    place, needed = shelf.Shelf.of_the_pins(), pins.FOR_THE_DEMO if demo else pins.PROGRAMS
    if not place.filled(needed):
        if not make:
            begun = place.filled(pins.FOR_THE_DEMO)
            found = "The installed engine runs Python programs only" if begun else "No engine has been installed yet"
            raise NoEngineError(f"{objection} {found}: run `make engine` first.")
        _fill(place, needed, progress, objection)
    return place.folder


def _fill(place: Shelf, needed: Sequence[str], progress: Progress, objection: str) -> None:
    with place.locked(progress):
        if not place.filled(needed):  # by the process that held the lock
            with place.workshop(progress) as workshop:
                begun = place.folder if place.filled(pins.FOR_THE_DEMO) else None
                place.put(_made(workshop, needed, progress, objection, begun).parent)
                progress.say_how_long("The engine is installed")


def _made(workshop: Path, needed: Sequence[str], progress: Progress, objection: str, begun: Path | None) -> Path:
    """The folder of binaries from the first way that works; `begun` has those that the demonstration needed."""
    reasons = [f"pulumi on PATH: {objection}"]
    from_source: Callable[[Path, Progress], Path] = (
        partial(build.add_hosts, begun) if begun else partial(build.build, demo=needed == pins.FOR_THE_DEMO)
    )
    for name, way in (("the vendor's build", download.fetch), ("built from source", from_source)):
        try:
            return _tried(way(workshop, progress), needed)
        except UnavailableError as reason:
            progress.say(str(reason))
            reasons.append(f"{name}: {reason}")
    raise NoEngineError(
        "No Pulumi engine was found, and none could be installed.\n  "
        + "\n  ".join(reasons)
        + "\nInstall Pulumi (https://www.pulumi.com/docs/install/) "
        + f"or Go {pins.ENGINE.oldest_go} or newer, and run it again."
    )


def _tried(folder: Path, needed: Sequence[str]) -> Path:
    if not shelf.complete(folder, needed) or on_path.version_of(folder / "pulumi") is None:
        raise UnavailableError("The result does not run on this machine.")
    return folder


def _answer(folder: Path, options: argparse.Namespace) -> str:
    if not options.json:
        return str(folder)
    variables = environment(folder, python=options.python, home=options.home, path=os.environ.get("PATH", os.defpath))
    return json.dumps({"folder": str(folder), "environment": variables})


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python tools/engine",
        description="Find or install a Pulumi engine. The last line of the output is the folder of its binaries.",
    )
    parser.add_argument("--ready", action="store_true", help="find an engine, never install one")
    parser.add_argument("--demo", action="store_true", help="only the programs that the demonstration needs")
    parser.add_argument("--json", action="store_true", help="print the folder and the environment of a run as JSON")
    for_json = parser.add_argument_group("with --json")
    for_json.add_argument("--python", type=_path, default=_path(sys.executable), help="the interpreter of programs")
    for_json.add_argument("--home", type=_path, default=shelf.cache() / "home", help="the engine's own PULUMI_HOME")
    return parser.parse_args(arguments)


def _path(text: str) -> Path:
    return Path(text).absolute()  # not resolved: a virtual environment's interpreter is a symbolic link
