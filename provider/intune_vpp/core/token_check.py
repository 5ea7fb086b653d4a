"""Checks and normalises the inputs of a VppToken, before anything is sent.

A Problem with the token names no property, because the engine prints the value of the property that a failure names.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from intune_vpp.core import check as every_type
from intune_vpp.core import stoken
from intune_vpp.core.check import Problem
from intune_vpp.core.errors import RenewalRefused, TokenFileError
from intune_vpp.core.renewal_guard import guard
from intune_vpp.core.resource_type import UNKNOWN, Kind, Unknown
from intune_vpp.core.vpp_token import UNSEEN_FINGERPRINT, VPP_TOKEN, TokenFile, VppTokenArgs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from intune_vpp.core.check import Policy
    from intune_vpp.core.stoken import SToken


@dataclass(frozen=True, slots=True)
class TokenFileContent:
    """The content of a token file that a program passes, and the name of the file if known."""

    content: bytes = field(repr=False)
    file_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The result of a check; `stoken` is the parsed token file if the inputs contain its text."""

    args: VppTokenArgs
    problems: tuple[Problem, ...] = ()
    stoken: SToken | None = None


def check(  # noqa: PLR0913 - what the program asks for, and all that a check may know beside it
    inputs: Mapping[str, Any],
    *,
    olds: VppTokenArgs | None,
    policy: Policy,
    recall: Callable[[str], SToken | None],
    now: datetime,
    location: str | Unknown | None = UNKNOWN,
) -> Checked:
    """Check and normalise `inputs`, keyed by Graph's names; `token` is a TokenFileContent, a string or UNKNOWN.

    `olds` are the inputs of the last run, None for a new token; `recall` returns the token file of a fingerprint that
    this process has read; `location` is the one that Intune showed last, UNKNOWN on a door that does not tell it.
    """
    inputs = every_type.trimmed(VPP_TOKEN, inputs)
    # A token that is adopted already has what a new one requires.
    creates = olds is None and inputs.get("adoptTokenId") is None
    problems = every_type.check(VPP_TOKEN, inputs, policy, creates=creates)
    invalid = {problem.property for problem in problems}
    values: dict[str, Any] = {
        prop.attribute: tuple(value) if isinstance(value, list) else value
        for prop in VPP_TOKEN.inputs
        if (value := inputs.get(prop.name)) is not None
        and prop.kind not in {Kind.FINGERPRINT, Kind.OBJECT}
        and prop.name not in invalid
    }
    args = VppTokenArgs(**values)
    # v1.0 has no such member.
    if creates and policy.beta and args.data_sharing_consent_granted not in {True, UNKNOWN}:
        reason = (
            "dataSharingConsentGranted must be true to create a token: it records your consent to send user and device "
            "information to Apple, so the provider never assumes it."
        )
        problems.append(Problem("", reason))
    try:
        file = _token_file(inputs.get("token"), olds, recall)
        if isinstance(file, stoken.SToken):
            guard(file, olds=olds, args=args, location=location, now=now)
    except (TokenFileError, RenewalRefused) as error:
        return Checked(args=args, problems=(*problems, Problem("", str(error))))
    checked = Checked(args=args, problems=tuple(problems))
    return checked if problems else _with_token(checked, file, olds)


def _token_file(
    given: object, olds: VppTokenArgs | None, recall: Callable[[str], SToken | None]
) -> SToken | TokenFile | Unknown | None:
    """The file of a `token` input: parsed from its content, or looked up by its fingerprint."""
    if given is None or given is UNKNOWN:
        return given
    if isinstance(given, TokenFileContent):
        return stoken.parse(given.content, file_name=given.file_name)
    if not isinstance(given, str):
        msg = "The token must be the text of a .vpptoken file, or a file or string asset of it."
        raise TokenFileError(msg)
    if not stoken.is_fingerprint(given) and given != UNSEEN_FINGERPRINT:
        # Without `surrogatepass` a lone surrogate would raise here; the parser refuses it with a message.
        return stoken.parse(given.encode(errors="surrogatepass"))
    if olds and olds.token == given and isinstance(olds.token_file, TokenFile):
        return olds.token_file
    if (known := recall(given)) is not None:
        return known
    msg = "The token is a fingerprint, but its file has not been read in this run. Pass the .vpptoken file itself."
    raise TokenFileError(msg)


def _with_token(checked: Checked, file: SToken | TokenFile | Unknown | None, olds: VppTokenArgs | None) -> Checked:
    before = olds.token_file if olds else None
    if file is None:
        # Keep the description of the file in Intune: the guard needs it when the program names a file again.
        return replace(checked, args=replace(checked.args, token_file=before))
    if file is UNKNOWN:
        return replace(checked, args=replace(checked.args, token=UNKNOWN, token_file=UNKNOWN))
    if isinstance(file, TokenFile):
        return replace(checked, args=replace(checked.args, token=file.fingerprint, token_file=file))
    if isinstance(before, TokenFile) and before.fingerprint == file.fingerprint:
        # The same file keeps its description, and with it the mark of an invalid token for the next check.
        args = replace(checked.args, token=file.fingerprint, token_file=before)
        return replace(checked, args=args, stoken=file)
    described = TokenFile(file.fingerprint, file.expiration_date_time, file.organization_name)
    args = replace(checked.args, token=file.fingerprint, token_file=described)
    return replace(checked, args=args, stoken=file)
