"""Seven numbers: neutral at the origin, each emotion along its own axis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.editors.beta_vae.crop_editor import open_crop_editor
from synth_affect.editors.beta_vae.learner import build_learner
from synth_affect.editors.beta_vae.losses import classification_loss, divergence, reconstruction_loss
from synth_affect.editors.beta_vae.networks import AXES, build_networks
from synth_affect.editors.beta_vae.recipe import RECIPE
from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.grey import grey_of
from synth_affect.editors.weights import EditorWeights
from synth_affect.errors import InputError
from synth_affect.regressors.networks import n_parameters
from tests.editors.banded import banded_faces, batch_of, reached

torch = pytest.importorskip("torch")
TINY = BetaVaeSettings(size=16, channels=(4, 8), units=(16, 12), last_dense=False, learning_rate=1e-2)
SHOWN = ("neutral", "anger", "surprise", "sadness")


def learner_of(settings: BetaVaeSettings = TINY) -> Any:
    torch.manual_seed(0)
    return build_learner(settings, banded_faces(SHOWN), None)


@pytest.fixture(scope="module")
def learnt() -> Any:
    learner, batch = learner_of(), batch_of(banded_faces(SHOWN))
    optimizers = learner.optimizers()
    for _ in range(250):
        learner.training_step(batch, optimizers)
    return learner.eval()


def weights_of(learner: Any) -> EditorWeights:
    return EditorWeights(Path("w.safetensors"), learner.state_dict())


def test_encoder_of_the_paper() -> None:
    with torch.device("meta"):
        encoder, decoder = build_networks(BetaVaeSettings())
    shared = 3 * 3 * 8 + 8 + 3 * 3 * 8 * 32 + 32 + (32 * 128 * 128 + 1) * 256 + (256 + 1) * 100
    assert n_parameters(encoder) == shared + 2 * (100 + 1) * 7
    assert next(decoder.parameters()).shape == (8192, 7)


def test_each_loss_reaches_its_networks() -> None:
    learner, batch = learner_of(), batch_of(banded_faces(SHOWN))
    grey, classes = grey_of(batch.pictures), torch.from_numpy(labels_of(batch.categories.numpy()))
    means, log_sigmas = learner.encoder(grey)
    parts = ("encoder", "decoder")
    assert reached(learner, reconstruction_loss(learner.decoder(means), grey), parts) == {"encoder", "decoder"}
    assert reached(learner, divergence(means, log_sigmas), parts) == {"encoder"}
    assert reached(learner, classification_loss(means, classes), parts) == {"encoder"}


def test_neutral_is_nearest_the_origin_and_each_emotion_on_its_axis(learnt: Any) -> None:
    batch = batch_of(banded_faces(SHOWN))
    with torch.no_grad():
        means = learnt.encoder(grey_of(batch.pictures))[0].numpy()
    classes = labels_of(batch.categories.numpy())
    lengths = {CLASSES[c]: float(np.linalg.norm(means[classes == c], axis=1).mean()) for c in set(classes.tolist())}
    assert min(lengths, key=lambda emotion: lengths[emotion]) is Emotion.NEUTRAL
    for number in set(classes.tolist()) - {CLASSES.index(Emotion.NEUTRAL)}:
        assert means[classes == number].mean(axis=0).argmax() == number
        assert float(learnt.peaks[number]) > 0.5


def test_edits_change_towards_what_is_asked(learnt: Any) -> None:
    faces = banded_faces(SHOWN)
    editor = open_crop_editor(TINY, weights_of(learnt), "cpu")
    neutral = (faces.pictures[0].astype(np.float32) / 127.5) - 1
    there = position(Emotion.SADNESS)
    still, made = editor.edit_crops(neutral, [ValenceArousal(0, 0), there])
    rows = (made - neutral).mean(axis=(1, 2))
    assert rows.argmin() in (6, 7)  # sadness is the fourth: its dark band
    assert np.abs(still - neutral).max() < np.abs(made - neutral).max()
    np.testing.assert_array_equal(made, editor.edit_crops(neutral, [there])[0])


def test_the_sheet_goes_along_each_axis(learnt: Any) -> None:
    faces = banded_faces(SHOWN)
    sheet = learnt.sheet(faces)
    assert sheet.shape == ((AXES + 2) * 16, 7 * 16, 3)
    origins = sheet[: AXES * 16, 3 * 16 : 4 * 16].reshape(AXES, 16, 16, 3)
    assert (origins == origins[0]).all()  # the middle of every row is the same face


def test_weights_without_peaks_are_refused(learnt: Any) -> None:
    tensors = {name: tensor for name, tensor in learnt.state_dict().items() if name != "peaks"}
    with pytest.raises(InputError, match="peaks"):
        open_crop_editor(TINY, EditorWeights(Path("w.safetensors"), tensors), "cpu")


def test_the_card_says_where_classes_lie(learnt: Any) -> None:
    faces = banded_faces(SHOWN)
    said = RECIPE.score(TINY, weights_of(learnt), faces)  # type: ignore[misc]
    assert said["nearest_the_origin"] == "neutral"
    assert said["on_their_own_axis"] == ["anger", "surprise", "sadness"]
    assert said["share_on_own_axis"] == 1.0
    mixed_up = replace(faces, categories=np.roll(faces.categories, 1))
    assert RECIPE.score(TINY, weights_of(learnt), mixed_up)["share_on_own_axis"] == 0.0  # type: ignore[misc]
