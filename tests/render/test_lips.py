from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from synth_affect.arrays import ImageArray
from synth_affect.render.lips import NEIGHBOURS, lip_pixels, meet, parted_lips
from synth_affect.render.scene import FACE_KIND, Scene

SceneMaker = Callable[..., tuple[ImageArray, Scene]]


def test_the_upper_lip_is_above_the_lower_one(portrait_scene: tuple[ImageArray, Scene]) -> None:
    scene = portrait_scene[1]
    upper, lower = lip_pixels(scene.head, scene.triangles, scene.regions, scene.fragments)
    assert not (upper & lower).any()
    assert np.nonzero(upper)[0].mean() < np.nonzero(lower)[0].mean() - 2
    assert meet(upper, lower, *NEIGHBOURS[0]).any()


def test_a_dark_line_between_the_lips_goes_and_nothing_else(make_scene: SceneMaker) -> None:
    scene = make_scene(size=(600, 480), px_per_mm=2.0, mouthShrugLower=0.5)[1]
    upper, lower = lip_pixels(scene.head, scene.triangles, scene.regions, scene.fragments)
    line = np.zeros(upper.shape, dtype=bool)
    line[1:] = meet(upper, lower, *NEIGHBOURS[0])
    assert line.any()
    skin = np.full((*line.shape, 3), 150, dtype=np.float32)
    skin[line] = 20
    parted = parted_lips(skin, upper, lower, scene.kind_map == FACE_KIND, scene.px_per_mm)
    assert parted[line].min() > 140
    far = cv2.dilate((upper | lower).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    np.testing.assert_array_equal(parted[far], skin[far])


def test_lips_that_do_not_touch_stay(make_scene: SceneMaker) -> None:
    scene = make_scene(size=(600, 480), px_per_mm=2.0)[1]
    upper, lower = lip_pixels(scene.head, scene.triangles, scene.regions, scene.fragments)
    apart = lower & ~(cv2.dilate(upper.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    assert parted_lips(scene.pixels, upper, apart, upper | lower, scene.px_per_mm) is scene.pixels
