"""On real photographs: glasses and a microphone are found and stay, and faces alone have nothing in front of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synth_affect.data.pictures import read_picture
from synth_affect.pipelines.synthesize import AffectSynthesizer

FACES = Path(__file__).parents[3] / "shared" / "faces"
COVERED = {"man_glasses_smile": 6.0, "two_people": 4.0}
"""Picture: square centimetres of its first face that are covered at least."""
ALONE = (
    "einstein_grey",
    "man_bald",
    "man_beard",
    "man_front_a",
    "man_front_b",
    "man_stern",
    "man_stubble",
    "mona_lisa",
    "pearl_earring",
    "woman_dark_low",
    "woman_front_a",
    "woman_front_b",
    "woman_portrait",
    "woman_turned",
)

pytestmark = pytest.mark.skipif(not FACES.is_dir(), reason="../shared/faces with the test pictures is absent")


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[AffectSynthesizer]:
    with AffectSynthesizer() as opened:
        yield opened


@pytest.mark.parametrize("name", ALONE)
def test_nothing_stands_in_front_of_a_face_alone(synthesizer: AffectSynthesizer, name: str) -> None:
    image = read_picture(FACES / f"{name}.jpg").pixels
    fit = synthesizer.fit(image)
    assert synthesizer.prepare(image, fit).occluders is None
    shade = np.linspace(0.25, 1, image.shape[1])[None, :, None]
    assert synthesizer.prepare((image * shade).astype(np.uint8), fit).occluders is None
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert synthesizer.prepare(grey, fit).occluders is None


@pytest.mark.parametrize(("name", "least_cm2"), COVERED.items(), ids=COVERED)
def test_what_stands_in_front_keeps_its_pixels(synthesizer: AffectSynthesizer, name: str, least_cm2: float) -> None:
    image = read_picture(FACES / f"{name}.jpg").pixels
    fit = synthesizer.fit(image)
    scene = synthesizer.prepare(image, fit)
    assert scene.occluders is not None
    whole = scene.occluders.cover == 1
    assert whole.sum() > least_cm2 * 100 * scene.px_per_mm**2
    for valence, arousal in ((0.8, 0.3), (0.1, 0.9), (-0.7, -0.3)):
        picture = synthesizer.synthesize(image, fit, valence=valence, arousal=arousal, scene=scene).image
        np.testing.assert_array_equal(scene.region.of(picture)[whole], scene.region.of(image)[whole])
        assert not np.array_equal(picture, image)
