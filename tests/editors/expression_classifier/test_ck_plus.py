"""The paper's preparation of CK+, on a miniature of it: first frames, last three frames, crops of 128 px."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.editors.expression_classifier.augmentation import augment_classes, labels_of
from synth_affect.editors.expression_classifier.recipe import RECIPE
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.pipelines.training.editor_faces import category_counts, divide, load_editor_faces
from synth_affect.pipelines.training.face_samples import FaceSource
from synth_affect.pipelines.training.people_choice import PeopleChoice
from tests.pipelines.training.test_editor_faces import points_of

FRAMES = 6
CODES = {"S005": 1, "S010": 7, "S011": 2, "S999": 4}
"""Anger, surprise, contempt; and fear, which the paper leaves out."""


@pytest.fixture
def ck_plus(tmp_path: Path) -> Path:
    """Of each person one sequence, each frame lighter than the one before."""
    for person, code in CODES.items():
        for frame in range(1, FRAMES + 1):
            name = f"{person}/001/{person}_001_{frame:08d}"
            for part, suffix in (("cohn-kanade-images", ".png"), ("Landmarks", "_landmarks.txt")):
                (tmp_path / part / name).parent.mkdir(parents=True, exist_ok=True)
                path = tmp_path / part / f"{name}{suffix}"
                if part == "Landmarks":
                    np.savetxt(path, points_of(), fmt="   %.7e")
                else:
                    Image.new("L", (120, 100), 30 * frame).save(path)
        label = tmp_path / "Emotion" / person / "001" / f"{person}_001_{FRAMES:08d}_emotion.txt"
        label.parent.mkdir(parents=True)
        label.write_text(f"   {code}.0000000e+00\n")
    return tmp_path


def test_first_frames_and_the_last_three(ck_plus: Path) -> None:
    loaded = load_editor_faces([FaceSource(ck_plus, "ck-plus", {"apex": "3"})], RECIPE, 128)
    parts = divide(loaded, PeopleChoice(test="S999", validation="S011"), seed=0)
    faces = parts.training
    assert faces.pictures.shape == (2 * 4, 128, 128, 3)
    assert category_counts(faces) == {"neutral": 2, "anger": 3, "surprise": 3}
    assert sorted(set(faces.pictures[:, 64, 64, 0])) == [30, 120, 150, 180]  # the first, and the last three
    assert np.ptp(faces.pictures, axis=3).max() == 0
    assert category_counts(parts.validation) == {"neutral": 1, "contempt": 3}
    assert category_counts(parts.test) == {"neutral": 1}
    made = augment_classes(faces, 5, seed=0)
    assert np.bincount(labels_of(made.categories), minlength=len(CLASSES)).tolist() == [5, 0, 0, 5, 0, 0, 5]
