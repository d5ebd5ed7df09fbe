from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_affect.errors import InputError
from synth_affect.pipelines.judges.face_view import FaceView
from synth_affect.pipelines.judges.trained import TrainedIdentity, TrainedJudge
from synth_affect.regressors.networks import Kind, NetworkSettings, build_network
from synth_affect.regressors.weight_file import save_network

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

TEST = {"n": 40, "n_groups": 4, "valence": {"ccc": {"value": 0.81}}, "arousal": {"ccc": {"value": 0.79}}}


def weights(folder: Path, kind: Kind) -> Path:
    torch.manual_seed(0)
    settings = NetworkSettings(kind, size=32, width=4)
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
