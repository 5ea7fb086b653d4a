"""`make pictures`: runs Pulumi with the emulated tenant, and draws what it prints as SVG.

Each scene is a real run of the plugin; only the terminal around it is drawn.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from harness import ROOT, emulator, token_file
from project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Tenant

PICTURES = ROOT / "docs" / "pictures"
WIDTH = 120
_PROGRAM = {
    "name": "contoso",
    "runtime": "yaml",
    "plugins": {"providers": [{"name": "intune-vpp", "path": str(Path(sys.executable).parent)}]},
    "resources": {
        "lincoln": {
            "type": "intune-vpp:VppToken",
            "properties": {
                "token": {"fn::fileAsset": "./lincoln.vpptoken"},
                "appleId": "apps@contoso.example",
                "vppTokenAccountType": "business",
                "displayName": "Lincoln",
                "dataSharingConsentGranted": True,
            },
        }
    },
    "outputs": {"state": "${lincoln.state}", "expires": "${lincoln.expirationDateTime}"},
}
# The page must not load a font from elsewhere, and each picture stands alone.
_SVG = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
  <style>
    .{unique_id}-matrix {{ font-family: Menlo, Consolas, monospace; font-size: {char_height}px; }}
    .{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
    {styles}
  </style>
  <defs>
    <clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}" /></clipPath>
    {lines}
  </defs>
  {chrome}
  <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">{matrix}</g>
  </g>
</svg>
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A command and what it printed, with the colours of the terminal."""

    name: str
    command: str
    printed: str


def draw(scene: Scene, file: Path) -> None:
    """Write the scene as SVG."""
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(Text.assemble(("$ ", "bold green"), (scene.command, "bold")))
        console.print(Text.from_ansi(scene.printed.strip()))
        svg = console.export_svg(
            title="Intune VPP", theme=DIMMED_MONOKAI, code_format=_SVG, unique_id=f"picture-{scene.name}"
        )
    file.write_text(re.sub(r"[ \t]+\n", "\n", svg), encoding="utf-8")


def scenes(folder: Path, engine: dict[str, str], tenant: Tenant) -> Iterator[Scene]:
    """Run the commands of all scenes, each after what happens before it."""
    work = folder / "contoso"
    work.mkdir()
    (work / "Pulumi.yaml").write_text(json.dumps(_PROGRAM))
    project = Project.open(work, engine, tenant)

    token_file(work, days=12)
    yield _run("up", project, "up", "--yes", "--skip-preview", "--suppress-progress")
    token_file(work, days=377)
    yield _run("renewal", project, "preview", "--diff")
    token_file(work, days=3)
    yield _run("refused", project, "preview", fails=True)
    token_file(work, days=378)
    project.up()
    (token,) = tenant.tokens()
    tenant.edit(token["id"], displayName="Lincoln (old)", automaticallyUpdateApps=True)
    yield _run("drift", project, "refresh", "--preview-only", "--diff")


def _run(name: str, project: Project, *command: str, fails: bool = False) -> Scene:
    """Run a command in colours. Raises RuntimeError if it does not end as expected."""
    done = subprocess.run(
        ["pulumi", "--non-interactive", "--color", "always", *command],  # noqa: S607 - the engine comes first on PATH
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if (done.returncode != 0) is not fails:
        raise RuntimeError(f"The command pulumi {' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return Scene(name, f"pulumi {' '.join(command)}", done.stdout)


def main() -> int:
    """Draw all scenes, and return the exit status."""
    parser = argparse.ArgumentParser(prog="pictures", description="Draw the pictures of the documentation.")
    parser.add_argument("--folder", type=Path, default=PICTURES, help="where to write them (default: docs/pictures)")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    ready = [sys.executable, str(ROOT / "tools" / "engine"), "--ready", "--json"]
    found = subprocess.run(ready, stdout=subprocess.PIPE, text=True, check=True)
    engine: dict[str, str] = json.loads(found.stdout.splitlines()[-1])["environment"]
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder), "--sync-seconds", "1") as tenant:
        for scene in scenes(Path(folder), engine, tenant):
            draw(scene, given.folder / f"{scene.name}.svg")
            sys.stdout.write(f"{given.folder / scene.name}.svg\n{Text.from_ansi(scene.printed).plain}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
