"""Training: that it learns what is there and nothing else, goes on after a kill, and says what it cannot."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.errors import InputError, MissingDependencyError
from synth_affect.regressors.learner import LOG
from synth_affect.regressors.metrics import score_affect
from synth_affect.regressors.networks import NetworkSettings, build_network
from synth_affect.regressors.predicting import predict
from synth_affect.regressors.samples import FaceSamples, join, select
from synth_affect.regressors.train_settings import TrainSettings
from synth_affect.regressors.training import Trained, train_network
from synth_affect.regressors.verification import verification_auc

if TYPE_CHECKING:
    from torch.nn import Module

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("torchmetrics")

Make = Callable[..., FaceSamples]
NETWORK = NetworkSettings("va-cnn", size=32, width=4, batch_norm=True, dropout=0.0)
QUICK = TrainSettings(epochs=3, batch=16, learning_rate=5e-3, seed=3)


def trained_network(network: NetworkSettings, trained: Trained) -> Module:
    built = build_network(network)
    built.load_state_dict(trained.state)
    return built.eval()


def test_it_learns_what_the_pictures_show_and_no_shuffled_labels(samples: Make, tmp_path: Path) -> None:
    learnt, held_out = samples(10, 20), samples(4, 16, seed=9)
    settings = replace(QUICK, epochs=12)
    trained = train_network(NETWORK, settings, learnt, held_out, tmp_path / "true", device="cpu")
    found = predict(trained_network(NETWORK, trained), NETWORK, held_out)
    scores = score_affect(held_out.affect, found, n_bootstrap=0)
    assert scores.mean_ccc > 0.7
    assert scores.mean_ccc == pytest.approx(trained.score, abs=1e-5)
    mixed = replace(learnt, affect=np.random.default_rng(0).permutation(learnt.affect))
    fooled = train_network(NETWORK, replace(settings, epochs=4), mixed, held_out, tmp_path / "mixed", device="cpu")
    found = predict(trained_network(NETWORK, fooled), NETWORK, held_out)
    assert abs(score_affect(held_out.affect, found, n_bootstrap=0).mean_ccc) < 0.25


@pytest.mark.parametrize("clips", [False, True])
def test_sequences_are_learnt_with_their_landmarks(samples: Make, tmp_path: Path, clips: bool) -> None:
    network = NetworkSettings("vgg-gru", size=32, width=4, hidden=128, gru=16, batch_norm=True)
    both = join([samples(4, 6, clips=clips), samples(1, 2, seed=2)])
    settings = replace(QUICK, epochs=2, steps=4)
    trained = train_network(network, settings, both, samples(2, 6, clips=clips, seed=5), tmp_path, device="cpu")
    assert trained.epochs == 2
    found = predict(trained_network(network, trained), network, both, steps=4)
    again = predict(trained_network(network, trained), network, both, steps=4, batch=2)
    np.testing.assert_allclose(found, again, atol=1e-5)
    assert np.ptp(found[:, 0]) > 0


def test_judges_may_learn_from_landmarks_too_and_need_none_afterwards(samples: Make, tmp_path: Path) -> None:
    learnt, held_out = samples(6, 12), samples(3, 10, seed=9)
    shapes = np.random.default_rng(0).normal(size=(len(learnt), 68, 2))
    shapes[:, :, 1] += np.sign(np.arange(68) - 40) * learnt.affect[:, :1]
    learnt = replace(learnt, landmarks=shapes.astype(np.float32))
    trained = {
        weight: train_network(NETWORK, replace(QUICK, landmark_loss=weight), learnt, held_out, tmp_path / str(weight))
        for weight in (0.0, 1.0)
    }
    assert set(trained[1.0].state) == set(trained[0.0].state) == set(build_network(NETWORK).state_dict())
    first = "valence.features.conv1_1.weight"
    assert not torch.equal(trained[1.0].state[first], trained[0.0].state[first])
    bare = replace(held_out, landmarks=np.full_like(held_out.landmarks, np.nan))
    found = predict(trained_network(NETWORK, trained[1.0]), NETWORK, bare)
    assert score_affect(held_out.affect, found, n_bootstrap=0).mean_ccc == pytest.approx(trained[1.0].score, abs=1e-5)


def test_identity_tells_other_people_apart(samples: Make, tmp_path: Path) -> None:
    network = NetworkSettings("identity", size=32, width=4, batch_norm=True, embedding=8)
    trained = train_network(network, replace(QUICK, epochs=5), samples(5, 16), samples(5, 8, seed=4), tmp_path)
    assert trained.score > 0.8
    assert set(trained.state) == set(build_network(network).state_dict())


def test_categories_are_learnt_and_absent_ones_refused(samples: Make, tmp_path: Path) -> None:
    network = NetworkSettings(
        "classes", size=32, width=4, batch_norm=True, categories=(Emotion.SADNESS, Emotion.HAPPINESS)
    )
    trained = train_network(network, replace(QUICK, epochs=8), samples(8, 16), samples(3, 12, seed=4), tmp_path / "a")
    assert trained.score > 0.8
    assert set(trained.state) == set(build_network(network).state_dict())
    more = replace(network, categories=(Emotion.SADNESS, Emotion.HAPPINESS, Emotion.FEAR))
    with pytest.raises(InputError, match="no training picture shows fear"):
        train_network(more, QUICK, samples(2), samples(2), tmp_path / "b")
    with pytest.raises(InputError, match="shows none of happiness, fear"):
        train_network(
            replace(network, categories=(Emotion.HAPPINESS, Emotion.FEAR)),
            QUICK,
            samples(2),
            samples(2),
            tmp_path / "b",
        )


def test_a_judge_of_pictures_alone_may_learn_categories_with_landmarks(samples: Make, tmp_path: Path) -> None:
    categories = (Emotion.SADNESS, Emotion.HAPPINESS)
    network = NetworkSettings("classes", size=32, width=4, batch_norm=True, categories=categories, landmarks=False)
    learnt, held_out = samples(8, 16), samples(3, 12, seed=4)
    settings = replace(QUICK, epochs=8, landmark_loss=0.5)
    trained = train_network(network, settings, learnt, held_out, tmp_path / "a")
    assert trained.score > 0.8
    assert set(trained.state) == set(build_network(network).state_dict())
    with pytest.raises(InputError, match="--landmark-loss: is for networks that read pictures alone"):
        train_network(replace(network, landmarks=True), settings, learnt, held_out, tmp_path / "b")


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import make_samples
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.train_settings import TrainSettings
from synth_affect.regressors.training import train_network
network = NetworkSettings("va-cnn", size=32, width=4, batch_norm=True, dropout=0.2)
settings = TrainSettings(epochs={epochs}, batch=16, learning_rate=5e-3, landmark_loss=0.5, seed=3)
train_network(network, settings, make_samples(6, 12), make_samples(2, 10, seed=1), Path({out!r}), device="cpu")
"""


def test_a_killed_run_goes_on_to_the_same_end(samples: Make, tmp_path: Path) -> None:
    epochs = 6
    network = replace(NETWORK, dropout=0.2)
    settings = replace(QUICK, epochs=epochs, landmark_loss=0.5)
    data = samples(6, 12), samples(2, 10, seed=1)
    script = SCRIPT.format(tests=str(Path(__file__).parent), epochs=epochs, out=str(tmp_path / "killed"))
    killed = tmp_path / "killed"
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as process:
        for _ in range(30000):
            if process.poll() is not None or ((killed / LOG).is_file() and len((killed / LOG).read_text()) > 70):
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 1 <= n_epochs(killed) < epochs, "it was to be killed on its way"
    torch.manual_seed(99)  # what the process drew before must not matter
    resumed = train_network(network, settings, *data, killed, device="cpu")
    whole = train_network(network, settings, *data, tmp_path / "whole", device="cpu")
    assert (resumed.best_epoch, resumed.epochs, n_epochs(killed)) == (whole.best_epoch, epochs, epochs)
    assert resumed.score == pytest.approx(whole.score, abs=1e-6)
    for name, tensor in whole.state.items():
        torch.testing.assert_close(resumed.state[name], tensor, atol=1e-6, rtol=1e-5)
    finished = train_network(network, settings, *data, killed, device="cpu")
    assert finished.score == resumed.score


def test_two_processes_learn_what_one_does(samples: Make, tmp_path: Path) -> None:
    network = replace(NETWORK, batch_norm=False)
    settings = TrainSettings(epochs=1, batch=7, learning_rate=1e-2, optimizer="sgd", loss="mse", landmark_loss=0.0)
    data = samples(5, 7), samples(2, 6, seed=1)
    one = train_network(network, settings, *data, tmp_path / "one", device="cpu")
    both = train_network(network, settings, *data, tmp_path / "both", device="cpu", devices=2)
    assert both.score == pytest.approx(one.score, abs=1e-6)
    for name, tensor in one.state.items():
        torch.testing.assert_close(both.state[name], tensor, atol=1e-6, rtol=1e-5)
    assert (tmp_path / "both" / LOG).read_text().splitlines()[0] == "epoch,loss,score,ccc_valence,ccc_arousal"
    assert n_epochs(tmp_path / "both") == 1
    with pytest.raises(InputError, match="--devices: 8 processes would share a batch of 7"):
        train_network(network, settings, *data, tmp_path / "more", device="cpu", devices=8)
    with pytest.raises(InputError, match="--devices: 0 is not in"):
        train_network(network, settings, *data, tmp_path / "more", device="cpu", devices=0)


def test_the_log_goes_to_tensorboard_where_that_is_there(
    samples: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = samples(2, 8), samples(1, 8, seed=1)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "tensorboard", None)
        with pytest.raises(MissingDependencyError, match="tensorboard"):
            train_network(NETWORK, QUICK, *data, tmp_path / "none", device="cpu", tensorboard=True)
    assert not (tmp_path / "none").exists()
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    out = tmp_path / "run"
    for _ in range(2):  # the second time there is nothing left to be done
        train_network(NETWORK, replace(QUICK, epochs=2), *data, out, device="cpu", tensorboard=True)
    read = events.EventAccumulator(str(out / "tensorboard"))
    read.Reload()
    with (out / LOG).open() as file:
        rows = list(csv.DictReader(file))
    for name in ("loss", "score", "ccc_valence"):
        shown = [(one.step, one.value) for one in read.Scalars(name)]
        assert shown == [(n, pytest.approx(float(row[name]), rel=1e-5)) for n, row in enumerate(rows)]


def n_epochs(folder: Path) -> int:
    with (folder / LOG).open() as file:
        return len(list(csv.DictReader(file)))


def test_it_stops_early_and_in_half_precision(samples: Make, tmp_path: Path) -> None:
    settings = TrainSettings(epochs=30, batch=16, learning_rate=1e-9, patience=2, precision="bf16", optimizer="sgd")
    trained = train_network(NETWORK, settings, samples(2, 8), samples(1, 8, seed=1), tmp_path, device="cpu")
    assert trained.epochs < 15


def test_what_cannot_be_learnt_is_one_line(samples: Make, tmp_path: Path) -> None:
    good = samples(2, 4)
    flat = replace(good, affect=np.zeros((8, 2)))
    with pytest.raises(InputError, match="all 8 training pictures have one label"):
        train_network(NETWORK, QUICK, flat, good, tmp_path)
    unlabelled = replace(good, affect=np.full((8, 2), np.nan))
    with pytest.raises(InputError, match="p0/0000: has no valence and arousal"):
        train_network(NETWORK, QUICK, good, unlabelled, tmp_path)
    with pytest.raises(InputError, match="pictures of 32 px, and a network for 64 px"):
        train_network(replace(NETWORK, size=64), QUICK, good, good, tmp_path)
    with pytest.raises(InputError, match="there is no picture"):
        train_network(NETWORK, QUICK, select(good, np.zeros(8, dtype=bool)), good, tmp_path)
    bare = replace(good, landmarks=np.full((8, 68, 2), np.nan))
    with pytest.raises(InputError, match="p0/0000: has no 68 landmarks"):
        train_network(NetworkSettings("vgg-gru", size=32, width=4), QUICK, bare, good, tmp_path)
    with pytest.raises(InputError, match="two people or more"):
        train_network(NetworkSettings("identity", size=32, width=4), QUICK, samples(1), good, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"epochs": 0}, "--epochs"), ({"loss": "huber"}, "--loss: 'huber' is none of ccc"), ({"batch": 1}, "--batch")],
)
def test_settings_that_are_none(settings: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        TrainSettings(**settings)  # type: ignore[arg-type]


def test_verification_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(12, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points[3] = points[4]
    people = np.array(list("aabbccddaabb"))
    same: list[float] = []
    other: list[float] = []
    for i in range(12):
        for j in range(i):
            (same if people[i] == people[j] else other).append(float(points[i] @ points[j]))
    wins = [1.0 if s > o else 0.5 if s == o else 0.0 for s in same for o in other]
    assert verification_auc(points, people) == pytest.approx(np.mean(wins), abs=1e-9)
    with pytest.raises(InputError, match="two people"):
        verification_auc(points, np.full(12, "a"))
