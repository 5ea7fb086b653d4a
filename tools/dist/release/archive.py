"""The plugin archive of this platform: a folder with its own Python, made by PyInstaller.

One folder and not one file, which would unpack itself at each start.
https://pyinstaller.org/en/stable/operating-mode.html
"""

from __future__ import annotations

import importlib
import importlib.util
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from release import licences, tarball
from release.commands import ROOT, DistError, MissingToolError, find, run
from release.versions import version

PLUGIN = "pulumi-resource-intune-vpp"
BINUTILS = ("objdump", "objcopy")
"""What PyInstaller starts on Linux: https://pyinstaller.org/en/stable/requirements.html."""
_SPEC = Path(__file__).resolve().parents[1] / "plugin.spec"
_SYSTEMS = {"linux": "linux", "darwin": "darwin", "win32": "windows"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def name(of: str) -> str:
    """Return the file name under which the engine looks for a version on this platform.

    Raises DistError if there is no archive for this platform.
    """
    system, machine = _SYSTEMS.get(sys.platform), _MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise DistError(f"There is no plugin archive for {sys.platform} on {platform.machine()}.")
    return f"{PLUGIN}-v{of}-{system}-{machine}.tar.gz"


def build(out: Path) -> None:
    """Build the archive of this platform."""
    archive = out / name(version())
    with tempfile.TemporaryDirectory(prefix="intune-vpp-dist-") as work:
        tarball.pack(frozen(Path(work)), archive)


def _require_tools() -> None:
    """Look for what PyInstaller needs before it is started. Raises MissingToolError."""
    if importlib.util.find_spec("PyInstaller") is None:
        raise MissingToolError("PyInstaller is not installed: install the extra `dist`.")
    if sys.platform == "linux":
        for tool in BINUTILS:
            find(tool)
    linked = importlib.import_module("PyInstaller.depend.bindepend")
    try:
        linked.get_python_library_path()
    except linked.PythonLibraryNotFoundError:
        raise MissingToolError("This Python was built without its shared library, which the archive needs.") from None


def frozen(work: Path) -> Path:
    """Make the folder that the archive contains, within the empty folder `work`, and return its path.

    Raises MissingToolError if PyInstaller, or something that it needs, is not installed, and DistError if PyInstaller
    fails or a licence is not known.
    """
    _require_tools()
    build_folder = work / "build"
    places = ("--distpath", str(work / "dist"), "--workpath", str(build_folder))
    run(
        *(sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *places, str(_SPEC)),
        folder=work,
        # Its cache would otherwise be one of the user, with what earlier runs left there.
        environment={"PYINSTALLER_CONFIG_DIR": str(work / "cache")},
    )
    folder = work / "dist" / PLUGIN
    modules = (build_folder / "plugin" / "modules.txt").read_text(encoding="utf-8").split()
    licences.collect(folder, modules)
    for file in ("schema.json", "LICENSE"):
        shutil.copyfile(ROOT / file, folder / file)
    return folder
