"""Files that are no pictures, and places where none can be written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.data.pictures import check_output, read_picture, write_picture
from synth_affect.errors import InputError
from tests.data.picture_files import PROVENANCE, picture, save


def test_places_that_are_no_picture_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder, not a picture"):
        read_picture(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_picture(tmp_path / "absent.png")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read anything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = save(tmp_path / "secret.png", Image.new("RGB", (2, 2)))
    path.chmod(0)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        read_picture(path)


def test_more_than_the_format_holds_is_refused_and_nothing_written(tmp_path: Path) -> None:
    wide = np.zeros((1, 16_384, 3), np.uint8)  # WebP ends at 16,383
    with pytest.raises(InputError, match="cannot be written as WEBP"):
        write_picture(wide, tmp_path / "out.webp", picture(pixels=wide), PROVENANCE)
    assert not list(tmp_path.iterdir())


def test_what_check_output_refuses(tmp_path: Path) -> None:
    source = save(tmp_path / "face.png", Image.new("RGB", (2, 2)))
    for name in ("out.bmp", "out", "out.gif"):
        with pytest.raises(InputError, match=r"pictures are written as \.png, \.jpg, \.jpeg, \.webp, \.avif, \.tif"):
            check_output(tmp_path / name)
    with pytest.raises(InputError, match="it would be overwritten"):
        check_output(source, [source])
    with pytest.raises(InputError, match="does not exist"):
        check_output(tmp_path / "nowhere" / "out.png")
    check_output(tmp_path / "OUT.JPG", [source])
