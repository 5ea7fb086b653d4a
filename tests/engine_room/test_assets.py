"""The forms in which a token file comes through Pulumi."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from intune_vpp.core import stoken
from intune_vpp.core.errors import TokenFileError
from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.core.token_check import TokenFileContent
from intune_vpp.engine import assets

CURE = "Use the .vpptoken file downloaded from Apple Business (or School) Manager."


def test_a_file_asset_is_read(tmp_path: Path) -> None:
    """A file asset gives the file's bytes as they are, and its name."""
    path = tmp_path / "sToken_for_Lincoln.vpptoken"
    path.write_bytes(b"\xef\xbb\xbfabc\r\n\xff")

    assert assets.read(assets.FileAsset(str(path))) == TokenFileContent(b"\xef\xbb\xbfabc\r\n\xff", path.name)


def test_a_relative_path_is_the_process_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine starts the provider in the project's folder: that is where relative paths begin."""
    (tmp_path / "a.vpptoken").write_text("abc")
    monkeypatch.chdir(tmp_path)

    assert assets.read(assets.FileAsset("a.vpptoken")) == TokenFileContent(b"abc", "a.vpptoken")


@pytest.mark.parametrize("text", ["abc", "", "ü", "\ud800"])
def test_a_string_asset_is_its_text(text: str) -> None:
    """A string asset has no name; what is no text at all is left to the parser to refuse."""
    assert assets.read(assets.StringAsset(text)) == TokenFileContent(text.encode(errors="surrogatepass"))


@pytest.mark.parametrize("value", ["abc", "", None, UNKNOWN, 7, {"a": 1}])
def test_other_values_pass(value: object) -> None:
    """Texts, unknowns and what is no asset are the check's to judge."""
    assert assets.read(value) is value


@pytest.mark.parametrize("kind", ["RemoteAsset", "AssetArchive", "FileArchive", "RemoteArchive"])
def test_what_would_have_to_be_fetched_is_refused(kind: str) -> None:
    """Check fetches and unpacks nothing, and names the form that works."""
    with pytest.raises(TokenFileError) as caught:
        assets.read(assets.OtherAsset(kind))

    assert str(caught.value) == (
        f"token cannot be of type {kind}: the provider does not download, unpack or decode files. "
        "Use a FileAsset of the .vpptoken file."
    )


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named, with the cure."""
    with pytest.raises(TokenFileError) as caught:
        assets.read_file(tmp_path / "gone.vpptoken")

    assert str(caught.value) == f"The token file {tmp_path / 'gone.vpptoken'} does not exist. {CURE}"


def test_a_folder(tmp_path: Path) -> None:
    """A folder is called one."""
    with pytest.raises(TokenFileError) as caught:
        assets.read_file(tmp_path)

    assert str(caught.value) == f"The token file {tmp_path} is a folder. {CURE}"


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of somebody else's is reported by the kind of the error alone."""

    def forbid(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.vpptoken").write_text("theirs")
    monkeypatch.setattr(Path, "open", forbid)

    with pytest.raises(TokenFileError, match=r"a\.vpptoken cannot be read \(PermissionError\)\. Use the"):
        assets.read_file(tmp_path / "a.vpptoken")


@pytest.mark.parametrize(
    ("name", "why"), [("a\x00b", "ValueError"), ("a" * 5000, "OSError"), ("file/below", "NotADirectoryError")]
)
def test_a_name_that_no_file_has(tmp_path: Path, name: str, why: str) -> None:
    """A path that cannot be opened at all is a TokenFileError too."""
    (tmp_path / "file").touch()

    with pytest.raises(TokenFileError, match=rf"cannot be read \({why}\)"):
        assets.read_file(tmp_path / name)


@pytest.mark.parametrize("size", [stoken.MAX_BYTES - 1, stoken.MAX_BYTES, stoken.MAX_BYTES + 1, stoken.MAX_BYTES * 3])
def test_a_huge_file_is_read_only_up_to_the_bound(tmp_path: Path, size: int) -> None:
    """Of a large file as much is read as shows that it is too large, and the parser says so."""
    path = tmp_path / "disk.img"
    path.write_bytes(b"A" * size)

    content = assets.read_file(path).content

    assert len(content) == min(size, stoken.MAX_BYTES + 1)
    with pytest.raises(TokenFileError, match="larger than 64 kB" if size > stoken.MAX_BYTES else "cannot be used"):
        stoken.parse(content)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_may_never_end_is_not_opened(tmp_path: Path) -> None:
    """A pipe and a device are refused at once: to open one may take for ever, and so may reading the other."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(TokenFileError, match="is not a regular file"):
            assets.read_file(path)


def test_the_content_does_not_show(tmp_path: Path) -> None:
    """What was read is in no repr."""
    (tmp_path / "a.vpptoken").write_text("tell-nobody")

    assert "tell-nobody" not in repr(assets.read_file(tmp_path / "a.vpptoken"))
