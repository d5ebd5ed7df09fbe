from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.arrays import ImageArray
from synth_affect.errors import InputError, NoFaceError, ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.heads.model import embed
from synth_affect.pipelines.synthesize import AffectSynthesizer
from synth_affect.render.scene import Scene, project_with

RIGHT_LIP_CORNER, LEFT_LIP_CORNER, CHIN, UPPER_LIP, LOWER_LIP = 61, 291, 152, 13, 14


class FixedDetector:
    """Finds the same faces in every picture."""

    def __init__(self, *faces: Landmarks) -> None:
        self.faces = faces
        self.n_closed = 0

    def detect(self, image: ImageArray) -> list[Landmarks]:
        return list(self.faces)

    def close(self) -> None:
        self.n_closed += 1


@pytest.fixture(scope="module")
def synthesizer(portrait_landmarks: Landmarks) -> Iterator[AffectSynthesizer]:
    with AffectSynthesizer(detector=FixedDetector(portrait_landmarks)) as opened:
        yield opened


@pytest.fixture(scope="module")
def fit(synthesizer: AffectSynthesizer, portrait: ImageArray) -> FaceFit:
    return synthesizer.fit(portrait)


@pytest.fixture(scope="module")
def scene(synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit) -> Scene:
    return synthesizer.prepare(portrait, fit)


@pytest.fixture(scope="module")
def blank_fit(synthesizer: AffectSynthesizer, fit: FaceFit) -> FaceFit:
    """The portrait's pose with the mean identity and no expression: what no detector and no solver made."""
    return replace(
        fit,
        identity_coefficients=np.zeros_like(fit.identity_coefficients),
        expression_weights=np.zeros_like(fit.expression_weights),
    )


def landmarks_px(scene: Scene, vertices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    points = project_with(scene.camera, vertices, scene.offsets_px)[:, :2]
    return embed(points, scene.head.triangles, scene.head.landmarks_478)


def test_the_result_is_a_picture_a_mesh_and_its_weights(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    result = synthesizer.synthesize(portrait, fit, valence=0.6, arousal=0.3, scene=scene)
    assert result.image.shape == portrait.shape
    assert result.image.dtype == np.uint8
    assert result.vertices.shape == synthesizer.head.mean.shape
    assert result.vertices.dtype == result.expression_weights.dtype == np.float32
    assert len(result.expression_weights) == len(synthesizer.head.unit_names)
    assert result.expression_weights.min() >= 0
    assert result.expression_weights.max() <= 1


def test_a_prepared_scene_changes_nothing_but_the_time(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    prepared = synthesizer.synthesize(portrait, fit, valence=-0.5, arousal=0.6, scene=scene)
    alone = synthesizer.synthesize(portrait, fit, valence=-0.5, arousal=0.6)
    np.testing.assert_array_equal(prepared.image, alone.image)
    np.testing.assert_array_equal(prepared.vertices, alone.vertices)
    np.testing.assert_array_equal(prepared.expression_weights, alone.expression_weights)


def test_the_order_of_requests_does_not_matter(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene, portrait_landmarks: Landmarks
) -> None:
    targets = [(0.8, 0.3), (-0.7, -0.3), (0.0, 0.9)]
    forth = [synthesizer.synthesize(portrait, fit, valence=v, arousal=a, scene=scene).image for v, a in targets]
    with AffectSynthesizer(detector=FixedDetector(portrait_landmarks)) as other:
        again = other.fit(portrait)
        back = [other.synthesize(portrait, again, valence=v, arousal=a).image for v, a in reversed(targets)]
    for one, two in zip(forth, reversed(back), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_picture_given_is_not_written_to(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit
) -> None:
    frozen = portrait.copy()
    frozen.flags.writeable = False
    synthesizer.synthesize(frozen, fit, valence=0.1, arousal=0.9)
    np.testing.assert_array_equal(frozen, portrait)


def test_keeping_the_expression_at_the_origin_changes_nothing(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    result = synthesizer.synthesize(portrait, fit, valence=0, arousal=0, input_expression="keep", scene=scene)
    np.testing.assert_array_equal(result.image, portrait)
    np.testing.assert_array_equal(result.vertices, scene.vertices)
    np.testing.assert_array_equal(result.expression_weights, fit.expression_weights)


def test_replacing_no_expression_at_the_origin_changes_nothing(
    synthesizer: AffectSynthesizer, portrait: ImageArray, blank_fit: FaceFit
) -> None:
    result = synthesizer.synthesize(portrait, blank_fit, valence=0, arousal=0)
    np.testing.assert_array_equal(result.image, portrait)
    assert not result.expression_weights.any()


def test_replacing_takes_a_smile_away_and_keeping_adds_to_it(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    smile = [i for i, name in enumerate(synthesizer.head.unit_names) if name.startswith("mouthSmile")]
    assert fit.expression_weights[smile].min() > 0.6  # she smiles
    replaced = synthesizer.synthesize(portrait, fit, valence=0, arousal=0, scene=scene)
    assert replaced.expression_weights[smile].max() < 0.05
    corners = [RIGHT_LIP_CORNER, LEFT_LIP_CORNER]
    before, after = (landmarks_px(scene, vertices)[corners, 1] for vertices in (scene.vertices, replaced.vertices))
    assert (after > before + 1).all()
    kept = synthesizer.synthesize(portrait, fit, valence=0.8, arousal=0.3, input_expression="keep", scene=scene)
    assert (kept.expression_weights >= fit.expression_weights).all()


def test_no_intensity_is_the_origin(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    none = synthesizer.synthesize(portrait, fit, valence=-0.5, arousal=0.6, intensity=0, scene=scene)
    origin = synthesizer.synthesize(portrait, fit, valence=0, arousal=0, scene=scene)
    np.testing.assert_array_equal(none.image, origin.image)
    np.testing.assert_array_equal(none.vertices, origin.vertices)


def test_displacement_grows_with_intensity_and_with_the_radius(
    synthesizer: AffectSynthesizer, portrait: ImageArray, blank_fit: FaceFit
) -> None:
    blank_scene = synthesizer.prepare(portrait, blank_fit)

    def size(valence: float, arousal: float, intensity: float) -> float:
        result = synthesizer.synthesize(
            portrait, blank_fit, valence=valence, arousal=arousal, intensity=intensity, scene=blank_scene
        )
        return float(np.linalg.norm(result.vertices - blank_scene.vertices))

    assert (np.diff([size(0.6, 0.3, intensity) for intensity in (0, 0.3, 0.6, 1.0)]) > 0).all()
    assert (np.diff([size(0.8 * r, 0.4 * r, 1.0) for r in (0, 0.25, 0.5, 0.75, 1.0)]) > 0).all()


def test_the_mesh_does_what_was_asked(synthesizer: AffectSynthesizer, portrait: ImageArray, blank_fit: FaceFit) -> None:
    scene = synthesizer.prepare(portrait, blank_fit)
    rest = landmarks_px(scene, scene.vertices)
    joy, sadness, alarm = (
        landmarks_px(scene, synthesizer.synthesize(portrait, blank_fit, valence=v, arousal=a, scene=scene).vertices)
        for v, a in ((0.8, 0.3), (-0.7, -0.3), (0.1, 0.9))
    )
    corners = [RIGHT_LIP_CORNER, LEFT_LIP_CORNER]
    assert (joy[corners, 1] < rest[corners, 1] - 1).all()
    assert (sadness[corners, 1] > rest[corners, 1] + 1).all()
    gap = [points[LOWER_LIP, 1] - points[UPPER_LIP, 1] for points in (rest, alarm)]
    assert gap[1] > gap[0] + 4
    assert alarm[CHIN, 1] > rest[CHIN, 1] + 2


def test_a_category_settles_what_a_point_leaves_open(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    anger, fear = (
        synthesizer.synthesize(portrait, fit, valence=-0.5, arousal=0.5, emotion=emotion, scene=scene)
        for emotion in (Emotion.ANGER, Emotion.FEAR)
    )
    wide = [i for i, name in enumerate(synthesizer.head.unit_names) if name.startswith("browInnerUp")]
    assert fear.expression_weights[wide].mean() > anger.expression_weights[wide].mean() + 0.2
    assert (anger.image != fear.image).any()


def test_folds_can_be_left_out(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    with_folds, without = (
        synthesizer.synthesize(portrait, fit, valence=-0.5, arousal=0.6, wrinkles=share, scene=scene)
        for share in (1.0, 0.0)
    )
    np.testing.assert_array_equal(with_folds.vertices, without.vertices)
    assert (np.abs(with_folds.image.astype(int) - without.image) > 3).any(axis=2).sum() > 100


def test_outside_the_region_nothing_changes(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    region = scene.region
    assert region.size.height * region.size.width < 0.5 * portrait.shape[0] * portrait.shape[1]
    for valence, arousal in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
        result = synthesizer.synthesize(portrait, fit, valence=valence, arousal=arousal, scene=scene).image.copy()
        assert (result != portrait).any()
        result[region.top : region.bottom, region.left : region.right] = region.of(portrait)
        np.testing.assert_array_equal(result, portrait)


def test_a_path_round_the_plane_takes_even_steps(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    angles = np.linspace(0, 2 * np.pi, 61)
    frames = [
        synthesizer.synthesize(portrait, fit, valence=0.8 * math.cos(t), arousal=0.8 * math.sin(t), scene=scene)
        for t in angles
    ]
    pairs = list(itertools.pairwise(frames))
    steps = np.array([np.linalg.norm(b.vertices - a.vertices, axis=1).max() for a, b in pairs])
    changes = np.array([np.abs(b.image.astype(np.int16) - a.image).mean() for a, b in pairs])
    assert (steps > 0).all()
    assert steps.max() <= 2 * np.median(steps)
    assert changes.max() <= 3 * np.median(changes)
    np.testing.assert_allclose(frames[-1].vertices, frames[0].vertices, atol=1e-3)


def test_no_face_is_said_by_name(portrait: ImageArray) -> None:
    with AffectSynthesizer(detector=FixedDetector()) as nobody:
        assert nobody.fit_all(portrait) == []
        with pytest.raises(NoFaceError, match=r"^garden\.jpg: no face found$"):
            nobody.fit(portrait, name="garden.jpg")


def test_faces_are_counted_from_the_first_that_was_found(
    synthesizer: AffectSynthesizer, portrait_landmarks: Landmarks, two_portraits: tuple[Path, list[Landmarks]]
) -> None:
    from synth_affect.data.pictures import read_picture

    path, faces = two_portraits
    image = read_picture(path).pixels
    with AffectSynthesizer(synthesizer.head, FixedDetector(*faces)) as pair:
        fits = pair.fit_all(image)
        second = pair.fit(image, face=1)
        for wrong in (2, -1):
            with pytest.raises(InputError, match=rf"^two\.png: face {wrong} was asked for, 2 found"):
                pair.fit(image, face=wrong, name="two.png")
    np.testing.assert_array_equal(second.landmarks_image, fits[1].landmarks_image)
    np.testing.assert_allclose(second.landmarks_image - fits[0].landmarks_image, np.tile([512, 0], (478, 1)), atol=1e-3)


def test_editing_one_of_two_faces_leaves_the_other(
    synthesizer: AffectSynthesizer, two_portraits: tuple[Path, list[Landmarks]]
) -> None:
    from synth_affect.data.pictures import read_picture

    path, faces = two_portraits
    image = read_picture(path).pixels
    with AffectSynthesizer(synthesizer.head, FixedDetector(*faces)) as pair:
        result = pair.synthesize(image, pair.fit(image, face=1), valence=0.1, arousal=0.9)
    np.testing.assert_array_equal(result.image[:, :512], image[:, :512])
    assert (result.image[:, 512:] != image[:, 512:]).any()


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((40, 40), np.uint8), r"\(height, width, 3\), got \(40, 40\)"),
        (np.zeros((40, 40, 4), np.uint8), r"got \(40, 40, 4\)"),
        (np.zeros((40, 40, 3), np.int32), "expected uint8 or uint16, got int32"),
        (np.zeros((40, 40, 3), np.float32), "expected uint8 or uint16, got float32"),
    ],
    ids=["grey", "alpha", "int32", "float"],
)
def test_what_is_no_picture_is_refused(
    synthesizer: AffectSynthesizer, fit: FaceFit, image: ImageArray, said: str
) -> None:
    with pytest.raises(ShapeError, match=said):
        synthesizer.fit_all(image)
    with pytest.raises(ShapeError, match=said):
        synthesizer.synthesize(image, fit, valence=0.5, arousal=0.5)


def test_a_fit_of_another_picture_is_refused(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit
) -> None:
    smaller = portrait[:-1].copy()
    with pytest.raises(ShapeError, match=r"image: expected \(512, 512, 3\), got \(511, 512, 3\)"):
        synthesizer.synthesize(smaller, fit, valence=0.5, arousal=0.5)


def test_a_fit_of_another_head_is_refused(synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit) -> None:
    foreign = replace(fit, topology="another", head="flame")
    with pytest.raises(InputError, match="made with the head model flame, not with cc0"):
        synthesizer.synthesize(portrait, foreign, valence=0.5, arousal=0.5)


@pytest.mark.parametrize(
    ("wrong", "option"),
    [
        ({"valence": math.nan, "arousal": 0.0}, "--valence"),
        ({"valence": 0.0, "arousal": math.nan}, "--arousal"),
        ({"valence": 1.01, "arousal": 0.0}, "--valence"),
        ({"valence": 0.0, "arousal": -1.5}, "--arousal"),
        ({"valence": 0.0, "arousal": 0.0, "intensity": -0.1}, "--intensity"),
        ({"valence": 0.0, "arousal": 0.0, "intensity": math.nan}, "--intensity"),
        ({"valence": 0.0, "arousal": 0.0, "intensity": math.inf}, "--intensity"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, wrong: dict[str, float], option: str
) -> None:
    with pytest.raises(InputError, match=f"^{option}: "):
        synthesizer.synthesize(portrait, fit, **wrong)  # type: ignore[arg-type]


def test_leaving_closes_the_detector_once(portrait_landmarks: Landmarks) -> None:
    detector = FixedDetector(portrait_landmarks)
    with AffectSynthesizer(detector=detector) as opened:
        assert detector.n_closed == 0
    opened.close()
    assert detector.n_closed == 1


def test_a_detector_is_opened_when_it_is_first_needed(stub_detector: Any, portrait: ImageArray) -> None:
    with AffectSynthesizer() as lazy:
        assert stub_detector.open_now == 0
        lazy.fit(portrait)
        lazy.fit(portrait)
        assert stub_detector.open_now == 1
    assert stub_detector.open_now == 0


def test_a_scene_of_another_face_is_refused(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene
) -> None:
    beside = replace(fit, camera=replace(fit.camera, translation=np.add(fit.camera.translation, [50.0, 0, 0])))
    with pytest.raises(ShapeError, match="scene"):
        synthesizer.synthesize(portrait, beside, valence=0.5, arousal=0.5, scene=scene)


@pytest.mark.parametrize("intensity", [-0.1, 10.5, 1e39, math.nan])
def test_an_intensity_out_of_range_is_refused(
    synthesizer: AffectSynthesizer, portrait: ImageArray, fit: FaceFit, scene: Scene, intensity: float
) -> None:
    with pytest.raises(InputError, match="--intensity"):
        synthesizer.synthesize(portrait, fit, valence=0.5, arousal=0.5, intensity=intensity, scene=scene)


@pytest.mark.parametrize("unit", ["eyeBlinkLeft", "eyeSquintRight", "eyeWideLeft"])
def test_a_head_without_lids_is_refused_at_once(synthesizer: AffectSynthesizer, unit: str) -> None:
    head = synthesizer.head
    names = tuple("other" if name == unit else name for name in head.unit_names)
    with pytest.raises(ShapeError, match=unit):
        AffectSynthesizer(replace(head, unit_names=names))
