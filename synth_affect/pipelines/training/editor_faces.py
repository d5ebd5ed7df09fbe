"""Faces for the training of editors: rendered ones, databases', cut out as editors see them, and divided by people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.faces.record import FaceRecord
from synth_affect.editors.faces import CATEGORIES, MIXED, EditorFaces
from synth_affect.editors.recipes import Recipe
from synth_affect.errors import InputError
from synth_affect.pipelines.ibug_points import IbugPoints
from synth_affect.pipelines.training.face_crops import Cropping, crop_aligned
from synth_affect.pipelines.training.face_samples import (
    ANY_FACE,
    WITH_AFFECT,
    FaceSource,
    LoadedFaces,
    Progress,
    Wanted,
    load_all,
    with_category,
)
from synth_affect.pipelines.training.people_choice import PeopleChoice, tested_people, validation_people

NOSE_TIP, NOSE_REACH = 30, 0.5
"""How far the tip of the nose stands before eyes and mouth, as a share of the height between these; on 300 rendered
faces turned by up to 58 degrees, yaw by it is 3 degrees off in the mean.
"""


@dataclass(frozen=True, slots=True, eq=False)
class EditorParts:
    """Three groups of pictures without a person in common."""

    training: EditorFaces
    validation: EditorFaces
    test: EditorFaces


def load_editor_faces(
    sources: Sequence[FaceSource],
    recipe: Recipe,
    size: int,
    *,
    max_yaw_deg: float = 90.0,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> LoadedFaces:
    """All faces that the recipe can be trained on, aligned by `face_crop`.

    A picture without landmarks of its own is looked at by MediaPipe.  max_yaw_deg : faces turned farther are left out.
    Raises InputError when there is no picture of use, or `max_yaw_deg` is none.
    """
    if not 0 < max_yaw_deg <= 90:
        raise InputError("--max-yaw", f"{max_yaw_deg:g} is not in (0, 90]")
    with IbugPoints() as find:

        def cut(pixels: ImageArray, record: FaceRecord, size: int) -> tuple[npt.NDArray[np.uint8], FloatArray]:
            seen = find(pixels) if record.landmarks is None else record.landmarks
            yaw = yaw_of(seen)
            if abs(yaw) > max_yaw_deg:
                raise InputError(record.key, f"turned by {yaw:.0f} degrees")
            return crop_aligned(pixels, replace(record, landmarks=seen), size)

        return load_all(
            sources,
            size,
            wanted=_wanted(recipe),
            cropping=Cropping(f"aligned {max_yaw_deg:g}", cut),
            cache=cache,
            progress=progress,
        )


def _wanted(recipe: Recipe) -> Wanted:
    category = with_category(recipe.categories or CATEGORIES)
    if recipe.needs_affect and recipe.needs_category:
        return Wanted(f"{WITH_AFFECT.what}, and {category.what}", lambda r: WITH_AFFECT.has(r) and category.has(r))
    if recipe.needs_category:
        return category
    return WITH_AFFECT if recipe.needs_affect else ANY_FACE


def yaw_of(points: FloatArray) -> float:
    """Degrees that a face of ibug's 68 points is turned by, positive where the nose points to the picture's right."""
    eyes, mouth = points[36:48].mean(axis=0), points[[48, 54]].mean(axis=0)
    down = mouth - eyes
    height = float(np.hypot(*down))
    aside = points[NOSE_TIP] - (eyes + mouth) / 2
    across = float(aside[0] * down[1] - aside[1] * down[0]) / max(height, 1e-6) ** 2
    return float(np.degrees(np.arcsin(np.clip(across / NOSE_REACH, -1, 1))))


def divide(loaded: LoadedFaces, people: PeopleChoice, seed: int) -> EditorParts:
    """Training, validation and test people. Raises InputError for a choice that leaves nobody to train on, or nobody
    who is meant.
    """
    names = [str(name) for name in loaded.samples.subjects]
    test = tested_people(names, people)
    validation = validation_people(names, people, seed, test)
    numbers: dict[str, list[int]] = {"test": [], "validation": [], "training": []}
    for number, name in enumerate(names):
        numbers["test" if name in test else "validation" if name in validation else "training"].append(number)
    if not numbers["training"]:
        raise InputError("--data", "nobody is left to be trained on")
    parts = {part: as_editor_faces(loaded, np.array(own, dtype=np.int64)) for part, own in numbers.items()}
    return EditorParts(**parts)


def as_editor_faces(loaded: LoadedFaces, numbers: npt.NDArray[np.int64]) -> EditorFaces:
    """Those of the numbers, in memory."""
    samples = loaded.samples
    places: dict[str, int] = {str(emotion): place for place, emotion in enumerate(CATEGORIES)}
    return EditorFaces(
        pictures=samples.pictures.take(numbers),
        affect=samples.affect[numbers],
        categories=np.array([places.get(str(name), MIXED) for name in samples.categories[numbers]], dtype=np.int64),
        subjects=samples.subjects[numbers],
        keys=samples.keys[numbers],
    )


def category_counts(faces: EditorFaces) -> dict[str, int]:
    """How many faces there are of each category that there are any of."""
    found = {str(emotion): int((faces.categories == place).sum()) for place, emotion in enumerate(CATEGORIES)}
    return {name: n for name, n in found.items() if n}
