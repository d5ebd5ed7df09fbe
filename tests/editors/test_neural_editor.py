"""A network before whole photographs: background, order, batches, borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal, ring
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.editors.neural_editor import BATCH, NeuralEditor
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
    half, moved = np.ascontiguousarray(portrait[:, x:]), points - np.array([x, 0], dtype=np.float32)
    picture = next(iter(NeuralEditor("stripes", "1", Stripes(), At(moved)).edit(half, [ValenceArousal(0, 1)])))
    changed = (picture != half).any(axis=2)
    assert changed[:, 0].any(), "up to the border"
    assert not changed[:, 200:].any()


def test_without_a_face_nothing_is_asked(portrait: ImageArray) -> None:
    network: Any = Stripes()
    with pytest.raises(NoFaceError):
        list(NeuralEditor("stripes", "1", network, At(None)).edit(portrait, [ValenceArousal(0, 1)]))
    assert network.batches == []
