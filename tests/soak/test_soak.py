"""The soak: a short run finds no violation, a seed repeats a run, and the soak detects three built-in defects."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from builders import NOW, vpptoken
from intune_vpp.lifecycle.token_files import TokenFileCache
from intune_vpp_emulator.clock import to_the_tick
from intune_vpp_emulator.members import UNSYNCED
from soak.__main__ import described, main, soak, summary
from soak.engine import Engine
from soak.faults import REQUEST_FAULTS
from soak.tenant import Consistency
from soak.walk import Episode
from soak.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.assembly import Assembly
    from intune_vpp.core.stoken import SToken
    from soak.walk import Result

SECOND = "33333333-3333-4333-8333-333333333333"


def kinds(result: Result) -> set[str]:
    """The kinds of the violations."""
    return {violation.what.partition(":")[0] for violation in result.violations}


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_short_soak_has_no_violations(seed: int) -> None:
    """Some hundred operations under faults lose nothing, double nothing and leak nothing."""
    result = soak(seed, 100)
    assert [described(violation) for violation in result.violations] == []
    assert summary(seed, result).endswith("; 0 violations")
    assert sum(result.faults.values()) > 0


def test_same_seed_walks_the_same_way() -> None:
    """Two runs with one seed make the same operations, with the same requests, faults and results."""
    episodes = [Episode("5/1", World("5/1")) for _ in range(2)]
    results = [episode.run(40) for episode in episodes]
    assert results[0] == results[1]
    assert episodes[0]._trace == episodes[1]._trace


class RepeatsCreates(httpx.BaseTransport):
    """Sends each POST of a create twice."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it."""
        if request.method == "POST" and request.url.path.endswith("/vppTokens"):
            self._inner.handle_request(request)
        return self._inner.handle_request(request)


def test_repeated_post_is_caught() -> None:
    """A create that is sent twice is a doubled token."""
    result = soak(1, 1, world=partial(World, around=RepeatsCreates))
    assert result.violations[0].what.startswith("doubled: ")
    assert "create" in described(result.violations[0])


class LosesIds(Engine):
    """Forgets the token that it has just created."""

    def up(self, provider: Assembly, name: str, program: Mapping[str, Any]) -> str:
        """Create, and keep nothing."""
        is_new = name not in self.tokens
        ended = super().up(provider, name, program)
        if is_new:
            del self.tokens[name]
        return ended


def test_lost_id_is_caught() -> None:
    """A token whose id is lost after its create is a lost token."""
    result = soak(1, 1, world=lambda seed: World(seed, engine=LosesIds()))
    assert "lost" in kinds(result)


def test_leaked_secret_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token file that the provider reports is a leaked secret, which the violation does not repeat."""
    worlds: list[World] = []
    require = TokenFileCache.require

    def telling(files: TokenFileCache, fingerprint: object) -> SToken:
        file = require(files, fingerprint)
        worlds[-1].reporter.info(f"Uploading {file.text}.")
        return file

    def world(seed: str) -> World:
        worlds.append(World(seed))
        return worlds[-1]

    monkeypatch.setattr(TokenFileCache, "require", telling)
    result = soak(1, 1, world=world)
    assert kinds(result) == {"secret"}
    said = "\n".join(map(described, result.violations))
    assert not [secret for one in worlds for secret in one.all_secrets() if secret in said]


@pytest.mark.parametrize(("around", "status"), [(None, 0), (RepeatsCreates, 1)])
def test_last_line_and_exit_status(
    around: Any, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command repeats an episode of a seed, ends with a summary, and fails if there are violations."""
    monkeypatch.setenv("SEED", "3")
    monkeypatch.setenv("EPISODE", "2")
    if around:
        monkeypatch.setattr(httpx, "WSGITransport", lambda app, made=httpx.WSGITransport: around(made(app=app)))
    assert main() == status
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("seed 3, ")
    assert ("; 0 violations" in last) is (status == 0)


def test_every_kind_of_fault_happens() -> None:
    """Each rule of the table is one that the emulator knows, and is drawn."""
    world = World("1/1")
    world.faults.rate = 1.0
    for _ in range(1000):
        world.faults.for_request("GET", "/")
    assert world.faults.counts.keys() == REQUEST_FAULTS.keys()


def synced_token() -> dict[str, Any]:
    """A token as a tenant shows it after its first sync."""
    world = World("1/1")
    token_id = world.tenant.create_by_hand({"token": vpptoken(), "appleId": "vpp@contoso.example"})["id"]
    world.tenant.sync_licenses(token_id)
    world.tenant.clock.advance(5)
    (shown,) = world.tenant.shown()
    return shown


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({}, ""),
        ({"lastSyncDateTime": UNSYNCED}, "A sync has completed at no time."),
        ({"lastSyncStatus": "none"}, "It was synced, and never was."),
        ({"expirationDateTime": "2026-10-31T00:00:00Z"}, "It expired before it was created."),
        ({"state": "expired"}, "It is expired before its expiration."),
        ({"state": "duplicateLocationId"}, "It duplicates no token."),
        ({"state": "lost"}, "The state lost is unknown."),
        ({"lastSyncStatus": "lost"}, "The sync status lost is unknown."),
        ({"token": "ey"}, "Graph shows its token file."),
        ({"lastModifiedDateTime": "2028-01-01T00:00:00.0000000Z"}, "It was synced or modified in the future."),
        ({"lastModifiedDateTime": "2026-01-01T00:00:00.0000000Z"}, "It was modified before it was created."),
        ({"locationName": None}, "It has no organization or no location."),
    ],
)
def test_impossible_states_are_refused(members: dict[str, Any], problem: str) -> None:
    """The checker refuses what no tenant can show, and nothing else."""
    token = {**synced_token(), **members}
    found = Consistency().problems([token], {token["id"]: NOW}, NOW.replace(hour=13))
    assert [one.partition(": ")[2] for one in found] == ([problem] if problem else [])


def test_impossible_successions_are_refused() -> None:
    """Ids are unique and never used again, dates never go back, and of two tokens of a location one is a duplicate."""
    checker, token, now = Consistency(), synced_token(), NOW.replace(hour=13)
    second = {**token, "id": SECOND}
    created = {token["id"]: NOW, SECOND: NOW}
    assert checker.problems([token], created, now) == []
    assert checker.problems([token, token], created, now)[0].endswith("2 tokens have this id.")
    (twice,) = checker.problems([token, second], created, now)
    assert twice == "2 tokens of Lincoln are valid, and none of them is a duplicate."
    earlier = {**token, "lastSyncDateTime": to_the_tick(NOW)}
    assert checker.problems([earlier], created, now) == [f"{token['id']}: lastSyncDateTime went back."]
    assert checker.problems([second], created, now) == [f"{SECOND}: It was deleted, and exists again."]
