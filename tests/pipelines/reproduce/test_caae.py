"""Figures of the CAAE, with an editor whose edits are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal, grid
from synth_affect.arrays import FloatArray
from synth_affect.editors.faces import EditorFaces
from synth_affect.pipelines.evaluate_editor.targets import key
from synth_affect.pipelines.reproduce.caae import (
    EDGE_PX,
    TILE_PX,
    change_maps,
    draw_sheets,
    one_picture_each,
)
from synth_affect.pipelines.reproduce.crops import as_crop, as_picture


class Painter:
    """Paints the upper half greener by valence, and the lower half redder by arousal."""

    size, device = 96, "cpu"

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        made = np.repeat(crop[np.newaxis] * 0.25, len(targets), axis=0)
        for one, target in zip(made, targets, strict=True):
            one[:48, :, 1] += 0.4 * target.valence
            one[48:, :, 0] += 0.2 * target.arousal
        return made

    def draw_unedited(self, crop: FloatArray) -> None:
        return None


def faces(n: int = 5) -> EditorFaces:
    pictures = np.random.default_rng(0).integers(0, 256, (n, 96, 96, 3), dtype=np.uint8)
    return EditorFaces(
        pictures=pictures,
        affect=np.zeros((n, 2), dtype=np.float32),
        categories=np.full(n, -1),
        subjects=np.array([f"p{i // 2}" for i in range(n)]),
        keys=np.array([str(i) for i in range(n)]),
    )


def test_maps_are_of_what_changes_against_neutral() -> None:
    maps = change_maps(Painter(), faces(), lambda items, _, __: items)
    assert len(maps) == 49
    assert not maps[key(ValenceArousal(0, 0))].any()
    corner = maps[key(ValenceArousal(-1, 1))]
    assert corner.shape == (96, 96)
    # The largest of the channels, of 255: 0.4 and 0.2 of a half range.
    np.testing.assert_allclose(corner[:48], 0.4 * 127.5, rtol=1e-5)
    np.testing.assert_allclose(corner[48:], 0.2 * 127.5, rtol=1e-5)


def test_sheets_hold_the_input_and_25_edits() -> None:
    chosen = one_picture_each(faces(), 6)
    assert list(chosen.keys) == ["0", "2", "4"]
    sheet = np.asarray(draw_sheets(Painter(), chosen, lambda items, _, __: items))
    step = TILE_PX + 2
    # In the second block: the input, and the edit in the upper right corner, where valence and arousal are 1.
    left = sheet.shape[1] // 3 + EDGE_PX
    np.testing.assert_array_equal(sheet[EDGE_PX : EDGE_PX + TILE_PX, left : left + TILE_PX], chosen.pictures[1])
    made = as_picture(Painter().edit_crops(as_crop(chosen.pictures[1]), grid(5))[4])
    x = left + 5 * step
    np.testing.assert_array_equal(sheet[EDGE_PX : EDGE_PX + TILE_PX, x : x + TILE_PX], made)


def test_crops_and_pictures_are_of_each_other() -> None:
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    np.testing.assert_array_equal(as_picture(as_crop(every)), every)
    assert as_crop(every).min() == -1
    assert as_crop(every).max() == pytest.approx(1)
