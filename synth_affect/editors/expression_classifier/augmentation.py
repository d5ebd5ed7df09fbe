"""The paper's way to as many pictures of each emotion as are wanted.

For each emotion, until there are N: one of its pictures, mirrored by half a chance, with one of three changes:
brightness and contrast, perspective, rotation. Then N neutral ones. How far the changes go is silent in the paper.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from synth_affect.affect import Emotion
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.errors import InputError

BRIGHTNESS, CONTRAST = 16.0, 0.12
"""Added at most, of 255; and times 1 more or less at most."""
PERSPECTIVE = 0.03
"""How far a corner moves at most, in sides of the picture."""
ROTATION_DEG = 6.0


def augment_classes(faces: EditorFaces, per_class: int, seed: int) -> EditorFaces:
    """`per_class` pictures of each of CLASSES that `faces` show, class by class, neutral last.

    Raises InputError when they show fewer than two of the classes.
    """
    rng = np.random.default_rng([seed, 4])
    chosen: list[npt.NDArray[np.int64]] = []
    for emotion in CLASSES:
        numbers = np.flatnonzero(faces.categories == CATEGORIES.index(emotion))
        if len(numbers):
            chosen.append(rng.choice(numbers, per_class))
    if len(chosen) < 2:
        wanted = ", ".join(CLASSES)
        raise InputError("--data", f"shows fewer than two of {wanted}")
    numbers = np.concatenate(chosen)
    drawn = faces.select(numbers)
    pictures = np.stack([vary(picture, rng) for picture in drawn.pictures])
    keys = np.array([f"{key}#{i}" for i, key in enumerate(drawn.keys)])
    return EditorFaces(pictures, drawn.affect, drawn.categories, drawn.subjects, keys)


def vary(picture: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """(size, size, 3) uint8: mirrored or not, and one of the three changes."""
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    change = rng.integers(3)
    if change == 0:
        gain, offset = 1 + CONTRAST * rng.uniform(-1, 1), BRIGHTNESS * rng.uniform(-1, 1)
        lit = (picture.astype(np.float32) - 128) * gain + 128 + offset
        exposed: npt.NDArray[np.uint8] = np.clip(np.rint(lit), 0, 255).astype(np.uint8)
        return exposed
    size = len(picture)
    corners = np.array([[0, 0], [size, 0], [size, size], [0, size]], dtype=np.float32)
    if change == 1:
        moved = corners + (size * PERSPECTIVE * rng.uniform(-1, 1, (4, 2))).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(corners, moved)
    else:
        turn = cv2.getRotationMatrix2D((size / 2, size / 2), ROTATION_DEG * rng.uniform(-1, 1), 1.0)
        matrix = np.vstack([turn, [0, 0, 1]])
    warped: npt.NDArray[np.uint8] = cv2.warpPerspective(
        np.ascontiguousarray(picture), matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return warped


def labels_of(categories: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Numbers in CLASSES; -1 for what is none of them."""
    table = np.array([*(CLASSES.index(c) if c in CLASSES else -1 for c in CATEGORIES), -1], dtype=np.int64)
    found: npt.NDArray[np.int64] = table[categories]
    return found


NEUTRAL = CLASSES.index(Emotion.NEUTRAL)
