"""Output files: whole or absent, never onto an input."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from synth_affect.data.atomic import TEMPORARY, atomic_write, check_writable, remove_temporaries, write_aside
from synth_affect.errors import InputError

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_the_file_appears_when_the_block_ends_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    with atomic_write(path) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_nothing_is_left_behind_when_the_block_fails(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"older")
    with pytest.raises(type(error)), atomic_write(path) as file:  # noqa: PT012 (what is tested is the block's failure)
        file.write(b"new")
        raise error
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_input_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    with (
        pytest.raises(InputError, match=r"out\.png: cannot be written \(No space left on device\)"),
        atomic_write(path),
    ):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="permission bits are of POSIX")
def test_the_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic_write(tmp_path / "out"):
        pass
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_name_of_full_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".png")
    with atomic_write(path) as file:
        file.write(b"1")
    assert path.read_bytes() == b"1"


@pytest.mark.skipif(os.name != "posix", reason="links need rights on other systems")
def test_a_link_keeps_pointing_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "target.png"
    link = tmp_path / "link.png"
    link.symlink_to(target)
    with atomic_write(link) as file:
        file.write(b"1")
    assert link.is_symlink()
    assert target.read_bytes() == b"1"


def test_what_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder, not a file to write"):
        check_writable(tmp_path)
    with pytest.raises(InputError, match=r"the folder .*nowhere does not exist"):
        check_writable(tmp_path / "nowhere" / "out.png")


def test_names_that_no_file_can_have_are_told_before(tmp_path: Path) -> None:
    for name in ("x" * 300 + ".png", "null\0.png"):
        with pytest.raises(InputError, match="cannot be written"):
            check_writable(tmp_path / name)


@pytest.mark.skipif(os.name != "posix", reason="links need rights here")
def test_a_ring_of_links_is_told_before(tmp_path: Path) -> None:
    for name, target in (("a.png", "b.png"), ("b.png", "a.png")):
        (tmp_path / name).symlink_to(tmp_path / target)
    for path in (tmp_path / "a.png", tmp_path / "a.png" / "c.png"):
        with pytest.raises(InputError, match=r"cannot be written|does not exist"):
            check_writable(path)


@pytest.mark.skipif(os.name != "posix" or IS_ROOT, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_told_before(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="is not writable"):
            check_writable(tmp_path / "out.png")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no devices here")
def test_a_device_is_not_replaced() -> None:
    with pytest.raises(InputError, match="/dev/null: not a regular file"):
        check_writable(Path("/dev/null"))


def test_the_input_is_recognised_under_other_names(tmp_path: Path) -> None:
    source = tmp_path / "face.png"
    source.write_bytes(b"1")
    (tmp_path / "sub").mkdir()
    (tmp_path / "hard.png").hardlink_to(source)
    names = [source, tmp_path / "sub" / ".." / "face.png", tmp_path / "hard.png"]
    if os.name == "posix":
        (tmp_path / "soft.png").symlink_to(source)
        names.append(tmp_path / "soft.png")
    if (tmp_path / "FACE.PNG").exists():  # a file system that ignores case
        names.append(tmp_path / "FACE.PNG")
    for name in names:
        with pytest.raises(InputError, match=r"the output is the input .*face\.png; it would be overwritten"):
            check_writable(name, [tmp_path / "other.png", source])
    check_writable(tmp_path / "out.png", [source])


def test_a_file_of_a_store_is_whole_or_as_before_and_its_error_stays_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "chunk"
    with write_aside(path) as file:
        file.write(b"one")
        assert not path.exists()
    with pytest.raises(OSError, match="No space left"), write_aside(path):
        raise OSError(28, "No space left on device")
    with pytest.raises(FileNotFoundError), write_aside(tmp_path / "nowhere" / "chunk"):
        pass
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_taken_away_and_nothing_else(tmp_path: Path) -> None:
    for name in (f".0123{TEMPORARY}", f"mine{TEMPORARY}", ".hidden"):
        (tmp_path / name).touch()
    remove_temporaries(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", f"mine{TEMPORARY}"]
