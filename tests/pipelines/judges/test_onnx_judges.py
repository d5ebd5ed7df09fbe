"""The adapters of ONNX networks, on tiny networks built here: their answer is known from the picture's mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks._tiny_network import write_tiny_network as tiny
from synth_affect.affect import Emotion, position
from synth_affect.errors import InputError
from synth_affect.pipelines.judges.arcface import ArcFaceJudge
from synth_affect.pipelines.judges.classifier import ClassifierJudge
from synth_affect.pipelines.judges.face_view import FaceView, face_crop, recognition_crop
from synth_affect.pipelines.judges.hsemotion import CLASSES, MARGIN, SIDE, HsEmotionJudge
from synth_affect.pipelines.judges.onnx_network import OnnxNetwork, scaled, softmax

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_hsemotion_reads_valence_and_arousal_behind_its_classes(face: FaceView, tmp_path: Path) -> None:
    gains = [0.0] * 8 + [0.1, 9.0]
    offsets = [0.0, 0, 0, 0, 2, 0, 0, 1, 0.25, 5]
    judge = HsEmotionJudge(tiny(tmp_path / "enet_b0_8_va_mtl.onnx", gains, offsets))
    mean = float(scaled(face_crop(face, SIDE, MARGIN), "imagenet").mean())
    reading = judge.read(face)
    assert reading.valence == pytest.approx(0.25 + 0.1 * mean, abs=1e-4)
    assert reading.arousal == 1.0, "clipped"
    assert reading.emotion == CLASSES[4] == "happiness"
    assert "AffectNet" in judge.card.databases
    assert judge.card.positions == ()


def test_the_mobile_hsemotion_takes_another_scale(face: FaceView, tmp_path: Path) -> None:
    path = tiny(tmp_path / "mbf_va_mtl.onnx", [0.0] * 8 + [1.0, 0.0], [0.0] * 10, (1, 3, 112, 112))
    mean = float(scaled(face_crop(face, 112, MARGIN), "symmetric").mean())
    assert HsEmotionJudge(path).read(face).valence == pytest.approx(mean, abs=1e-4)


def test_a_network_with_another_answer_is_no_hsemotion(face: FaceView, tmp_path: Path) -> None:
    judge = HsEmotionJudge(tiny(tmp_path / "x.onnx", [0.0] * 7, [0.0] * 7))
    with pytest.raises(InputError, match="gives 7 numbers; a va_mtl network gives 10"):
        judge.read(face)


def describe(folder: Path, **changes: Any) -> Path:
    about = {
        "name": "three",
        "weights": "three.onnx",
        "classes": ["happy", "sad", "neutral"],
        "scaling": "unit",
        "databases": "none",
        **changes,
    }
    path = folder / "three.json"
    path.write_text(json.dumps({key: value for key, value in about.items() if value is not None}))
    return path


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 32, 32, 3), (1, 32, 32, 1), ("batch", 1, 32, 32)])
def test_a_classifier_is_read_as_the_expected_position(face: FaceView, tmp_path: Path, shape: tuple[Any, ...]) -> None:
    tiny(tmp_path / "three.onnx", [0.0] * 3, [1.0, -20.0, 1.0], shape)
    judge = ClassifierJudge(describe(tmp_path))
    reading = judge.read(face)
    happy = position(Emotion.HAPPINESS)
    assert (reading.valence, reading.arousal) == pytest.approx((happy.valence / 2, happy.arousal / 2), abs=1e-6)
    assert judge.card.positions[1] == (position(Emotion.SADNESS).valence, position(Emotion.SADNESS).arousal)


def test_probabilities_are_taken_as_they_are(face: FaceView, tmp_path: Path) -> None:
    tiny(tmp_path / "three.onnx", [0.0] * 3, [0.0, 1.0, 0.0], (1, 3, 32, 32))
    reading = ClassifierJudge(describe(tmp_path, output="probabilities")).read(face)
    assert (reading.emotion, reading.valence) == ("sadness", position(Emotion.SADNESS).valence)
    tiny(tmp_path / "three.onnx", [0.0] * 3, [3.0, 1.0, 0.0], (1, 3, 32, 32))
    with pytest.raises(InputError, match="gives no probabilities"):
        ClassifierJudge(describe(tmp_path, output="probabilities")).read(face)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"classes": ["happy", "other"]}, "'other' has no position"),
        ({"classes": ["happy"]}, "no list of two names"),
        ({"databases": None}, "lacks databases"),
        ({"scaling": "half"}, "scaling 'half' is none of"),
        ({"colour": "red"}, "unknown colour"),
        ({"margin": True}, "margin is no number"),
        ({"margin": float("nan")}, "margin is no number"),
        ({"side": 10**9}, "side is no whole number"),
        ({"output": ["logits"]}, "output .* is none of"),
        ({"name": ""}, "name is no text"),
        ({"name": "a\n\x1b[31mb"}, "name is no text in one line"),
        ({"classes": ["happy", "happy", "happiness"]}, "classes are all one"),
        ({"weights": "a" * 5000}, "cannot be read"),
        ({"classes": "happy"}, "no list of two names"),
        ({"classes": [1, 2]}, "no list of two names"),
        ({"weights": "absent.onnx"}, "no such file"),
        ({"weights": "."}, "no such file"),
        ({"weights": "/dev/zero"}, "no such file"),
    ],
)
def test_a_description_that_cannot_be_used_says_why(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    tiny(tmp_path / "three.onnx", [0.0] * 3, [0.0] * 3, (1, 3, 32, 32))
    with pytest.raises(InputError, match=says):
        ClassifierJudge(describe(tmp_path, **changes))


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "5", "not JSON", ""])
def test_a_description_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "three.json").write_text(text)
    with pytest.raises(InputError, match="JSON"):
        ClassifierJudge(tmp_path / "three.json")


def test_as_many_classes_as_answers(face: FaceView, tmp_path: Path) -> None:
    tiny(tmp_path / "three.onnx", [0.0] * 4, [0.0] * 4, (1, 3, 32, 32))
    with pytest.raises(InputError, match="gives 4 numbers for 3 classes"):
        ClassifierJudge(describe(tmp_path)).read(face)


def test_arcface_compares_aligned_faces(face: FaceView, tmp_path: Path) -> None:
    judge = ArcFaceJudge(tiny(tmp_path / "w600k_r50.onnx", [1.0, 0.0], [0.0, 0.5], (1, 3, 112, 112)))
    embedding = judge.embed(face)
    mean = float(scaled(recognition_crop(face), "symmetric").mean())
    np.testing.assert_allclose(embedding, [mean, 0.5], atol=1e-4)
    assert judge.card.compare(embedding, embedding) == pytest.approx(1)
    assert judge.card.compare(embedding, -embedding) == pytest.approx(-1)


def test_arcface_is_refused_at_another_size(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ArcFace takes 112"):
        ArcFaceJudge(tiny(tmp_path / "x.onnx", [1.0], [0.0], (1, 3, 96, 96)))


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((1, 3), "one input of 4 dimensions"),
        ((1, 5, 8, 8), "neither 1 nor 3"),
        ((1, 3, "h", "w"), "leaves the size"),
        ((1, 3, 0, 0), "takes pictures of 0 px"),
        ((1, 3, 100_000, 100_000), "takes pictures of 100000 px; 2048 are the most"),
    ],
)
def test_other_networks_are_refused(tmp_path: Path, shape: tuple[Any, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        OnnxNetwork(tiny(tmp_path / "x.onnx", [1.0], [0.0], shape))


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no network")
    with pytest.raises(InputError, match="not a network that onnxruntime can open"):
        OnnxNetwork(tmp_path / "x.onnx")


def test_a_network_that_gives_nan_is_refused(face: FaceView, tmp_path: Path) -> None:
    network = OnnxNetwork(tiny(tmp_path / "x.onnx", [float("nan")], [0.0], (1, 3, 8, 8)))
    with pytest.raises(InputError, match="NaN"):
        network(face_crop(face, 8, 0), "bytes")


def test_softmax_of_large_logits() -> None:
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0])), [0.5, 0.5])
