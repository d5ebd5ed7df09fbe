from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.errors import InputError, NoFaceError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.heads.camera import yaw_pitch_roll
from synth_affect.heads.cc0 import load_cc0
from synth_affect.pipelines.picture_faces import MAX_FIT_BYTES, FaceSource, open_faces, parse_face_choice, summarise


def test_a_number_is_an_index_and_words_stay_words() -> None:
    assert [parse_face_choice(text) for text in ("largest", "all", "0", "12")] == ["largest", "all", 0, 12]


@pytest.mark.parametrize("text", ["", "-1", "1.0", "Largest", "²", "any"])
def test_other_choices_name_the_option(text: str) -> None:
    with pytest.raises(InputError, match=r"^--face: ") as caught:
        parse_face_choice(text)
    assert repr(text) in caught.value.reason


def test_a_number_of_any_length_is_answered() -> None:
    with pytest.raises(InputError, match=r"^--face: a number of 5000 digits"):
        parse_face_choice("9" * 5000)


def test_faces_are_chosen_from_the_largest(two_portraits: Any, stub_detector: Any) -> None:
    path, stub_detector.faces = two_portraits[0], tuple(two_portraits[1])
    found = {}
    for choice in ("largest", "all", 0, 1):
        with open_faces(FaceSource(path, choice)) as opened:
            found[choice] = [(face.index, face.fit.landmarks_image.mean() > 384) for face in opened.faces]
    assert found == {"largest": [(0, False)], "all": [(0, False), (1, True)], 0: [(0, False)], 1: [(1, True)]}


def test_the_detector_is_closed_also_after_an_error(portrait_path: Path, stub_detector: Any) -> None:
    with pytest.raises(InputError, match=f"^--face: 7 was asked for, but {portrait_path} shows 1 face"):  # noqa: SIM117
        with open_faces(FaceSource(portrait_path, 7)):
            pass
    stub_detector.faces = ()
    with pytest.raises(NoFaceError), open_faces(FaceSource(portrait_path)):
        pass
    assert (stub_detector.n_looks, stub_detector.open_now) == (2, 0)


def test_the_detector_is_closed_when_the_head_cannot_be_read(
    portrait_path: Path, stub_detector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise InputError("head.npz", "damaged")

    monkeypatch.setattr("synth_affect.pipelines.open_head.load_cc0", broken)
    with pytest.raises(InputError, match="damaged"), open_faces(FaceSource(portrait_path)):
        pass
    assert stub_detector.open_now == 0


def test_a_fit_is_read_from_a_small_regular_file_of_text(tmp_path: Path, portrait_path: Path) -> None:
    (tmp_path / "large.json").write_bytes(b" " * (MAX_FIT_BYTES + 1))
    (tmp_path / "noise.json").write_bytes(b"\xff\xfe")
    wanted = {
        tmp_path / "large.json": "too large for a fit file",
        tmp_path / "noise.json": "not a fit file: not text",
        tmp_path: "a folder, not a fit file",
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.json")
        wanted[tmp_path / "pipe.json"] = "not a regular file"
    for path, reason in wanted.items():
        with pytest.raises(InputError, match=reason), open_faces(FaceSource(portrait_path, fit_in=path)):
            pass


def test_the_summary_is_of_this_face(portrait_path: Path, portrait_landmarks: Any, stub_detector: Any) -> None:
    with open_faces(FaceSource(portrait_path)) as opened:
        summary = summarise(opened.faces[0])
    left, top, right, bottom = summary["box_px"]
    points = portrait_landmarks.points_image
    np.testing.assert_allclose([left, top], points[:, :2].min(axis=0), atol=0.06)
    np.testing.assert_allclose([right, bottom], points[:, :2].max(axis=0), atol=0.06)
    assert summary["face"] == 0
    assert abs(summary["yaw_deg"]) < 30
    assert 0 < summary["residual_iod"] < 0.05


def as_pts(landmarks: Landmarks) -> str:
    """The 68 of the 478 points that the packaged head's own embeddings say are the same."""
    head = load_cc0()
    at = {(int(t), *b) for t, b in zip(head.landmarks_68.triangles, head.landmarks_68.barycentric, strict=True)}
    assert len(at) == 68
    rows = list(zip(head.landmarks_478.triangles, head.landmarks_478.barycentric, strict=True))
    order = {(int(t), *b): row for row, (t, b) in enumerate(rows)}
    same = [
        order[(int(t), *b)] for t, b in zip(head.landmarks_68.triangles, head.landmarks_68.barycentric, strict=True)
    ]
    lines = [f"{x + 0.5:.3f} {y + 0.5:.3f}" for x, y in landmarks.points_image[same, :2]]
    return "version: 1\nn_points: 68\n{\n" + "\n".join(lines) + "\n}\n"


def test_given_landmarks_are_fitted_and_nothing_is_detected(
    tmp_path: Path, portrait_path: Path, portrait_landmarks: Landmarks, stub_detector: Any
) -> None:
    (tmp_path / "face.pts").write_text(as_pts(portrait_landmarks))
    source = FaceSource(portrait_path, landmarks=tmp_path / "face.pts")
    assert source.which_face == "of given landmarks"
    assert tmp_path / "face.pts" in source.files
    with open_faces(source) as opened:
        (face,) = opened.faces
        assert stub_detector.n_looks == 0
        detected = opened.synthesizer.fit_landmarks(opened.picture.pixels, portrait_landmarks)
        angles = np.degrees([yaw_pitch_roll(face.fit.camera), yaw_pitch_roll(detected.camera)])
        assert np.abs(angles[0] - angles[1]).max() < 5
        picture = opened.picture.pixels
        result = opened.synthesizer.synthesize(picture, face.fit, valence=0.8, arousal=0.3)
        assert (result.image != picture).any(axis=2).sum() > 2000


def test_landmarks_that_are_no_face(tmp_path: Path, portrait_path: Path) -> None:
    path = tmp_path / "line.pts"
    path.write_text("{\n" + "\n".join(f"{5 + i} {9 + 2 * i}" for i in range(68)) + "\n}\n")
    with (
        pytest.raises(InputError, match=r"line.pts: no face has these points \(.*on one line"),
        open_faces(FaceSource(portrait_path, landmarks=path)),
    ):
        pass


@pytest.mark.parametrize("other", [{"fit_in": Path("f")}, {"face": 1}, {"face": "all"}, {"landmark_model": Path("m")}])
def test_landmarks_go_with_no_other_way_of_finding_a_face(other: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="give one of the two"):
        FaceSource(Path("i.png"), landmarks=Path("l.pts"), **other)


def test_a_face_that_scores_too_little_is_refused_with_the_reason(tmp_path: Path, portrait: ImageArray) -> None:
    soft = tmp_path / "soft.png"
    cv2.imwrite(str(soft), cv2.GaussianBlur(np.asarray(portrait), (0, 0), 4)[:, :, ::-1])
    with open_faces(FaceSource(soft)) as opened:
        quality = summarise(opened.faces[0])["quality"]
    assert 0 < quality["score"] < 0.9
    assert quality["worst"].startswith("sharpness")
    with (
        pytest.raises(InputError, match=r"quality 0\.\d+ is below the 0\.9 of --min-quality: sharpness"),
        open_faces(FaceSource(soft, min_quality=0.9)),
    ):
        pass


@pytest.mark.parametrize("min_quality", [-0.1, 1.1, float("nan")])
def test_a_score_outside_its_range_is_refused(min_quality: float) -> None:
    with pytest.raises(InputError, match="--min-quality"):
        FaceSource(Path("a.png"), min_quality=min_quality)


def test_detectors_are_known_by_name_and_not_needed_for_given_points() -> None:
    with pytest.raises(InputError, match="--detector: 'eyes' is none of mediapipe, face-alignment"):
        FaceSource(Path("a.png"), detector="eyes")
    with pytest.raises(InputError, match="nothing is detected"):
        FaceSource(Path("a.png"), fit_in=Path("f.json"), detector="face-alignment")
