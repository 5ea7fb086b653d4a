"""The licences of all that the plugin archive bundles, in its folder `LICENSES`.

What PyInstaller collects depends on the machine, so the build fails if one of the libraries has no known licence.
"""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING

from release.commands import ROOT, DistError

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = "LICENSES"
_OWN = "intune-vpp"
_LOADER = ("pyinstaller", "pyinstaller-hooks-contrib")
"""The executable itself is PyInstaller's loader."""
_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS|COPYRIGHT)", re.IGNORECASE)

_TEXTS = Path(__file__).resolve().parents[1] / "texts"

IN_PYTHON = {
    "OpenSSL": ("Apache-2.0", ROOT / "LICENSE"),
    "libffi": ("MIT", _TEXTS / "libffi.txt"),
    "zlib": ("Zlib", _TEXTS / "zlib.txt"),
    "Expat": ("MIT", _TEXTS / "expat.txt"),
    "libmpdec": ("BSD-2-Clause", _TEXTS / "libmpdec.txt"),
}
"""What Python's modules contain, or load as a shared library: https://docs.python.org/3/license.html."""

_KNOWN = re.compile(
    # On Windows, Python's licence has the terms of Microsoft's runtime.
    r"(lib(crypto|ssl|ffi|z|expat|mpdec)|zlib|(lib)?python3|vcruntime|msvcp|ucrtbase|api-ms-win)\b.*|Python",
    re.IGNORECASE,
)
"""The shared libraries whose licences these are."""


def collect(folder: Path, modules: Iterable[str]) -> None:
    """Write the licences of these modules and of the libraries in a frozen folder.

    Raises DistError if the folder contains a library without a known licence, or if a licence has no text.
    """
    _require_known(folder / "lib")
    out = folder / FOLDER
    works = [("Python", sys.version.split()[0], "PSF-2.0", [_of_python()])]
    works += [(name, "", licence, [text]) for name, (licence, text) in IN_PYTHON.items()]
    works += [(one.metadata["Name"], one.version, _licence(one), _texts(one)) for one in _distributions(modules)]
    works.sort(key=lambda work: work[0].lower())
    for name, _, _, texts in works:
        _copy(texts, out / name)
    lines = [f"| {name} | {version} | {licence} |" for name, version, licence, _ in works]
    head = "The plugin archive contains these works, each under the licence in the folder of its name.\n"
    table = "\n".join([head, "| work | version | licence |", "|---|---|---|", *lines, ""])
    (out / "README.md").write_text(table, encoding="utf-8", newline="\n")


def _copy(texts: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for text in texts:
        shutil.copyfile(text, folder / text.name)


def _of_python() -> Path:
    """Return the licence of the interpreter."""
    library = Path(sysconfig.get_path("stdlib"))
    debian = Path(f"/usr/share/doc/{library.name}/copyright")
    places = (library / "LICENSE.txt", Path(sys.base_prefix) / "LICENSE.txt", debian)
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise DistError(f"The licence of Python is not in {library}.")
    return found


def _require_known(folder: Path) -> None:
    """Refuse a library, beside the packages, that would come without its licence."""
    of_distributions = tuple(suffix for suffix in EXTENSION_SUFFIXES if suffix not in {".so", ".pyd"})
    files = [path.name for path in folder.iterdir() if path.is_file()]
    for name in sorted(files):
        if not (name.endswith((".zip", *of_distributions)) or _KNOWN.fullmatch(name)):
            raise DistError(f"The archive would contain {name}, whose licence tools/dist/release/licences.py lacks.")


def _distributions(modules: Iterable[str]) -> list[metadata.Distribution]:
    """Return the distributions that the modules are of, and the loader's."""
    of = metadata.packages_distributions()
    names = {name for module in modules for name in of.get(module.split(".")[0], [])} - {_OWN}
    return [metadata.distribution(name) for name in sorted({*names, *_LOADER})]


def _licence(distribution: metadata.Distribution) -> str:
    """Return the name of a licence, as the distribution gives it."""
    known = distribution.metadata
    stated = [*(known.get_all("License-Expression") or []), *(known.get_all("License") or [])]
    classified = [
        line.rpartition(" :: ")[2] for line in known.get_all("Classifier") or [] if line.startswith("License")
    ]
    # Some give the whole text as the name.
    return str((stated or [", ".join(classified)])[0]).partition("\n")[0]


def _texts(distribution: metadata.Distribution) -> list[Path]:
    """Return the licence files of a distribution."""
    files = [file for file in distribution.files or [] if ".dist-info" in file.parts[0] and _FILE.match(file.name)]
    found = [Path(str(file.locate())) for file in files]
    if not found:
        raise DistError(f"The wheel of {distribution.metadata['Name']} has no text of its licence.")
    return found
