from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.render.flow import surface_flow
from synth_affect.render.scene import Scene
from synth_affect.render.wrinkles import LEAST_LIMIT, LIMIT, load_wrinkle_maps, wrinkle_light

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]


@pytest.fixture(scope="module")
def scene(make_scene: SceneMaker) -> Scene:
    return make_scene(size=(500, 400), px_per_mm=2.0, texture=0.0)[1]


def light_on(scene: Scene, picture: FloatArray, displace: Displacer) -> FloatArray:
    maps = load_wrinkle_maps(scene.head)
    assert maps is not None
    surface = surface_flow(scene, displace(scene, mouthSmileLeft=0.8, mouthSmileRight=0.8))
    strengths = np.array([float(name.startswith("nasolabial")) for name in maps.groups], dtype=np.float32)
    return wrinkle_light(picture, scene, surface, maps, strengths)


def test_folds_darken_even_skin_within_their_limit(scene: Scene, displace: Displacer) -> None:
    light = light_on(scene, np.full((*scene.kind_map.shape, 3), 150, dtype=np.float32), displace)
    assert light.dtype == np.float32
    assert light.min() < 0.85
    assert np.abs(np.log(light)).max() <= LIMIT + 1e-6


def test_a_fold_that_the_photograph_shows_is_hardly_drawn_again(scene: Scene, displace: Displacer) -> None:
    even = np.full((*scene.kind_map.shape, 3), 150, dtype=np.float32)
    on_even = light_on(scene, even, displace)
    row, column = np.unravel_index(int(on_even.argmin()), on_even.shape)
    folded = even.copy()
    folded[:, column - 1 : column + 2] = 75  # a furrow through the darkest place
    on_folded = light_on(scene, folded, displace)
    assert on_folded[row, column] > on_even[row, column] + 0.1
    assert np.log(on_folded[row, column]) >= -LEAST_LIMIT - 0.1
    far = np.abs(np.arange(even.shape[1]) - column) > 40
    np.testing.assert_allclose(on_folded[:, far], on_even[:, far], atol=0.02)
