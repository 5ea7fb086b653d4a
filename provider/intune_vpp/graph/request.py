"""Describes a request to Graph: its words in a message, its kind for the error table, whether it may be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class RequestKind(Enum):
    """The kinds of requests, each with its words (`{}` is the subject) and whether it is idempotent.

    Idempotent means that a second request leaves Intune as the first one did. This holds for a GET, a PATCH (it sends
    values, not differences) and a DELETE (a second one returns 404). The two syncs count as idempotent: they only make
    Intune read from Apple again, and an administrator may start one at any time (what Intune answers if one comes too
    soon is not documented, but it can only be a refusal). A second create may make another token for the location,
    which stops its sync; a second revocation also revokes the licences that were assigned after the first.
    """

    LIST_TOKENS = ("listing the tokens", True)
    READ_TOKEN = ("reading token {}", True)
    CREATE_TOKEN = ("uploading a file to create a token", False)
    UPDATE_TOKEN = ("updating token {}", True)
    RENEW_TOKEN = ("uploading a file to token {}", True)
    DELETE_TOKEN = ("deleting token {}", True)
    SYNC_LICENSES = ("syncing token {}", True)
    REVOKE_LICENSES = ("revoking the licences of token {}", False)
    SYNC_LICENSE_COUNTS = ("counting licences", True)
    READ_LICENSES = ("reading licence counts", True)
    READ_APP = ("reading app {}", True)

    def __init__(self, words: str, idempotent: bool) -> None:  # noqa: FBT001 - how Enum passes the values above
        self.words = words
        self.idempotent = idempotent


@dataclass(frozen=True, slots=True)
class Request:
    """One request to Graph: its kind, and the id of the entity that it is about (empty for a collection).

    `str()` returns its words for a message: "reading token 3f2a…".
    """

    kind: RequestKind
    subject: str = ""

    @property
    def idempotent(self) -> bool:
        """Whether a second request leaves Intune as the first one did."""
        return self.kind.idempotent

    def __str__(self) -> str:
        return self.kind.words.format(self.subject)
