"""Rendered faces: the data set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.errors import InputError
from synth_affect.heads.camera import Camera, project
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import embed
from synth_affect.pipelines.render_faces import (
    COLUMNS,
    RenderRequest,
    geometry_path,
    picture_path,
    read_geometry,
    read_labels,
    render_faces,
    render_one,
)
from synth_affect.pipelines.rendered_people import (
    SHOWN,
    RenderedPerson,
    Studio,
    invent_person,
    open_studio,
    prototype_mix,
)

REQUEST = RenderRequest(n_subjects=2, per_subject=2, size=48, seed=4, maps=True)


@pytest.fixture(scope="module")
def studio() -> Studio:
    return open_studio(load_cc0())


@pytest.fixture(scope="module")
def person(studio: Studio) -> RenderedPerson:
    return invent_person(studio, REQUEST.seed, 1)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rendered") / "faces"
    summary = render_faces(REQUEST, out, workers=1)
    assert summary["pictures_added"] == 4
    return out


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_files_that_are_promised(dataset: Path) -> None:
    rows = read_labels(dataset)
    assert [(row["subject"], row["number"]) for row in rows] == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]
    assert tuple(rows[0]) == COLUMNS
    said = json.loads((dataset / "dataset.json").read_text())
    assert (said["licence"], said["seed"], said["head"]) == ("CC0-1.0", 4, "cc0")
    for row in rows:
        picture = cv2.imread(str(dataset / row["picture"]))
        assert picture is not None
        assert picture.shape == (48, 48, 3)
        assert picture.std() > 5
        assert b"algorithmicMedia" in (dataset / row["picture"]).read_bytes()


def test_the_first_picture_is_neutral_and_the_others_are_not(dataset: Path) -> None:
    for row in read_labels(dataset):
        weights = read_geometry(dataset / row["geometry"])["arkit_weights"]
        resting = float(row["valence"]) == 0 == float(row["arousal"])
        assert resting == (row["number"] == "0")
        assert (row["category"] == "neutral") == resting
        assert weights.max() > 0.2 or resting


def test_labels_follow_from_the_geometry(dataset: Path) -> None:
    head = load_cc0()
    for row in read_labels(dataset):
        shape = read_geometry(dataset / row["geometry"])
        camera = Camera(shape["rotation"], shape["translation"], float(shape["focal_px"]), shape["principal_point"])
        for name, embedding in (("landmarks_478", head.landmarks_478), ("landmarks_68", head.landmarks_68)):
            points = project(camera, embed(shape["vertices"], head.triangles, embedding))
            assert np.abs(points - shape[name]).max() < 1e-3
            inside = (points[:, :2] > 0) & (points[:, :2] < 48)
            assert inside.mean() > 0.95
        identity = np.tensordot(shape["identity_coefficients"], head.identity_basis, 1) + head.mean
        # Apart from the expression it is the face of these coefficients: the top of the head does not move.
        top = head.mean[:, 1] > 80
        assert np.abs(shape["vertices"] - identity)[top].max() < 0.5


def test_depth_and_face_are_where_the_landmarks_are(dataset: Path) -> None:
    for row in read_labels(dataset):
        shape = read_geometry(dataset / row["geometry"])
        column, line, depth = shape["landmarks_478"][1]  # the tip of the nose
        assert shape["face"][int(line), int(column)] > 100
        assert shape["depth_mm"][int(line), int(column)] == pytest.approx(depth, abs=12)
        assert shape["face"][0].max() == 0


def test_the_person_is_one_and_the_same_in_all_pictures(dataset: Path) -> None:
    rows = read_labels(dataset)
    shapes = [read_geometry(dataset / row["geometry"])["identity_coefficients"] for row in rows]
    assert np.array_equal(shapes[0], shapes[1])
    assert not np.array_equal(shapes[0], shapes[2])
    for column in ("age_years", "typology_deg", "hair", "beard"):
        assert rows[2][column] == rows[3][column]


def test_what_is_missing_is_made_again_with_the_same_bytes_by_any_number_of_workers(dataset: Path) -> None:
    before = digests(dataset)
    for path in (geometry_path(dataset, 1, 0), picture_path(dataset, 1, 0), geometry_path(dataset, 0, 1)):
        path.unlink()  # of the last one the picture is left: a run stopped between the two
    (dataset / "labels.csv").unlink()
    assert render_faces(REQUEST, dataset, workers=2)["pictures_added"] == 2
    assert digests(dataset) == before


def test_a_picture_depends_on_its_seed_and_number_alone(studio: Studio, person: RenderedPerson) -> None:
    content, geometry = render_one(studio, person, REQUEST, 1)
    again, same = render_one(studio, invent_person(studio, REQUEST.seed, 1), replace(REQUEST, n_subjects=9), 1)
    assert content == again
    assert np.array_equal(geometry["vertices"], same["vertices"])
    other, _ = render_one(studio, person, replace(REQUEST, seed=5), 1)
    assert other != content


def test_size_changes_the_picture_and_not_the_scene(studio: Studio, person: RenderedPerson) -> None:
    _, small = render_one(studio, person, replace(REQUEST, size=32), 1)
    _, large = render_one(studio, person, replace(REQUEST, size=64), 1)
    assert np.array_equal(small["vertices"], large["vertices"])
    assert large["landmarks_478"][:, :2] == pytest.approx(2 * small["landmarks_478"][:, :2], abs=1e-3)


def test_teeth_and_eyes_keep_their_form(studio: Studio, person: RenderedPerson) -> None:
    _, geometry = render_one(studio, person, replace(REQUEST, size=32), 1)
    head = studio.head
    teeth = head.triangles[head.triangle_regions == head.region_names.index("teeth_upper")]

    def lengths(vertices: np.ndarray) -> np.ndarray:
        return np.linalg.norm(vertices[teeth[:, 0]] - vertices[teeth[:, 1]], axis=1)

    assert lengths(geometry["vertices"]) == pytest.approx(lengths(person.motion.neutral), abs=0.15)


def test_prototypes_of_a_direction() -> None:
    for degrees in range(0, 360, 7):
        angle = np.radians(degrees)
        mix = prototype_mix(ValenceArousal(0.9 * np.cos(angle), 0.9 * np.sin(angle)))
        assert sum(mix.values()) == pytest.approx(1)
        assert all(isinstance(emotion, Emotion) and share >= 0 for emotion, share in mix.items())


@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ("--size", {"size": 31}),
        ("--size", {"size": 4096}),
        ("--subjects", {"n_subjects": 0}),
        ("--per-subject", {"per_subject": 1000}),
        ("--seed", {"seed": -1}),
        ("--place", {"place": "moon"}),
    ],
)
def test_numbers_that_make_no_sense(option: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=option):
        replace(REQUEST, **changes)


def corner(content: bytes) -> np.ndarray:
    """(3,) : the mean colour in the upper left corner of an encoded picture."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture[:6, :6].mean(axis=(0, 1))


def test_a_laboratory_keeps_place_and_light_and_shows_the_categories(studio: Studio, person: RenderedPerson) -> None:
    posed = replace(REQUEST, place="laboratory", maps=False)
    shots = [render_one(studio, person, posed, number) for number in range(9)]
    labels = [json.loads(geometry["label"].tobytes()) for _, geometry in shots]
    assert [label["category"] for label in labels[:1]] == ["neutral"]
    assert {label["category"] for label in labels[1:8]} == {str(emotion) for emotion in SHOWN}
    assert labels[8]["category"] == labels[1]["category"]
    assert len({(label["focal_mm"], label["light"]) for label in labels}) == 1
    assert max(abs(label["yaw_deg"]) for label in labels) < 12
    # Where the camera stands: the middle of the head is at one place, and only the head turns.
    middles = [geometry["rotation"] @ [0, -22, -10] for _, geometry in shots]
    places = [g["translation"] + np.diag([1, -1, -1]) @ m for (_, g), m in zip(shots, middles, strict=True)]
    assert np.ptp(places, axis=0).max() < 1e-6
    corners = np.array([corner(content) for content, _ in shots])
    wild = np.array([corner(render_one(studio, person, REQUEST, n)[0]) for n in range(5)])
    assert corners.std(axis=0).mean() < 0.5 * wild.std(axis=0).mean()


def test_workers_that_make_no_sense(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--workers"):
        render_faces(REQUEST, tmp_path / "new", workers=0)
    assert not (tmp_path / "new").exists()


def test_another_data_set_is_left_alone(dataset: Path, tmp_path: Path) -> None:
    before = digests(dataset)
    with pytest.raises(InputError, match="another data set"):
        render_faces(replace(REQUEST, seed=6), dataset)
    assert digests(dataset) == before
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        render_faces(REQUEST, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        render_faces(REQUEST, tmp_path / "file" / "out")


def test_damaged_geometry_is_named(dataset: Path) -> None:
    path = geometry_path(dataset, 0, 0)
    content = path.read_bytes()
    path.write_bytes(b"not an archive")
    try:
        with pytest.raises(InputError, match=r"000\.npz: is damaged"):
            render_faces(REQUEST, dataset)
        with pytest.raises(InputError, match="cannot be read"):
            read_geometry(path)
    finally:
        path.write_bytes(content)
