"""Reads a token file in the forms in which Pulumi passes it: a string, a string asset or a file asset.

The assets are values of this package, not the SDK's: the plugin does not load the SDK (`engine/lean_imports.py`).
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intune_vpp.core.errors import TokenFileError
from intune_vpp.core.stoken import MAX_BYTES
from intune_vpp.core.token_check import TokenFileContent


@dataclass(frozen=True, slots=True)
class FileAsset:
    """A file of the program."""

    path: str


@dataclass(frozen=True, slots=True)
class StringAsset:
    """The text of a file."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OtherAsset:
    """An asset or archive that the provider does not read, by the name of its type in the SDKs."""

    type_name: str


def read(value: Any) -> Any:
    """Return the content of an asset, and any other value unchanged. Raises TokenFileError."""
    match value:
        case FileAsset():
            return read_file(Path(value.path))
        case StringAsset():
            return TokenFileContent(value.text.encode(errors="surrogatepass"))
        case OtherAsset():
            raise TokenFileError(unusable(value.type_name))
        case _:
            return value


def unusable(type_name: str) -> str:
    """Return the sentence about a value of a type that the provider does not read."""
    what = f"token cannot be of type {type_name}"
    why = "the provider does not download, unpack or decode files"
    return f"{what}: {why}. Use a FileAsset of the .vpptoken file."


def is_text(value: Any) -> bool:
    """Whether a program gives the text of a file, not the file."""
    return isinstance(value, (str, StringAsset))


def read_file(path: Path) -> TokenFileContent:
    """Return the content of a token file; of a longer file, one byte more than is allowed. Raises TokenFileError."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                return TokenFileContent(file.read(MAX_BYTES + 1), path.name)
        # Reading from a pipe or a device may block, or never end.
        what = "is a folder" if path.is_dir() else "is not a regular file"
    except FileNotFoundError:
        what = "does not exist"
    except (OSError, ValueError) as error:
        what = f"cannot be read ({type(error).__name__})"
    msg = f"The token file {path.absolute()} {what}."
    raise TokenFileError(f"{msg} Use the .vpptoken file downloaded from Apple Business (or School) Manager.")
