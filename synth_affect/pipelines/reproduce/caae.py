"""Figures 2 to 4 of Lindt et al. 2019, drawn with a trained CAAE; table IV is in `caae_table`.

`fig2`  48 maps of where an edit changes the crop: at each pixel the largest absolute difference over the channels to
        the crop that was made for (0, 0), not to the input; summed over the pictures, all maps on one scale. Arousal
        falls from left to right, valence from top to bottom, as in the paper. The paper has 200 frontal faces.
`fig3`  one face at 5 x 5 points of the plane.
`fig4`  six of these, of six people.

Sheets have valence from left to right and arousal from bottom to top, as all sheets here do; the input is beside them.
Whatever is drawn is the crop that the network gave, not pasted back.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from synth_affect.affect import grid
from synth_affect.arrays import FloatArray
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.neural_editor import CropEditor
from synth_affect.pipelines.drawing import FAINT_INK, blank, write
from synth_affect.pipelines.evaluate_editor.change_maps import SIDE, draw_change_maps
from synth_affect.pipelines.evaluate_editor.targets import LABEL_STEPS, NEUTRAL, key
from synth_affect.pipelines.reproduce.caae_table import judge_generated
from synth_affect.pipelines.reproduce.crops import as_crop, as_picture
from synth_affect.pipelines.reproduce.experiment import Experiment, Materials, Progress, Result

MOST_MAPPED = 200
SHEET_STEPS, SHEET_PEOPLE = 5, 6
GAP_PX, EDGE_PX, TEXT_PX = 2, 40, 11
TILE_PX = 96


def change_maps(editor: CropEditor, faces: EditorFaces, progress: Progress) -> dict[str, FloatArray]:
    """Figure 2, for `draw_change_maps`: name of each label -> (SIDE, SIDE) float64, of 255, the mean over the first
    MOST_MAPPED faces. That of neutral is 0; the other 48 are the paper's.
    """
    labels = grid(LABEL_STEPS)
    names = [key(label) for label in labels]
    neutral = names.index(key(NEUTRAL))
    numbers = range(min(len(faces), MOST_MAPPED))
    total = np.zeros((len(labels), editor.size, editor.size))
    for number in progress(numbers, len(numbers), "drawing"):
        made = editor.edit_crops(as_crop(faces.pictures[number]), labels)
        total += 127.5 * np.abs(made - made[neutral]).max(axis=3)
    maps = [cv2.resize(own / len(numbers), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for own in total]
    return dict(zip(names, maps, strict=True))


def draw_sheets(editor: CropEditor, faces: EditorFaces, progress: Progress) -> Image.Image:
    """Figures 3 and 4: each of `faces` with its input, three side by side."""
    across = min(len(faces), 3)
    down = -(-len(faces) // across)
    block = EDGE_PX + (SHEET_STEPS + 1) * (TILE_PX + GAP_PX)
    height = 2 * EDGE_PX + SHEET_STEPS * (TILE_PX + GAP_PX)
    sheet = blank(down * height, across * block)
    for place in progress(range(len(faces)), len(faces), "drawing"):
        row, column = divmod(place, across)
        _draw_sheet(sheet, (column * block, row * height), editor, faces.pictures[place])
    return sheet


def one_picture_each(faces: EditorFaces, n: int) -> EditorFaces:
    """The first picture of each of the first `n` people."""
    return faces.select(np.unique(faces.people, return_index=True)[1][:n])


def _draw_sheet(
    sheet: Image.Image, corner: tuple[int, int], editor: CropEditor, picture: npt.NDArray[np.uint8]
) -> None:
    left, top = corner[0] + EDGE_PX, corner[1] + EDGE_PX
    step = TILE_PX + GAP_PX
    draw = ImageDraw.Draw(sheet)
    sheet.paste(_tile(picture), (left, top))
    write(draw, (left + TILE_PX / 2, top - EDGE_PX / 2), "input", TEXT_PX, ink=FAINT_INK)
    labels = grid(SHEET_STEPS)
    edited = as_picture(editor.edit_crops(as_crop(picture), labels))
    for place, (label, made) in enumerate(zip(labels, edited, strict=True)):
        row, column = divmod(place, SHEET_STEPS)
        x, y = left + (column + 1) * step, top + row * step
        sheet.paste(_tile(made), (x, y))
        if row == 0:
            write(draw, (x + TILE_PX / 2, top - EDGE_PX / 2), f"V {label.valence:+.1f}", TEXT_PX, ink=FAINT_INK)
        if column == 0:
            write(draw, (left - EDGE_PX / 2, y + TILE_PX / 2), f"A {label.arousal:+.1f}", TEXT_PX, ink=FAINT_INK)


def _tile(picture: npt.NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(picture)).resize((TILE_PX, TILE_PX), Image.Resampling.BICUBIC)


def _figure_2(materials: Materials) -> Result:
    maps = change_maps(materials.open_editor(), materials.parts.test, materials.progress)
    means = {name: round(float(own.mean()), 3) for name, own in maps.items()}
    return Result(draw_change_maps(maps), {"faces": min(len(materials.parts.test), MOST_MAPPED), "mean_change": means})


def _sheets(n: int) -> Callable[[Materials], Result]:
    def draw(materials: Materials) -> Result:
        faces = one_picture_each(materials.parts.test, n)
        return Result(
            draw_sheets(materials.open_editor(), faces, materials.progress), {"pictures": faces.keys.tolist()}
        )

    return draw


EXPERIMENTS = {
    "fig2": Experiment("where an edit changes the crop, for each of 49 labels", _figure_2),
    "fig3": Experiment("one face at 5 x 5 points of the plane", _sheets(1)),
    "fig4": Experiment("six faces at 5 x 5 points of the plane", _sheets(SHEET_PEOPLE)),
    "table4": Experiment("how judges read real and generated pictures (tables III and IV)", judge_generated),
}
