"""On real photographs: the rims of lids and the irises that appear under them are the person's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.data.pictures import read_picture
from synth_affect.fitting.fit import FaceFit
from synth_affect.pipelines.synthesize import AffectSynthesizer
from synth_affect.render.eyes import RINGS_OF_IRIS
from synth_affect.render.flow import surface_flow
from synth_affect.render.scene import EYE_KIND, Scene

FACES = Path(__file__).parents[3] / "shared" / "faces"
LARGE_PX = 700
FEAR = (-0.5, 0.7)

pytestmark = pytest.mark.skipif(not FACES.is_dir(), reason="../shared/faces with the test pictures is absent")


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    image: ImageArray
    fit: FaceFit
    scene: Scene


@pytest.fixture(scope="module")
def synthesizer() -> AffectSynthesizer:
    return AffectSynthesizer()


@pytest.fixture(scope="module", params=["man_stubble", "man_front_b", "woman_portrait", "hand_on_face"])
def portrait(request: pytest.FixtureRequest, synthesizer: AffectSynthesizer) -> Portrait:
    image = read_picture(FACES / f"{request.param}.jpg").pixels
    if image.shape[0] > LARGE_PX:  # as large a face is no harder, only slower
        image = cv2.resize(np.asarray(image), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    fit = synthesizer.fit(image)
    return Portrait(image, fit, synthesizer.prepare(image, fit))


def test_fear_keeps_the_rim_of_the_upper_lid(portrait: Portrait, synthesizer: AffectSynthesizer) -> None:
    """Just above the eye is what was just above it, and no brow, however low the brow comes over a lid that rises."""
    scene = portrait.scene
    vertices = synthesizer.synthesize(
        portrait.image, portrait.fit, valence=FEAR[0], arousal=FEAR[1], scene=scene
    ).vertices
    surface = surface_flow(scene, vertices)
    eyes, rest = surface.kind_map == EYE_KIND, scene.kind_map == EYE_KIND
    columns = np.flatnonzero(eyes.sum(axis=0) > 0.7 * eyes.sum(axis=0).max())
    rows = eyes[:, columns].argmax(axis=0) - 1
    places = rows + surface.flow[rows, columns, 1]
    sources = np.rint(columns + surface.flow[rows, columns, 0]).astype(int)
    above_mm = (rest[:, sources].argmax(axis=0) - places) / scene.px_per_mm
    assert np.median(np.abs(above_mm)) < 1.2
    assert np.percentile(np.abs(above_mm), 80) < 2


@pytest.mark.parametrize("name", ["man_glasses_smile", "woman_turned", "man_bald", "man_beard", "hand_on_face"])
def test_an_iris_ends_where_the_persons_own_does(name: str, synthesizer: AffectSynthesizer) -> None:
    """No pale ring in it, no dark one around it: what is drawn where lids open changes at its edge and nowhere else."""
    image = read_picture(FACES / f"{name}.jpg").pixels
    scene = synthesizer.prepare(image, synthesizer.fit(image))
    for rings in scene.eyes.ring_colours.sum(axis=2):
        inside, edge_in, edge_out, outside = (rings[round(r * RINGS_OF_IRIS)] for r in (0.75, 0.9, 1.15, 1.3))
        assert outside > 1.3 * inside
        assert edge_out - edge_in > 0.6 * (outside - inside)
