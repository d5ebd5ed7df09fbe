"""Faces for the small editor of these tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synth_affect.editors.faces import EditorFaces
from tests.shade_editor import make_faces


@pytest.fixture
def faces() -> Callable[..., EditorFaces]:
    return make_faces
