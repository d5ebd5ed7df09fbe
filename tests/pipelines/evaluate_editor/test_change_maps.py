from pathlib import Path

import numpy as np
from PIL import Image

from synth_affect.affect import grid
from synth_affect.pipelines.evaluate_editor.change_maps import SIDE, change_maps, draw_change_maps
from synth_affect.pipelines.evaluate_editor.records import InputRecord, JudgedPicture, PictureRecord
from synth_affect.pipelines.evaluate_editor.scores import Edit
from synth_affect.pipelines.evaluate_editor.targets import key


def test_a_map_shows_what_differs_from_the_editors_own_neutral(tmp_path: Path) -> None:
    """An editor that brightens all, and the left half by valence and the right half by arousal."""
    edits = []
    before = InputRecord("", (20, 20, 80, 80), JudgedPicture(True))
    record = PictureRecord("", "", "", 0, False, None, None, None, None)
    for label in grid(7):
        pixels = np.full((100, 100, 3), 150, np.uint8)
        pixels[:, :50, 0] += round(30 * label.valence) % 256 if label.valence > 0 else 0
        pixels[:, 50:, 1] += round(60 * label.arousal) if label.arousal > 0 else 0
        path = tmp_path / f"{key(label)}.png"
        Image.fromarray(pixels).save(path)
        edits.append(Edit("face", Path("in"), path, label, record, before))
    maps = change_maps(edits, lambda items, count, description: items)
    assert maps["v+0.000a+0.000"].max() == 0
    strongest = maps["v+1.000a+1.000"]
    assert strongest.shape == (SIDE, SIDE)
    np.testing.assert_allclose(strongest[:, : SIDE // 2 - 1], 30)
    np.testing.assert_allclose(strongest[:, SIDE // 2 + 1 :], 60)
    assert maps["v-1.000a-1.000"].max() == 0
    sheet = np.asarray(draw_change_maps(maps)).astype(int)
    # Arousal falls from left to right and valence from top to bottom: the strongest is in the upper left.
    (upper, lower), (left, right) = (110, sheet.shape[0] - 50), (130, sheet.shape[1] - 20)
    assert sheet[upper, left].sum() > sheet[upper, right].sum()
    assert sheet[upper, left].sum() > sheet[lower, left - 50].sum()
