"""Unit tests of users' programs: under `pulumi.runtime.set_mocks` no engine answers, and no provider runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest

from dynamic.programs import unit_tests
from intune_vpp.dynamic import LicenseCountSync, LicenseRevocation, LicenseSync, VppToken

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "09-unit-tests"
ELSEWHERE = "/not/on/this/machine/lincoln.vpptoken"


def declare(**arguments: Any) -> LicenseRevocation:
    """A program with every class, as a test of it would call it."""
    token = VppToken(
        "lincoln", **{"apple_id": "apps@contoso.example", "expected_location_name": "Lincoln", **arguments}
    )
    LicenseSync("nightly", vpp_token_id=token.id)
    LicenseCountSync("count", triggers=["1"])
    return LicenseRevocation("goodbye", vpp_token_id=token.id)


@pytest.mark.parametrize(
    "token",
    [
        pulumi.FileAsset(ELSEWHERE),
        Path(ELSEWHERE),
        pulumi.Output.from_input(Path("relative.vpptoken")),
        pulumi.StringAsset("text"),
        "text",
    ],
)
def test_the_file_need_not_exist(token: Any) -> None:
    """The machine that runs a unit test does not need the token file, in whatever form the program passes it."""
    made = unit_tests(lambda: declare(token=token)).made
    assert {one.name for one in made} == {"lincoln", "nightly", "count", "goodbye"}


def test_each_test_builds_the_program_anew() -> None:
    """The second test of a process may build the same program, and mocks may give every token the same id."""
    made = unit_tests(declare, declare, lambda: LicenseRevocation("other", vpp_token_id="x")).made
    assert len(made) == 2 * 4 + 1


def test_mocks_need_no_outputs() -> None:
    """A revocation whose mock answers the inputs alone is no failure; its counts are absent."""
    found: list[Any] = []

    def program() -> pulumi.Output[None]:
        goodbye = declare()
        return pulumi.Output.all(goodbye.action_state, goodbye.total_licenses_count).apply(found.append)

    unit_tests(program)
    assert found == [[None, None]]


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ({"actionState": "failed", "totalLicensesCount": 4, "failedLicensesCount": 4}, "could not be revoked"),
        ({"actionState": "active"}, "has not been confirmed"),
        ({"duplicateTokenIds": ["33333333-2222-4222-8222-222222222222"]}, "has a duplicate in this tenant"),
        ({"locationName": "York"}, 'is for the location "York", but "Lincoln" is expected'),
    ],
)
def test_mocks_may_let_it_fail(outputs: dict[str, Any], told: str) -> None:
    """What mocks answer is judged as ever, so that a test can see its program fail."""
    with pytest.raises(pulumi.RunError, match=told):
        unit_tests(declare, outputs=outputs)


@pytest.mark.parametrize(
    ("right", "wrong", "outcome"),
    [
        ("", "", "3 passed"),
        ("expected_location_name=location,", "", "test_each_location_is_guarded"),
        ("data_sharing_consent_granted=True,", "deletion_protection=False,", "test_nothing_unprotects_a_token"),
    ],
)
def test_the_example(tmp_path: Path, right: str, wrong: str, outcome: str) -> None:
    """The command of the example's README passes, and fails by the test that is about what the program does wrong."""
    work = tmp_path / "example"
    shutil.copytree(EXAMPLE, work)
    program = work / "schools.py"
    program.write_text(program.read_text().replace(right, wrong))
    (command,) = re.findall(r"^    (\S.+)$", (work / "README.md").read_text(), re.MULTILINE)
    assert command == "python -m pytest"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, *command.split()[1:]], cwd=work, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == (not right), done.stdout
    assert outcome in done.stdout.partition("short test summary")[2] or outcome in done.stdout.splitlines()[-1]
