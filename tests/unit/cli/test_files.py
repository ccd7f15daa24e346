"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rungraph.cli.files import FileWriteError, write_file


def test_a_file_is_made_or_replaced(tmp_path: Path) -> None:
    """A new one has usual permissions, an old one keeps its own, a link stays a link."""
    plain, path, link = (tmp_path / name for name in ("plain", "kept.svg", "link.svg"))
    plain.write_bytes(b"")
    write_file(path, b"old")
    assert path.read_bytes() == b"old"
    assert path.stat().st_mode == plain.stat().st_mode
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept.svg", "plain"]
    path.chmod(0o640)
    link.symlink_to(path)
    write_file(link, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    # What is no regular file is not replaced by one.
    write_file(Path("/dev/null"), b"content")
    assert Path("/dev/null").is_char_device()


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last step fails, the old file is whole and the new one is gone."""
    path = tmp_path / "kept.svg"
    path.write_bytes(b"old")

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(FileWriteError) as caught:
        write_file(path, b"new")
    assert str(caught.value) == f"cannot write {path}: no space left on device"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A missing folder and a folder in the place of a file are one line each."""
    with pytest.raises(FileWriteError) as caught:
        write_file(tmp_path / "none" / "x.svg", b"")
    assert str(caught.value) == (
        f"cannot write {tmp_path / 'none' / 'x.svg'}: there is no folder '{tmp_path / 'none'}'"
    )
    with pytest.raises(FileWriteError, match=r"cannot write .*: is a directory$"):
        write_file(tmp_path, b"")
    with pytest.raises(FileWriteError) as caught:
        write_file(Path("/proc/x.svg"), b"")
    assert str(caught.value) == "cannot write /proc/x.svg: no file can be made there"
    link = tmp_path / "link.svg"
    link.symlink_to(tmp_path / "none/x.svg")
    with pytest.raises(FileWriteError, match=rf"link\.svg: there is no folder '{tmp_path}/none'$"):
        write_file(link, b"")


def test_a_link_that_leads_round_is_told(tmp_path: Path) -> None:
    """It stays as it is."""
    link = tmp_path / "round.svg"
    link.symlink_to(link)
    with pytest.raises(FileWriteError, match=r"^cannot write .*round\.svg: too many levels of"):
        write_file(link, b"new")
    assert link.is_symlink()
