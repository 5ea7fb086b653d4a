"""The command line of `python tools/dist`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from release import archive, checksums, python_package, readiness, sdks, versions
from release.commands import ROOT, DistError, MissingToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OUT = ROOT / "dist"

KINDS: dict[str, Callable[[Path], None]] = {
    "python": python_package.build,
    "archive": archive.build,
    **{f"sdk-{language}": build for language, build in sdks.LANGUAGES.items()},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what is asked for, and return the exit status."""
    given = _parser().parse_args(arguments)
    if given.check_version is not None:
        return _report(versions.problems(given.check_version))
    try:
        if given.readiness:
            return readiness.report(given.out)
        return _build(given.out, given.kinds or list(KINDS), complete=given.complete)
    except DistError as error:
        return _report([str(error)])


def _build(out: Path, kinds: list[str], *, complete: bool) -> int:
    """Build artefacts, skip those whose tools are missing, and write the checksums."""
    out.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        began = time.monotonic()
        _say(f"Building {kind}.")
        try:
            KINDS[kind](out)
        except MissingToolError as missing:
            if complete:
                raise
            _say(f"Skips {kind}: {missing}")
        else:
            _say(f"Built {kind} in {time.monotonic() - began:.0f} s.")
    checksums.write(out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python tools/dist", description="Builds the artefacts of a release.")
    # argparse also looks for the empty list among the choices.
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], metavar="KIND", help=f"one of {', '.join(KINDS)}")
    parser.add_argument(
        "--out", type=lambda text: Path(text).resolve(), default=OUT, metavar="FOLDER", help="instead of dist"
    )
    parser.add_argument("--complete", action="store_true", help="fail if the tools of an artefact are missing")
    parser.add_argument("--check-version", metavar="TAG", help="check that all files have the version of a tag")
    parser.add_argument("--readiness", action="store_true", help="compare the start of the archive's plugin")
    return parser


def _report(problems: list[str]) -> int:
    for problem in problems:
        _say(problem)
    return 1 if problems else 0


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
