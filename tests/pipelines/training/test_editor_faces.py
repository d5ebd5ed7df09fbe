"""Faces for the training of editors."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth_affect.editors.faces import CATEGORIES, MIXED
from synth_affect.editors.recipes import Recipe
from synth_affect.errors import InputError
from synth_affect.pipelines.training.editor_faces import (
    category_counts,
    divide,
    load_editor_faces,
    yaw_of,
)
from synth_affect.pipelines.training.face_samples import FaceSource
from synth_affect.pipelines.training.people_choice import PeopleChoice


def unused(*_: object) -> object:
    raise AssertionError


ANY = Recipe("any", unused, unused, unused, unused)  # type: ignore[arg-type]


def points_of(yaw_deg: float = 0.0, centre: tuple[float, float] = (60.0, 50.0)) -> np.ndarray:
    """(68, 2) of a head 60 px high whose nose stands out."""
    points = np.zeros((68, 3))
    points[:17] = [[18 * np.cos(t), 5 + 24 * np.sin(t), -5] for t in np.linspace(np.pi, 0, 17)]
    points[17:27] = [[x, -14, 0] for x in np.r_[-14:-4:5j, 4:14:5j]]
    points[27:36] = [[0, y, 3] for y in np.linspace(-8, 4, 9)]
    points[30] = [0, 2, 10]
    points[36:42], points[42:48] = [-8, -8, 0], [8, -8, 0]
    points[48:68] = [0, 12, 2]
    points[48], points[54] = [-5, 12, 1], [5, 12, 1]
    angle = np.radians(yaw_deg)
    x = points[:, 0] * np.cos(angle) + points[:, 2] * np.sin(angle)
    return np.column_stack([x, points[:, 1]]) + centre


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rendered faces, as far as labels go: eight people, three pictures each; one is turned, one mixed."""
    (tmp_path / "dataset.json").write_text('{"head": "cc0", "seed": 3}')
    columns = ["picture", "geometry", "subject", "valence", "arousal", "category"]
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        for person in range(8):
            for number in range(3):
                name = f"{person}_{number}"
                yaw = 60.0 if (person, number) == (2, 1) else 5.0
                Image.new("RGB", (120, 100), (30 * person, 80, 80 * number)).save(tmp_path / f"{name}.png")
                np.savez(tmp_path / f"{name}.npz", landmarks_68=np.column_stack([points_of(yaw), np.zeros(68)]))
                category = ("neutral", "anger", "" if person == 3 else "fear")[number]
                table.writerow(dict(zip(columns, [f"{name}.png", f"{name}.npz", person, 0.1 * person, 0.2 * number,
                                                  category], strict=True)))  # fmt: skip
    return tmp_path


def test_crops_carry_labels_and_people(folder: Path) -> None:
    loaded = load_editor_faces([FaceSource(folder)], ANY, 32)
    assert len(loaded.samples) == 24
    parts = divide(loaded, PeopleChoice(test="6-7", validation="cc0-3-5, 4"), seed=0)
    assert sorted(set(parts.test.subjects)) == ["cc0-3-6", "cc0-3-7"]
    assert sorted(set(parts.validation.subjects)) == ["cc0-3-4", "cc0-3-5"]
    faces = parts.training
    assert (len(faces), faces.size) == (12, 32)
    row = [str(key) for key in faces.keys].index("3_2")
    assert faces.categories[row] == MIXED
    np.testing.assert_allclose(faces.affect[row], [0.3, 0.4], atol=1e-6)
    np.testing.assert_array_equal(faces.pictures[row, 16, 16], [90, 80, 160])
    assert category_counts(faces) == {"neutral": 4, "anger": 4, "fear": 3}
    assert faces.people.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


def test_folds_keep_people_apart_and_are_the_same_for_every_seed(folder: Path) -> None:
    loaded = load_editor_faces([FaceSource(folder)], ANY, 32)
    parts = [divide(loaded, PeopleChoice(n_folds=4, fold=1), seed=seed) for seed in (0, 1)]
    groups = [set(part.subjects) for part in (parts[0].training, parts[0].validation, parts[0].test)]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 8
    assert all(groups)
    assert set(parts[1].test.subjects) == groups[2]


def test_what_a_recipe_needs_is_what_it_gets(folder: Path) -> None:
    def keys(recipe: Recipe, **more: Any) -> list[str]:
        return [str(key) for key in load_editor_faces([FaceSource(folder)], recipe, 16, **more).samples.keys]

    assert "3_2" not in keys(replace(ANY, needs_category=True))
    some = keys(replace(ANY, needs_category=True, categories=CATEGORIES[4:5]))
    assert len(some) == 7
    assert all(key.endswith("_2") for key in some)
    assert "2_1" not in keys(ANY, max_yaw_deg=30)
    assert "2_1" in keys(ANY)


def test_yaw_is_read_off_the_points() -> None:
    for yaw in (-40, 0, 25):
        assert yaw_of(points_of(yaw)) == pytest.approx(yaw, abs=6)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"test": "9-12"}, "--test-people: '9-12' is nobody of the 8 people, such as cc0-3-0"),
        ({"test": "anna"}, "--test-people: 'anna' is nobody"),
        ({"test": "1-2", "validation": "2"}, "--validation-people: cc0-3-2 is one of --test-people, too"),
        ({"test": "0-3", "validation": "4-7"}, "--data: nobody is left to be trained on"),
        ({"test": "0-6"}, "--data: 1 people are left"),
    ],
)
def test_people_who_are_not_there_are_told(folder: Path, choice: dict[str, Any], message: str) -> None:
    loaded = load_editor_faces([FaceSource(folder)], ANY, 16)
    with pytest.raises(InputError) as error:
        divide(loaded, PeopleChoice(**choice), seed=0)
    assert message in str(error.value)


def test_a_bad_limit_is_told(folder: Path) -> None:
    with pytest.raises(InputError, match="--max-yaw: 0 is not in"):
        load_editor_faces([FaceSource(folder)], ANY, 16, max_yaw_deg=0)
    with pytest.raises(InputError, match="no picture can be used; the first: 0_0: turned by 5 degrees"):
        load_editor_faces([FaceSource(folder)], ANY, 16, max_yaw_deg=1)


def test_pictures_without_landmarks_are_looked_at(tmp_path: Path, portrait_path: Path) -> None:
    Image.open(portrait_path).save(tmp_path / "face.png")
    Image.new("RGB", (64, 64), (90, 90, 90)).save(tmp_path / "wall.png")
    table = tmp_path / "labels.csv"
    table.write_text("path,valence,arousal,subject\nface.png,0.1,0.2,a\nwall.png,0.1,0.2,b\n")
    loaded = load_editor_faces([FaceSource(table, "csv")], ANY, 48)
    assert [str(key) for key in loaded.samples.keys] == ["face"]
    assert [(one.key, one.reason) for one in loaded.rejected] == [("wall", "no face found")]
    eyes = loaded.samples.landmarks[0, 36:48].mean(axis=0)
    np.testing.assert_allclose(eyes, [0, -0.32], atol=0.05)  # place (0.5, 0.34)
