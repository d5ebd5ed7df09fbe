"""A judge of crops reads what the same network reads in whole pictures, and is trained for that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray
from synth_affect.editors.face_crop import align, cut_out
from synth_affect.errors import InputError
from synth_affect.pipelines.embed_landmarks import IBUG_68
from synth_affect.pipelines.judges.crop_judge import CropJudge
from synth_affect.pipelines.judges.face_view import FaceView
from synth_affect.pipelines.judges.trained import TrainedJudge
from synth_affect.pipelines.reproduce.crops import as_picture
from synth_affect.regressors.networks import NetworkSettings, build_network
from synth_affect.regressors.weight_file import save_network

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

OF_CROPS: dict[str, Any] = {"crop": "aligned", "landmarks": False, "batch_norm": True}
CATEGORIES = (Emotion.NEUTRAL, Emotion.FEAR, Emotion.ANGER)
ABOUT = {"data": {"seen_people": ["anna", "bob"]}, "test": {"accuracy": {"value": 0.9}, "n": 20, "n_groups": 5}}


def weights(folder: Path, kind: str = "classes", **more: Any) -> Path:
    torch.manual_seed(0)
    categories = CATEGORIES if kind == "classes" else ()
    settings = NetworkSettings(kind, size=32, width=4, categories=categories, **more)  # type: ignore[arg-type]
    path = folder / "weights.safetensors"
    save_network(path, settings, build_network(settings).state_dict(), ABOUT)
    return path


def softmax(logits: FloatArray) -> FloatArray:
    powers: FloatArray = np.exp(logits - logits.max())
    return powers / powers.sum()


def test_a_crop_reads_as_the_whole_picture_does(face: FaceView, tmp_path: Path) -> None:
    path = weights(tmp_path, **OF_CROPS)
    crop = as_picture(cut_out(face.pixels, align(face.points[list(IBUG_68)]), 32))
    shares = softmax(CropJudge(path).read(crop[np.newaxis])[0])
    whole, positions = TrainedJudge(path).read(face), np.array(TrainedJudge(path).card.positions)
    assert whole.emotion == CATEGORIES[int(shares.argmax())]
    np.testing.assert_allclose((whole.valence, whole.arousal), shares @ positions, atol=2e-3)


def test_crops_of_any_size_are_brought_to_its_own(tmp_path: Path) -> None:
    judge = CropJudge(weights(tmp_path, **OF_CROPS))
    crop = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    doubled = crop.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(judge.read(doubled), judge.read(crop))


def test_it_says_what_it_is_and_whom_it_has_seen(tmp_path: Path) -> None:
    judge = CropJudge(weights(tmp_path, **OF_CROPS))
    assert judge.categories == CATEGORIES
    assert judge.seen(["carl", "bob"]) == ["bob"]
    described = judge.described()
    assert described["categories"] == ["neutral", "fear", "anger"]
    assert described["accuracy"] == "90 % of 3 classes on 20 pictures of 5 people held out"


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("classes", {"crop": "square", "landmarks": False}),
        ("classes", {"crop": "aligned"}),
        ("va-cnn", {"crop": "aligned"}),
    ],
)
def test_others_are_refused(kind: str, more: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no judge of crops, which is trained by train classes --crop aligned --no-l"):
        CropJudge(weights(tmp_path, kind, **more))
