"""The command line: find or install an engine, and print its folder on stdout."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import build, commands, download, on_path, pins, shelf
from .environment import environment
from .errors import NoEngineError, UnavailableError
from .progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .shelf import Shelf

WAYS = (("the vendor's build", download.fetch), ("built from source", build.build))
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status."""
    options = _options(arguments)
    for ending in commands.ENDINGS:  # each leaves temporary files to remove
        signal.signal(ending, signal.default_int_handler)
    try:
        folder = find_or_make(Progress(sys.stderr), make=not options.ready)
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


def find_or_make(progress: Progress, *, make: bool) -> Path:
    """The folder of an engine's binaries: the one on PATH, one installed earlier, or one installed now."""
    try:
        return on_path.take(progress)
    except UnavailableError as reason:
        objection = str(reason)
    place = shelf.Shelf.of_the_pins()
    if not place.filled():
        if not make:
            raise NoEngineError(f"{objection} No engine has been installed yet: run `make engine` first.")
        _fill(place, progress, objection)
    return place.folder


def _fill(place: Shelf, progress: Progress, objection: str) -> None:
    with place.locked(progress):
        if not place.filled():  # by the process that held the lock
            with place.workshop(progress) as workshop:
                place.put(_made(workshop, progress, objection).parent)
                progress.say_how_long("The engine is installed")


def _made(workshop: Path, progress: Progress, objection: str) -> Path:
    """The folder of binaries from the first way that works."""
    reasons = [f"pulumi on PATH: {objection}"]
    for name, way in WAYS:
        try:
            return _tried(way(workshop, progress))
        except UnavailableError as reason:
            progress.say(str(reason))
            reasons.append(f"{name}: {reason}")
    raise NoEngineError(
        "No Pulumi engine was found, and none could be installed.\n  "
        + "\n  ".join(reasons)
        + "\nInstall Pulumi (https://www.pulumi.com/docs/install/) "
        + f"or Go {pins.ENGINE.oldest_go} or newer, and run it again."
    )


def _tried(folder: Path) -> Path:
    if not shelf.complete(folder) or on_path.version_of(folder / "pulumi") is None:
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
    parser.add_argument("--json", action="store_true", help="print the folder and the environment of a run as JSON")
    for_json = parser.add_argument_group("with --json")
    for_json.add_argument("--python", type=_path, default=_path(sys.executable), help="the interpreter of programs")
    for_json.add_argument("--home", type=_path, default=shelf.cache() / "home", help="the engine's own PULUMI_HOME")
    return parser.parse_args(arguments)


def _path(text: str) -> Path:
    return Path(text).absolute()  # not resolved: a virtual environment's interpreter is a symbolic link
