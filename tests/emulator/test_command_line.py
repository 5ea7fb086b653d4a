"""The commands, as a user runs them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from click.testing import CliRunner, Result

from intune_vpp_emulator import apple, cli, fault_rules
from intune_vpp_emulator.cli import main
from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.guesses import GUESSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = (sys.executable, "-m", "intune_vpp_emulator")
KEYS = [
    "ARM_TENANT_ID",
    "ARM_CLIENT_ID",
    "ARM_CLIENT_SECRET",
    "INTUNE_VPP_GRAPH_ENDPOINT",
    "INTUNE_VPP_AUTHORITY_HOST",
    "INTUNE_VPP_CA_BUNDLE_PATH",
    "INTUNE_VPP_EMULATOR_URL",
]


def run(*arguments: str) -> Result:
    """One command inside the process."""
    return CliRunner().invoke(main, arguments)


def variables(path: Path, process: subprocess.Popen[str] | None = None) -> dict[str, str]:
    """The environment, once it is there."""
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None
        time.sleep(0.02)
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


@contextlib.contextmanager
def served(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A serving process and its environment; it is ended by the end of the block."""
    env_file = folder / "emulator.env"
    command = [*COMMAND, "serve", "--env-file", str(env_file), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, variables(env_file, process)
        finally:
            process.terminate()


def get(environment: dict[str, str], path: str) -> httpx.Response:
    """A control route of a serving process."""
    context = ssl.create_default_context(cafile=environment["INTUNE_VPP_CA_BUNDLE_PATH"])
    with httpx.Client(verify=context, trust_env=False) as client:
        return client.get(environment["INTUNE_VPP_EMULATOR_URL"] + path)


def test_a_file_is_printed_and_nothing_else() -> None:
    """make-token prints the text of a file without a line break."""
    result = run("make-token", "--organization", "Contoso", "--location", "Lincoln", "--expires", "2027-10-01T09:08:07")

    read = apple.read(result.stdout)
    assert (result.exit_code, read.organization, read.location) == (0, "Contoso", "Lincoln")
    assert read.expires == datetime(2027, 10, 1, 9, 8, 7, tzinfo=UTC)


@pytest.mark.parametrize(("options", "days"), [((), 365), (("--days", "25"), 25), (("--days", "-1"), -1)])
def test_how_long_a_file_is_valid(options: tuple[str, ...], days: int) -> None:
    """make-token makes a file for a year, or for as many days as it is asked for."""
    before = datetime.now(UTC).date()
    result = run("make-token", "--organization", "Contoso", "--location", "Lincoln", *options)
    assert apple.read(result.stdout).expires.date() - timedelta(days=days) in {before, datetime.now(UTC).date()}


def test_an_unusable_number_of_days() -> None:
    """make-token refuses days beyond the calendar, and days beside a date, in one sentence."""
    beyond = run("make-token", "--organization", "O", "--location", "L", "--days", "9999999")
    assert beyond.stderr == "Error: --days takes a number of days up to the year 9999, not 9999999.\n"
    both = run("make-token", "--organization", "O", "--location", "L", "--days", "1", "--expires", "2027-10-01")
    assert "Use either --days or --expires." in both.stderr
    assert (beyond.stdout, both.stdout) == ("", "")


@pytest.mark.parametrize("expires", ["soon", "2027-13-01", "", "01.10.2027"])
def test_a_bad_date_is_one_sentence(expires: str) -> None:
    """make-token refuses a date that is none, in one sentence on standard error."""
    result = run("make-token", "--organization", "Contoso", "--location", "Lincoln", "--expires", expires)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"Error: --expires takes YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, not {expires!r}.\n"


def test_an_empty_name_is_refused() -> None:
    """make-token needs an organization and a location with a name."""
    for names in (("", "Lincoln"), ("Contoso", " ")):
        result = run("make-token", "--organization", names[0], "--location", names[1], "--expires", "2027-10-01")
        assert result.exit_code != 0
        assert result.stdout == ""


def test_the_guesses_are_listed() -> None:
    """Every guess can be read without opening the source."""
    assert run("guesses").stdout.splitlines() == [f"{name}: {belief}" for name, belief in GUESSES.items()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """Serve prints and writes the environment once it listens, and a signal ends it cleanly."""
    with served(tmp_path) as (process, environment):
        mode = (tmp_path / "emulator.env").stat().st_mode & 0o777
        answer = get(environment, "/_emulator/tenant")
        process.send_signal(number)
        out, err = process.communicate(timeout=10)

    assert (process.returncode, err, mode) == (0, "", 0o600)
    assert list(environment) == KEYS
    assert answer.json()["tenantId"] == environment["ARM_TENANT_ID"]
    lines = out.splitlines()
    assert lines[: len(KEYS)] == [f"export {name}={value}" for name, value in environment.items()]
    assert "curl --cacert" in lines[len(KEYS)]
    assert all(line.startswith("# ") for line in lines[len(KEYS) :])
    assert not (tmp_path / "emulator.env").exists()


def test_it_serves_a_method_of_sign_in(tmp_path: Path) -> None:
    """With --sign-in the environment has the variables of that method alone, and removes its file at the end."""
    with served(tmp_path, "--sign-in", "certificate") as (process, environment):
        path = tmp_path / "emulator.env.pfx"
        assert environment["ARM_CLIENT_CERTIFICATE_PATH"] == str(path)
        assert path.stat().st_mode & 0o777 == 0o600
        process.terminate()
        process.communicate(timeout=10)

    assert "ARM_CLIENT_SECRET" not in environment
    assert not path.exists()


def test_it_serves_several_tenants(tmp_path: Path) -> None:
    """With --tenants the environment has the ids of all, and --consented of them have consented."""
    with served(tmp_path, "--tenants", "3", "--consented", "2", "--page-size", "7") as (_, environment):
        ids = environment["INTUNE_VPP_EMULATOR_TENANTS"].split(",")
        behaviors = [get(environment, f"/_emulator/behavior?tenant={one}").json() for one in ids]

    assert (len(set(ids)), ids[0]) == (3, environment["ARM_TENANT_ID"])
    assert [one["appConsented"] for one in behaviors] == [True, True, False]
    assert [one["pageSize"] for one in behaviors] == [7, 7, 7]


def test_a_state_is_that_of_one_tenant(tmp_path: Path) -> None:
    """--state and --tenants exclude each other."""
    result = run("serve", "--tenants", "2", "--state", str(tmp_path / "state.json"))

    assert result.exit_code == 2
    assert "--state keeps a single tenant" in result.stderr


def test_two_runs_with_a_state_are_one_tenant(tmp_path: Path) -> None:
    """With a state file the identity and the tokens are there again, and the sToken is in no file."""
    state, text = tmp_path / "state.json", run_make_token()
    with served(tmp_path, "--state", str(state)) as (_, first):
        context = ssl.create_default_context(cafile=first["INTUNE_VPP_CA_BUNDLE_PATH"])
        with httpx.Client(verify=context, trust_env=False) as client:
            made = client.post(
                f"{first['INTUNE_VPP_EMULATOR_URL']}/_emulator/portal", json={"token": text, "appleId": "a@b.example"}
            )
    with served(tmp_path, "--state", str(state)) as (_, second):
        assert {name: first[name] for name in KEYS[:3]} == {name: second[name] for name in KEYS[:3]}
        assert get(second, "/_emulator/tenant").json()["tenantId"] == first["ARM_TENANT_ID"]

    assert made.status_code == 201
    assert made.json()["id"] in state.read_text()
    assert not [one for one in tmp_path.iterdir() if text[40:80] in one.read_text()]


def without(module: str) -> subprocess.CompletedProcess[str]:
    """The command where a module is not installed."""
    run_it = "runpy.run_module('intune_vpp_emulator', run_name='__main__')"
    script = f"import runpy, sys; sys.modules[{module!r}] = None; {run_it}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def run_make_token() -> str:
    """The text of a file that ends late."""
    return run("make-token", "--organization", "O", "--location", "L", "--expires", "2199-01-01").stdout


def test_two_runs_without_a_state_are_two_tenants(tmp_path: Path) -> None:
    """Without a state file each run is a tenant of its own, and both can run at once."""
    other = tmp_path / "other"
    other.mkdir()
    with served(tmp_path) as (_, one), served(other) as (_, two):
        assert [name for name in KEYS if one[name] == two[name]] == []


def test_an_old_environment_is_not_found(tmp_path: Path) -> None:
    """Whoever waits for the environment never finds the one of an earlier run."""
    env_file = tmp_path / "emulator.env"
    env_file.write_text("ARM_TENANT_ID=old\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run("serve", "--env-file", str(env_file), "--port", str(taken.getsockname()[1]))

    assert not env_file.exists()


def test_a_port_in_use_is_one_sentence() -> None:
    """A port that somebody else has is reported in one sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", "--port", str(taken.getsockname()[1]))

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Cannot serve: ")
    assert result.stderr.count("\n") == 1


def test_a_state_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    """A state file of another kind, or in a folder that is not there, is reported in one sentence."""
    (tmp_path / "state.json").write_text("{}")

    for path in (tmp_path / "state.json", tmp_path / "nowhere" / "state.json"):
        result = run("serve", "--state", str(path))
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_it_serves_inside_the_process_too(tmp_path: Path) -> None:
    """Serve obeys its options, and a signal to the process ends it."""
    env_file = tmp_path / "emulator.env"
    sender = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                f"import os, time\nwhile not os.path.exists({str(env_file)!r}): time.sleep(0.02)\n"
                f"os.kill({os.getpid()}, {int(signal.SIGTERM)})"
            ),
        ]
    )
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        result = run("serve", "--env-file", str(env_file), "--page-size", "7", "--token-encoding", "base64")
    finally:
        sender.wait(10)
        for number, handler in before.items():
            signal.signal(number, handler)

    assert result.exit_code == 0
    assert result.stdout.startswith("export ARM_TENANT_ID=")


def test_it_takes_as_long_as_its_option_says() -> None:
    """How long a sync, a revocation and the lag of a renewal last is what the command line says."""
    arguments = ["--sync-seconds", "5", "--revoke-seconds", "7.5", "--renewal-lag-seconds", "0"]
    tenant = cli._tenant(cli.serve_command.make_context("serve", arguments).params)

    assert (tenant.sync_seconds, tenant.revoke_seconds, tenant.renewal_lag_seconds) == (5, 7.5, 0)


@pytest.mark.parametrize("missing", ["flask", "trustme", "click"])
def test_a_missing_extra_is_one_sentence(missing: str) -> None:
    """Without the extra the command says what to install, and nothing more."""
    result = without(missing)

    assert result.returncode == 1
    assert result.stderr == f"The emulator needs {missing}: pip install 'intune-vpp[emulator]'\n"


def test_another_missing_module_is_a_fault() -> None:
    """What is missing but no part of the extra is not explained away."""
    result = without("shlex")

    assert "ModuleNotFoundError" in result.stderr


def test_the_module_is_a_command() -> None:
    """`python -m intune_vpp_emulator` is the command line."""
    result = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)

    assert "make-token" in result.stdout


def test_it_begins_with_the_faults_of_a_file(tmp_path: Path) -> None:
    """--faults has the rules waiting when the server listens, and --throttle is one of the behaviors."""
    rules = [{"method": "GET", "path": "*/vppTokens", "status": 429, "probability": 0.5, "times": "always"}]
    (tmp_path / "faults.json").write_text(json.dumps(rules))
    arguments = ("--faults", str(tmp_path / "faults.json"), "--faults-seed", "7", "--throttle", "documented")

    with served(tmp_path, *arguments) as (_, environment):
        assert get(environment, "/_emulator/faults").json() == rules
        assert get(environment, "/_emulator/behavior").json()["throttle"] == "documented"


def test_the_seed_of_the_command_is_that_of_the_faults(tmp_path: Path) -> None:
    """The same --faults-seed draws the same faults, as a list of rules with that seed does."""
    rules = [{"status": 503, "probability": 0.5, "times": "always"}]
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(rules))

    drawn = [
        [one.for_request("GET", "/") is None for _ in range(64)]
        for one in (cli._faults(path, 7), Faults(rules, seed=7))
    ]

    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not JSON: Expecting value: line 1 column 1 (char 0)."),
        (
            b"[{'status': 503}]",
            "is not JSON: Expecting property name enclosed in double quotes: line 1 column 3 (char 2).",
        ),
        (b"\xff", "is not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte."),
        (b"[" * 100_000, "is not JSON: it is nested too deeply."),
        (b'{"status": 503}', ": Faults are a JSON array of rules."),
        (b'[{"status": 503}, 7]', ": Rule 2: it is not a JSON object."),
        (b'[{"status": 503, "probability": 2}]', ": Rule 1: probability is a number from 0 to 1."),
        (b'[{"path": "*/vppTokens"}]', ": Rule 1: it has no effect: it needs status, "),
    ],
)
def test_a_bad_file_of_faults_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    """A file that cannot be applied ends the command before it listens, with its name, the rule and the mistake."""
    path = tmp_path / "faults.json"
    path.write_bytes(content)

    result = run("serve", "--faults", str(path))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"Error: --faults: {path}{'' if sentence[0] == ':' else ' '}{sentence}")


def test_a_file_of_faults_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is named."""
    missing = run("serve", "--faults", str(tmp_path / "none.json"))

    assert missing.stderr == f"Error: --faults: {tmp_path / 'none.json'} cannot be read: No such file or directory.\n"
    assert "is a directory" in run("serve", "--faults", str(tmp_path)).stderr


def test_help_describes_the_members_of_a_rule() -> None:
    """Serve --help has the table of docs/emulator.md, a member after the other."""
    out = run("serve", "--help").stdout

    for name, words, text in fault_rules.described():
        assert f"    {name:<12} {words}\n" in out
        assert text in " ".join(out.split())
