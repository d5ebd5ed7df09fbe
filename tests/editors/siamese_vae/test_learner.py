"""The comparator learns first, then the VAE that it supports; edits go between the centres of classes."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.grey import grey_of
from synth_affect.editors.siamese_vae.comparing import comparison_accuracy
from synth_affect.editors.siamese_vae.crop_editor import open_crop_editor
from synth_affect.editors.siamese_vae.learner import build_learner
from synth_affect.editors.siamese_vae.losses import comparison_loss, response
from synth_affect.editors.siamese_vae.networks import build_networks
from synth_affect.editors.siamese_vae.settings import SiameseSettings
from synth_affect.editors.weights import EditorWeights
from synth_affect.errors import InputError
from synth_affect.regressors.networks import n_parameters
from tests.editors.banded import banded_faces, batch_of, reached

torch = pytest.importorskip("torch")
TINY = SiameseSettings(
    size=16,
    channels=(4, 8),
    units=(16, 12),
    latent=6,
    last_dense=False,
    comparator_epochs=2,
    support=0.1,
    learning_rate=5e-3,
)
SHOWN = ("neutral", "anger", "surprise", "sadness")
PARTS = ("comparator", "encoder", "decoder")


def learner_of(settings: SiameseSettings = TINY) -> Any:
    torch.manual_seed(0)
    return build_learner(settings, banded_faces(SHOWN), None)


@pytest.fixture(scope="module")
def learnt() -> Any:
    learner, batch = learner_of(), batch_of(banded_faces(SHOWN))
    optimizers = learner.optimizers()
    for epoch, steps in ((0, 120), (2, 200)):
        learner.begin_epoch(epoch)
        for _ in range(steps):
            learner.training_step(batch, optimizers)
    return learner.eval()


def weights_of(learner: Any) -> EditorWeights:
    return EditorWeights(Path("w.safetensors"), learner.state_dict())


def test_networks_of_the_paper() -> None:
    with torch.device("meta"):
        networks = build_networks(SiameseSettings())
    shared = 3 * 3 * 8 + 8 + 3 * 3 * 8 * 32 + 32 + (32 * 128 * 128 + 1) * 256 + (256 + 1) * 100
    assert n_parameters(networks.comparator) == shared + 100 + 1
    assert n_parameters(networks.encoder) == shared + 2 * (100 + 1) * 32


def test_a_picture_is_like_itself_whichever_comes_first() -> None:
    comparator: Any = build_networks(TINY).comparator
    one, other = torch.rand(3, 1, 16, 16), torch.rand(3, 1, 16, 16)
    torch.testing.assert_close(comparator(one, other), comparator(other, one))
    bias = comparator.last.bias.detach()
    torch.testing.assert_close(comparator(one, one), bias.expand(3))


def test_losses_of_known_logits() -> None:
    logits = torch.tensor([0.0, math.log(3)])
    assert float(response(logits)) == pytest.approx((0.5 + 0.75) / 2)
    wanted = (math.log(2) - math.log(0.25)) / 2
    assert float(comparison_loss(logits, torch.tensor([True, False]))) == pytest.approx(wanted)


@pytest.mark.parametrize("pairing", ["pictures", "averages"])
def test_one_after_the_other(pairing: str) -> None:
    learner, batch = learner_of(replace(TINY, pairing=pairing)), batch_of(banded_faces(SHOWN))
    optimizers = learner.optimizers()
    for epoch, moving in ((0, {"comparator"}), (1, {"comparator"}), (2, {"encoder", "decoder"}), (0, {"comparator"})):
        learner.begin_epoch(epoch)
        before = {name: p.clone() for name, p in learner.named_parameters()}
        losses = learner.training_step(batch, optimizers)
        assert ("comparison" in losses) == (moving == {"comparator"})
        moved = {name.partition(".")[0] for name, p in learner.named_parameters() if not torch.equal(p, before[name])}
        assert moved == moving


def test_the_response_reaches_the_vae_through_the_comparator() -> None:
    learner, batch = learner_of(), batch_of(banded_faces(SHOWN))
    learner.begin_epoch(TINY.comparator_epochs)
    grey = grey_of(batch.pictures)
    losses = learner.vae_losses(grey, *learner.encoder(grey))
    for name, reach in (("response", {"encoder", "decoder"}), ("divergence", {"encoder"})):
        parts = tuple(part for part in PARTS if part != "comparator")  # which is frozen now
        assert reached(learner, losses[name], parts) == reach
    settings = TINY
    wanted = losses["reconstruction"] - settings.support * losses["response"]
    torch.testing.assert_close(learner.total(losses), wanted + settings.divergence * losses["divergence"])


def test_pairs_are_learnt(learnt: Any) -> None:
    faces = banded_faces(SHOWN)
    assert comparison_accuracy(TINY, weights_of(learnt), faces) > 0.9
    torch.manual_seed(5)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    comparison_accuracy(TINY, weights_of(learnt), faces)
    assert torch.equal(torch.rand(1), drawn)  # others' random numbers are not touched
    with pytest.raises(InputError, match="fewer than two"):
        comparison_accuracy(TINY, weights_of(learnt), banded_faces(("fear", "")))


def test_edits_go_towards_the_centre_of_a_class(learnt: Any) -> None:
    faces = banded_faces(SHOWN)
    assert labels_of(faces.categories)[0] == 6
    neutral = (faces.pictures[0].astype(np.float32) / 127.5) - 1
    editor = open_crop_editor(TINY, weights_of(learnt), "cpu")
    there = position(Emotion.SADNESS)
    still, made = editor.edit_crops(neutral, [ValenceArousal(0, 0), there])
    np.testing.assert_allclose(still, neutral, atol=1e-6)
    assert (made - neutral).mean(axis=(1, 2)).argmin() in (6, 7)  # the band of sadness comes
    np.testing.assert_array_equal(made, editor.edit_crops(neutral, [there])[0])


def test_the_sheet_has_averages_faces_and_reconstructions(learnt: Any) -> None:
    assert learnt.sheet(banded_faces(SHOWN)).shape == (3 * 16, 8 * 16, 3)


def test_what_cannot_be_is_refused(learnt: Any) -> None:
    with pytest.raises(InputError, match="--pairing"):
        replace(TINY, pairing="triples")
    tensors = {name: tensor for name, tensor in learnt.state_dict().items() if name != "centres"}
    with pytest.raises(InputError, match="centres"):
        open_crop_editor(TINY, EditorWeights(Path("w.safetensors"), tensors), "cpu")
