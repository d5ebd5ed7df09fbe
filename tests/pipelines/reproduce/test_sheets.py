"""Sheets have their pictures and shades where they are said to be."""

from __future__ import annotations

import numpy as np

from synth_affect.pipelines.reproduce.sheets import (
    GAP_PX,
    HEAD_PX,
    INKS,
    MAP_PX,
    SIDE_PX,
    TILE_PX,
    bar_rows,
    point_map,
    tile_sheet,
)


def test_pictures_stand_in_their_columns() -> None:
    columns = [np.full((2, 8, 8, 3), shade, dtype=np.uint8) for shade in (10, 90, 200)]
    sheet = np.asarray(tile_sheet(columns, ["a", "b", "c"], ["one", "two"]))
    assert sheet.shape == (HEAD_PX + 2 * (TILE_PX + GAP_PX), SIDE_PX + 3 * (TILE_PX + GAP_PX), 3)
    for place, shade in enumerate((10, 90, 200)):
        x = SIDE_PX + place * (TILE_PX + GAP_PX)
        assert (sheet[HEAD_PX : HEAD_PX + TILE_PX, x : x + TILE_PX] == shade).all()
    assert (sheet[:HEAD_PX, SIDE_PX:] < 255).any(), "heads"
    assert (sheet[HEAD_PX:, :SIDE_PX] < 255).any(), "sides"


def test_dots_have_the_ink_of_their_label() -> None:
    sheet = np.asarray(point_map(np.array([[0.0, 0.0], [5.0, 9.0]]), np.array([0, 2]), ["a", "b", "c"]))
    assert sheet.shape == (MAP_PX + HEAD_PX, MAP_PX, 3)
    assert tuple(sheet[HEAD_PX + 8, 8]) == INKS[0]
    assert tuple(sheet[HEAD_PX + MAP_PX - 8, MAP_PX - 8]) == INKS[2]


def test_the_largest_number_is_black() -> None:
    sheet = np.asarray(bar_rows(np.array([[0.0, 1.0], [4.0, 2.0]]), ["a", "b"], ["x", "y"], (24, 40)))
    middle = [
        [int(sheet[HEAD_PX + row * 24 + 12, SIDE_PX + column * 40 + 20, 0]) for column in (0, 1)] for row in (0, 1)
    ]
    assert middle == [[255, 191], [0, 127]]
