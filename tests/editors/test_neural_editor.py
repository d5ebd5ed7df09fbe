"""A network before whole photographs: background, order, batches, borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from synth_affect.affect import ValenceArousal, ring
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.editors.face_crop import align, cut_out
from synth_affect.editors.neural_editor import BATCH, NeuralEditor, Unedited
from synth_affect.errors import NoFaceError
from synth_affect.fitting.landmarks import Landmarks


class Stripes:
    """Draws stripes whose contrast is the arousal asked for, over the crop as it is."""

    size, device = 48, "cpu"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        assert crop.shape == (48, 48, 3)
        assert np.abs(crop).max() <= 1
        self.batches.append(len(targets))
        stripes = np.where(np.arange(48) // 6 % 2, 1.0, -1.0)[:, np.newaxis, np.newaxis]
        strengths = np.array([target.arousal for target in targets])[:, np.newaxis, np.newaxis, np.newaxis]
        return np.clip(crop + 0.5 * strengths * stripes, -1, 1).astype(np.float32)

    def draw_unedited(self, crop: FloatArray) -> Unedited | None:
        return None


class Lower(Stripes):
    """Draws a pattern that is nobody's face, and its lower third lower by three times the arousal asked for."""

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        rows, columns = np.mgrid[0:48, 0:48].astype(np.float32)
        pattern = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 4, (48, 48)).astype(np.float32), (0, 0), 2)
        fall = 3 * np.clip((rows - 24) / 6, 0, 1)
        drawn = [cv2.remap(pattern, columns, rows - t.arousal * fall, cv2.INTER_LINEAR) for t in targets]
        return np.clip(np.stack(drawn), -1, 1)[..., np.newaxis].repeat(3, axis=3)

    def draw_unedited(self, crop: FloatArray) -> Unedited:
        return Unedited(self.edit_crops(crop, [ValenceArousal(0, 0)])[0], 1.0)


class At:
    def __init__(self, points: FloatArray | None) -> None:
        self.points, self.closed = points, 0

    def __call__(self, image: ImageArray) -> FloatArray:
        if self.points is None:
            raise NoFaceError("the picture")
        return self.points

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def points(portrait_landmarks: Landmarks) -> FloatArray:
    from synth_affect.pipelines.embed_landmarks import IBUG_68

    return portrait_landmarks.points_image[list(IBUG_68), :2]


def test_each_target_gets_its_picture_in_order_and_batches(portrait: ImageArray, points: FloatArray) -> None:
    network, locate = Stripes(), At(points)
    editor = NeuralEditor("stripes", "stripes 1", network, locate, about={"licence": "free"})
    assert (editor.name, editor.fingerprint, editor.device, editor.about) == (
        "stripes", "stripes 1", "cpu", {"licence": "free"},
    )  # fmt: skip
    targets = ring(10, (0.2, 0.4, 0.6, 0.8))
    pictures = list(editor.edit(portrait, targets))
    assert network.batches == [1, BATCH, len(targets) - BATCH - 1]
    strengths = [float(np.abs(picture.astype(float) - portrait).mean()) for picture in pictures]
    asked = [abs(target.arousal) for target in targets]
    assert np.corrcoef(strengths, asked)[0, 1] > 0.95
    alone = next(iter(editor.edit(portrait, targets[7:8])))
    np.testing.assert_array_equal(alone, pictures[7])
    assert list(editor.edit(portrait, [])) == []
    editor.close()
    assert locate.closed == 1


def test_only_the_face_changes(portrait: ImageArray, points: FloatArray) -> None:
    editor = NeuralEditor("stripes", "stripes 1", Stripes(), At(points))
    for image in (portrait, portrait.astype(np.uint16) * 257):
        picture = next(iter(editor.edit(image, [ValenceArousal(0, 1)])))
        assert picture.dtype == image.dtype
        changed = (picture != image).any(axis=2)
        assert changed.any()
        low, high = points.min(axis=0), points.max(axis=0)
        reach = 0.25 * (high - low).max()
        (left, top), (right, bottom) = np.maximum(low - reach, 0).astype(int), (high + reach).astype(int)
        changed[top:bottom, left:right] = False
        assert not changed.any()


def test_a_face_over_the_border_is_edited(portrait: ImageArray, points: FloatArray) -> None:
    x = int(points[30, 0])  # through the nose
    half, moved = portrait[:, x:].copy(), points - np.array([x, 0], dtype=np.float32)
    picture = next(iter(NeuralEditor("stripes", "1", Stripes(), At(moved)).edit(half, [ValenceArousal(0, 1)])))
    changed = (picture != half).any(axis=2)
    assert changed[:, 0].any(), "up to the border"
    assert not changed[:, 200:].any()


def test_without_a_face_nothing_is_asked(portrait: ImageArray) -> None:
    network: Any = Stripes()
    with pytest.raises(NoFaceError):
        list(NeuralEditor("stripes", "1", network, At(None)).edit(portrait, [ValenceArousal(0, 1)]))
    assert network.batches == []


def test_a_photograph_gets_the_change_of_a_drawing(portrait: ImageArray, points: FloatArray) -> None:
    """Whatever the drawing looks like: unchanged it leaves the photograph, and a lower mouth moves the person's own."""
    editor = NeuralEditor("lower", "lower 1", Lower(), At(points))
    same, lower = editor.edit(portrait, [ValenceArousal(0, 0), ValenceArousal(0, 1)])
    np.testing.assert_array_equal(same, portrait)
    crop = align(points)
    before, after = (cut_out(picture, crop, 96) for picture in (portrait, lower))
    mouth = (slice(56, 70), slice(34, 62))
    errors = [np.abs(after - np.roll(before, by, axis=0))[mouth].mean() for by in range(-8, 9)]
    assert 3 <= int(np.argmin(errors)) - 8 <= 7  # 6 px of 96
    eyes = (slice(26, 38), slice(28, 68))
    assert np.abs(after - before)[eyes].mean() < 0.2 * errors[8]
