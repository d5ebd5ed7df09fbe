"""Sheets of small pictures with words at their edges, and maps of points, as the papers' figures are drawn here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from synth_affect.arrays import FloatArray
from synth_affect.pipelines.drawing import FAINT_INK, blank, resized, write

Pictures = npt.NDArray[np.uint8]
TILE_PX, GAP_PX, HEAD_PX, SIDE_PX, TEXT_PX = 96, 2, 20, 76, 11
MAP_PX, DOT_PX, MARGIN_PX = 640, 3, 8
INKS = (
    (200, 40, 40), (230, 150, 20), (110, 150, 30), (20, 160, 170), (40, 90, 200), (130, 60, 170), (120, 120, 120)
)  # fmt: skip
"""Of classes, in any order; the last is for neutral."""


def tile_sheet(columns: Sequence[Pictures], heads: Sequence[str], sides: Sequence[str] = ()) -> Image.Image:
    """Pictures (n, size, size, 3) uint8, column by column, under their heads; a word before each row where there are
    `sides`.
    """
    left = SIDE_PX if sides else 0
    step = TILE_PX + GAP_PX
    rows = max(len(column) for column in columns)
    sheet = blank(HEAD_PX + rows * step, left + len(columns) * step)
    draw = ImageDraw.Draw(sheet)
    for place, (column, head) in enumerate(zip(columns, heads, strict=True)):
        x = left + place * step
        write(draw, (x + TILE_PX / 2, HEAD_PX / 2), head, TEXT_PX, ink=FAINT_INK)
        for row, picture in enumerate(column):
            sheet.paste(Image.fromarray(resized(picture, TILE_PX, TILE_PX)), (x, HEAD_PX + row * step))
    for row, word in enumerate(sides):
        write(draw, (left - 6, HEAD_PX + row * step + TILE_PX / 2), word, TEXT_PX, anchor="rm", ink=FAINT_INK)
    return sheet


def point_map(places: FloatArray, labels: npt.NDArray[np.int64], names: Sequence[str]) -> Image.Image:
    """Points (n, 2) of any scale as dots, in the ink of their label; the names are above."""
    spread = np.maximum(np.ptp(places, axis=0), 1e-9)
    inside = (places - places.min(axis=0)) / spread
    sheet = blank(MAP_PX + HEAD_PX, MAP_PX)
    draw = ImageDraw.Draw(sheet)
    for place, label in zip(inside, labels, strict=True):
        x, y = MARGIN_PX + place * (MAP_PX - 2 * MARGIN_PX) + (0, HEAD_PX)
        draw.ellipse((x - DOT_PX, y - DOT_PX, x + DOT_PX, y + DOT_PX), fill=INKS[label])
    for number, name in enumerate(names):
        write(draw, ((number + 0.5) * MAP_PX / len(names), HEAD_PX / 2), name, TEXT_PX, ink=INKS[number])
    return sheet


def bar_rows(
    values: FloatArray, sides: Sequence[str], heads: Sequence[str], cell_px: tuple[int, int] = (24, 64)
) -> Image.Image:
    """(rows, columns) of numbers that are not negative, as shades of grey: white is 0, black the largest."""
    height, width = cell_px
    sheet = blank(HEAD_PX + len(values) * height, SIDE_PX + values.shape[1] * width)
    draw = ImageDraw.Draw(sheet)
    largest = max(float(values.max()), 1e-9)
    for row, numbers in enumerate(values):
        top = HEAD_PX + row * height
        write(draw, (SIDE_PX - 6, top + height / 2), sides[row], TEXT_PX, anchor="rm", ink=FAINT_INK)
        for column, number in enumerate(numbers):
            shade = 255 - round(255 * max(float(number), 0) / largest)
            left = SIDE_PX + column * width
            draw.rectangle((left, top, left + width - 1, top + height - 2), fill=(shade, shade, shade))
    for column, head in enumerate(heads):
        write(draw, (SIDE_PX + (column + 0.5) * width, HEAD_PX / 2), head, TEXT_PX, ink=FAINT_INK)
    return sheet
