"""Whatever is done to a tenant, in whatever order, some things always hold."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from emulator.captured import BETA_MEMBERS, V1_MEMBERS
from emulator.client import a_body, a_file, a_tenant, rest
from intune_vpp_emulator.clock import to_the_tick
from intune_vpp_emulator.members import State, Version
from tenant_in_process import fail_next_sync, script

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Graph

LOCATIONS = st.sampled_from(["Lincoln", "Denver", "Boston"])
STATES = st.sampled_from([*State, "novel"])


class AnyOrder(RuleBasedStateMachine):
    """Creates, edits, renewals, syncs, revocations, deletions and the passing of time."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.tenant = a_tenant(page_size=2, sync_seconds=3, revoke_seconds=4, renewal_lag_seconds=5)
        self.synced: dict[str, str] = {}

    @rule(target=ids, location=LOCATIONS, days=st.integers(1, 3))
    def create(self, location: str, days: int) -> str:
        """A token that lives some days."""
        made: str = self.tenant.create(a_body(token=a_file(location, days=days + self.age())))["id"]
        return made

    @rule(token_id=ids, location=LOCATIONS, claim=st.booleans())
    def renew(self, token_id: str, location: str, *, claim: bool) -> None:
        """A renewal, perhaps with the file of another location."""
        file = a_file(location, days=2 + self.age())
        self.tenant.patch(token_id, {"token": file, "claimTokenManagementFromExternalMdm": claim})

    @rule(token_id=ids, members=st.fixed_dictionaries({}, optional={"displayName": st.text(), "appleId": st.text()}))
    def patch(self, token_id: str, members: dict[str, Any]) -> None:
        """A change of what can be changed."""
        self.tenant.patch(token_id, members)

    @rule(token_id=ids, state=STATES)
    def edit(self, token_id: str, state: str) -> None:
        """Something happens at Apple."""
        self.tenant.edit_by_hand(token_id, {"state": state})

    @rule(token_id=ids)
    def sync(self, token_id: str) -> None:
        """A sync."""
        self.tenant.sync_licenses(token_id)

    @rule(token_id=ids)
    def revoke(self, token_id: str) -> None:
        """A revocation."""
        self.tenant.revoke_licenses(token_id, {"notifyManagedDevices": False})

    @rule(state=st.sampled_from(["active", "done", "failed", "novel"]), failed=st.integers(0, 300))
    def script(self, state: str, failed: int) -> None:
        """The next revocation is to end like that, or never."""
        script(self.tenant, actionState=state, failedLicensesCount=failed)

    @rule()
    def count(self) -> None:
        """Licences are counted."""
        self.tenant.sync_license_counts()

    @rule()
    def fail(self) -> None:
        """The next sync is to fail."""
        fail_next_sync(self.tenant)

    @rule(token_id=consumes(ids))
    def delete(self, token_id: str) -> None:
        """A deletion."""
        self.tenant.delete(token_id)
        self.synced.pop(token_id, None)

    @rule(seconds=st.sampled_from([1, 3, 10, 86_400]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.tenant.clock.advance(seconds)

    def age(self) -> float:
        """How many days have passed."""
        return self.tenant.clock.ahead.total_seconds() / 86_400

    def all(self, version: Version) -> list[Graph]:
        """LIST, page by page."""
        page = self.tenant.list_tokens(version=version)
        found = page.tokens
        while page.after is not None:
            page = self.tenant.list_tokens(version=version, query=rest(page.after))
            found = found + page.tokens
        return found

    def all_apps(self) -> list[Graph]:
        """LIST of the apps, page by page."""
        page = self.tenant.list_apps()
        found = page.apps
        while page.after is not None:
            page = self.tenant.list_apps(query=rest(page.after))
            found = found + page.apps
        return found

    @invariant()
    def list_and_get_agree(self) -> None:
        """LIST shows every token once, exactly as GET does, in both versions."""
        for version, members in ((Version.BETA, BETA_MEMBERS), (Version.V1, V1_MEMBERS)):
            shown = self.all(version)
            assert shown == [self.tenant.get(one["id"], version=version) for one in shown]
            assert len({one["id"] for one in shown}) == len(self.tenant.tokens)
            assert all(list(one) == sorted(members) and one["token"] is None for one in shown)

    @invariant()
    def one_sound_token_to_a_location(self) -> None:
        """No two tokens of one location are both valid."""
        valid = [one["locationName"] for one in self.all(Version.BETA) if one["state"] == "valid"]
        assert len(valid) == len(set(valid))

    @invariant()
    def apps_have_their_tokens(self) -> None:
        """Two or three apps hang on each token that ever completed a sync, and none on any other."""
        apps = self.all_apps()
        assert len({one["id"] for one in apps}) == len(apps)
        assert apps == [self.tenant.get_app(one["id"]) for one in apps]
        synced = {one["id"] for one in self.all(Version.BETA) if one["lastSyncDateTime"] > "0001-01-02"}
        counts = Counter(one["vppTokenId"] for one in apps)
        assert set(counts) == synced
        assert set(counts.values()) <= {2, 3}

    @invariant()
    def licenses_are_counted_by_app(self) -> None:
        """No app has more licences in use than it has, and the summaries say what the apps say."""
        apps = self.all_apps()
        assert all(0 <= one["usedLicenseCount"] <= one["totalLicenseCount"] for one in apps)
        for bundle_id in {one["bundleId"] for one in apps}:
            assert [
                (one["vppTokenId"], one["usedLicenseCount"], one["usedLicenseCount"] + one["availableLicenseCount"])
                for one in self.tenant.licenses_for_app(bundle_id)
            ] == [
                (one["vppTokenId"], one["usedLicenseCount"], one["totalLicenseCount"])
                for one in apps
                if one["bundleId"] == bundle_id
            ]

    @invariant()
    def actions_have_their_starts(self) -> None:
        """Each action of a token has its own start, and only one that never ends outlives its time."""
        for one in self.all(Version.BETA):
            starts = [action["startDateTime"] for action in one["tokenActionResults"]]
            assert len(set(starts)) == len(starts)
            late = to_the_tick(self.tenant.clock.now() - timedelta(seconds=4, microseconds=len(starts)))
            states = {action["actionState"] for action in one["tokenActionResults"] if action["startDateTime"] < late}
            assert states <= {"active", "done", "failed", "novel"}

    @invariant()
    def syncs_move_forward(self) -> None:
        """A sync's date never goes back."""
        for one in self.all(Version.BETA):
            assert one["lastSyncDateTime"] >= self.synced.get(one["id"], "")
            self.synced[one["id"]] = one["lastSyncDateTime"]


AnyOrder.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestAnyOrder = AnyOrder.TestCase
