from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.render.surroundings import FARTHEST_MM, apart_mm


@pytest.fixture
def face() -> BoolArray:
    mask = np.zeros((120, 100), dtype=bool)
    mask[10:60, 20:80] = True
    return mask


def plain() -> FloatArray:
    return np.full((120, 100, 3), 150, dtype=np.float32)


def test_without_edges_it_is_the_distance(face: BoolArray) -> None:
    apart = apart_mm(plain(), face, px_per_mm=1.0)
    assert apart.dtype == np.float32
    assert apart[30, 50] == 0
    assert apart[80, 50] == pytest.approx(21, abs=2)
    assert apart[110, 50] == pytest.approx(51, abs=3)


def test_what_lies_past_an_edge_is_further_away(face: BoolArray) -> None:
    pixels = plain()
    pixels[75:] = 30
    there, smooth = apart_mm(pixels, face, px_per_mm=1.0), apart_mm(plain(), face, px_per_mm=1.0)
    assert there[90, 50] > smooth[90, 50] + 4
    assert there[66, 50] == pytest.approx(smooth[66, 50], abs=1.5)


def test_the_scale_of_the_picture_does_not_matter(face: BoolArray) -> None:
    pixels = plain()
    pixels[75:] = 30
    doubled = apart_mm(np.kron(pixels, np.ones((2, 2, 1), np.float32)), np.kron(face, np.ones((2, 2), bool)), 2.0)
    assert doubled[180, 100] == pytest.approx(apart_mm(pixels, face, 1.0)[90, 50], rel=0.35)


def test_no_face_is_far_away() -> None:
    assert (apart_mm(plain(), np.zeros((120, 100), dtype=bool), 1.0) == FARTHEST_MM).all()
