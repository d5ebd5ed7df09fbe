"""Pairs of one emotion and of two, and averaged faces."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.siamese_vae.pairs import class_averages, pair_up
from tests.editors.banded import banded_faces

torch = pytest.importorskip("torch")


def test_half_of_the_pairs_are_alike() -> None:
    torch.manual_seed(0)
    classes = torch.arange(7).repeat(100)
    partners, same = pair_up(classes)
    assert torch.equal(classes[partners] == classes, same)
    assert 0.42 < float(same.float().mean()) < 0.58
    assert (partners != torch.arange(700)).all()  # nobody is compared with himself


def test_faces_of_no_class_are_partners_of_nobody() -> None:
    torch.manual_seed(0)
    classes = torch.tensor([-1, 0, 1, 0, -1, 1])
    for _ in range(20):
        partners, _ = pair_up(classes)
        assert (classes[partners[classes >= 0]] >= 0).all()
        assert partners[0] == 0
        assert partners[4] == 4


def test_a_batch_of_one_emotion_has_no_unlike_pairs() -> None:
    torch.manual_seed(0)
    partners, same = pair_up(torch.zeros(8, dtype=torch.int64))
    assert bool(same.all())
    assert int((partners == torch.arange(8)).sum()) < 8


def test_averages_are_means_of_grey_faces() -> None:
    faces = banded_faces(("anger", "neutral", "fear"), n_people=3)
    averages = class_averages(faces)
    assert averages.shape == (len(CLASSES), 1, 16, 16)
    anger = averages[CLASSES.index("anger"), 0]
    np.testing.assert_allclose(anger[0], 10 / 255, atol=1e-6)
    np.testing.assert_allclose(anger[8], (120 + 150 + 180) / 3 / 255, atol=1e-6)
    assert averages[CLASSES.index("sadness")].max() == 0
