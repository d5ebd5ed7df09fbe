"""Where an editor changes the picture, label by label: figure 2 of Lindt et al. 2019.

For each face and label: at each pixel the largest absolute difference over the channels to the picture that the editor
made for neutral (not to the input); summed over the faces, each cropped to the square round its landmarks; all maps on
one scale. Arousal falls from left to right and valence from top to bottom, as in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from synth_affect.affect import grid
from synth_affect.arrays import FloatArray, as_uint8
from synth_affect.data.pictures import read_picture
from synth_affect.pipelines.drawing import FAINT_INK, blank, write
from synth_affect.pipelines.evaluate_editor.progress import Progress
from synth_affect.pipelines.evaluate_editor.scores import Edit
from synth_affect.pipelines.evaluate_editor.targets import LABEL_STEPS, NEUTRAL, key
from synth_affect.pipelines.judges.face_view import square_crop

SIDE, MARGIN = 96, 0.35
"""px of a map; share of the landmarks' box that is shown round it."""
GAP, EDGE, TEXT_PX = 4, 60, 17


def change_maps(edits: Sequence[Edit], progress: Progress) -> dict[str, FloatArray]:
    """Name of a label -> (SIDE, SIDE) float64, the mean over the faces, of 255. Neutral's own map is 0."""
    by_face: dict[str, dict[str, Edit]] = {}
    for edit in edits:
        by_face.setdefault(edit.face, {})[key(edit.target)] = edit
    names = [key(label) for label in grid(LABEL_STEPS)]
    sums: dict[str, FloatArray] = {name: np.zeros((SIDE, SIDE)) for name in names}
    for own in progress(by_face.values(), len(by_face), "drawing"):
        neutral = _crop(own[key(NEUTRAL)])
        for name in names:
            sums[name] = sums[name] + np.abs(_crop(own[name]) - neutral).max(axis=2)
    return {name: total / len(by_face) for name, total in sums.items()}


def draw_change_maps(maps: dict[str, FloatArray]) -> Image.Image:
    """The sheet of 7 x 7."""
    largest = max(float(values.max()) for values in maps.values()) or 1.0
    levels = [2 * k / (LABEL_STEPS - 1) - 1 for k in reversed(range(LABEL_STEPS))]
    step = SIDE + GAP
    sheet = blank(EDGE + LABEL_STEPS * step, EDGE + LABEL_STEPS * step)
    draw = ImageDraw.Draw(sheet)
    write(draw, (EDGE + LABEL_STEPS * step / 2, 16), "arousal", TEXT_PX)
    write(draw, (EDGE / 2, 44), "valence", TEXT_PX - 3)
    by_label = {key(label): label for label in grid(LABEL_STEPS)}
    for name, label in by_label.items():
        row = _place(levels, label.valence)
        column = _place(levels, label.arousal)
        values = np.rint(255 * maps[name] / largest).astype(np.uint8)
        coloured = cv2.applyColorMap(values, cv2.COLORMAP_INFERNO)[..., ::-1]
        sheet.paste(Image.fromarray(np.ascontiguousarray(coloured)), (EDGE + column * step, EDGE + row * step))
    for place, level in enumerate(levels):
        middle = EDGE + place * step + SIDE / 2
        write(draw, (middle, EDGE - 14), f"{level:+.2f}", TEXT_PX - 2, ink=FAINT_INK)
        write(draw, (EDGE - 8, middle), f"{level:+.2f}", TEXT_PX - 2, anchor="rm", ink=FAINT_INK)
    return sheet


def _place(levels: Sequence[float], value: float) -> int:
    return int(np.argmin(np.abs(np.array(levels) - value)))


def _crop(edit: Edit) -> FloatArray:
    left, top, right, bottom = edit.before.box
    corners = np.array([(left, top), (right, bottom)])
    crop = square_crop(as_uint8(read_picture(edit.output).pixels), corners, MARGIN)
    small: FloatArray = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    return small
