"""From pictures of any source to samples: crops, what is turned down, what is kept on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from synth_affect.data.faces.record import FaceRecord
from synth_affect.errors import InputError
from synth_affect.pipelines.training.face_crops import crop_aligned, crop_face
from synth_affect.pipelines.training.face_samples import ANY_FACE, CROPS, CROPS_INDEX, FaceSource, load_all, load_faces


def face_points(left: float, top: float, side: float) -> np.ndarray:
    return np.random.default_rng(0).uniform([left, top], [left + side, top + side], (68, 2)).astype(np.float32)


def test_a_crop_shows_the_face_where_its_landmarks_say() -> None:
    points = face_points(60, 40, 50)
    pixels = np.zeros((200, 240, 3), dtype=np.uint8)
    for x, y in points[:3]:
        cv2.circle(pixels, (round(float(x)), round(float(y))), 2, (255, 255, 255), -1)
    crop, within = crop_face(pixels, FaceRecord("a", Path("a.png"), landmarks=points), 96)
    assert (crop.shape, within.dtype) == ((96, 96, 3), np.float32)
    for x, y in (within[:3] + 1) / 2 * 96:
        assert crop[round(float(y)), round(float(x)), 0] > 100
    assert np.abs(within).max() < 1


def test_without_landmarks_the_box_is_cut_out_and_without_that_the_middle() -> None:
    pixels = np.zeros((100, 140, 3), dtype=np.uint8)
    pixels[20:60, 30:70] = 200
    boxed, within = crop_face(pixels, FaceRecord("a", Path("a.png"), box=(30, 20, 70, 60)), 32)
    assert boxed.min() == 200
    assert np.isnan(within).all()
    middle, _ = crop_face(pixels, FaceRecord("a", Path("a.png")), 100)
    np.testing.assert_array_equal(middle, pixels[:, 20:120])


def test_an_aligned_crop_brings_eyes_and_mouth_to_their_places() -> None:
    points = np.full((68, 2), 50.0)
    points[36:42], points[42:48], points[48], points[54] = (40, 40), (60, 48), (36, 65), (45.7, 68.7)
    turned = FaceRecord("a", Path("a.png"), landmarks=points)
    pixels = np.zeros((100, 100, 3), dtype=np.uint8)
    cv2.circle(pixels, (40, 40), 2, (255, 0, 0), -1)
    cv2.circle(pixels, (60, 48), 2, (0, 255, 0), -1)
    crop, within = crop_aligned(pixels, turned, 64)
    right, left = within[36], within[42]
    assert right[1] == pytest.approx(left[1], abs=0.02), "level"
    assert crop[round(32 + 32 * right[1]), round(32 + 32 * right[0]), 0] > 150
    assert crop[round(32 + 32 * left[1]), round(32 + 32 * left[0]), 1] > 150
    with pytest.raises(InputError, match="a: has no landmarks to be aligned by"):
        crop_aligned(pixels, FaceRecord("a", Path("a.png"), box=(0, 0, 9, 9)), 64)
    with pytest.raises(InputError, match="a: a face of 0 px is too small"):
        crop_aligned(pixels, FaceRecord("a", Path("a.png"), landmarks=np.full((68, 2), 5.0)), 64)


def test_a_face_over_the_border_repeats_it_and_one_outside_is_refused() -> None:
    pixels = np.full((50, 50, 3), 7, dtype=np.uint8)
    over, _ = crop_face(pixels, FaceRecord("a", Path("a.png"), box=(-10, -10, 30, 30)), 32)
    assert (over == 7).all()
    with pytest.raises(InputError, match="is not in the picture"):
        crop_face(pixels, FaceRecord("a", Path("a.png"), box=(80, 80, 120, 120)), 32)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six pictures of three people, one of them damaged, one without a label."""
    rows = ["path,valence,arousal,subject"]
    for n in range(6):
        Image.new("RGB", (40, 48), (n * 40, 9, 9)).save(tmp_path / f"{n}.png")
        rows.append(f"{n}.png,{'' if n == 4 else n / 10},{'' if n == 4 else -n / 10},p{n % 3}")
    (tmp_path / "2.png").write_bytes(b"no picture")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "labels.csv"


def test_damaged_pictures_are_turned_down_and_the_others_used(table: Path) -> None:
    loaded = load_faces(FaceSource(table, "csv"), 32)
    assert loaded.samples.keys.tolist() == ["0", "1", "3", "5"]
    assert loaded.samples.subjects.tolist() == ["p0", "p1", "p0", "p2"]
    np.testing.assert_allclose(loaded.samples.affect[:, 0], [0, 0.1, 0.3, 0.5], atol=1e-6)
    assert loaded.samples.pictures.take(np.arange(4))[:, 0, 0, 0].tolist() == [0, 40, 120, 200]
    assert [(one.key, "picture" in one.reason) for one in loaded.rejected] == [("2", True)]
    assert len(load_faces(FaceSource(table, "csv"), 32, wanted=ANY_FACE).samples) == 5


def test_crops_are_kept_until_the_source_changes(table: Path, tmp_path: Path) -> None:
    cache, source = tmp_path / "crops", FaceSource(table, "csv")
    first = load_faces(source, 32, cache=cache)
    (tmp_path / "0.png").unlink()
    again = load_faces(source, 32, cache=cache)
    np.testing.assert_array_equal(first.samples.pictures.take(np.arange(4)), again.samples.pictures.take(np.arange(4)))
    assert [one.key for one in again.rejected] == ["2"]
    table.write_text(table.read_text().replace("p2", "p9"))
    assert load_faces(source, 32, cache=cache).samples.keys.tolist() == ["1", "3", "5"]
    index = json.loads((cache / CROPS_INDEX).read_text())
    assert len(np.load(cache / CROPS)) == len(index["used"]) + len(index["rejected"])


def test_sources_that_give_nothing_say_why(table: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds neither dataset\.json"):
        load_faces(FaceSource(tmp_path), 32)
    with pytest.raises(InputError, match="no such file or folder"):
        load_faces(FaceSource(tmp_path / "nowhere"), 32)
    table.write_text("path,valence,arousal\n0.png,,\n")
    with pytest.raises(InputError, match="none of its pictures has valence and arousal"):
        load_faces(FaceSource(table, "csv"), 32)
    table.write_text("path,valence,arousal\n2.png,0.1,0.1\n")
    with pytest.raises(InputError, match="no picture can be used"):
        load_faces(FaceSource(table, "csv"), 32)
    table.write_text("path,valence,arousal\n0.png,3,0\n")
    with pytest.raises(InputError, match="holds no picture of a face"):
        load_faces(FaceSource(table, "csv"), 32)


def test_a_source_twice_is_refused(table: Path) -> None:
    with pytest.raises(InputError, match="which another one has, too"):
        load_all([FaceSource(table, "csv")] * 2, 32)


def test_landmarks_are_those_that_judges_find(tmp_path: Path) -> None:
    portrait = np.asarray(skimage.data.astronaut())[:256, 96:352]
    Image.fromarray(portrait).save(tmp_path / "face.png")
    Image.new("RGB", (128, 128), (90, 90, 90)).save(tmp_path / "wall.png")
    wrong = ";".join(f"{x:.1f}" for x in face_points(60, 30, 130).ravel())
    table = tmp_path / "labels.csv"
    table.write_text(f"path,valence,arousal,landmarks\nface.png,0,0,{wrong}\nwall.png,0,0,{wrong}\n")
    given = load_faces(FaceSource(table, "csv"), 64)
    found = load_faces(FaceSource(table, "csv", detected=True), 64)
    assert (len(given.samples), len(found.samples)) == (2, 1)
    assert [(one.key, one.reason) for one in found.rejected] == [("wall", "MediaPipe finds no face where it should be")]
    right_eye, left_eye, chin = (found.samples.landmarks[0][part].mean(axis=0) for part in ([36, 39], [42, 45], [8]))
    assert right_eye[0] < chin[0] < left_eye[0]
    assert max(right_eye[1], left_eye[1]) < chin[1] - 0.5
    assert given.digest != found.digest
