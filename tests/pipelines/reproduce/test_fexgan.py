"""Table 1 counts what it says, and the figures ask for what they say."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.editors.fexgan.settings import CLASSES, FexganSettings
from synth_affect.editors.fexgan.trained import TrainedFexgan, one_hot
from synth_affect.errors import InputError
from synth_affect.pipelines.reproduce.fexgan import (
    MIXTURES,
    discriminator_table,
    draw_mixtures,
    draw_samples,
    draw_transformations,
)
from tests.editors.banded import banded_faces

Pictures = npt.NDArray[np.uint8]
SHOWN = ("neutral", "anger", "fear", "contempt", "")


class Stub:
    """Edits write the label's first number into the picture; the judge takes odd pictures for made, and reads that."""

    settings = FexganSettings(size=32, width=8, code=5)

    def __init__(self) -> None:
        self.asked: list[tuple[float, ...]] = []

    def edit(self, pictures: Pictures, label: FloatArray) -> Pictures:
        self.asked.append(tuple(label.round(2).tolist()))
        made = np.full_like(pictures, 255)
        made[:, 0, 0, 0] = label.argmax()
        return made

    def sample(self, codes: FloatArray, label: FloatArray) -> Pictures:
        assert codes.shape[1] == 5
        return self.edit(np.zeros((len(codes), 32, 32, 3), dtype=np.uint8), label)

    def judge(self, pictures: Pictures) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        made = pictures[:, -1, -1, 0] == 255
        return ~made, np.where(made, pictures[:, 0, 0, 0], CLASSES.index("anger")).astype(np.int64)


def stub() -> tuple[Stub, TrainedFexgan]:
    made = Stub()
    return made, cast("Any", made)


def test_the_table_counts_right_answers() -> None:
    row = discriminator_table(stub()[1], banded_faces(SHOWN))
    assert row == {
        "pictures": 12,
        "real_binary": 1,
        "real_class": pytest.approx(1 / 3),
        "made_binary": 1,
        "made_class": 1,
    }


def test_faces_without_the_classes_are_refused() -> None:
    with pytest.raises(InputError, match="has no picture of anger"):
        discriminator_table(stub()[1], banded_faces(("contempt", "")))
    with pytest.raises(InputError, match="no neutral"):
        draw_transformations(stub()[1], banded_faces(("anger", "fear")))


def test_mixtures_have_half_of_each() -> None:
    made, editor = stub()
    draw_mixtures(editor, banded_faces(SHOWN))
    assert len(made.asked) == 3 * len(MIXTURES)
    for (one, other), label in zip(MIXTURES, made.asked[1::3], strict=True):
        assert label[CLASSES.index(one)] == label[CLASSES.index(other)] == 0.5
        assert sum(label) == 1


def test_each_class_is_asked_for_once() -> None:
    for draw in (lambda editor: draw_transformations(editor, banded_faces(SHOWN)), draw_samples):
        made, editor = stub()
        draw(editor)
        assert made.asked == [tuple(one_hot([number]).tolist()) for number in range(len(CLASSES))]
