from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.heads.model import embed
from synth_affect.render.face_frame import EYE_CORNERS, FaceFrame, UprightView, face_frame
from synth_affect.render.scene import EYE_KIND, Scene

SceneMaker = Callable[..., tuple[ImageArray, Scene]]


def frame_of(scene: Scene) -> FaceFrame:
    points = embed(scene.projected[:, :2], scene.head.triangles, scene.head.landmarks_478)
    return face_frame(points, scene.camera, scene.px_per_mm)


@pytest.mark.parametrize("roll_rad", [0.0, 0.7, -2.5])
def test_eyes_lie_level_and_the_chin_below_whatever_the_roll(make_scene: SceneMaker, roll_rad: float) -> None:
    frame = frame_of(make_scene(size=(420, 400), roll_rad=roll_rad)[1])
    right, left = frame.eyes()
    assert right[0] < -25
    assert left[0] > 25
    assert abs(right[1]) < 1
    assert abs(left[1]) < 1
    assert abs(frame.points_mm[152, 0]) < 2
    assert 90 < frame.points_mm[152, 1] < 140
    np.testing.assert_allclose(frame.points_mm[list(EYE_CORNERS)].mean(axis=0), 0, atol=1e-9)


def test_pixels_and_millimetres_are_inverse(make_scene: SceneMaker) -> None:
    scene = make_scene(size=(420, 400), px_per_mm=1.7, roll_rad=0.4)[1]
    frame = frame_of(scene)
    points = np.random.default_rng(0).uniform(-80, 80, (7, 2))
    np.testing.assert_allclose(frame.to_mm(frame.to_pixels(points)), points, atol=1e-9)
    step = np.linalg.norm(frame.to_pixels(np.array([1.0, 0])) - frame.to_pixels(np.zeros(2)))
    assert step == pytest.approx(scene.px_per_mm)


@pytest.mark.parametrize("px_per_mm", [0.8, 2.0, 7.3])
def test_a_view_shows_a_point_where_it_says(px_per_mm: float) -> None:
    """A soft spot in the picture, read back in the view at `columns_rows`, whether pixels are repeated or averaged."""
    down = px_per_mm * np.array([-np.sin(0.3), np.cos(0.3)])
    frame = FaceFrame(np.array([400.3, 380.8]), np.array([down[1], -down[0]]), down, np.zeros((0, 2)))
    spot = np.array([12.4, -7.7])
    x, y = frame.to_pixels(spot) - 0.5
    rows, columns = np.mgrid[:800, :800]
    picture = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (3 * px_per_mm) ** 2)).astype(np.float32)
    view = UprightView(frame, left_mm=-30, top_mm=-20, width=120, height=80, scale=2.0)
    seen = view.of(picture)
    assert seen.shape == (80, 120)
    total = seen.sum()
    middle = np.array([(seen * np.arange(120)).sum(), (seen * np.arange(80)[:, None]).sum()]) / total
    np.testing.assert_allclose(middle, view.columns_rows(spot), atol=0.15)
    back = view.onto(seen, picture.shape)
    row, column = np.unravel_index(int(back.argmax()), back.shape)
    assert np.hypot(column - x, row - y) < max(1.0, 0.4 * px_per_mm)


def test_a_view_of_kinds_keeps_kinds(make_scene: SceneMaker) -> None:
    scene = make_scene(size=(420, 400), px_per_mm=3.0)[1]
    frame = frame_of(scene)
    view = UprightView(frame, -60, -30, 120, 60, 1.0)
    seen = view.of(scene.kind_map, interpolation=cv2.INTER_NEAREST)
    assert set(np.unique(seen)) <= set(np.unique(scene.kind_map))
    for column, row in np.rint(view.columns_rows(frame.eyes())).astype(int):
        assert seen[row, column] == EYE_KIND
