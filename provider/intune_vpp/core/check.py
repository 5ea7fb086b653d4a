"""What a program asks for, made sure of before anything is sent: inputs in, normalised inputs and problems out.

The renewal guard lives here: renewing never goes backwards or sideways, and never stands in the way of a cure. The
property of a Problem is empty wherever the token is concerned, since the engine prints the value of the one it names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from intune_vpp.core import health, stoken, times
from intune_vpp.core.enums import TokenState
from intune_vpp.core.errors import RenewalRefused, TokenFileError
from intune_vpp.core.model import (
    BY_NAME,
    INPUTS,
    UNKNOWN,
    UNSEEN_FINGERPRINT,
    Kind,
    Property,
    TokenFile,
    Unknown,
    VppTokenArgs,
)
from intune_vpp.core.printable import CONTROLS, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from intune_vpp.core.stoken import SToken

_COUNTRY = re.compile(r"[A-Za-z]{2}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ONE_LINE = "must be a single line of text without control characters."
_GO_ON = "To continue without this token, pass its URN to --exclude."


@dataclass(frozen=True, slots=True)
class TokenFileContent:
    """The content of a token file on its way in, and the file's name where there is one."""

    content: bytes = field(repr=False)
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an input cannot be used, on one printable line; `property` is its name in state and schema, or empty."""

    property: str
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", printable(self.reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that a check depends on: `beta` says whether Graph's beta is configured."""

    beta: bool = True
    expiry_warning_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The outcome of a check; `stoken` is the token file at hand, where its text is."""

    args: VppTokenArgs
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    stoken: SToken | None = None


def check(
    inputs: Mapping[str, Any],
    *,
    olds: VppTokenArgs | None,
    policy: Policy,
    recall: Callable[[str], SToken | None],
    now: datetime,
) -> Checked:
    """Normalise and judge `inputs`, which come with Graph's names; `token` is a TokenFileContent, a string or UNKNOWN.

    `olds` are the inputs of the last run, None for a new token; `recall` knows the token files this process has met.
    """
    problems = [*_unknown_inputs(inputs), *_beta_only(inputs, policy)]
    values: dict[str, Any] = {}
    for prop in INPUTS:
        value = inputs.get(prop.name)
        if value is None or prop.kind in {Kind.FINGERPRINT, Kind.OBJECT}:
            continue
        if value is not UNKNOWN and (reason := type_error(prop, value)):
            problems.append(Problem(prop.name, reason))
            continue
        values[prop.attribute] = tuple(value) if isinstance(value, list) else value
    args = VppTokenArgs(**values)
    if olds is None:
        problems += _missing(args, inputs, policy)
    try:
        file = _token_file(inputs.get("token"), olds, recall)
        if isinstance(file, stoken.SToken):
            guard(file, olds=olds, args=args, now=now)
    except (TokenFileError, RenewalRefused) as error:
        return Checked(args=args, problems=(*problems, Problem("", str(error))))
    checked = Checked(args=args, problems=tuple(problems))
    return checked if problems else _with_token(checked, file, olds, policy=policy, now=now)


def guard(file: SToken, *, olds: VppTokenArgs | None, args: VppTokenArgs, now: datetime) -> None:
    """Raise where applying `file` would go backwards or sideways from what `olds` say Intune has, or cannot work.

    Raises TokenFileError for a file that expired before it was applied, RenewalRefused for the rest.
    """
    applied = olds.token_file if olds and isinstance(olds.token_file, TokenFile) else None
    if applied and applied.fingerprint == file.fingerprint:
        return
    if applied and not applied.seen and times.same_second(applied.expiration_date_time, file.expiration_date_time):
        # The very file that came to Intune by another way: it goes nowhere.
        return
    if file.expires_at <= now:
        msg = f"The token file expired on {times.day(file.expiration_date_time)} and was never applied."
        raise TokenFileError(f"{msg} Download a new content token from Apple. {_GO_ON}")
    _refuse_other_organization(file, applied, args)
    # An invalid token may be cured by any file that still works, an older one included.
    if applied and applied.state != TokenState.INVALID:
        _refuse_older(file, applied)


def _refuse_older(file: SToken, applied: TokenFile) -> None:
    if not times.earlier(file.expiration_date_time, applied.expiration_date_time):
        return
    there, here = times.day(applied.expiration_date_time), times.day(file.expiration_date_time)
    if there == here:
        there, here = applied.expiration_date_time or there, file.expiration_date_time
    if applied.seen:
        what = (
            f"The token file expires on {here}, before the token in Intune ({there}). "
            "Refusing to replace a newer token with an older one."
        )
        cure = "Use the newer file, or download this location's content token again: a new download expires later."
    else:
        what = (
            f"This token was renewed elsewhere and expires on {there} in Intune; the token file here expires on {here}."
        )
        cure = "Use the file that was uploaded, or a newer download."
    raise RenewalRefused(f"{what} {cure} {_GO_ON}")


def _refuse_other_organization(file: SToken, applied: TokenFile | None, args: VppTokenArgs) -> None:
    """The program's word counts where it gives one; without it, the organization of the file applied before."""
    found, wanted = file.organization_name, args.organization_name
    before = applied.organization_name if applied else None
    if isinstance(wanted, str):
        if wanted == found:
            return
        what = f'The token file belongs to the organization "{found}", but organizationName is "{wanted}".'
        cure = "Use this organization's file, or correct organizationName."
    elif wanted is None and before and before != found:
        what = f'The token file belongs to the organization "{found}", but the token in Intune belongs to "{before}".'
        cure = "Use this organization's file; if it was renamed, set organizationName to its new name."
    else:
        return
    raise RenewalRefused(f"{what} {cure} {_GO_ON}")


def _token_file(
    given: object, olds: VppTokenArgs | None, recall: Callable[[str], SToken | None]
) -> SToken | TokenFile | Unknown | None:
    """The file an input stands for: read from its content, or known by its fingerprint."""
    if given is None or given is UNKNOWN:
        return given
    if isinstance(given, TokenFileContent):
        return stoken.parse(given.content, file_name=given.file_name)
    if not isinstance(given, str):
        msg = "The token must be the text of a .vpptoken file, or a file or string asset of it."
        raise TokenFileError(msg)
    if not stoken.is_fingerprint(given) and given != UNSEEN_FINGERPRINT:
        # Lone surrogates are carried into the parser, which refuses them as no text.
        return stoken.parse(given.encode(errors="surrogatepass"))
    if olds and olds.token == given and isinstance(olds.token_file, TokenFile):
        return olds.token_file
    if (known := recall(given)) is not None:
        return known
    msg = "The token is a fingerprint, but its file has not been read in this run. Pass the .vpptoken file itself."
    raise TokenFileError(msg)


def _with_token(
    checked: Checked,
    file: SToken | TokenFile | Unknown | None,
    olds: VppTokenArgs | None,
    *,
    policy: Policy,
    now: datetime,
) -> Checked:
    before = olds.token_file if olds else None
    if file is None:
        # What Intune holds is remembered, for the day the program names a file again.
        return replace(checked, args=replace(checked.args, token_file=before))
    if file is UNKNOWN:
        return replace(checked, args=replace(checked.args, token=UNKNOWN, token_file=UNKNOWN))
    if isinstance(file, TokenFile):
        return replace(checked, args=replace(checked.args, token=file.fingerprint, token_file=file))
    if isinstance(before, TokenFile) and before.fingerprint == file.fingerprint:
        args = replace(checked.args, token=file.fingerprint, token_file=before)
        return replace(checked, args=args, stoken=file)
    described = TokenFile(file.fingerprint, file.expiration_date_time, file.organization_name)
    args = replace(checked.args, token=file.fingerprint, token_file=described)
    label = args.display_name if isinstance(args.display_name, str) else file.organization_name
    warning = health.expiry(f"The token file of {label}", file.expiration_date_time, policy.expiry_warning_days, now)
    return replace(checked, args=args, stoken=file, warnings=(warning,) if warning else ())


def _unknown_inputs(inputs: Mapping[str, Any]) -> list[Problem]:
    known = {prop.name for prop in INPUTS}
    strangers = [name for name in inputs if name not in known and not name.startswith("__")]
    return [Problem("", f"{name} is not an input of a VppToken.") for name in strangers]


def _beta_only(inputs: Mapping[str, Any], policy: Policy) -> list[Problem]:
    if policy.beta:
        return []
    given = [name for name, value in inputs.items() if value is not None and name in BY_NAME]
    lacking = [name for name in given if BY_NAME[name].beta_only]
    return [Problem(name, needs_beta(name, f"leave {name} out")) for name in lacking]


def needs_beta(what: str, way_out: str = "") -> str:
    """The sentence about something that Graph's v1.0 does not have; `way_out` is what else would do."""
    cure = f"{way_out}, or set" if way_out else "set"
    return f"{what} needs Graph's beta: {cure} intune-vpp:graphVersion (INTUNE_VPP_GRAPH_VERSION) to beta."


def _missing(args: VppTokenArgs, inputs: Mapping[str, Any], policy: Policy) -> list[Problem]:
    """What a new token cannot do without; one that is adopted already has it."""
    if inputs.get("adoptTokenId") is not None:
        return []
    required = [prop for prop in INPUTS if prop.required and inputs.get(prop.name) is None]
    problems = [Problem("", f"{prop.name} is required to create a token.") for prop in required]
    if policy.beta and args.data_sharing_consent_granted not in {True, UNKNOWN}:
        reason = (
            "dataSharingConsentGranted must be true to create a token: it records your consent to send user and device "
            "information to Apple, so the provider never assumes it."
        )
        problems.append(Problem("", reason))
    return problems


def type_error(prop: Property, value: object) -> str | None:
    """Why a value does not fit a property's kind, None where it does."""
    if prop.kind is Kind.CHOICE:
        choices = list(prop.choices or ())
        return None if value in choices else f"{prop.name} must be one of: {', '.join(choices)}."
    fits, wanted = _FITTING.get(prop.kind, (_is_text, "must be a non-empty string."))
    if not fits(value):
        return f"{prop.name} {wanted}"
    # Intune shows a text on one line, and Pulumi may show it raw: one of these is a mistake or worse.
    shown = prop.kind in {Kind.STRING, Kind.STRINGS}
    return f"{prop.name} {_ONE_LINE}" if shown and _has_controls(value) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value)


def _has_controls(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_controls, value))
    return isinstance(value, str) and CONTROLS.search(value) is not None


def _is_plain(value: object) -> bool:
    """Whether a value is made of texts, numbers, flags, lists and objects, known or not."""
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(_is_plain(item) for item in value.values())
    return value is None or value is UNKNOWN or isinstance(value, (str, bool, int, float))


_FITTING: dict[Kind, tuple[Callable[[object], bool], str]] = {
    Kind.BOOL: (lambda value: isinstance(value, bool), "must be true or false."),
    Kind.STRINGS: (_are_texts, "must be a list of non-empty strings."),
    Kind.COUNTRY: (
        lambda value: isinstance(value, str) and _COUNTRY.fullmatch(value) is not None,
        "must be a two-letter country code, such as US.",
    ),
    Kind.GUID: (
        lambda value: isinstance(value, str) and _GUID.fullmatch(value) is not None,
        "must be the id of a vppToken (a GUID).",
    ),
    Kind.JSON: (_is_plain, "cannot contain assets: use a hash of the file instead."),
}
