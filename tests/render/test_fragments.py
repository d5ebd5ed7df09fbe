from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synth_affect.errors import ShapeError
from synth_affect.render.fragments import Fragments

LAYOUT = (1, 4, 5, 1)


def parts() -> dict[str, np.ndarray[Any, Any]]:
    return {
        "pix_to_face": np.full(LAYOUT, -1, dtype=np.int64),
        "zbuf": np.full(LAYOUT, -1.0),
        "bary_coords": np.full((*LAYOUT, 3), -1.0),
    }


def test_dtypes_are_those_of_the_contract_and_arrays_are_read_only() -> None:
    fragments = Fragments(**parts())
    assert fragments.pix_to_face.dtype == np.int32
    assert fragments.zbuf.dtype == fragments.bary_coords.dtype == np.float32
    for array in (fragments.pix_to_face, fragments.zbuf, fragments.bary_coords):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0, 0] = 0


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("pix_to_face", (4, 5)),
        ("pix_to_face", (1, 4, 6, 1)),
        ("zbuf", (1, 4, 6, 1)),
        ("zbuf", (4, 5)),
        ("bary_coords", (1, 4, 5, 1)),
        ("bary_coords", (1, 4, 5, 1, 2)),
        ("bary_coords", (1, 5, 4, 1, 3)),
    ],
)
def test_layers_that_do_not_belong_together_are_refused(name: str, shape: tuple[int, ...]) -> None:
    wrong = np.zeros(shape, dtype=np.int32 if name == "pix_to_face" else np.float32)
    with pytest.raises(ShapeError):
        Fragments(**{**parts(), name: wrong})
