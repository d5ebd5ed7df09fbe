"""The expression controller c: for each class d numbers in [-1, 1], which say whether it is there and how strongly.

In training c_i = |z_y| (2 y_i - 1) with z_y ~ U(-1, 1)^d: the numbers of the class y are positive, and those of all
other classes are the same with a minus. To edit, the class that is asked for has 1, every other one -1; an intensity is
a number between, and all -1 is neutral, which training never shows (figure 3).

A point of the plane becomes class and intensity through the category positions (`category_targets`): the class in
whose direction it lies best, and the share of the way to its position, t in [0, 1]. The class then has 2 t - 1, so that
(0, 0) is all -1 whatever the direction, and the picture moves without a jump from neutral to the class. Where one class
borders on the next one, it jumps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.editors.category_targets import category_target
from synth_affect.editors.exprgan.settings import CLASSES
from synth_affect.editors.faces import CATEGORIES
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

CLASS_OF_CATEGORY = np.array([*(CLASSES.index(c) if c in CLASSES else -1 for c in CATEGORIES), -1], dtype=np.int64)
"""Number in CLASSES of each number in CATEGORIES, and of MIXED, which is the last; -1 where the paper has none."""


def draw_controller(classes: Tensor, d: int) -> Tensor:
    """(batch, 6 d), drawn with torch's random numbers for `classes`, (batch,) int64; -1 is none of them."""
    torch = import_optional("torch", "train")
    present = torch.nn.functional.one_hot(classes + 1, len(CLASSES) + 1)[:, 1:].to(torch.float32)
    strength = torch.rand(len(classes), 1, d, device=classes.device)  # |z| of z ~ U(-1, 1)
    drawn: Tensor = ((2 * present - 1)[:, :, None] * strength).flatten(1)
    return drawn


def controller_at(number: int, level: float, d: int) -> FloatArray:
    """(6 d,) float32: `level` in [-1, 1] for the class `number`, -1 for the others."""
    controller = np.full((len(CLASSES), d), -1.0, dtype=np.float32)
    controller[number] = level
    return controller.ravel()


def controller_of(target: ValenceArousal, d: int) -> FloatArray:
    """(6 d,) float32 for a point of the plane."""
    wanted = category_target(target, CLASSES)
    return controller_at(CLASSES.index(wanted.emotion), 2 * wanted.intensity - 1, d)
