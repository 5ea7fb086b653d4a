"""The example's pipelines: the shell steps of their workflow files, from the first preview to a red night."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from harness import token_file
from pipelines import stand_ins, steps
from project import PLUGIN, install_command, traces

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness import Tenant
    from pipelines.steps import Run

DRIFT = "info: By hand was changed outside of Pulumi: displayName."
EXPIRY = "warning: York expires in 19 days, on "
IN_TIME = {"INTUNE_VPP_EXPIRY_WARNING_DAYS": "10"}
"""York's token is for 20 days: with this nobody is warned yet."""

VARIABLES = {
    "KEY_VAULT": "contoso-vpp",
    "STACK": "prod",
    "System.AccessToken": "not needed with a client secret",
    "github.token": "of this run alone",
}


class Runner:
    """A machine with a checkout of the example, the commands of a runner, a stack and a vault with two token files."""

    def __init__(self, folder: Path, engine: Mapping[str, str], tenant: Tenant) -> None:
        """Set it up; the environment has no credentials, which come from the workflow."""
        self.folder, self.tenant, self.checkout = folder, tenant, folder / "checkout"
        self.displayed: list[str] = []
        self.variables = {**VARIABLES, "PULUMI_BACKEND_URL": f"file://{folder / 'state'}"}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI")},
            **engine,
            **{name: value for name, value in tenant.environment.items() if name.startswith("INTUNE_VPP_")},
            "PATH": f"{folder / 'bin'}{os.pathsep}{engine['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "for a test",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "contoso/vpp-tokens",
            "GITHUB_RUN_ID": "7",
        }
        vault = folder / "contoso-vpp"
        stand_ins.copy_example(steps.EXAMPLE, self.checkout)
        stand_ins.install_az(folder / "bin", vault)
        stand_ins.install_gh(folder / "bin", folder / "issues.json")
        stand_ins.install_installers(folder / "bin", self.checkout)
        install_command(self.checkout / ".venv" / "bin" / PLUGIN, "intune_vpp")
        for made in (vault, folder / "state"):
            made.mkdir()
        token_file(vault, "vpp-lincoln", location="Lincoln", days=300)
        token_file(vault, "vpp-york", location="York", days=20)
        self.pulumi("stack", "init", "prod")

    def github(self, file: str, job: str, **environment: str) -> Run:
        """Run a job of a workflow on GitHub."""
        variables = {**self.tenant.environment, **self.variables, "TENANT_ID": self.tenant.environment["ARM_TENANT_ID"]}
        for name, app in self.tenant.apps().items():
            variables[{"app": "WRITER", "reader": "READER"}.get(name, name) + "_CLIENT_ID"] = app["clientId"]
        found, of_job = steps.github(file, job, variables)
        return self._run(found, {**of_job, **self._secret(of_job["ARM_CLIENT_ID"]), **environment})

    def azure(self, job: str, **environment: str) -> Run:
        """Run a job of Azure Pipelines; the task `AzureCLI@2` brings the variables of its service connection."""
        apps = self.tenant.apps()
        connections = {
            name: {
                "AZURESUBSCRIPTION_TENANT_ID": self.tenant.environment["ARM_TENANT_ID"],
                "AZURESUBSCRIPTION_CLIENT_ID": apps[app]["clientId"],
                **self._secret(apps[app]["clientId"]),
            }
            for name, app in (("vpp-reader", "reader"), ("vpp-writer", "app"))
        }
        return self._run(steps.azure(job, self.variables, connections), {**self.variables, **environment})

    def pulumi(self, *arguments: str) -> str:
        """Run one command of `pulumi`."""
        environment = {**self.environment, "PULUMI_BACKEND_URL": self.variables["PULUMI_BACKEND_URL"]}
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],  # noqa: S607 - the engine comes first on PATH
            cwd=self.checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        self.displayed.append(done.stdout + done.stderr)
        return done.stdout

    def id_of(self, name: str) -> str:
        """The id of a token."""
        records = json.loads(self.pulumi("stack", "export"))["deployment"]["resources"]
        (found,) = [one["id"] for one in records if one["urn"].endswith(f"VppToken::{name}")]
        return str(found)

    def backend(self) -> dict[Path, bytes]:
        """What the backend has stored."""
        return {path: path.read_bytes() for path in (self.folder / "state").rglob("*") if path.is_file()}

    def search(self) -> None:
        """No secret of a token file is anywhere but in the vault, and no credential was displayed."""
        assert traces(self.folder, *self.displayed, self.pulumi("stack", "export", "--show-secrets")) == []
        assert list(self.folder.rglob("*.vpptoken")) == sorted((self.folder / "contoso-vpp").iterdir(), reverse=True)
        credentials = [app["clientSecret"] for app in self.tenant.apps().values()]
        assert not [text for text in self.displayed if any(one in text for one in credentials)]

    def _secret(self, client_id: str) -> dict[str, str]:
        """How an application signs in here."""
        (app,) = [one for one in self.tenant.apps().values() if one["clientId"] == client_id]
        return {"ARM_CLIENT_SECRET": app["clientSecret"]}

    def _run(self, found: list[steps.Step], environment: Mapping[str, str]) -> Run:
        done = steps.run(found, self.checkout, {**self.environment, **environment})
        self.displayed.append(done.text)
        return done


@pytest.fixture
def runner(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> Runner:
    """A machine on an empty tenant."""
    return Runner(tmp_path, engine, tenant)


def test_on_github(runner: Runner, tenant: Tenant) -> None:
    """Preview as the reader, apply as the writer, a green night; after drift and near the end one issue, until healed."""
    stored = runner.backend()
    previewed = runner.github("tokens.yml", "preview")
    assert previewed.ok, previewed.text
    assert "Creates Lincoln (valid until " in previewed.text
    assert (tenant.writes(), runner.backend()) == ([], stored)
    applied = runner.github("tokens.yml", "apply")
    assert applied.ok, applied.text
    assert sorted(tenant.writes()) == ["POST vppTokens"] * 2 + ["POST vppTokens/{id}/syncLicenses"] * 2
    issues = runner.folder / "issues.json"
    night = runner.github("nightly.yml", "check", **IN_TIME)
    assert night.ok, night.text
    assert stand_ins.issues_in(issues) == []

    tenant.edit(runner.id_of("lincoln"), displayName="By hand")
    red = runner.github("nightly.yml", "check")
    assert not red.ok
    assert red.ran[-2:] == ["Remove the token files", "Open or update the issue"]
    (issue,) = stand_ins.issues_in(issues)
    assert f"    {DRIFT}\n" in issue["body"]
    assert f"    {EXPIRY}" in issue["body"]
    assert tenant.writes() == []

    assert runner.github("tokens.yml", "apply").ok
    assert tenant.writes() == ["PATCH vppTokens/{id}"]
    assert runner.github("nightly.yml", "check", **IN_TIME).ok
    assert [one["state"] for one in stand_ins.issues_in(issues)] == ["closed"]
    runner.search()


def test_in_azure_devops(runner: Runner, tenant: Tenant) -> None:
    """Preview as the reader, apply as the writer, a green night; after drift and near the end, errors of the run."""
    stored = runner.backend()
    previewed = runner.azure("preview")
    assert previewed.ok, previewed.text
    assert "Creates Lincoln (valid until " in previewed.text
    assert (tenant.writes(), runner.backend()) == ([], stored)
    applied = runner.azure("apply")
    assert applied.ok, applied.text
    assert sorted(tenant.writes()) == ["POST vppTokens"] * 2 + ["POST vppTokens/{id}/syncLicenses"] * 2
    night = runner.azure("check", **IN_TIME)
    assert night.ok, night.text
    assert "Report" not in night.ran

    tenant.edit(runner.id_of("lincoln"), displayName="By hand")
    red = runner.azure("check")
    assert not red.ok
    assert f"##vso[task.logissue type=error]{DRIFT}\n" in red.text
    assert f"##vso[task.logissue type=error]{EXPIRY}" in red.text
    assert tenant.writes() == []
    runner.search()
