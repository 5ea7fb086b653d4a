"""The versions and checksums of an engine.

`go/*/go.mod` has the versions that are built, `go.sum` beside it their checksums.
"""

from __future__ import annotations

import hashlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path

GO_FOLDER = Path(__file__).resolve().parent.parent / "go"
PULUMI = "github.com/pulumi/pulumi"

OLDEST = (3, 235, 0)  # the oldest SDK in pyproject.toml; older engines have not been tried
TOO_NEW = (4, 0, 0)  # Pulumi's SDK refuses an engine of another major version

FOR_THE_DEMO = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
PROGRAMS = (*FOR_THE_DEMO, "pulumi-language-yaml", "pulumi-language-nodejs", "pulumi-language-go")
"""The programs of a whole engine."""

DOWNLOAD_VERSION = "3.250.0"  # the newest whose checksum is published for all four platforms
DOWNLOAD_ADDRESS = "https://get.pulumi.com/releases/sdk"
DOWNLOAD_SHA256 = {
    "linux-x64": "8916fd36ccc96adbd45ca679194b685e3b767d94502ae05610878a6d9870b8f3",
    "linux-arm64": "deb4bf0d05b4cbaf3adcf82ffa44039ad0ebf039e33338ead8136877a437b4e5",
    "darwin-x64": "8aa1615ed737022949d4050bf183ab37bce1f9cecb88877bc6636db82604e348",
    "darwin-arm64": "dbd289ce3069cf567683252082e226aef533775f546df7286f64f3f36f5fda28",
}

ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Tarball:
    """A file of the vendor, and the checksum that it must have."""

    address: str
    sha256: str


@dataclass(frozen=True, slots=True)
class GoModule:
    """A folder with `go.mod` and `go.sum`, and the commands that are built from it.

    `stamps` are the variables that receive the version of their module: the engine reads them, and not its build
    information. `place` is the folder of the binaries, relative to the engine's. `module` is the folder, if not `name`.
    """

    name: str
    commands: tuple[str, ...]
    stamps: tuple[tuple[str, str], ...] = ()
    place: str = "."
    module: str = ""

    @property
    def folder(self) -> Path:
        """The folder of its `go.mod`."""
        return GO_FOLDER / (self.module or self.name)

    def version(self, module: str) -> str:
        """The version of `module` that is pinned here, such as `v3.276.0`."""
        return self._said(rf"^\s*{re.escape(module)} (\S+)")

    @property
    def oldest_go(self) -> str:
        """The oldest Go that builds it, such as `1.26.6`."""
        return self._said(r"^go (\S+)")

    @property
    def linker_flags(self) -> str:
        """Flags that make smaller binaries and set their versions."""
        stamps = (f"-X {variable}={self.version(module)}" for variable, module in self.stamps)
        return " ".join(("-s -w", *stamps))

    def _said(self, pattern: str) -> str:
        found = re.search(pattern, (self.folder / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            raise AssertionError(f"{self.folder}/go.mod has no line like {pattern}")
        return found[1]


# Our own program, which is every host that has a runner; the folder of the runners is named in its source.
LANGUAGE_HOST = "language-host"
RUNNERS = "runners"

# Without it, the Automation API does not recognise the version and refuses.
_VERSION_OF_THE_ENGINE = (f"{PULUMI}/sdk/v3/go/common/version.Version", f"{PULUMI}/sdk/v3")

ENGINE = GoModule(
    "engine", (f"{PULUMI}/pkg/v3/cmd/pulumi", f"intune-vpp/engine/{LANGUAGE_HOST}"), (_VERSION_OF_THE_ENGINE,)
)
YAML_HOST = GoModule(
    "yaml-host",
    (f"{PULUMI}-yaml/cmd/pulumi-language-yaml",),
    (_VERSION_OF_THE_ENGINE, (f"{PULUMI}-yaml/pkg/version.Version", f"{PULUMI}-yaml")),
    module="engine",
)
PYTHON_RUNNER = GoModule("python-runner", (f"{PULUMI}/sdk/v3/python/cmd/pulumi-language-python",), place=RUNNERS)
NODE_AND_GO_RUNNERS = GoModule(
    "node-and-go-runners",
    (f"{PULUMI}/sdk/v3/nodejs/cmd/pulumi-language-nodejs", f"{PULUMI}/sdk/v3/go/pulumi-language-go"),
    place=RUNNERS,
)
BUILT_FOR_THE_DEMO = (ENGINE, PYTHON_RUNNER)
BUILT_AS_WELL = (YAML_HOST, NODE_AND_GO_RUNNERS)
GO_TAGS = "osusergo,grpcnotrace,disable_grpc_modules"
"""The last one leaves out the part of Google's storage library that calls its cloud through gRPC's xDS."""

OPTIMIZED = (
    "std",
    "golang.org/x/...",
    "google.golang.org/grpc/...",
    "google.golang.org/protobuf/...",
    "github.com/segmentio/...",
    "gopkg.in/...",
    "github.com/pulumi/...",
)
"""The packages in which a run of the engine spends its time. The others, such as the libraries of the clouds, are built
without optimization, which takes half the time."""


def platform_name() -> str:
    """The vendor's name of this platform, such as `linux-x64`."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{ARCHITECTURES.get(machine, machine)}"


def tarball() -> Tarball | None:
    """The vendor's build for this machine; None if no checksum is pinned."""
    sha256 = DOWNLOAD_SHA256.get(platform_name())
    if sha256 is None:
        return None
    return Tarball(f"{DOWNLOAD_ADDRESS}/pulumi-v{DOWNLOAD_VERSION}-{platform_name()}.tar.gz", sha256)


def key() -> str:
    """The key of the engine that these pins describe on this machine: 16 hex digits."""
    modules = (*BUILT_FOR_THE_DEMO, *BUILT_AS_WELL)
    digest = hashlib.sha256(f"{platform_name()} {tarball()} {modules} {GO_TAGS} {OPTIMIZED}".encode())
    for module in modules:
        for file in sorted(each for each in module.folder.rglob("*") if each.is_file()):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
