"""An empty gallery, and what can be put into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.blendshape.gallery.format import FRAMES_PER_CHUNK
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.writer import create_gallery
from synth_affect.blendshape.template import Template
from tests.blendshape.conftest import MakeSequence


@pytest.fixture
def path(tmp_path: Path, sheet: Template) -> Path:
    """An empty gallery."""
    create_gallery(tmp_path / "g.zarr", sheet)
    return tmp_path / "g.zarr"


@pytest.fixture
def sequences(make_sequence: MakeSequence) -> list[GallerySequence]:
    """Lengths that end before, at and behind a chunk's end."""
    return [
        make_sequence("a", 1),
        make_sequence("b", FRAMES_PER_CHUNK - 1, posed=True, category=Emotion.FEAR),
        make_sequence("c", FRAMES_PER_CHUNK + 1, subject="bob"),
        make_sequence("a", 5, subject="bob", session="2"),
        make_sequence("d", 3 * FRAMES_PER_CHUNK, subject="Zoë"),
    ]


def offsets_of(sequences: list[GallerySequence]) -> np.ndarray:
    return np.concatenate([s.offsets for s in sequences])


def edit_manifest(path: Path, **changes: Any) -> None:
    file = path / "zarr.json"
    content = json.loads(file.read_text())
    content["attributes"].update(changes)
    file.write_text(json.dumps(content))
