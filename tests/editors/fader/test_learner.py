"""An autoencoder whose latent also tells the emotion, and edits between the centres of classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.fader.crop_editor import open_crop_editor
from synth_affect.editors.fader.learner import build_learner, move
from synth_affect.editors.fader.networks import build_networks
from synth_affect.editors.fader.recipe import RECIPE
from synth_affect.editors.fader.settings import LOSSES, FaderSettings
from synth_affect.editors.grey import grey_of
from synth_affect.editors.weights import EditorWeights
from synth_affect.errors import InputError
from synth_affect.regressors.networks import n_parameters
from tests.editors.banded import banded_faces, batch_of, reached

torch = pytest.importorskip("torch")
TINY = FaderSettings(size=16, channels=(4, 8), units=(32, 24), last_dense=False, learning_rate=5e-3)
SHOWN = ("neutral", "anger", "surprise", "sadness")


def learner_of(settings: FaderSettings = TINY) -> Any:
    torch.manual_seed(0)
    return build_learner(settings, banded_faces(SHOWN), None)


@pytest.fixture(scope="module")
def learnt() -> Any:
    learner, batch = learner_of(), batch_of(banded_faces(SHOWN))
    optimizers = learner.optimizers()
    for _ in range(300):
        learner.training_step(batch, optimizers)
    return learner.eval()


def test_networks_of_the_paper() -> None:
    with torch.device("meta"):
        networks = build_networks(FaderSettings())
    assert next(networks.decoder.parameters()).shape == (8192, 100)
    assert n_parameters(networks.classes) == (100 + 1) * 7


@pytest.mark.parametrize(
    ("loss", "named"),
    [("l2", {"reconstruction"}), ("multi-class", {"reconstruction", "classes"}),
     ("adversarial", {"reconstruction", "classes", "adversarial"})],
)  # fmt: skip
def test_losses_are_added_one_after_the_other(loss: str, named: set[str]) -> None:
    learner, batch = learner_of(replace(TINY, loss=loss)), batch_of(banded_faces(SHOWN))
    grey, classes = grey_of(batch.pictures), torch.from_numpy(labels_of(batch.categories.numpy()))
    losses = learner.losses(grey, learner.encoder(grey), classes)
    assert losses.keys() == named
    parts = ("encoder", "classes", "decoder")
    reach = {
        "reconstruction": {"encoder", "decoder"}, "classes": {"encoder", "classes"}, "adversarial": {"encoder"}
    }  # fmt: skip
    for name, value in losses.items():
        assert reached(learner, value, parts) == reach[name]
    weights = {"reconstruction": 100.0, "classes": 1.0, "adversarial": 0.1}
    wanted = sum(weights[name] * float(value.detach()) for name, value in losses.items())
    assert float(learner.total(losses).detach()) == pytest.approx(wanted, rel=1e-5)


def test_edits_go_between_the_centres(learnt: Any) -> None:
    faces = banded_faces(SHOWN)
    editor = open_crop_editor(TINY, EditorWeights(Path("w.safetensors"), learnt.state_dict()), "cpu")
    angry = (faces.pictures[1].astype(np.float32) / 127.5) - 1
    there = position(Emotion.SADNESS)
    made, again = editor.edit_crops(angry, [there, there])
    np.testing.assert_array_equal(made, again)
    rows = (made - angry).mean(axis=(1, 2))
    assert rows.argmin() in (6, 7)  # the band of sadness comes
    assert rows.argmax() in (2, 3)  # and that of anger goes
    weaker = editor.edit_crops(angry, [ValenceArousal(there.valence / 3, there.arousal / 3)])[0]
    assert (made - weaker)[6:8].mean() < -0.1


def test_moving_takes_out_what_is_shown() -> None:
    """A latent on the centre of anger goes to that of sadness, whole or half."""
    centres = torch.zeros(len(CLASSES), 3)
    anger, sadness = CLASSES.index(Emotion.ANGER), CLASSES.index(Emotion.SADNESS)
    centres[anger, 0], centres[sadness, 1] = 2.0, 4.0
    sees_anger = lambda latents: torch.nn.functional.one_hot(torch.tensor([anger]), 7) * 100.0  # noqa: E731
    latent = torch.tensor([[2.0, 0.0, 1.0]])
    torch.testing.assert_close(move(latent, sees_anger, centres, sadness, 1.0), torch.tensor([[0.0, 4.0, 1.0]]))
    torch.testing.assert_close(move(latent, sees_anger, centres, sadness, 0.5), torch.tensor([[0.0, 2.0, 1.0]]))


def test_the_sheet_has_a_row_a_person(learnt: Any) -> None:
    assert learnt.sheet(banded_faces(SHOWN)).shape == (4 * 16, (2 + 6) * 16, 3)


def test_settings_that_cannot_be() -> None:
    with pytest.raises(InputError, match=f"none of {', '.join(LOSSES)}"):
        replace(TINY, loss="l3")


def test_weights_without_centres_are_refused(learnt: Any) -> None:
    tensors = {name: tensor for name, tensor in learnt.state_dict().items() if name != "centres"}
    with pytest.raises(InputError, match="centres"):
        open_crop_editor(TINY, EditorWeights(Path("w.safetensors"), tensors), "cpu")


def test_the_card_says_how_well_the_latent_tells_classes(learnt: Any) -> None:
    weights, faces = EditorWeights(Path("w.safetensors"), learnt.state_dict()), banded_faces(SHOWN)
    assert RECIPE.score(TINY, weights, faces) == {"accuracy": 1.0}  # type: ignore[misc]
    half = replace(faces, categories=np.where(faces.subjects < "p2", faces.categories, np.roll(faces.categories, 1)))
    assert RECIPE.score(TINY, weights, half) == {"accuracy": 0.5}  # type: ignore[misc]
    assert RECIPE.score(replace(TINY, loss="l2"), weights, faces) == {}  # type: ignore[misc]


def test_steps_get_smaller_from_epoch_to_epoch() -> None:
    learner = learner_of(replace(TINY, epochs=3, learning_rate=4e-3, last_learning_rate=1e-3))
    (optimizer,) = learner.optimizers()
    rates = []
    for epoch in range(3):
        learner.begin_epoch(epoch)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([4e-3, 2e-3, 1e-3])
