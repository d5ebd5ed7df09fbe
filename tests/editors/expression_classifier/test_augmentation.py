"""As many pictures of each class as are wanted, changed a little."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.editors.expression_classifier.augmentation import augment_classes, labels_of, vary
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.faces import CATEGORIES, MIXED
from synth_affect.errors import InputError
from tests.editors.banded import banded_faces


def test_classes_are_balanced_and_labels_kept() -> None:
    faces = banded_faces(("neutral", "neutral", "neutral", "anger", "sadness", "fear", ""))
    more = augment_classes(faces, 30, seed=1)
    found, counts = np.unique(more.categories, return_counts=True)
    assert {CATEGORIES[number] for number in found} == {"anger", "sadness", "neutral"}  # fear is none of the paper's
    assert (counts == 30).all()
    origin = {str(key): i for i, key in enumerate(faces.keys)}
    for key, category, subject in zip(more.keys, more.categories, more.subjects, strict=True):
        source = origin[str(key).partition("#")[0]]
        assert (faces.categories[source], faces.subjects[source]) == (category, subject)
    assert len(set(more.keys)) == len(more)


def test_one_seed_gives_one_set() -> None:
    faces = banded_faces(("neutral", "anger"))
    np.testing.assert_array_equal(augment_classes(faces, 9, 3).pictures, augment_classes(faces, 9, 3).pictures)
    assert (augment_classes(faces, 9, 3).pictures != augment_classes(faces, 9, 4).pictures).any()


def test_one_class_is_too_few() -> None:
    with pytest.raises(InputError, match="fewer than two"):
        augment_classes(banded_faces(("anger", "")), 5, 0)


def test_variations_are_of_all_kinds_and_small() -> None:
    ramp = np.repeat(np.linspace(60, 190, 64).astype(np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    rng = np.random.default_rng(0)
    varied = [vary(ramp, rng) for _ in range(60)]
    assert all(picture.shape == ramp.shape and picture.dtype == np.uint8 for picture in varied)
    mirrored = sum(float(picture[:, :8].mean()) > float(picture[:, -8:].mean()) for picture in varied)
    assert 15 < mirrored < 45
    upright = [np.ptp(picture.astype(int), axis=0).max() <= 1 for picture in varied]  # columns stay flat: only lit
    assert 8 < sum(upright) < 40
    assert max(abs(float(picture.mean()) - 125) for picture in varied) < 50


def test_numbers_of_classes() -> None:
    every = labels_of(np.arange(MIXED, len(CATEGORIES)))
    assert every[0] == -1
    for category, label in zip(CATEGORIES, every[1:], strict=True):
        assert label == (CLASSES.index(category) if category in CLASSES else -1)
