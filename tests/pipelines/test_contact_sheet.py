from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth_affect.affect import ValenceArousal, grid, ring
from synth_affect.pipelines.contact_sheet import (
    Layout,
    compass_layout,
    draw_sheet,
    grid_layout,
    ring_layout,
    write_contact_sheet,
)
from synth_affect.pipelines.picture_faces import FaceSource

LAYOUTS = [grid_layout(2), grid_layout(5), ring_layout(), compass_layout()]


def table(layout: Layout) -> list[list[ValenceArousal | None]]:
    """The targets at their places."""
    rows: list[list[Any]] = [[...] * len(layout.column_titles) for _ in layout.row_titles]
    for cell in layout.cells:
        assert rows[cell.row][cell.column] is ..., "two cells in one place"
        rows[cell.row][cell.column] = cell.target
    assert all(place is not ... for row in rows for place in row), "an empty place"
    return rows


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_valence_rises_to_the_right(layout: Layout) -> None:
    for row in table(layout):
        valences = [target.valence for target in row if target is not None]
        assert (np.diff(valences) > -1e-12).all()


def test_arousal_rises_upwards() -> None:
    for layout in (grid_layout(5), compass_layout()):
        for column in zip(*table(layout), strict=True):
            assert (np.diff([target.arousal for target in column if target is not None]) < 1e-12).all()


def test_a_ring_has_each_quadrant_in_its_corner_and_full_strength_at_the_edge() -> None:
    rows = table(ring_layout())
    assert (len(rows), len(rows[0])) == (8, 14)
    radii = [[target.intensity for target in row if target is not None] for row in rows]
    expected = [1.0, 0.75, 0.5, 0.25, 0.25, 0.5, 0.75, 1.0]
    np.testing.assert_allclose(radii, np.repeat(expected, 14).reshape(8, 14))
    for r, row in enumerate(rows):
        for c, target in enumerate(row):
            assert target is not None
            assert target.arousal * (1 if r < 4 else -1) >= -1e-12
            assert target.valence * (1 if c >= 7 else -1) >= -1e-12


def test_nothing_is_left_out() -> None:
    assert {cell.target for cell in ring_layout().cells} == set(ring())
    assert {cell.target for cell in grid_layout(4).cells} == set(grid(4))
    assert sum(cell.target is None for cell in compass_layout().cells) == 1


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_tiles_stand_at_their_places_and_do_not_overlap(layout: Layout) -> None:
    colours = [np.array([(40 * k) % 251, k + 60, 130]) for k in range(len(layout.cells))]
    tiles = [np.full((90, 70, 3), colour, dtype=np.uint8) for colour in colours]
    sheet = draw_sheet(layout, tiles, "heading")
    assert sheet.dtype == np.uint8
    packed = sheet.astype(np.int64) @ [65536, 256, 1]
    height = layout.tile_height_px
    width = round(height * 70 / 90)
    corners = {}
    for cell, colour in zip(layout.cells, colours, strict=True):
        rows, columns = np.nonzero(packed == colour @ [65536, 256, 1])
        assert len(rows) == height * width, "a tile is covered in part"
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (height, width)
        corners[cell.row, cell.column] = rows.min(), columns.min()
    tops = [corners[row, 0][0] for row in range(len(layout.row_titles))]
    lefts = [corners[0, column][1] for column in range(len(layout.column_titles))]
    assert (np.diff(tops) > height).all()
    assert (np.diff(lefts) > width).all()
    for (row, column), corner in corners.items():
        assert corner == (tops[row], lefts[column])


def test_the_sheet_shows_every_target_in_order(portrait_path: Path, tmp_path: Path, stub_detector: Any) -> None:
    seen = []

    def progress(cells: Iterable[Any], count: int) -> Iterable[Any]:
        for cell in cells:
            seen.append(cell)
            yield cell
        assert count == len(seen)

    layout = compass_layout()
    summary = write_contact_sheet(FaceSource(portrait_path), layout, tmp_path / "s.png", progress=progress)
    assert tuple(seen) == layout.cells
    assert stub_detector.n_looks == 1
    assert len(summary["targets"]) == 8
    with Image.open(tmp_path / "s.png") as image:
        sheet = np.asarray(image)
    assert sheet.shape[0] > 3 * layout.tile_height_px
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 1000
