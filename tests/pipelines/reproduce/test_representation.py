"""What the figures of the seven latents and of the fader's say, on networks whose answers are known."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.editors.beta_vae.latents import latent_figures
from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.reading import Readings
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.fader.settings import FaderSettings
from synth_affect.errors import InputError
from synth_affect.pipelines.reproduce.representation import (
    draw_activations,
    draw_axes,
    draw_features,
    draw_latents,
    draw_traversals,
    shown_classes,
)
from tests.editors.banded import banded_faces

SHOWN = ("neutral", "anger", "sadness")
ANGER, SADNESS = CLASSES.index("anger"), CLASSES.index("sadness")


class Stub:
    """Latent 3 is 2 for anger, 5 is 4 for sadness, 0 is 1 for all, the others never anything."""

    settings = FaderSettings(loss="adversarial")

    def __init__(self, faces: EditorFaces, n: int) -> None:
        self._labels, self._n = labels_of(faces.categories), n
        self.decoded: list[FloatArray] = []

    def encode(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        latents = np.zeros((len(pictures), self._n), dtype=np.float32)
        latents[:, 0] = 1
        latents[self._labels == ANGER, 3] = 2
        latents[self._labels == SADNESS, 5] = 4
        return latents

    def decode(self, latents: FloatArray) -> npt.NDArray[np.uint8]:
        self.decoded.append(latents)
        return np.zeros((len(latents), 16, 16, 3), dtype=np.uint8)


def test_faces_of_the_paper_are_taken() -> None:
    faces = shown_classes(banded_faces(("neutral", "anger", "fear", "")))
    assert len(faces) == 4 * 2
    for lacking in (("anger", "sadness"), ("neutral", "fear")):
        with pytest.raises(InputError, match="--data"):
            shown_classes(banded_faces(lacking))


def test_a_traversal_goes_over_what_was_seen_in_the_raised_latent() -> None:
    faces = banded_faces(SHOWN)
    stub = Stub(faces, 8)
    _, figures = draw_traversals(cast("Any", stub), faces)
    assert figures == {"loss": "adversarial", "latent_of": {"anger": 3, "sadness": 5}}
    anger, sadness = stub.decoded
    np.testing.assert_allclose(anger[:, 3], np.linspace(0, 2, 6))
    np.testing.assert_allclose(sadness[:, 5], np.linspace(0, 4, 6), rtol=1e-6)
    assert (anger[:, 0] == 1).all()
    assert (anger[:, 5] == 0).all()


def test_activations_show_the_latents_that_differ() -> None:
    faces = banded_faces(SHOWN)
    _, figures = draw_activations(cast("Any", Stub(faces, 8)), faces)
    assert figures["silent"] == 5
    assert figures["shown"][:2] == [5, 3]


def test_lengths_and_axes_of_known_latents() -> None:
    faces = banded_faces(SHOWN)
    labels = labels_of(faces.categories)
    latents = np.zeros((len(faces), 7), dtype=np.float32)
    latents[labels == ANGER, ANGER], latents[labels == SADNESS, ANGER] = 3, 2
    figures = latent_figures(latents, faces)
    assert figures["nearest_the_origin"] == "neutral"
    assert figures["classes"]["anger"] == {"length": 3.0, "largest_axis": "anger"}
    assert figures["classes"]["sadness"] == {"length": 2.0, "largest_axis": "anger"}
    assert figures["on_their_own_axis"] == ["anger"]


def test_axes_are_gone_along_one_by_one() -> None:
    faces = banded_faces(SHOWN)
    stub = Stub(faces, 7)
    sheet, _ = draw_axes(cast("Any", stub), faces)
    assert len(stub.decoded) == 7
    for axis, asked in enumerate(stub.decoded):
        others = np.delete(asked, axis, axis=1)
        assert (others == 0).all()
        assert (asked[-1] == 0).all()
    np.testing.assert_allclose(stub.decoded[3][:6, 3], np.linspace(0, 2, 6))
    assert np.asarray(sheet).std() > 0
    draw_latents(cast("Any", stub), faces)


def test_features_are_mapped_and_the_middle_is_named() -> None:
    faces = shown_classes(banded_faces(("neutral", "anger", "sadness"), n_people=6))
    labels = labels_of(faces.categories)
    rng = np.random.default_rng(0)
    ends = {ANGER: 9.0, SADNESS: -9.0}
    features = np.array([[ends.get(int(label), 0.0), 0.0] for label in labels]) + rng.normal(0, 0.3, (len(labels), 2))
    probabilities = np.eye(len(CLASSES), dtype=np.float32)[labels]
    _, figures = draw_features(Readings(probabilities, features.astype(np.float32)), faces)
    assert figures["accuracy"] == 1
    assert figures["nearest_the_middle"] == "neutral"
