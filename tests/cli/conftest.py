"""What commands are given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def face(tmp_path: Path, portrait_path: Path) -> Path:
    """A picture with a face in a folder of its own."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return Path(shutil.copy(portrait_path, folder / "face.png"))
