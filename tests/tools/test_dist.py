"""What a release is made of: versions, archives, checksums and licences. tests/engine/test_release.py builds it."""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from release import archive, checksums, cli, licences, sdks, tarball, versions
from release.commands import DistError, MissingToolError

ROOT = Path(__file__).resolve().parents[2]


LOADS_ALL = """\
import pkgutil, sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))
from intune_vpp.engine.lean_imports import load_lean
load_lean()
import intune_vpp
found = [one.name for one in pkgutil.walk_packages(intune_vpp.__path__, "intune_vpp.")]
for name in found:
    if not name.startswith("intune_vpp.dynamic"):
        __import__(name)
print(len(found))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree in which version 1.2.3 can be released."""
    package = tmp_path / "provider" / "intune_vpp" / "__init__.py"
    package.parent.mkdir(parents=True)
    package.write_text('__version__ = "1.2.3"\n')
    (tmp_path / "schema.json").write_text(json.dumps({"version": "1.2.3"}))
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2027-01-02\n")
    return tmp_path


def test_a_tag_that_all_files_agree_with(tree: Path) -> None:
    """There is nothing to say if package, schema and changelog have the version of the tag."""
    assert versions.problems("v1.2.3", tree) == []


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2", "v1.2.3-rc1", "v1.2.3\n"])
def test_a_tag_of_another_form(tree: Path, tag: str) -> None:
    """Only vX.Y.Z names a release."""
    assert versions.problems(tag, tree) == [f"The tag {tag} does not have the form vX.Y.Z."]


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        (
            "provider/intune_vpp/__init__.py",
            '__version__ = "1.2.2"\n',
            "The tag is v1.2.3, but provider/intune_vpp/__init__.py has the version 1.2.2.",
        ),
        ("schema.json", '{"version": "1.2.4"}', "The tag is v1.2.3, but schema.json has the version 1.2.4."),
        ("schema.json", "{}", "The tag is v1.2.3, but schema.json has the version None."),
        (
            "CHANGELOG.md",
            "## [Unreleased]\n",
            "The tag is v1.2.3, but CHANGELOG.md has no release: add a heading `## [1.2.3] - YYYY-MM-DD`.",
        ),
        (
            "CHANGELOG.md",
            "## [1.2.4] - 2027-02-03\n\n## [1.2.3] - 2027-01-02\n",
            (
                "The tag is v1.2.3, but the newest release in CHANGELOG.md is 1.2.4: "
                "add a heading `## [1.2.3] - YYYY-MM-DD`."
            ),
        ),
        (
            "CHANGELOG.md",
            "## [1.2.3]\n",
            "The tag is v1.2.3, but CHANGELOG.md has no release: add a heading `## [1.2.3] - YYYY-MM-DD`.",
        ),
    ],
)
def test_a_file_of_another_version(tree: Path, file: str, text: str, sentence: str) -> None:
    """Each file that has another version is named in one sentence."""
    (tree / file).write_text(text)
    assert versions.problems("v1.2.3", tree) == [sentence]


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`--check-version` prints the sentences and fails; what is released next is not yet in this changelog."""
    assert cli.main(["--check-version", "v9.9.9"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_this_tree() -> None:
    """The package and the schema of this tree have the same version."""
    assert json.loads((ROOT / "schema.json").read_text())["version"] == versions.version()


def test_an_archive_is_reproducible(tmp_path: Path) -> None:
    """Two folders with the same files make the same bytes, whatever their times, their links and their order."""
    for number, order in enumerate([("b", "a"), ("a", "b")]):
        folder = tmp_path / f"folder-{number}"
        (folder / "deep").mkdir(parents=True)
        for name in order:
            (folder / "deep" / name).write_text(name)
        (folder / "deep" / "a").chmod(0o700 if number else 0o755)
        (folder / "link").symlink_to("deep/a") if number else (folder / "link").write_text("a")
        if not number:
            (folder / "link").chmod(0o755)
        tarball.pack(folder, tmp_path / f"{number}.tar.gz")
    assert (tmp_path / "0.tar.gz").read_bytes() == (tmp_path / "1.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "1.tar.gz") as tar:
        assert tar.getnames() == ["deep", "deep/a", "deep/b", "link"]
        assert all(entry.isfile() for entry in tar.getmembers()[1:])


def test_checksums(tmp_path: Path) -> None:
    """Each file has its line, in the form that `sha256sum --check` reads; the list itself has none."""
    (tmp_path / "b").write_bytes(b"two")
    (tmp_path / "a").write_bytes(b"one")
    for _ in range(2):
        sums = checksums.write(tmp_path)
    first, second = (hashlib.sha256(text).hexdigest() for text in (b"one", b"two"))
    assert sums.read_text() == f"{first}  a\n{second}  b\n"


@pytest.mark.parametrize(
    ("system", "machine", "ending"),
    [
        ("linux", "x86_64", "linux-amd64"),
        ("linux", "aarch64", "linux-arm64"),
        ("darwin", "arm64", "darwin-arm64"),
        ("darwin", "x86_64", "darwin-amd64"),
        ("win32", "AMD64", "windows-amd64"),
        ("win32", "ARM64", "windows-arm64"),
    ],
)
def test_names_of_archives(monkeypatch: pytest.MonkeyPatch, system: str, machine: str, ending: str) -> None:
    """The engine finds an archive by the name that Go gives to system and processor."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert archive.name("1.2.3") == f"pulumi-resource-intune-vpp-v1.2.3-{ending}.tar.gz"


def test_another_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that no archive is named for is refused."""
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(DistError, match=r"There is no plugin archive for .* on riscv64\."):
        archive.name("1.2.3")


def test_what_the_archive_leaves_out() -> None:
    """Every module of the plugin can be imported without the modules that the archive leaves out."""
    spec = ast.parse((ROOT / "tools" / "dist" / "plugin.spec").read_text())
    assigned = {ast.unparse(one.targets[0]): one.value for one in spec.body if isinstance(one, ast.Assign)}
    unused = ast.literal_eval(assigned["UNUSED"])
    command = [sys.executable, "-c", LOADS_ALL, *unused]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 80


def test_licences(tmp_path: Path) -> None:
    """Each distribution of the given modules has its licence there, and so have Python and what it contains."""
    (tmp_path / "lib").mkdir()
    for library in ("libssl.so.3", "libpython3.11.so.1.0", "base_library.zip"):
        (tmp_path / "lib" / library).touch()
    licences.collect(tmp_path, ["httpx._client", "google.protobuf.message", "intune_vpp.core", "json"])
    found = {path.parent.name for path in (tmp_path / "LICENSES").glob("*/*") if path.stat().st_size > 500}
    assert {"Python", "OpenSSL", "libffi", "zlib", "Expat", "libmpdec", "httpx", "protobuf", "pyinstaller"} <= found
    assert "intune-vpp" not in found
    table = (tmp_path / "LICENSES" / "README.md").read_text()
    assert "| httpx | " in table
    assert all(f"| {name} | " in table for name in found)


def test_an_unknown_library(tmp_path: Path) -> None:
    """A library whose licence is not known, such as readline's GPL, stops the build."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libreadline.so.8").touch()
    with pytest.raises(DistError, match=r"would contain libreadline\.so\.8, whose licence"):
        licences.collect(tmp_path, [])


def test_a_missing_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An artefact whose tool is missing is skipped in one sentence that names it; with `--complete` it is a failure."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["sdk-dotnet", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().err == "Building sdk-dotnet.\nSkips sdk-dotnet: dotnet is not on PATH.\n"
    assert cli.main(["sdk-dotnet", "--out", str(tmp_path), "--complete"]) == 1
    assert capsys.readouterr().err == "Building sdk-dotnet.\ndotnet is not on PATH.\n"
    with pytest.raises(MissingToolError, match=r"gradle is not on PATH\."):
        sdks.build("java", tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="PyInstaller needs no other program there")
def test_an_archive_without_binutils(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the programs that PyInstaller starts, the archive is not begun, and the missing one is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="objdump is not on PATH"):
        archive.frozen(tmp_path)
    assert list(tmp_path.iterdir()) == []
