"""Syncs, which run by the clock and are looked at, not waited for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulator.client import NOW, a_body, a_file, a_tenant


def test_a_sync_runs_its_time() -> None:
    """A sync is in progress until its seconds have passed, then completed, with the date of its end."""
    tenant = a_tenant(sync_seconds=5)
    made = tenant.create(a_body())

    started = tenant.sync_licenses(made["id"])
    tenant.clock.advance(4.9)
    running = tenant.get(made["id"])
    tenant.clock.advance(600)
    done = tenant.get(made["id"])

    assert [one["lastSyncStatus"] for one in (started, running, done)] == ["inProgress", "inProgress", "completed"]
    assert started["lastSyncDateTime"] == running["lastSyncDateTime"] == "0001-01-01T00:00:00Z"
    assert done["lastSyncDateTime"].startswith("2026-11-01T12:00:05.25")
    assert done["lastModifiedDateTime"] > done["lastSyncDateTime"]


def test_a_sync_that_runs_goes_on() -> None:
    """SyncLicenses while a sync runs neither restarts nor refuses."""
    tenant = a_tenant(sync_seconds=5)
    made = tenant.create(a_body())
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(4)

    assert tenant.sync_licenses(made["id"])["lastSyncStatus"] == "inProgress"
    tenant.clock.advance(1)
    assert tenant.get(made["id"])["lastSyncStatus"] == "completed"


def test_two_syncs_never_have_the_same_date() -> None:
    """Each completed sync has a later date than the one before, even on a clock that stands still."""
    tenant = a_tenant(sync_seconds=0)
    made = tenant.create(a_body())

    dates = [tenant.sync_licenses(made["id"])["lastSyncDateTime"] for _ in range(5)]

    assert dates == sorted(set(dates))


@pytest.mark.parametrize("state", ["invalid", "expired", "assignedToExternalMDM", "duplicateLocationId", "novel"])
def test_a_sync_of_an_unsound_token_fails(state: str) -> None:
    """A token whose state is neither valid nor unknown ends its sync in failed, with the old date."""
    tenant = a_tenant()
    made = tenant.create(a_body())
    tenant.edit_by_hand(made["id"], {"state": state})
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(1)

    failed = tenant.get(made["id"])

    assert (failed["lastSyncStatus"], failed["state"]) == ("failed", state)
    assert failed["lastSyncDateTime"] == "0001-01-01T00:00:00Z"


def test_a_sync_of_a_duplicate_fails_until_it_is_alone() -> None:
    """A duplicate's sync fails; once the other token is deleted, it completes."""
    tenant = a_tenant(sync_seconds=0)
    first, second = tenant.create(a_body())["id"], tenant.create(a_body())["id"]

    assert tenant.sync_licenses(second)["lastSyncStatus"] == "failed"
    tenant.delete(first)
    assert tenant.sync_licenses(second)["lastSyncStatus"] == "completed"


def test_an_expired_token_refuses_to_sync() -> None:
    """The sync of a token that has expired ends in failed and brings no apps; once it is renewed, one brings them."""
    tenant = a_tenant(sync_seconds=0)
    made = tenant.create(a_body(token=a_file(days=1)))["id"]
    tenant.clock.advance(86_400)

    assert tenant.sync_licenses(made)["lastSyncStatus"] == "failed"
    assert (tenant.get(made)["state"], tenant.list_apps().apps) == ("expired", [])
    tenant.patch(made, {"token": a_file(days=300)})
    assert tenant.sync_licenses(made)["lastSyncStatus"] == "completed"
    assert tenant.list_apps().apps != []


def test_a_token_that_expires_during_its_sync_fails() -> None:
    """What counts is the state at the sync's end, however late somebody looks."""
    tenant = a_tenant(sync_seconds=10)
    made = tenant.create(a_body(token=a_file(days=timedelta(seconds=5) / timedelta(days=1))))
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(3600)

    assert tenant.get(made["id"])["lastSyncStatus"] == "failed"


def test_a_sync_completes_before_a_later_expiry() -> None:
    """A sync that ended before the token expired is a completed one, though nobody looked in between."""
    tenant = a_tenant(sync_seconds=1)
    made = tenant.create(a_body(token=a_file(days=1)))
    tenant.sync_licenses(made["id"])
    tenant.clock.set(NOW + timedelta(days=30))

    late = tenant.get(made["id"])

    assert (late["lastSyncStatus"], late["state"]) == ("completed", "expired")


def test_a_sync_can_be_made_to_hang() -> None:
    """A status of inProgress that somebody set stays until somebody sets another."""
    tenant = a_tenant()
    made = tenant.create(a_body())
    tenant.edit_by_hand(made["id"], {"lastSyncStatus": "inProgress"})
    tenant.sync_licenses(made["id"])
    tenant.clock.advance(10_000)

    assert tenant.get(made["id"])["lastSyncStatus"] == "inProgress"


def test_a_status_set_by_hand_ends_the_sync() -> None:
    """A running sync is over when somebody sets its outcome."""
    tenant = a_tenant()
    made = tenant.create(a_body())
    tenant.sync_licenses(made["id"])
    tenant.edit_by_hand(made["id"], {"lastSyncStatus": "failed"})
    tenant.clock.advance(10)

    assert tenant.get(made["id"])["lastSyncStatus"] == "failed"
