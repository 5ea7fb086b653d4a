"""Uploads of token files, which find out in which encoding the tenant takes them.

Graph refuses a file that it cannot read, or takes it and calls the token invalid. Then the file is sent in the other
encoding: after a refusal by the same request, after a silent acceptance by a PATCH, because the token exists by then.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from intune_vpp.core.enums import TokenState
from intune_vpp.core.errors import (
    FileRefused,
    GraphError,
    GraphUnavailable,
    GraphUnreachable,
    IntuneVppError,
    RequestNotSent,
)
from intune_vpp.core.token_encoding import Encoding, is_read, is_unreadable
from intune_vpp.core.vpp_token import VPP_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from intune_vpp.core.ports import Reporter, VppTokens
    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.vpp_token import VppToken

_CLAIM = VPP_TOKEN["claim_token_management_from_external_mdm"].name

_MOST_UPLOADS = 3
_DOWNLOAD = "If it is not about another member, download the content token again from Apple."


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that Graph accepted, and the token in Graph's last answer.

    `before` is the token before the upload, None for a new one. `claims` are the members that go with each upload.
    `encoding` was sent last, `other` can still be tried. Before that, Graph `refused` the other encoding, or took it
    and could not read it: `unread` is the token as it was then. With a `failure`, Graph could not read the file, and
    the attempt to send it in the other encoding failed.
    """

    observed: VppToken
    file: SToken
    before: VppToken | None
    claims: Mapping[str, object]
    encoding: Encoding
    other: Encoding | None
    refused: bool = False
    unread: VppToken | None = None
    failure: IntuneVppError | None = None


class Uploads:
    """The uploads of one process. `encodings` are those that may be tried, in this order."""

    def __init__(self, tokens: VppTokens, reporter: Reporter, encodings: tuple[Encoding, ...]) -> None:
        self._tokens = tokens
        self._reporter = reporter
        self._encodings = encodings
        self._lock = threading.Lock()
        self._proven: Encoding | None = None

    def create(
        self, members: Mapping[str, object], file: SToken, *, find: Callable[[GraphError], VppToken | None]
    ) -> Upload:
        """Create a token. Raises GraphError: then none was created, unless the answer was lost.

        After a lost answer, `find` returns the token or None. Only if it returns None the file is uploaded again, up to
        three times in all.
        """
        send = partial(self._create, partial(self._tokens.create, members, file), find)
        return self.correct(self._accepted(send, members, file))

    def _create(
        self,
        send: Callable[..., VppToken],
        find: Callable[[GraphError], VppToken | None],
        *,
        encoding: Encoding,
    ) -> VppToken:
        uploads = 1
        while True:
            try:
                return send(encoding=encoding)
            except RequestNotSent:
                raise
            except (GraphUnreachable, GraphUnavailable) as lost:
                if (found := find(lost)) is not None:
                    return found
                if uploads == _MOST_UPLOADS:
                    raise
            uploads += 1

    def renew(self, before: VppToken, members: Mapping[str, object], file: SToken, encoding: Encoding | None) -> Upload:
        """Send a file and changed members to a token; `encoding` is the one that worked last time, if known.

        Raises GraphError: then the token has the file of before, unless the answer was lost.
        """
        send = partial(self._tokens.update, before.id, members, file)
        return self.correct(self._accepted(send, members, file, before, encoding))

    def correct(self, upload: Upload, synced: VppToken | None = None) -> Upload:
        """Send the file in the other encoding if the token shows that Graph could not read it.

        `synced` is the token after its sync; without it, Graph's answer to the upload counts. Returns the same upload
        if there is nothing to correct.
        """
        observed = synced or upload.observed
        if upload.other is None or not is_unreadable(observed, upload.file, upload.before, may_lag=synced is None):
            self.confirm(upload, observed)
            return upload
        last = replace(upload, observed=observed, other=None, unread=observed)
        try:
            answer = self._tokens.update(observed.id, upload.claims, upload.file, encoding=upload.other)
        except FileRefused as refusal:
            # It stays as it is: perhaps the first encoding was right, and Apple does not accept the file.
            first, second = upload.encoding.words, upload.other.words
            what = f"Intune calls {observed.label} invalid after its token file was sent {first}. Sent {second}:"
            self._reporter.warn(f"{what} {refusal}")
            return last
        except IntuneVppError as error:
            # Ctrl-C and a failed sign-in too: the token exists, and its id must not be lost.
            return replace(last, failure=error)
        corrected = replace(last, observed=answer, encoding=upload.other)
        self.confirm(corrected, answer)
        return corrected

    def confirm(self, upload: Upload, observed: VppToken) -> Encoding | None:
        """The encoding of an upload, if the token proves that Graph could read it; None otherwise.

        A refusal of the other encoding proves nothing: Graph may have refused the request for another reason.
        """
        if not is_read(observed, upload.file, upload.before) or observed.state == TokenState.INVALID:
            return None
        with self._lock:
            first, self._proven = self._proven is None, upload.encoding
        if first and (upload.refused or upload.unread):
            what = f"Intune takes token files {upload.encoding.words}, not {_other(upload.encoding).words}."
            self._reporter.info(f"{what} The state remembers this for the next renewal.")
        return upload.encoding

    def _accepted(
        self,
        send: Callable[..., VppToken],
        members: Mapping[str, object],
        file: SToken,
        before: VppToken | None = None,
        known: Encoding | None = None,
    ) -> Upload:
        """Send a file, and once more in the other encoding if Graph refuses it."""
        first, other = self._order(known)
        claims = {name: value for name, value in members.items() if name == _CLAIM}
        try:
            observed = send(encoding=first)
        except FileRefused as refusal:
            if other is None:
                raise self._refused(refusal, first) from None
            refused = refusal
        else:
            return Upload(observed=observed, file=file, before=before, claims=claims, encoding=first, other=other)
        try:
            observed = send(encoding=other)
        except FileRefused as refusal:
            raise _refused_twice(refused, refusal, (first, other)) from None
        # If Graph cannot read this encoding, the first one was refused for another reason: it can be sent again.
        return Upload(
            observed=observed, file=file, before=before, claims=claims, encoding=other, other=first, refused=True
        )

    def _order(self, known: Encoding | None) -> tuple[Encoding, Encoding | None]:
        """The encoding to send first, and the one to send if Graph cannot read that.

        Once this process has seen that the tenant reads one, there is no other: a file that is refused then is bad,
        and sent in the wrong encoding it might be taken. What a token's own state remembers comes before that.
        """
        if len(self._encodings) == 1:
            return self._encodings[0], None
        first = known or self._proven or self._encodings[0]
        return first, None if first is self._proven else _other(first)

    def _refused(self, refusal: FileRefused, encoding: Encoding) -> FileRefused:
        """The refusal of a file that is sent in no other encoding, with what to do."""
        if len(self._encodings) == 1:
            cure = f"The file was sent {encoding.words}. If it is good, set tokenEncoding to auto."
        else:
            cure = f"Other files were accepted {encoding.words}. {_DOWNLOAD}"
        return FileRefused(f"{refusal} {cure}", status=refusal.status, code=refusal.code)


def _refused_twice(first: FileRefused, second: FileRefused, encodings: tuple[Encoding, Encoding]) -> FileRefused:
    """The refusal of a file in both encodings: which of the two tells the cause is not known."""
    sent = [f"Sent {encoding.words}: {refusal}" for encoding, refusal in zip(encodings, (first, second), strict=True)]
    return FileRefused(f"{' '.join(sent)} {_DOWNLOAD}", status=second.status, code=second.code)


def _other(encoding: Encoding) -> Encoding:
    return Encoding.VERBATIM if encoding is Encoding.BASE64 else Encoding.BASE64
