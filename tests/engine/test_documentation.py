"""The stories of the documentation: commands and files of its pages, run in their order as a reader would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import documentation
from harness import token_file
from project import PLUGIN, install_command, traces

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Tenant

SECONDS = 280


class Reader:
    """Somebody with a shell, an installed provider and a tenant, who follows the pages in one folder."""

    def __init__(self, folder: Path, engine: dict[str, str], tenant: Tenant) -> None:
        self.work = folder / "vpp-tokens"
        commands = self.work / ".venv" / "bin"
        install_command(commands / PLUGIN, "intune_vpp")
        install_command(commands / "intune-vpp-emulator", "intune_vpp_emulator")
        lines = [f"{name}={value}\n" for name, value in tenant.environment.items()]
        (self.work / "tenant.env").write_text("".join(lines))
        self.environment = {**documentation.shell(engine, folder, commands), **tenant.environment}
        self.displayed: list[str] = []

    def follow(self, story: str, *pages: str) -> str:
        """Do what the pages say; what the commands print."""
        told = documentation.story(story, *pages)
        self.displayed.append(documentation.run(told, self.work, self.environment, seconds=SECONDS))
        return self.displayed[-1]


@pytest.fixture
def reader(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> Reader:
    """A reader with a tenant in which a sync takes no time."""
    return Reader(tmp_path, engine, tenant)


def test_the_first_token(reader: Reader, tenant: Tenant, tmp_path: Path) -> None:
    """The tutorial creates a token and renews it in place, prints what it shows, and no secret is anywhere."""
    reader.follow("first-token", "docs/tutorials/first-token.md")
    sync = "POST vppTokens/{id}/syncLicenses"
    assert tenant.writes() == ["POST vppTokens", sync, "PATCH vppTokens/{id}", sync]
    assert traces(tmp_path, *reader.displayed) == []


def test_forty_tokens(reader: Reader, tenant: Tenant, tmp_path: Path) -> None:
    """The tutorial adopts 40 tokens, renews the one with a newer file, and creates only that of a new location."""
    folder = reader.work / "token-files"
    folder.mkdir()
    for number in range(40):
        location = f"School{number:02}"
        file = token_file(folder, f"sToken_for_{location}", location=location)
        tenant.upload(file, displayName=f"Token of {location}")
        if number < 2:
            file.unlink()
    token_file(folder, "sToken_for_School39", days=350, location="School39")
    token_file(folder, "sToken_for_Ashby", location="Ashby")
    tenant.log()
    reader.follow("forty-tokens", "docs/tutorials/forty-tokens.md")
    sync = "POST vppTokens/{id}/syncLicenses"
    assert sorted(tenant.writes()) == ["PATCH vppTokens/{id}", "POST vppTokens", sync, sync]
    assert traces(tmp_path, *reader.displayed) == []
