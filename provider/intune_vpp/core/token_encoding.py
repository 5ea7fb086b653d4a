"""In which encoding a tenant takes token files: what an answer of Graph says about the file that was sent."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from intune_vpp.core import times
from intune_vpp.core.enums import TokenState

if TYPE_CHECKING:
    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.vpp_token import VppToken

_ROUNDED = timedelta(days=1)
"""By how much Intune may round or shift the expiration of a file that it has read."""


class Encoding(StrEnum):
    """How the text of a token file is sent, the more probable one first.

    Microsoft documents neither. The only public program that uploads a file sends it in base64, although its text is
    base64 already: PacktPublishing/Microsoft-Intune-Cookbook, Chapter-6/create-vpp-token.ps1.
    """

    BASE64 = "base64"
    VERBATIM = "verbatim"

    @property
    def words(self) -> str:
        """The encoding in a sentence: `sent in base64`."""
        return "in base64" if self is Encoding.BASE64 else "verbatim"


def is_read(observed: VppToken, file: SToken, before: VppToken | None) -> bool:
    """Whether Graph shows that it has read the file: only from there can it know the expiration.

    The expiration of the token `before` the upload proves nothing: two downloads of one day are less than a day apart.
    """
    shown = times.parse(observed.expiration_date_time)
    if before is not None and before.expiration_date_time == observed.expiration_date_time:
        return False
    return shown is not None and abs(shown - file.expires_at) <= _ROUNDED


def is_unreadable(observed: VppToken, file: SToken, before: VppToken | None, *, may_lag: bool) -> bool:
    """Whether Graph took the file and could not read it: the token is invalid, and does not show the file's expiration.

    `may_lag` says that the answer may still show the token `before` the upload, which may have been invalid already.
    """
    if observed.state != TokenState.INVALID or is_read(observed, file, before):
        return False
    expiration = observed.expiration_date_time
    unchanged = before is not None and before.state == TokenState.INVALID and before.expiration_date_time == expiration
    return not (may_lag and unchanged) or expiration is None
