"""Sentences for people who write Python: inputs by the names of their arguments."""

from __future__ import annotations

import re
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING

import pulumi

from intune_vpp.core.errors import IntuneVppError, StateError
from intune_vpp.core.operations import OPERATIONS
from intune_vpp.core.printable import printable
from intune_vpp.core.vpp_token import VPP_TOKEN
from intune_vpp.engine import cures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from intune_vpp.core.ports import Reporter

_GIVEN = (*VPP_TOKEN.inputs, *(prop for operation in OPERATIONS for prop in operation.inputs))
_ARGUMENTS = {prop.name: prop.attribute for prop in _GIVEN if prop.name != prop.attribute}
# A configuration key, behind its colon, is spelled the same everywhere.
_NAMES = re.compile(rf"(?<!:)\b({'|'.join(_ARGUMENTS)})\b")


def in_python(sentence: str) -> str:
    """The sentence with each input as its argument: `display_name` for `displayName`."""
    return _NAMES.sub(lambda found: _ARGUMENTS[found[0]], sentence)


def message(error: IntuneVppError) -> str:
    """What happened and what to do, for this door; an error about the state keeps the names that the state has."""
    sentence = cures.sentence(error)
    return sentence if isinstance(error, StateError) else in_python(sentence)


def run_error(sentence: str) -> pulumi.RunError:
    """The error that ends a program with this sentence and without a traceback."""
    return pulumi.RunError(printable(sentence))


@contextmanager
def errors_in_python() -> Iterator[None]:
    """Raise errors with the words of this door: Pulumi's cures, and the names of arguments (see `message`)."""
    try:
        yield
    except IntuneVppError as error:
        # A copy: one error may be raised in several threads, such as that of a listing that many resources share.
        worded = copy(error)
        worded.args, worded.cure = (message(error),), None
        # Without the traceback of the first: the SDK sends it as gRPC metadata, which is refused beyond 8 KiB.
        raise worded from None


class PythonReporter:
    """A reporter that spells inputs as Python arguments."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def info(self, sentence: str) -> None:
        """Report what the provider does."""
        self._reporter.info(in_python(sentence))

    def warn(self, sentence: str) -> None:
        """Report a warning."""
        self._reporter.warn(in_python(sentence))
