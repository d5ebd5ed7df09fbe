"""Crops cut out of real photographs and pasted back: nothing outside the face, no seam round it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.pictures import read_picture
from synth_affect.editors.neural_editor import NeuralEditor, Unedited
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

    def draw_unedited(self, crop: FloatArray) -> Unedited | None:
        return None


class Fall(Light):
    """Draws the crop, and its lower half lower, by a twentieth of the crop where arousal is 1."""

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        rows, columns = np.mgrid[0 : self.size, 0 : self.size].astype(np.float32)
        fall = self.size / 20 * np.clip(rows / self.size * 4 - 2, 0, 1)
        return np.stack(
            [cv2.remap(crop, columns, rows - target.arousal * fall, cv2.INTER_LINEAR) for target in targets]
        )

    def draw_unedited(self, crop: FloatArray) -> Unedited:
        return Unedited(crop, 1.0)


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
        assert_only_the_face_changes(image, picture, points)
        assert_no_seam(image, picture)
    assert np.abs(same.astype(np.int16) - image).mean() < 3


@pytest.mark.parametrize("name", NAMES)
def test_a_change_is_carried_into_the_face_alone(name: str, locate: IbugPoints) -> None:
    image = read_picture(FACES / f"{name}.jpg").pixels
    same, lower = NeuralEditor("fall", "1", Fall(), locate).edit(image, [ValenceArousal(0, 0), ValenceArousal(0, 1)])
    np.testing.assert_array_equal(same, image)
    before, after = locate(image), locate(lower)
    assert_only_the_face_changes(image, lower, before)
    inner = np.hypot(*(before[42] - before[39]))
    assert (after[48:, 1] - before[48:, 1]).mean() > 0.1 * inner, "the mouth falls"
    assert np.abs(after[36:48] - before[36:48]).mean() < 0.05 * inner, "the eyes stay"


def assert_only_the_face_changes(image: ImageArray, picture: ImageArray, points: FloatArray) -> None:
    change = background_change(image, picture, points)
    assert change is None or change.share == 0
    assert 0.02 < (picture != image).any(axis=2).mean() < 0.5


def assert_no_seam(image: ImageArray, picture: ImageArray) -> None:
    """Along the rim of what changed the picture may become softer, but has no step that the photograph has not."""
    outline = cv2.convexHull(np.argwhere((picture != image).any(axis=2))[:, ::-1].astype(np.int32))
    region = cv2.fillConvexPoly(np.zeros(image.shape[:2], np.uint8), outline, 1)
    rim = cv2.dilate(region, np.ones((3, 3))) - cv2.erode(region, np.ones((7, 7)))
    for axis in (0, 1):
        steps = [np.abs(np.diff(p.astype(np.int16), axis=axis)).max(axis=2) for p in (image, picture)]
        on_rim = (rim > 0)[:-1] if axis == 0 else (rim > 0)[:, :-1]
        new = (steps[1] - steps[0])[on_rim]
        assert np.percentile(new, 99) <= 4, "grey levels"
