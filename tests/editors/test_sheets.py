"""Each picture of a sheet is where its row and its column are."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.editors.sheets import colour_sheet, first_of_each, grey_sheet
from tests.editors.banded import banded_faces

torch = pytest.importorskip("torch")


def test_the_first_picture_of_each_person() -> None:
    faces = banded_faces(("neutral", "anger", "fear"), n_people=4)
    assert first_of_each(faces, 3).tolist() == [0, 3, 6]
    assert len(first_of_each(faces, 9)) == 4


def test_a_colour_sheet() -> None:
    columns = [torch.rand(2, 3, 4, 5) * 2.2 - 1.1 for _ in range(3)]
    sheet = colour_sheet(columns)
    assert (sheet.shape, sheet.dtype) == ((8, 15, 3), np.uint8)
    for row in range(2):
        for number, column in enumerate(columns):
            wanted = np.clip(np.rint((column[row].numpy().transpose(1, 2, 0) + 1) * 127.5), 0, 255)
            np.testing.assert_array_equal(sheet[4 * row :, 5 * number :][:4, :5], wanted)


def test_a_grey_sheet() -> None:
    rows = [torch.rand(3, 4, 5) for _ in range(2)]
    sheet = grey_sheet(rows)
    assert (sheet.shape, sheet.dtype) == ((8, 15, 3), np.uint8)
    for number, row in enumerate(rows):
        for column in range(3):
            wanted = np.rint(row[column].numpy() * 255)[:, :, np.newaxis].repeat(3, axis=2)
            np.testing.assert_array_equal(sheet[4 * number :, 5 * column :][:4, :5], wanted)
