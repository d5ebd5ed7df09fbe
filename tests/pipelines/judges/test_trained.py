from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.errors import InputError
from synth_affect.pipelines.judges.face_view import FaceView
from synth_affect.pipelines.judges.trained import TrainedIdentity, TrainedJudge
from synth_affect.regressors.networks import Kind, NetworkSettings, build_network
from synth_affect.regressors.weight_file import save_network

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

TEST = {
    "n": 40,
    "n_groups": 4,
    "accuracy": {"value": 0.7},
    "valence": {"ccc": {"value": 0.81}},
    "arousal": {"ccc": {"value": 0.79}},
}


def weights(folder: Path, kind: Kind, **more: object) -> Path:
    torch.manual_seed(0)
    settings = NetworkSettings(kind, size=32, width=4, **more)  # type: ignore[arg-type]
    path = folder / f"{kind}.safetensors"
    about = {"licence": "ours", "data": {"source": "rendered"}, "test": TEST, "training": {"steps": 3}}
    save_network(path, settings, build_network(settings).state_dict(), about)
    return path


@pytest.mark.parametrize("kind", ["vgg", "vgg-gru", "va-cnn"])
def test_affect_is_read_in_its_range_and_the_same_each_time(face: FaceView, tmp_path: Path, kind: Kind) -> None:
    judge = TrainedJudge(weights(tmp_path, kind))
    reading = judge.read(face)
    assert -1 <= reading.valence <= 1
    assert -1 <= reading.arousal <= 1
    assert judge.read(face) == reading


def test_faces_are_cut_out_as_in_training(face: FaceView, tmp_path: Path) -> None:
    (tmp_path / "aligned").mkdir()
    square = TrainedJudge(weights(tmp_path, "va-cnn")).read(face)
    aligned = TrainedJudge(weights(tmp_path / "aligned", "va-cnn", crop="aligned")).read(face)
    assert square != aligned
    with pytest.raises(InputError, match="crop: 'round' is none of square, aligned"):
        NetworkSettings("va-cnn", crop="round")  # type: ignore[arg-type]


def test_categories_are_read_as_their_expected_position(face: FaceView, tmp_path: Path) -> None:
    path = weights(tmp_path, "classes", categories=(Emotion.HAPPINESS, Emotion.SADNESS))
    judge = TrainedJudge(path)
    reading = judge.read(face)
    happy, sad = judge.card.positions
    assert min(happy[0], sad[0]) < reading.valence < max(happy[0], sad[0])
    nearer = Emotion.HAPPINESS if reading.valence > (happy[0] + sad[0]) / 2 else Emotion.SADNESS
    assert reading.emotion == nearer
    assert judge.card.accuracy == "70 % of 2 classes on 40 pictures of 4 people held out"


def test_the_card_says_what_was_reached_on_people_held_out(tmp_path: Path) -> None:
    card = TrainedJudge(weights(tmp_path, "va-cnn")).card
    assert card.accuracy == "CCC 0.81 / 0.79 on 40 pictures of 4 people held out"
    assert (card.databases, card.terms) == ("rendered", "ours")


def test_identity_is_on_the_unit_sphere(face: FaceView, tmp_path: Path) -> None:
    judge = TrainedIdentity(weights(tmp_path, "identity"))
    embedding = judge.embed(face)
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
    assert judge.card.compare(embedding, embedding) == pytest.approx(1, abs=1e-5)


def test_each_kind_has_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="reads no affect"):
        TrainedJudge(weights(tmp_path, "identity"))
    with pytest.raises(InputError, match="embeds no identity"):
        TrainedIdentity(weights(tmp_path, "vgg"))
