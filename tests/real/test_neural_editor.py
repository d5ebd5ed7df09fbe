"""Crops cut out of real photographs and pasted back: nothing outside the face, no seam round it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.data.pictures import read_picture
from synth_affect.editors.neural_editor import NeuralEditor
from synth_affect.pipelines.evaluate_editor.background import background_change
from synth_affect.pipelines.ibug_points import IbugPoints

FACES = Path(__file__).parents[3] / "shared" / "faces"
NAMES = ("woman_turned", "hand_on_face", "einstein_grey", "woman_dark_low")

pytestmark = pytest.mark.skipif(not FACES.is_dir(), reason="../shared/faces with the test pictures is absent")


class Light:
    """Leaves the crop as it is, but for its brightness, which follows arousal."""

    size, device = 128, "cpu"

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        return np.stack([np.clip(crop + 0.3 * target.arousal, -1, 1) for target in targets]).astype(np.float32)


@pytest.fixture(scope="module")
def locate() -> Iterator[IbugPoints]:
    with IbugPoints() as points:
        yield points


@pytest.mark.parametrize("name", NAMES)
def test_neither_background_nor_seam(name: str, locate: IbugPoints) -> None:
    image = read_picture(FACES / f"{name}.jpg").pixels
    same, brighter = NeuralEditor("light", "1", Light(), locate).edit(
        image, [ValenceArousal(0, 0), ValenceArousal(0, 1)]
    )
    points = locate(image)
    for picture in (same, brighter):
        change = background_change(image, picture, points)
        assert change is None or change.share == 0
        inside = (picture != image).any(axis=2)
        assert 0.02 < inside.mean() < 0.5
        # Along the rim the picture may become softer, but has no step that the photograph has not.
        outline = cv2.convexHull(np.argwhere(inside)[:, ::-1].astype(np.int32))
        region = cv2.fillConvexPoly(np.zeros(inside.shape, np.uint8), outline, 1)
        rim = cv2.dilate(region, np.ones((3, 3))) - cv2.erode(region, np.ones((7, 7)))
        for axis in (0, 1):
            steps = [np.abs(np.diff(p.astype(np.int16), axis=axis)).max(axis=2) for p in (image, picture)]
            on_rim = (rim > 0)[:-1] if axis == 0 else (rim > 0)[:, :-1]
            new = (steps[1] - steps[0])[on_rim]
            assert np.percentile(new, 99) <= 4, "grey levels"
    assert np.abs(same.astype(np.int16) - image).mean() < 3
