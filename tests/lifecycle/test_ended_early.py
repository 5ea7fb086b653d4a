"""A stop, or a sign-in that fails, after a token was created: its id is kept, and the next runs finish."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builders import token_inputs, vpptoken
from intune_vpp.core.errors import IntuneVppError, SettingsError, WaitInterrupted
from intune_vpp.core.token_encoding import Encoding
from lifecycle.test_token_encoding import Silent, running, tenant_that
from tenant_in_process import TenantTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from intune_vpp.core.ports import T
    from intune_vpp_emulator.clock import Clock


class EndsAt(TenantTime):
    """Time in which no more requests are sent after this many."""

    def __init__(self, clock: Clock, number: int, error: IntuneVppError) -> None:
        super().__init__(clock)
        self._left = number
        self._error = error

    def request(self, call: Callable[[], T], timeout: float) -> T:
        """Make the requests until then."""
        if self._left == 0:
            raise self._error
        self._left -= 1
        return super().request(call, timeout)


@pytest.mark.parametrize("error", [WaitInterrupted("Stopped."), SettingsError("The file cannot be read.")], ids=repr)
@pytest.mark.parametrize("after_sync", [False, True])
@pytest.mark.parametrize("number", range(12))
def test_an_id_is_kept_whatever_ends_the_run(number: int, error: IntuneVppError, *, after_sync: bool) -> None:
    """If no more requests are sent at any moment after the upload, the outcome has the id."""
    tenant = tenant_that(Silent, Encoding.VERBATIM)
    assert isinstance(tenant, Silent)
    tenant.after_sync = after_sync
    inputs = token_inputs(vpptoken())

    try:
        outcome = running(tenant, time=EndsAt(tenant.clock, number, error)).create(inputs)
    except IntuneVppError:
        assert tenant.tokens == []
        return

    assert [one.id for one in tenant.tokens] == [outcome.state.id]
    for _ in range(2):
        # The sync of the first may be what shows that Intune could not read the file.
        outcome = running(tenant).up(outcome.state, inputs)
    assert outcome.failure is None
    assert [tenant.get(one.id)["state"] for one in tenant.tokens] == ["valid"]
