"""Converts the names of inputs in sentences to those of Python arguments."""

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
# A configuration key follows a colon and has the same spelling in every language.
_NAMES = re.compile(rf"(?<!:)\b({'|'.join(_ARGUMENTS)})\b")


def in_python(sentence: str) -> str:
    """Return the sentence with the argument of each input: `display_name` for `displayName`."""
    return _NAMES.sub(lambda found: _ARGUMENTS[found[0]], sentence)


def message(error: IntuneVppError) -> str:
    """Return the sentence of an error for Python programs; one about the state keeps the names in the state."""
    sentence = cures.sentence(error)
    return sentence if isinstance(error, StateError) else in_python(sentence)


def run_error(sentence: str) -> pulumi.RunError:
    """Return the error that ends a program with this sentence and without a traceback."""
    return pulumi.RunError(printable(sentence))


@contextmanager
def errors_in_python() -> Iterator[None]:
    """Reword errors for Python programs (see `message`)."""
    try:
        yield
    except IntuneVppError as error:
        # A copy: one error may be raised in several threads, such as that of a listing that many resources share.
        worded = copy(error)
        worded.args, worded.cure = (message(error),), None
        # Without the first error's traceback: the SDK sends it as gRPC metadata, which is limited to 8 KiB.
        raise worded from None


class PythonReporter:
    """A reporter that names inputs by their Python arguments."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def info(self, sentence: str) -> None:
        """Report what the provider does."""
        self._reporter.info(in_python(sentence))

    def warn(self, sentence: str) -> None:
        """Report a warning."""
        self._reporter.warn(in_python(sentence))
