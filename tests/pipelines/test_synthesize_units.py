"""Single units on top of an affect, in the picture: what is asked for moves, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.blendshape.local_units import ActionUnits
from synth_affect.errors import InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import embed
from synth_affect.pipelines.synthesize import AffectSynthesizer, SynthesisResult
from synth_affect.render.scene import Scene, project_with

LEFT, RIGHT = 291, 61
"""MediaPipe's points on the corners of the mouth."""
RIGHT_IRIS, LEFT_IRIS = 468, 473


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[AffectSynthesizer]:
    with AffectSynthesizer() as opened:
        yield opened


@pytest.fixture(scope="module")
def fit(synthesizer: AffectSynthesizer, portrait: ImageArray, portrait_landmarks: Landmarks) -> FaceFit:
    return synthesizer.solver(portrait_landmarks, ImageSize(*portrait.shape[:2]))


@pytest.fixture(scope="module")
def scene(synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit) -> Scene:
    return synthesizer.prepare(portrait, fit)


def shown(
    synthesizer: AffectSynthesizer,
    portrait: ImageArray,
    fit: FaceFit,
    scene: Scene,
    *units: str,
    valence: float = 0.0,
    arousal: float = 0.0,
    intensity: float = 1.0,
) -> SynthesisResult:
    return synthesizer.synthesize(
        portrait,
        fit,
        valence=valence,
        arousal=arousal,
        intensity=intensity,
        action_units=ActionUnits.parse(units),
        scene=scene,
    )


def weight(synthesizer: AffectSynthesizer, result: SynthesisResult, unit: str) -> float:
    return float(result.expression_weights[synthesizer.head.unit_names.index(unit)])


def heights(scene: Scene, result: SynthesisResult) -> tuple[float, float]:
    """Of the corners of the mouth in the picture, left and right, px downwards."""
    points = project_with(scene.camera, result.vertices, scene.offsets_px)[:, :2]
    corners = embed(points, scene.head.triangles, scene.head.landmarks_478)
    return float(corners[LEFT, 1]), float(corners[RIGHT, 1])


def test_no_units_are_the_affect_alone(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    plain = synthesizer.synthesize(portrait, fit, valence=0.6, arousal=0.3, scene=scene)
    again = shown(synthesizer, portrait, fit, scene, valence=0.6, arousal=0.3)
    np.testing.assert_array_equal(again.image, plain.image)


def test_one_side_moves_and_the_other_rests(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    rest = heights(scene, shown(synthesizer, portrait, fit, scene, "AU24=0.001"))
    left, right = heights(scene, shown(synthesizer, portrait, fit, scene, "AU12L=0.8"))
    assert left < rest[0] - 3
    assert abs(right - rest[1]) < 1


def test_units_go_over_the_affect_and_intensity_leaves_them(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    joy = shown(synthesizer, portrait, fit, scene, valence=0.9, arousal=0.3)
    mixed = shown(synthesizer, portrait, fit, scene, "AU12=0.3", valence=0.9, arousal=0.3)
    half = shown(synthesizer, portrait, fit, scene, "AU12=0.3", valence=0.9, arousal=0.3, intensity=0.5)
    smiles = [weight(synthesizer, result, "mouthSmileLeft") for result in (joy, mixed, half)]
    assert smiles[0] > 0.8
    assert smiles[1] == smiles[2] == pytest.approx(0.3, abs=0.02)
    cheeks = [weight(synthesizer, result, "cheekSquintLeft") for result in (joy, mixed, half)]
    assert cheeks[0] == cheeks[1] > cheeks[2]


def test_only_that_part_of_the_face_changes(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    asked = {"valence": 0.6, "arousal": 0.3}
    plain = shown(synthesizer, portrait, fit, scene, **asked).image.astype(int)
    frowning = shown(synthesizer, portrait, fit, scene, "AU4=0.8", **asked).image.astype(int)
    changed = np.flatnonzero((np.abs(plain - frowning).max(axis=2) > 4).any(axis=1))
    mouth = min(heights(scene, shown(synthesizer, portrait, fit, scene)))
    assert len(changed) > 20
    assert changed.max() < mouth


@pytest.mark.parametrize(
    ("unit", "closed"), [("AU43", (True, True)), ("AU46R", (True, False)), ("AU46L", (False, True))]
)
def test_a_closed_eye_shows_skin_for_its_iris(
    unit: str,
    closed: tuple[bool, bool],
    synthesizer: AffectSynthesizer,
    portrait: ImageArray,
    fit: FaceFit,
    scene: Scene,
) -> None:
    result = shown(synthesizer, portrait, fit, scene, f"{unit}=1")
    before = embed(
        project_with(scene.camera, scene.vertices, scene.offsets_px)[:, :2],
        scene.head.triangles,
        scene.head.landmarks_478,
    )
    skin = portrait[int(before[50, 1]), int(before[50, 0])].mean()  # of the cheek
    for iris, is_closed in zip((RIGHT_IRIS, LEFT_IRIS), closed, strict=True):
        column, row = before[iris].astype(int)
        pupil = (slice(row - 2, row + 1), slice(column - 1, column + 2))
        assert portrait[pupil].mean() < 0.5 * skin
        assert (result.image[pupil].mean() > 0.5 * skin) == is_closed


def test_a_head_that_lacks_a_unit_says_so(portrait: ImageArray, portrait_landmarks: Landmarks, fit: FaceFit) -> None:
    head = load_cc0()
    place = head.unit_names.index("noseSneerLeft")
    names = tuple("wiggle" if k == place else name for k, name in enumerate(head.unit_names))
    with (
        AffectSynthesizer(replace(head, name="bare", unit_names=names)) as bare,
        pytest.raises(InputError, match="AU9 needs noseSneerLeft, which the head model bare lacks"),
    ):
        bare.synthesize(portrait, fit, valence=0, arousal=0, action_units=ActionUnits.of({"AU9": 0.5}))
