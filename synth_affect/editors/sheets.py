"""Pictures side by side, as learners show what they can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synth_affect.editors.faces import EditorFaces
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

EXTRA = "train"


def first_of_each(faces: EditorFaces, n_people: int) -> npt.NDArray[np.intp]:
    """(n_people or fewer,) numbers of the first picture of each person."""
    return np.unique(faces.people, return_index=True)[1][:n_people]


def colour_sheet(columns: Sequence[Tensor]) -> npt.NDArray[np.uint8]:
    """(rows * size, columns * size, 3) RGB. columns : each (rows, 3, size, size) float32 in [-1, 1]."""
    torch = import_optional("torch", EXTRA)
    sheet = torch.stack(list(columns), dim=1).permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    found: npt.NDArray[np.uint8] = ((sheet + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
    return found


def grey_sheet(rows: Sequence[Tensor]) -> npt.NDArray[np.uint8]:
    """(rows * size, columns * size, 3) RGB. rows : each (columns, size, size) float32 in [0, 1]."""
    torch = import_optional("torch", EXTRA)
    sheet = torch.stack(list(rows)).permute(0, 2, 1, 3).flatten(2, 3).flatten(0, 1)
    found: npt.NDArray[np.uint8] = (sheet * 255).round().byte().cpu().numpy()
    return np.repeat(found[:, :, np.newaxis], 3, axis=2)
