"""The example's pipelines: the shell steps of their workflow files, from the first preview to a red night."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from harness import emulator, token_file
from pipelines import stand_ins, steps
from project import PLUGIN, install_command, traces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness import Tenant
    from pipelines.steps import Run

DRIFT = "info: By hand was changed outside of Pulumi: displayName."
EXPIRY = "warning: York expires in 19 days, on "
IN_TIME = {"INTUNE_VPP_EXPIRY_WARNING_DAYS": "10"}
"""York's token is for 20 days: with this nobody is warned yet."""

CONNECTIONS = {"intune-vpp-reader": "reader", "intune-vpp": "app"}
"""The service connections in Azure DevOps, each with its application in the tenant."""


CREDENTIALS = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN")
"""What a job shows for an OIDC token: the only secret that a run has, beside the token files."""


class Runner:
    """A machine with a checkout of the example, the commands of a runner, a stack and a vault with two token files."""

    def __init__(self, folder: Path, engine: Mapping[str, str], tenant: Tenant) -> None:
        """Set it up; the environment has no credentials, which come from the workflow."""
        self.folder, self.tenant, self.checkout = folder, tenant, folder / "checkout"
        self.displayed: list[str] = []
        self.variables = {"KEY_VAULT": "contoso-vpp", "PULUMI_BACKEND_URL": f"file://{folder / 'state'}"}
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

    def github(self, file: str, job: str, *, subject: str | None = None, **environment: str) -> Run:
        """Run a job of a workflow on GitHub; its OIDC tokens have the subject of the job, or another one."""
        apps, given = self.tenant.apps(), self.tenant.environment
        clients = {"READER_CLIENT_ID": apps["reader"]["clientId"], "WRITER_CLIENT_ID": apps["app"]["clientId"]}
        own = {"TENANT_ID": given["ARM_TENANT_ID"], "github.token": "of this run alone", **clients}
        found, of_job = steps.github(file, job, {**given, **self.variables, **own})
        self.tenant.behave(oidcSubject=subject or steps.subject_on_github(file, job))
        return self._run(found, {**of_job, **environment})

    def azure(self, job: str, **environment: str) -> Run:
        """Run a job of Azure Pipelines; the task `AzureCLI@2` brings the variables of its service connection."""
        apps, given = self.tenant.apps(), self.tenant.environment
        connections = {
            name: {
                "AZURESUBSCRIPTION_TENANT_ID": given["ARM_TENANT_ID"],
                "AZURESUBSCRIPTION_CLIENT_ID": apps[app]["clientId"],
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": given["ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID"],
            }
            for name, app in CONNECTIONS.items()
        }
        variables = {**self.variables, "STACK": "prod"}
        macros = {"System.AccessToken": given["SYSTEM_ACCESSTOKEN"]}
        (connection,) = {steps.connection_of(step) for step in steps.azure_jobs()[job]} - {None}
        self.tenant.behave(oidcSubject=f"sc://contoso/tablets/{connection}")
        oidc = {"SYSTEM_OIDCREQUESTURI": given["SYSTEM_OIDCREQUESTURI"]}
        return self._run(steps.azure(job, macros, connections), {**variables, **oidc, **environment})

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
        assert set(self.folder.rglob("*.vpptoken")) == set((self.folder / "contoso-vpp").iterdir())
        (credential,) = [value for name, value in self.tenant.environment.items() if name in CREDENTIALS]
        assert not [text for text in self.displayed if credential in text]

    def _run(self, found: list[steps.Step], environment: Mapping[str, str]) -> Run:
        done = steps.run(found, self.checkout, {**self.environment, **environment})
        self.displayed.append(done.text)
        return done


@pytest.fixture
def tenant(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tenant]:
    """An empty tenant in which applications sign in as the test says."""
    with emulator(tmp_path, "--sync-seconds", "0", "--sign-in", request.param) as running:
        yield running


@pytest.fixture
def runner(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> Runner:
    """A machine on that tenant."""
    return Runner(tmp_path, engine, tenant)


@pytest.mark.parametrize("tenant", ["github"], indirect=True)
def test_on_github(runner: Runner, tenant: Tenant) -> None:
    """The reader previews, only the writer's job applies, and drift or expiry keeps one issue open until it is gone."""
    stored = runner.backend()
    previewed = runner.github("tokens.yml", "preview")
    assert previewed.ok, previewed.text
    assert "Creates Lincoln (valid until " in previewed.text
    assert (tenant.writes(), runner.backend()) == ([], stored)
    refused = runner.github("tokens.yml", "apply", subject=steps.subject_on_github("tokens.yml", "preview"))
    assert not refused.ok
    assert "AADSTS700213" in refused.text
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


@pytest.mark.parametrize("tenant", ["azure-devops"], indirect=True)
def test_in_azure_devops(runner: Runner, tenant: Tenant) -> None:
    """The reader previews, the writer applies, and drift and expiry are errors of the nightly run, which fails."""
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
