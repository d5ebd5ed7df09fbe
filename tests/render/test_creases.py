from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from synth_affect.arrays import BoolArray, FloatArray, ImageArray
from synth_affect.heads.model import embed
from synth_affect.render.creases import fill_creases
from synth_affect.render.flow import SurfaceFlow, surface_flow
from synth_affect.render.scene import Scene
from synth_affect.render.wrinkles import WrinkleMaps, load_wrinkle_maps, on_surface

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
SKIN, CREASE = np.array([190, 140, 120], np.float32), np.array([110, 60, 50], np.float32)


@pytest.fixture(scope="module", params=[2.0, 7.0], ids=["small", "large"])
def scene(request: pytest.FixtureRequest, make_scene: SceneMaker) -> Scene:
    scale = request.param
    return make_scene(size=(int(250 * scale), int(200 * scale)), px_per_mm=scale, texture=0.0)[1]


@pytest.fixture(scope="module")
def surface(scene: Scene) -> SurfaceFlow:
    return surface_flow(scene, scene.vertices)


@pytest.fixture(scope="module")
def maps(scene: Scene) -> WrinkleMaps:
    maps = load_wrinkle_maps(scene.head)
    assert maps is not None
    return maps


def strengths(maps: WrinkleMaps, group: str, value: float) -> FloatArray:
    return np.array([value if name.startswith(group) else 0 for name in maps.groups], dtype=np.float32)


def fold(scene: Scene, surface: SurfaceFlow, maps: WrinkleMaps) -> tuple[BoolArray, FloatArray]:
    """The furrow of the left fold beside the nose, some 1.5 mm wide, and a picture of even skin that has it."""
    group = maps.groups.index("nasolabial_left")
    depth = on_surface(scene, surface, maps, np.minimum(maps.heights_mm[group], 0))
    rows = np.flatnonzero((depth < -0.2).any(axis=1))
    path = np.polynomial.Polynomial.fit(rows, depth[rows].argmin(axis=1), 2)
    y, x = np.mgrid[: depth.shape[0], : depth.shape[1]]
    away = np.abs(x - path(y)) / scene.px_per_mm
    furrow = np.exp(-((away / 0.8) ** 2)) * (y >= rows[0]) * (y <= rows[-1])
    picture = SKIN + furrow[..., None].astype(np.float32) * (CREASE - SKIN)
    return furrow > 0.7, picture


def test_the_fold_of_a_smile_that_goes_is_skin_again(scene: Scene, surface: SurfaceFlow, maps: WrinkleMaps) -> None:
    line, picture = fold(scene, surface, maps)
    filled = fill_creases(picture, scene, surface, maps, strengths(maps, "nasolabial", -0.6))
    depth = SKIN - np.median(filled[line], axis=0)
    assert (depth < 0.35 * (SKIN - CREASE)).all()
    far = cv2.dilate(line.astype(np.uint8), np.ones((9, 9)), iterations=round(scene.px_per_mm)) == 0
    np.testing.assert_allclose(filled[far], picture[far], atol=1)
    assert (filled >= picture - 1e-3).all()


def test_a_fold_that_stays_or_deepens_is_not_touched(scene: Scene, surface: SurfaceFlow, maps: WrinkleMaps) -> None:
    _, picture = fold(scene, surface, maps)
    for group, value in (("nasolabial", 0.6), ("nasolabial", 0.0), ("forehead", -0.8)):
        filled = fill_creases(picture, scene, surface, maps, strengths(maps, group, value))
        np.testing.assert_allclose(filled, picture, atol=0.5)


def test_hair_is_no_crease(scene: Scene, surface: SurfaceFlow, maps: WrinkleMaps) -> None:
    line, picture = fold(scene, surface, maps)
    rng = np.random.default_rng(0)
    hairs = rng.random(line.shape) < 0.3
    picture[hairs] = 0.3 * SKIN
    filled = fill_creases(picture, scene, surface, maps, strengths(maps, "nasolabial", -0.6))
    assert np.abs(filled - picture)[hairs].max() < 12


def test_nostrils_stay(scene: Scene, surface: SurfaceFlow, maps: WrinkleMaps) -> None:
    picture = np.tile(SKIN, (*surface.kind_map.shape, 1))
    points = embed(surface.projected[:, :2], scene.head.triangles, scene.head.landmarks_478)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    holes = np.zeros(rows.shape, dtype=bool)
    for x, y in points[[98, 327]]:
        holes |= np.hypot(columns - x, rows - y) < 2 * scene.px_per_mm
    picture[holes] = 30
    filled = fill_creases(picture, scene, surface, maps, strengths(maps, "nasolabial", -1))
    np.testing.assert_allclose(filled[holes], picture[holes], atol=2)
