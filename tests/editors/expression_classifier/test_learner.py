"""A classifier learns, shows what it misreads, and is read again from its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.editors.expression_classifier.learner import WRONG, build_learner
from synth_affect.editors.expression_classifier.reading import accuracy, read_expressions
from synth_affect.editors.expression_classifier.settings import CLASSES, ClassifierSettings
from synth_affect.editors.weights import EditorWeights
from synth_affect.errors import InputError
from tests.editors.banded import banded_faces, batch_of

torch = pytest.importorskip("torch")
TINY = ClassifierSettings(size=16, channels=(4, 8), units=(16, 12), dropout=0.2, learning_rate=1e-2)
SHOWN = ("anger", "surprise", "neutral", "fear", "")


@pytest.fixture(scope="module")
def learner() -> Any:
    torch.manual_seed(0)
    learner: Any = build_learner(TINY, banded_faces(SHOWN), None)
    batch, optimizers = batch_of(banded_faces(SHOWN)), learner.optimizers()
    for _ in range(60):
        learner.training_step(batch, optimizers)
    return learner.eval()


def test_the_first_loss_is_that_of_not_knowing() -> None:
    torch.manual_seed(0)
    learner: Any = build_learner(TINY, banded_faces(SHOWN), None)
    loss = learner.training_step(batch_of(banded_faces(SHOWN)), learner.optimizers())["cross_entropy"]
    assert float(loss.detach()) == pytest.approx(np.log(7), abs=0.25)


def test_one_batch_is_learnt(learner: Any) -> None:
    faces = banded_faces(SHOWN)
    weights = EditorWeights(Path("w.safetensors"), learner.state_dict())
    readings = read_expressions(TINY, weights, faces.pictures)
    assert readings.features.shape == (len(faces), 12)
    np.testing.assert_allclose(readings.probabilities.sum(axis=1), 1, atol=1e-5)
    share, confusion = accuracy(readings.probabilities, faces)
    assert share == 1
    assert confusion.sum() == 4 * 3  # fear and mixtures are of no class
    assert confusion[CLASSES.index(CLASSES[0]), 0] == 4


def test_misread_pictures_are_framed(learner: Any) -> None:
    faces = banded_faces(SHOWN)
    right = learner.sheet(faces)
    assert right.shape == (len(CLASSES) * 16, 10 * 16, 3)
    assert not (right == WRONG).all(axis=2).any()
    swapped = banded_faces(("surprise", "anger", "neutral", "fear", ""))
    assert (learner.sheet(swapped)[0, 0] == WRONG).all()


def test_weights_of_other_shapes_are_refused(learner: Any) -> None:
    weights = EditorWeights(Path("w.safetensors"), learner.state_dict())
    with pytest.raises(InputError, match=r"w\.safetensors"):
        read_expressions(ClassifierSettings(size=32), weights, np.zeros((1, 32, 32, 3), dtype=np.uint8))
