"""Run the whole life of a token with the real `pulumi` and an emulated tenant.

After each step it shows the requests that the tenant received, and checks them and the state. The exit status is 0 if
every step had the expected result. `--tenant FILE` uses a tenant that is already running, by its env file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver import Stack, StepFailedError, Tenant, console, emulator, given, stack

if TYPE_CHECKING:
    from collections.abc import Callable

TOKENS = "/beta/deviceAppManagement/vppTokens"


@dataclass
class Demonstration:
    """The steps, in order."""

    tenant: Tenant
    stack: Stack
    files: Path
    secrets: list[str] = field(default_factory=list)
    steps: int = 0

    def run(self) -> None:
        """Run all steps. Raises StepFailedError at the first unexpected result."""
        for step in (
            self.create,
            self.nothing_to_do,
            self.warn,
            self.renew,
            self.change_members,
            self.drift,
            self.refuse_files,
            self.refuse_to_destroy,
            self.destroy,
        ):
            self.steps += 1
            first_line = (step.__doc__ or "").splitlines()[0]
            console.print(f"\n[bold]{self.steps}. {first_line}[/]")
            step()

    def create(self) -> None:
        """`up` creates the token from its file, waits for the sync, and reads its state back."""
        self.use(self.file("first", expires=_in(days=12)))
        done = self.stack.pulumi("up", "--yes", "--skip-preview")
        self.saw(["GET", "POST", "POST syncLicenses"])
        self.check("the run succeeded", done.returncode == 0)
        token = self.state()
        outputs = token["outputs"]
        console.print(
            f"  state [bold]{outputs['state']}[/], expires [bold]{outputs['expirationDateTime']}[/], "
            f"sync [bold]{outputs['lastSyncStatus']}[/]"
        )
        self.check(
            "the token is valid and synced", (outputs["state"], outputs["lastSyncStatus"]) == ("valid", "completed")
        )
        self.check("the state holds a fingerprint", outputs["token"].startswith("sha256:"))

    def nothing_to_do(self) -> None:
        """`up` again changes nothing and sends nothing."""
        done = self.stack.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
        self.saw([])
        self.check("no change was found", done.returncode == 0)

    def warn(self) -> None:
        """`preview` warns that the token expires soon."""
        done = self.stack.pulumi("preview")
        self.saw([])
        self.check("the warning names the days left", "expires in 1" in done.stdout and "warning" in done.stdout)

    def renew(self) -> None:
        """`up` with a new file renews the token in place: one PATCH, same id."""
        before = self.state()
        ends = before["outputs"]["expirationDateTime"]
        self.use(self.file("second", expires=_in(days=364)))
        done = self.stack.pulumi("up", "--yes", "--skip-preview", "--diff")
        seen = self.saw(["PATCH", "POST syncLicenses"])
        self.check("the run succeeded", done.returncode == 0)
        self.check("the PATCH contains only the token", self.bodies(seen, "PATCH") == [["token"]])
        after = self.state()
        self.check("the id is the same", before["id"] == after["id"])
        self.check("it expires later now", after["outputs"]["expirationDateTime"] > ends)

    def change_members(self) -> None:
        """`up` sends a changed organization and display name, and nothing else."""
        self.configure(organizationName="Contoso Schools", displayName="Lincoln School")
        done = self.stack.pulumi("up", "--yes", "--skip-preview", "--diff")
        seen = self.saw(["PATCH"])
        self.check("the run succeeded", done.returncode == 0)
        self.check(
            "the PATCH contains only these two", self.bodies(seen, "PATCH") == [["displayName", "organizationName"]]
        )
        outputs = self.state()["outputs"]
        found = (outputs["organizationName"], outputs["displayName"])
        self.check("Intune shows both", found == ("Contoso Schools", "Lincoln School"))

    def drift(self) -> None:
        """`refresh` shows an edit in the portal, and the next `up` reverts it."""
        self.tenant.edit(self.state()["id"], displayName="Edited by hand")
        done = self.stack.pulumi("refresh", "--yes", "--skip-preview", "--diff")
        self.saw(["GET one"])
        self.check("the run succeeded", done.returncode == 0)
        self.check("the edit is shown", "Edited by hand" in done.stdout)
        done = self.stack.pulumi("up", "--yes", "--skip-preview")
        seen = self.saw(["PATCH"])
        self.check("the run succeeded", done.returncode == 0)
        self.check("only the edited member was sent", self.bodies(seen, "PATCH") == [["displayName"]])
        self.check(
            "the display name is the program's again", self.state()["outputs"]["displayName"] == "Lincoln School"
        )

    def refuse_files(self) -> None:
        """`preview` refuses a file that is damaged, expired, older or of another organization."""
        good = self.quiet_config("file")
        broken = self.files / "broken.vpptoken"
        broken.write_text("this is not a token file", encoding="utf-8")
        refused = {
            "not base64": broken,
            "expired on": self.file("expired", expires=_in(days=-1)),
            "with an older one": self.file("older", expires=_in(days=100), organization="Contoso Schools"),
            "belongs to the organization": self.file("other", expires=_in(days=365), organization="Fabrikam"),
        }
        for sentence, file in refused.items():
            self.use(file)
            done = self.stack.pulumi("preview")
            self.saw([])
            self.check(f"refused with a sentence ({sentence})", done.returncode != 0 and sentence in done.stdout)
            self.check("no traceback", "Traceback" not in done.stdout + done.stderr)
        self.configure(file=good, organizationName="Contoso Schools")

    def refuse_to_destroy(self) -> None:
        """`destroy` is refused while the token is protected."""
        done = self.stack.pulumi("destroy", "--yes", "--skip-preview")
        self.saw([])
        refused = "was not deleted: deletion_protection is on" in done.stdout + done.stderr
        self.check("the run failed with the reason", done.returncode != 0 and refused)
        self.check("the token is still there", self.stack.token() is not None)

    def destroy(self) -> None:
        """Without the protection, `destroy` deletes it."""
        self.configure(deletionProtection="false")
        done = self.stack.pulumi("up", "--yes", "--skip-preview")
        self.saw([])
        self.check("the protection was removed without a request", done.returncode == 0)
        done = self.stack.pulumi("destroy", "--yes", "--skip-preview")
        self.saw(["DELETE"])
        self.check("the run succeeded", done.returncode == 0)
        self.check("the state is empty", self.stack.token() is None)

    # Helpers of the steps.

    def file(self, name: str, *, expires: datetime, organization: str = "Contoso") -> Path:
        """Make a `.vpptoken` file such as Apple provides."""
        command = [sys.executable, "-m", "intune_vpp_emulator", "make-token", "--organization", organization]
        command += ["--location", "Lincoln", "--expires", f"{expires:%Y-%m-%dT%H:%M:%S}"]
        made = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        self.secrets.append(made)
        path = self.files / f"{name}.vpptoken"
        path.write_text(made, encoding="utf-8")
        return path

    def use(self, file: Path) -> None:
        """Configure the program to use a file."""
        self.configure(file=str(file))

    def configure(self, **values: str) -> None:
        """Change the stack's configuration."""
        for name, value in values.items():
            shown = Path(value).name if name == "file" else value
            console.print(f"  {name} = [bold]{shown}[/]")
            self.check("configured", self.stack.quietly("config", "set", name, value).returncode == 0, quiet=True)

    def quiet_config(self, name: str) -> str:
        """One value of the stack's configuration."""
        return self.stack.quietly("config", "get", name).stdout.strip()

    def state(self) -> dict[str, Any]:
        """The token's record in the state, which must not contain a secret."""
        token = self.stack.token()
        if token is None:
            raise StepFailedError("The token is not in the state.")
        text = json.dumps(token)
        self.check("no token file is in the state", not any(secret in text for secret in self.secrets), quiet=True)
        return token

    def saw(self, expected: list[str]) -> list[dict[str, Any]]:
        """Show the requests that the tenant received, and check them; the polls of a sync are shown, not checked."""
        seen = self.tenant.requests()
        if not seen:
            console.print("  → the tenant received no request", style="cyan")
        for one in seen:
            members = ", ".join(sorted(one.get("body") or {}))
            carried = f"  {{{members}}}" if members else ""
            console.print(f"  → {one['method']} {one['path']} {one['status']}{carried}", style="cyan")
        found = [_word(one) for one in seen]
        if "POST syncLicenses" in found:
            polled = found.index("POST syncLicenses") + 1
            found = found[:polled] + [word for word in found[polled:] if word != "GET"]
        self.check(f"requests: {', '.join(expected) or 'none'}", found == expected)
        return seen

    @staticmethod
    def bodies(seen: list[dict[str, Any]], method: str) -> list[list[str]]:
        """The names of the members that requests of a method carried."""
        return [sorted(one["body"]) for one in seen if one["method"] == method]

    @staticmethod
    def check(promise: str, held: bool, *, quiet: bool = False) -> None:  # noqa: FBT001 - the call reads as a sentence
        """Print whether a check passed. Raises StepFailedError if it did not."""
        if not held:
            console.print(f"  ✗ {promise}", style="bold red")
            raise StepFailedError(promise)
        if not quiet:
            console.print(f"  ✓ {promise}", style="green")


def _word(request: dict[str, Any]) -> str:
    """A request in a word: `GET` of the list, `GET one`, `PATCH`, `POST syncLicenses`."""
    rest = request["path"].removeprefix(TOKENS).strip("/").split("/")
    if rest[-1] == "syncLicenses":
        return f"{request['method']} syncLicenses"
    return "GET one" if request["method"] == "GET" and rest != [""] else request["method"]


def _in(*, days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days, hours=12)


def main() -> int:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description="Run the whole life of a token.")
    parser.add_argument("--tenant", type=Path, metavar="FILE", help="the env file of a tenant that is already running")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="intune-vpp-demo-") as name:
        folder = Path(name)
        opening: Callable[[], Any] = (lambda: given(options.tenant)) if options.tenant else (lambda: emulator(folder))
        try:
            with opening() as tenant, stack(folder, tenant) as made:
                demonstration = Demonstration(tenant, made, folder)
                demonstration.run()
        except StepFailedError as error:
            console.print(f"\nThis check failed: {error}", style="bold red")
            return 1
    seconds = time.monotonic() - started
    console.print(f"\nAll {demonstration.steps} steps passed, in {seconds:.0f} s.", style="bold green")
    return 0


if __name__ == "__main__":
    sys.exit(main())
