"""Sentences for people who write Python: inputs by the names of their arguments."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pulumi

from intune_vpp.core.errors import IntuneVppError, StateError
from intune_vpp.core.model import INPUTS
from intune_vpp.core.operations import OPERATIONS
from intune_vpp.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from intune_vpp.core.ports import Reporter

_GIVEN = (*INPUTS, *(prop for operation in OPERATIONS for prop in operation.inputs))
_ARGUMENTS = {prop.name: prop.attribute for prop in _GIVEN if prop.name != prop.attribute}
# A configuration key, behind its colon, is spelled the same everywhere.
_NAMES = re.compile(rf"(?<!:)\b({'|'.join(_ARGUMENTS)})\b")


def in_python(sentence: str) -> str:
    """The sentence with each input as its argument: `display_name` for `displayName`."""
    return _NAMES.sub(lambda found: _ARGUMENTS[found[0]], sentence)


def run_error(sentence: str) -> pulumi.RunError:
    """The error that ends a program with this sentence and without a traceback."""
    return pulumi.RunError(printable(sentence))


@contextmanager
def errors_in_python() -> Iterator[None]:
    """Let errors that pass speak of arguments; one about the state keeps the names that the state has."""
    try:
        yield
    except StateError:
        raise
    except IntuneVppError as error:
        error.args = (in_python(str(error)),)
        raise


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
