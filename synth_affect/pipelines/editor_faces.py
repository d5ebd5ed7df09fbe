"""Faces for the training of editors: rendered ones, databases', cut out as editors see them, and divided by people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.faces.folds import person_folds
from synth_affect.data.faces.record import FaceRecord
from synth_affect.editors.face_crop import align, cut_out
from synth_affect.editors.faces import CATEGORIES, MIXED, EditorFaces
from synth_affect.editors.recipes import Recipe
from synth_affect.errors import FitError, InputError
from synth_affect.pipelines.face_crops import Cropping
from synth_affect.pipelines.face_samples import (
    ANY_FACE,
    WITH_AFFECT,
    FaceSource,
    LoadedFaces,
    Progress,
    Wanted,
    load_all,
    with_category,
)
from synth_affect.pipelines.ibug_points import IbugPoints

VALIDATION_FOLDS = 8
"""Of the people who are not tested, one part in so many is drawn on sheets."""
NOSE_TIP, NOSE_REACH = 30, 0.5
"""How far the tip of the nose stands before eyes and mouth, as a share of the height between these; on 300 rendered
faces turned by up to 58 degrees, yaw by it is 3 degrees off in the mean.
"""
_RANGE, _LAST_NUMBER = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?"), re.compile(r"\d{1,9}$")


@dataclass(frozen=True, slots=True)
class PeopleChoice:
    """Who is tested and who is drawn on sheets; all others are trained on.

    test, validation : names of people, or numbers and ranges of the number that a name ends in, with commas between:
        `S005`, `145-179`. "" for a fold of them.
    n_folds, fold : people are divided into folds, and those of `fold` are the test.
    """

    test: str = ""
    validation: str = ""
    n_folds: int = 5
    fold: int = 0


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
            try:
                crop = align(seen)
            except FitError as error:
                raise InputError(record.key, str(error)) from None
            inside = (np.column_stack([seen, np.ones(68)]) @ np.linalg.inv(crop.matrix).T)[:, :2] * 2 - 1
            shown = np.rint((cut_out(pixels, crop, size) + 1) * 127.5).astype(np.uint8)
            return shown, inside.astype(np.float32)

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
    if people.test:
        test = chosen_people(names, people.test, "--test-people")
    else:
        test = person_folds(names, people.n_folds).held_out(people.fold)  # the same for every seed
    if people.validation:
        validation = chosen_people(names, people.validation, "--validation-people")
        both = sorted(test & validation)
        if both:
            raise InputError("--validation-people", f"{both[0]} is one of --test-people, too")
    else:
        rest = [name for name in names if name not in test]
        n = len(set(rest))
        if n < 2:
            raise InputError("--data", f"{n} people are left for training and validation; 2 are the least")
        validation = person_folds(rest, min(VALIDATION_FOLDS, n), seed).held_out(0)
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


def chosen_people(names: Sequence[str], text: str, option: str) -> frozenset[str]:
    """Those of `names` whom `text` means, see `PeopleChoice`. Raises InputError naming `option` when that is nobody."""
    known = sorted(set(names))
    last = {name: int(match[0]) for name in known if (match := _LAST_NUMBER.search(name))}
    chosen: set[str] = set()
    for part in (one.strip() for one in text.split(",")):
        span = _RANGE.fullmatch(part)
        if part in known:
            found = {part}
        elif span is not None:
            low = int(span[1])
            high = int(span[2] or low)
            found = {name for name, number in last.items() if low <= number <= high}
        else:
            found = set()
        if not found:
            raise InputError(option, f"{part!r} is nobody of the {len(known)} people, such as {known[0]}")
        chosen |= found
    return frozenset(chosen)
